//! How good a fully trained network is: the question behind the rate to use.

use super::Verdict;

/// Trains for the full budget and measures on held-out data. Must be a pure function of its arguments, like
/// [`Probe`](super::Probe). Closures `Fn(f64, u64) -> Scored` are scores.
pub trait Score: Sync {
    /// Trains from scratch at the constant learning rate `eta` with this `seed`.
    fn score(&self, eta: f64, seed: u64) -> Scored;

    /// What the metric is called in reports.
    fn metric(&self) -> &str {
        "held-out metric"
    }

    /// Whether more of the metric is better (accuracy) or less (an error).
    fn higher_is_better(&self) -> bool {
        true
    }
}

impl<F: Fn(f64, u64) -> Scored + Sync> Score for F {
    fn score(&self, eta: f64, seed: u64) -> Scored {
        self(eta, seed)
    }
}

/// One fully trained network, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Did it train? A rate that was too fast for any seed is never recommended.
    pub verdict: Verdict,
    /// The held-out metric by which rates are compared.
    pub metric: f64,
    /// The held-out loss, which decides between rates that the metric cannot tell apart.
    pub loss: f64,
    /// Gradient steps spent.
    pub steps: u64,
}
