//! Trials of a sweep over the learning rate, rate by rate.

use crate::experiment::Experiment;
use crate::measurement::Measurement;
use crate::sweeps::Trained;
use etalon::statistics::median;

/// A rate and what came of it: medians over seeds.
pub(crate) struct Rate {
    /// In the unit of its trials.
    pub(crate) eta: f64,
    /// `eta lambda_0`.
    pub(crate) c: f64,
    /// Held-out accuracy at the end.
    pub(crate) accuracy: f64,
    /// Held-out loss at the end.
    pub(crate) loss: f64,
    /// The Hessian's largest eigenvalue at the start and at the end.
    pub(crate) sharpness: [f64; 2],
    /// The share of seeds that diverged.
    pub(crate) diverged: f64,
}

/// The rates of some trials, the lowest first.
pub(crate) fn rates<'a>(trials: impl IntoIterator<Item = &'a Trained>) -> Vec<Rate> {
    let mut trials: Vec<&Trained> = trials.into_iter().collect();
    trials.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    // What is no number belongs to a seed that has left the numbers: it counts as above all others.
    let known = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    let median_of = |trials: &[&Trained], of: &dyn Fn(&Trained) -> f64| {
        median(trials.iter().map(|trial| known(of(trial))))
    };
    let rate = |trials: &[&Trained]| Rate {
        eta: trials[0].rate,
        c: median_of(trials, &|trial| trial.c),
        accuracy: median_of(trials, &|trial| trial.accuracy),
        loss: median_of(trials, &|trial| trial.loss),
        sharpness: [0, 1].map(|end| median_of(trials, &|trial| trial.sharpness[end])),
        diverged: trials.iter().filter(|trial| trial.diverged).count() as f64 / trials.len() as f64,
    };
    trials.chunk_by(|a, b| a.rate == b.rate).map(rate).collect()
}

/// The rates of trials without steps at a low rate after the others, and of those with them.
pub(crate) fn before_and_after(trials: &[Trained]) -> [Vec<Rate>; 2] {
    let with =
        |wanted: bool| rates(trials.iter().filter(|trial| (trial.spec.schedule.last_steps > 0) == wanted));
    [with(false), with(true)]
}

/// The seeds of some trials, each once.
pub(crate) fn seeds<'a>(trials: impl IntoIterator<Item = &'a Trained>) -> Vec<u64> {
    let mut seeds: Vec<u64> = trials.into_iter().map(|trial| trial.spec.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds
}

/// For each seed its score at the best rate of one kind, and at the best of the others. The best are those of the other
/// seeds: a choice by the seed itself would favour the kind of which there are more.
pub(crate) fn at_the_best(
    trials: &[&Trained],
    is_high: impl Fn(&Rate) -> bool,
    score: impl Fn(&Trained) -> f64,
) -> [Vec<f64>; 2] {
    let (rates, seeds) = (rates(trials.iter().copied()), seeds(trials.iter().copied()));
    let of = |eta: f64, seed: u64| {
        let is_it = |trial: &&&Trained| trial.rate == eta && trial.spec.seed == seed;
        // What is no number is the worst.
        let known = |value: f64| if value.is_nan() { f64::NEG_INFINITY } else { value };
        trials.iter().find(is_it).map_or(f64::NEG_INFINITY, |trial| known(score(trial)))
    };
    [true, false].map(|wanted| {
        let etas: Vec<f64> =
            rates.iter().filter(|rate| is_high(rate) == wanted).map(|rate| rate.eta).collect();
        let at_best = |&seed: &u64| {
            let others = seeds.iter().filter(|&&other| other != seed || seeds.len() == 1);
            let sum = |eta: f64| others.clone().map(|&other| of(eta, other)).sum::<f64>();
            let best = etas.iter().copied().max_by(|&a, &b| sum(a).total_cmp(&sum(b)));
            best.map_or(f64::NAN, |eta| of(eta, seed))
        };
        seeds.iter().map(at_best).collect()
    })
}

/// How far ahead in held-out accuracy the best rate of one kind is of the best of the others.
pub(crate) fn ahead(trials: &[&Trained], is_high: impl Fn(&Rate) -> bool) -> Measurement {
    let [high, low] = at_the_best(trials, is_high, |trial| trial.accuracy);
    let images = trials.first().map_or(0, |trial| trial.spec.data.test);
    Measurement::contrast(&[(1.0, &high), (-1.0, &low)], images)
}

/// The rate of the highest held-out accuracy among some.
pub(crate) fn best<'a>(rates: impl IntoIterator<Item = &'a Rate>) -> Option<&'a Rate> {
    rates.into_iter().max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
}

/// A number of a rate, none where there is no rate.
pub(crate) fn measurement(rate: Option<&Rate>, of: fn(&Rate) -> f64) -> Measurement {
    Measurement::one(rate.map_or(f64::NAN, of))
}

/// Keeps the rates as a table.
pub(crate) fn keep(experiment: &mut Experiment<'_>, name: &'static str, rates: &[Rate]) {
    const COLUMNS: &[&str] =
        &["eta", "c", "test_accuracy", "test_loss", "sharpness_start", "sharpness_end", "diverged"];
    let row = |rate: &Rate| {
        let Rate { eta, c, accuracy, loss, sharpness: [start, end], diverged } = *rate;
        vec![eta, c, accuracy, loss, start, end, diverged]
    };
    experiment.curve(name, COLUMNS, rates.iter().map(row).collect());
}
