//! The rate to use: the best by a held-out metric among rates below the maximal one.

use super::curve::CurvePoint;
use super::observe::Watch;
use super::{Ladder, LadderSettings, Observer, Score, SearchError};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The rate to use, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The rate; `None` if every rate is excluded.
    pub eta: Option<f64>,
    /// What was compared.
    pub metric: String,
    /// The median over seeds of the metric at that rate.
    pub median: Option<f64>,
    /// The lower end of the interval for that median.
    pub low: Option<f64>,
    /// The upper end of it.
    pub high: Option<f64>,
    /// The probability with which intervals between these ranks cover the median (0.9375 for 5 seeds).
    pub coverage: f64,
    /// The reason in one sentence, with its numbers.
    pub why: String,
    /// The rate below which the ladder was laid: eta*.
    pub ceiling: f64,
    /// Every rate tried, in ascending order.
    pub curve: Vec<CurvePoint>,
    /// Gradient steps spent.
    pub gradient_steps: u64,
}

/// Trains at a ladder of rates below `ceiling` (eta*), each with all `seeds` for the full budget, and picks
/// the rate with the best median metric: asks all questions of a [`Ladder`], in parallel on the rayon pool that it is called
/// in. Deterministic whatever the number of threads.
///
/// # Errors
/// If the settings, the ceiling or the seeds are not valid, a score fails, or the observer cancels.
pub fn recommend<S: Score + ?Sized>(
    score: &S,
    ceiling: f64,
    seeds: &[u64],
    settings: &LadderSettings,
    observer: Observer<'_>,
) -> Result<Recommendation, SearchError> {
    let mut ladder = Ladder::new(ceiling, seeds, settings, score.higher_is_better())?;
    let watch = Watch::new(observer);
    loop {
        if let Some(recommendation) = ladder.result(score.metric()) {
            return Ok(recommendation);
        }
        let answer = |(eta, seed)| {
            let ask = || score.score(eta, seed);
            Ok((eta, seed, watch.answer((eta, seed), ask, |scored| (&scored.verdict, scored.steps))?))
        };
        let answers = ladder.ask().into_par_iter().map(answer).collect::<Result<Vec<_>, SearchError>>()?;
        for (eta, seed, scored) in answers {
            ladder.tell(eta, seed, scored)?;
        }
    }
}

#[cfg(test)]
mod tests;
