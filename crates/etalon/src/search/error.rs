//! What can be wrong with a search before it starts, or while it is being told answers.

use super::Cause;

/// Why a search cannot start or go on. A search that merely finds no boundary is not an error: see
/// [`Boundary`](super::Boundary).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SearchError {
    /// The tolerance is not in (0, 1].
    #[error("the tolerance of a search is {0}: give a relative width in (0, 1], such as 0.05")]
    Tolerance(f64),
    /// The factor of the bracket is not above 1.
    #[error("the factor by which a bracket widens is {0}: give a finite factor above 1, such as 2")]
    Factor(f64),
    /// No interior points.
    #[error("the number of interior points of a bracket is 0: give at least 1 (1 is bisection)")]
    Sections,
    /// A search without probes.
    #[error("the most probes of a search are 0: allow at least 1 (the default is 100)")]
    MaxProbes,
    /// The range of rates is empty or not positive.
    #[error("the range of rates is [{0}, {1}]: give two positive, finite rates, the lower first")]
    Range(f64, f64),
    /// A rate that is no learning rate.
    #[error("{what} is {eta}: a learning rate must be positive, finite and not subnormal")]
    Rate {
        /// Which rate.
        what: &'static str,
        /// Its value.
        eta: f64,
    },
    /// No seed to search with.
    #[error("no seed was given: give at least 1 (5 give an interval that covers the median at 93.75 %)")]
    NoSeeds,
    /// The same seed twice, which would count one trial as two.
    #[error("seed {0} was given twice: every seed counts once")]
    DuplicateSeed(u64),
    /// An answer to a question that was not asked, or was answered already.
    #[error("no answer is awaited at the rate {0:e}: tell each rate that `ask` returned once, unrounded")]
    NotAsked(f64),
    /// The share of the budget is not in (0, 1].
    #[error("a short training is {0} of the budget: give a share above 0 and at most 1, such as 0.1")]
    Share(f64),
    /// A loss, or its slope along a direction, is not finite.
    #[error(
        "the loss is {loss} and its slope along the direction {slope}: both must be finite to step along it"
    )]
    Slope {
        /// The loss.
        loss: f64,
        /// The slope.
        slope: f64,
    },
    /// The epochs before the search did not end well.
    #[error(
        "training for {epochs} epochs before the search, at the rate {eta} with seed {seed}, came to nothing ({why}); give a \
         lower rate"
    )]
    Start {
        /// How many.
        epochs: f64,
        /// The rate they were trained at.
        eta: f64,
        /// The seed.
        seed: u64,
        /// How they ended.
        why: String,
    },
    /// Training could not be tried.
    #[error("training at the rate {eta:e} with seed {seed} could not be tried: {source}")]
    Failed {
        /// The rate.
        eta: f64,
        /// The seed.
        seed: u64,
        /// Why.
        source: Cause,
    },
    /// The observer asked to stop.
    #[error("the search was cancelled")]
    Cancelled,
}

/// Refuses an empty list of seeds, and one that names a seed twice.
pub(crate) fn check_seeds(seeds: impl Iterator<Item = u64>) -> Result<(), SearchError> {
    let mut sorted: Vec<u64> = seeds.collect();
    sorted.sort_unstable();
    if sorted.is_empty() {
        return Err(SearchError::NoSeeds);
    }
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(SearchError::DuplicateSeed(pair[0])),
        None => Ok(()),
    }
}

/// Refuses a range that has no rate in it, or none that is normal. NaN never passes.
pub(super) fn check_range(range: Option<[f64; 2]>) -> Result<(), SearchError> {
    match range {
        Some([low, high]) if !(low.is_normal() && high.is_finite() && 0.0 < low && low < high) => {
            Err(SearchError::Range(low, high))
        }
        _ => Ok(()),
    }
}

/// Refuses a rate that is not a positive, normal number.
pub(crate) fn check_rate(what: &'static str, eta: f64) -> Result<(), SearchError> {
    if eta.is_normal() && eta > 0.0 { Ok(()) } else { Err(SearchError::Rate { what, eta }) }
}
