//! What eta* means. Everything that finds, counts or prints a boundary refers to this file.

use super::Probed;
use serde::{Deserialize, Serialize};

/// Counts changes of [`DEFINITION`]; written into every result, so that numbers found under different
/// definitions are never compared unknowingly.
pub(super) const DEFINITION_VERSION: u32 = 1;

/// The definition of the maximal initial learning rate, as printed in reports.
///
/// The notion is that of "Maximal Initial Learning Rates in Deep ReLU Networks" (arXiv 2212.07295): the
/// largest rate at which a freshly initialised network begins to train and reaches a threshold accuracy.
/// Success is not monotone in the rate, hence the precise form.
pub const DEFINITION: &str = "\
eta* of a seed is the upper end of the lowest unbroken run of trained rates: among all probed rates, start at \
the lowest that trained and go up to the last before the first failure; eta* is the geometric middle between \
that last success and that failure. A failure of either kind ends the run. Failures below the lowest success \
do not count: there training is too slow (if a rate there diverged, lower rates were searched for a success \
first). Successes above the failure are islands: reported, never counted. If the highest rate of the range \
trained and nothing below it failed, eta* is censored above; if no rate trained, it is undefined. eta* of \
several seeds is the median of their log eta*, censored seeds counting as +infinity, undefined ones as \
-infinity.";

/// Where one seed's boundary lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// Between `low`, which trained, and `high`, which did not.
    Found {
        /// The highest rate of the run that trained.
        low: f64,
        /// The failure that ends the run.
        high: f64,
    },
    /// The run did not end: this is the highest rate tried, and it trained.
    CensoredAbove(f64),
    /// No rate trained, from the lowest tried to the highest.
    Undefined {
        /// The lowest rate tried.
        lowest: f64,
        /// The highest rate tried.
        highest: f64,
    },
}

impl Boundary {
    /// eta*: the geometric middle of the bracket; `None` if censored or undefined.
    pub fn eta(&self) -> Option<f64> {
        match *self {
            // Not sqrt(low * high), which can overflow.
            Boundary::Found { low, high } => Some(low.sqrt() * high.sqrt()),
            Boundary::CensoredAbove(_) | Boundary::Undefined { .. } => None,
        }
    }

    /// Where it stands among other seeds': eta*, +infinity if censored, 0 (log eta* = -infinity) if undefined.
    pub(crate) fn rank(&self) -> f64 {
        match self {
            Boundary::CensoredAbove(_) => f64::INFINITY,
            boundary => boundary.eta().unwrap_or(0.0),
        }
    }
}

/// The lowest unbroken run of trained rates, `probes[base..end]`, in probes sorted by rate.
pub(super) struct Run {
    pub(super) base: usize,
    pub(super) end: usize,
}

/// Finds the run; `None` if nothing trained.
pub(super) fn lowest_run(probes: &[Probed]) -> Option<Run> {
    let base = probes.iter().position(Probed::trained)?;
    let length = probes[base..].iter().take_while(|probed| probed.trained()).count();
    Some(Run { base, end: base + length })
}

/// The boundary that these probes, sorted by rate, show; `None` before the first probe.
pub(super) fn boundary(probes: &[Probed]) -> Option<Boundary> {
    let (first, last) = (probes.first()?, probes.last()?);
    let Some(run) = lowest_run(probes) else {
        return Some(Boundary::Undefined { lowest: first.eta, highest: last.eta });
    };
    let low = probes[run.end - 1].eta;
    Some(match probes.get(run.end) {
        Some(failure) => Boundary::Found { low, high: failure.eta },
        None => Boundary::CensoredAbove(low),
    })
}

/// The trained rates above the failure that ends the run.
pub(super) fn islands(probes: &[Probed]) -> Vec<f64> {
    let end = lowest_run(probes).map_or(probes.len(), |run| run.end);
    probes[end..].iter().filter(|probed| probed.trained()).map(|probed| probed.eta).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Answer;

    /// Rates 1, 2, 3, ... with a letter each: trained, fast, slow.
    fn probes(letters: &str) -> Vec<Probed> {
        let verdict = |letter| match letter {
            't' => Answer::Trained,
            'f' => Answer::TooFast("loss 1e9".into()),
            _ => Answer::TooSlow,
        };
        let probed = |(i, letter)| Probed { eta: (i + 1) as f64, verdict: verdict(letter), steps: 1 };
        letters.chars().enumerate().map(probed).collect()
    }

    #[test]
    fn the_boundary_ends_the_lowest_run() {
        let found = |letters| boundary(&probes(letters));
        assert_eq!(found(""), None);
        assert_eq!(found("ttf"), Some(Boundary::Found { low: 2.0, high: 3.0 }));
        assert_eq!(found("sstff"), Some(Boundary::Found { low: 3.0, high: 4.0 }));
        assert_eq!(found("ttstf"), Some(Boundary::Found { low: 2.0, high: 3.0 }));
        assert_eq!(found("ftf"), Some(Boundary::Found { low: 2.0, high: 3.0 }));
        assert_eq!(found("stt"), Some(Boundary::CensoredAbove(3.0)));
        assert_eq!(found("ssff"), Some(Boundary::Undefined { lowest: 1.0, highest: 4.0 }));
    }

    #[test]
    fn successes_above_the_boundary_are_islands() {
        assert_eq!(islands(&probes("sttftsf")), [5.0]);
        assert_eq!(islands(&probes("ttff")), [0.0; 0]);
        assert_eq!(islands(&probes("ssff")), [0.0; 0]);
    }

    #[test]
    fn eta_is_the_geometric_middle_without_overflow() {
        assert_eq!(Boundary::Found { low: 1.0, high: 4.0 }.eta(), Some(2.0));
        let middle = Boundary::Found { low: 1e300, high: 1.1e300 }.eta().unwrap();
        assert!(middle > 1e300 && middle < 1.1e300);
        assert_eq!(Boundary::CensoredAbove(1.0).eta(), None);
    }
}
