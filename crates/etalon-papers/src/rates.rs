//! Trials of a sweep over the learning rate, rate by rate.

use crate::experiment::Experiment;
use crate::measurement::Measurement;
use crate::sweeps::Trained;
use etalon::statistics::median;

/// A rate and what came of it: medians over seeds.
pub(crate) struct Rate {
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
    let eta = |trial: &Trained| trial.spec.optimizer.eta;
    let mut trials: Vec<&Trained> = trials.into_iter().collect();
    trials.sort_by(|a, b| eta(a).total_cmp(&eta(b)));
    // What is no number belongs to a seed that has left the numbers: it counts as above all others.
    let known = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    let median_of = |trials: &[&Trained], of: &dyn Fn(&Trained) -> f64| {
        median(trials.iter().map(|trial| known(of(trial))))
    };
    let rate = |trials: &[&Trained]| Rate {
        eta: eta(trials[0]),
        c: median_of(trials, &|trial| trial.c),
        accuracy: median_of(trials, &|trial| trial.accuracy),
        loss: median_of(trials, &|trial| trial.loss),
        sharpness: [0, 1].map(|end| median_of(trials, &|trial| trial.sharpness[end])),
        diverged: trials.iter().filter(|trial| trial.diverged).count() as f64 / trials.len() as f64,
    };
    trials.chunk_by(|a, b| eta(a) == eta(b)).map(rate).collect()
}

/// The rates of trials without steps at a low rate after the others, and of those with them.
pub(crate) fn before_and_after(trials: &[Trained]) -> [Vec<Rate>; 2] {
    let with =
        |wanted: bool| rates(trials.iter().filter(|trial| (trial.spec.schedule.last_steps > 0) == wanted));
    [with(false), with(true)]
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
