//! The rate to use: the best by a held-out metric among rates below the maximal one.

use super::choice::{choose, why};
use super::curve::CurvePoint;
use super::error::{check_rate, check_seeds};
use super::observe::Watch;
use super::order::order_interval;
use super::{LadderSettings, Observer, Progress, Score, Scored, SearchError};
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
/// the rate with the best median metric.
///
/// Rates whose median differs from the best by no more than the seed noise (the standard error of the best
/// rate's median, 1.2533 s / sqrt(n) with the seeds' standard deviation s) tie with it, and the lowest median
/// loss among them decides; then the lower rate. If the choice is the lowest rate, the ladder is extended
/// downwards until it is not, or `max_rates` are tried. A rate at which any seed was too fast, or has a
/// non-finite metric or loss, is excluded. Deterministic whatever the number of threads.
///
/// # Errors
/// If the settings, the ceiling or the seeds are not valid, or the observer cancels.
pub fn recommend(
    score: &dyn Score,
    ceiling: f64,
    seeds: &[u64],
    settings: &LadderSettings,
    observer: Observer<'_>,
) -> Result<Recommendation, SearchError> {
    settings.validate()?;
    check_rate("the ceiling of a recommendation", ceiling)?;
    check_seeds(seeds.iter().copied())?;
    let watch = Watch::new(observer);
    let mut curve: Vec<CurvePoint> = Vec::new();
    let mut gradient_steps = 0;
    let mut rungs = 1..settings.rates + 1;
    let choice = loop {
        let rates: Vec<f64> = rungs
            .clone()
            .map(|j| ceiling * libm::exp2(-settings.octaves * j as f64))
            .filter(|eta| eta.is_normal())
            .collect();
        let trained = train_all(score, &rates, seeds, &watch)?;
        gradient_steps += trained.iter().map(|scored| scored.steps).sum::<u64>();
        let points = rates.iter().zip(trained.chunks(seeds.len()));
        // Rates come in descending order, the curve ascends.
        curve.splice(0..0, points.rev().map(|(&eta, scored)| CurvePoint::new(eta, scored)));
        let choice = choose(&curve, score.higher_is_better());
        let at_the_end = choice.as_ref().is_none_or(|choice| choice.index == 0);
        if !at_the_end || rates.is_empty() || rungs.end > settings.max_rates {
            break choice;
        }
        // By half a ladder: what is wanted is often just beyond the end.
        rungs = rungs.end..(rungs.end + settings.rates.div_ceil(2)).min(settings.max_rates + 1);
    };
    let metric = score.metric().to_string();
    let chosen = choice.as_ref().map(|choice| &curve[choice.index]);
    Ok(Recommendation {
        eta: chosen.map(|point| point.eta),
        median: chosen.and_then(|point| point.median),
        low: chosen.and_then(|point| point.low),
        high: chosen.and_then(|point| point.high),
        coverage: order_interval(seeds.len()).coverage,
        why: why(&metric, choice.as_ref(), &curve),
        metric,
        ceiling,
        curve,
        gradient_steps,
    })
}

/// Scores all seeds of all rates in parallel: rate by rate, its seeds in order.
fn train_all(
    score: &dyn Score,
    rates: &[f64],
    seeds: &[u64],
    watch: &Watch<'_>,
) -> Result<Vec<Scored>, SearchError> {
    let jobs: Vec<(f64, u64)> =
        rates.iter().flat_map(|&eta| seeds.iter().map(move |&seed| (eta, seed))).collect();
    let train = |(eta, seed)| {
        watch.go_on()?;
        let scored = score.score(eta, seed);
        watch.show(&Progress { seed, eta, verdict: &scored.verdict, steps: scored.steps });
        Ok(scored)
    };
    jobs.into_par_iter().map(train).collect()
}

#[cfg(test)]
mod tests;
