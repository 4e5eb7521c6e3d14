//! How good a fully trained network is: the question behind the rate to use.

use super::Verdict;
use std::error::Error;

/// Trains for the full budget and measures on held-out data. Must be a pure function of its arguments, like
/// [`Probe`](super::Probe). Closures `Fn(f64, u64) -> Result<Scored, E>` are scores.
pub trait Score: Sync {
    /// What can go wrong; [`Infallible`](std::convert::Infallible) where nothing can.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Trains from scratch at the constant learning rate `eta` with this `seed`.
    ///
    /// # Errors
    /// When it cannot be told how good it is; the choice ends with it.
    fn score(&self, eta: f64, seed: u64) -> Result<Scored, Self::Error>;

    /// What the metric is called in reports.
    fn metric(&self) -> &str {
        "held-out metric"
    }

    /// Whether more of the metric is better (accuracy) or less (an error).
    fn higher_is_better(&self) -> bool {
        true
    }
}

impl<F, E> Score for F
where
    F: Fn(f64, u64) -> Result<Scored, E> + Sync,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Error = E;

    fn score(&self, eta: f64, seed: u64) -> Result<Scored, E> {
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
