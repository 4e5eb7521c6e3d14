//! Networks of images under logistic loss.

use crate::experiment::{ClaimError, Experiment};
use crate::functions::Nothing;
use crate::measurement::{Measurement, law, spread};
use crate::rates::{Rate, ahead, at_the_best, before_and_after, best, keep, measurement};
use crate::sweeps::Trained;
use etalon::models::separability;
use etalon::statistics::median;
use std::ops::RangeInclusive;

/// The rate in units of the critical one.
fn over_critical(rate: &Rate) -> f64 {
    rate.eta * rate.sharpness[0] / 2.0
}

/// The highest rate in units of the critical one that counts as below it, for sharpness rises in training and lowers the
/// border; and those that count as above it, for at still higher ones little is learnt in the same time.
const BELOW: f64 = 0.7;
const ABOVE: RangeInclusive<f64> = 1.25..=5.0;

/// The sharpness at the end against the rate, below and above the critical one.
pub(crate) fn sharpness(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let [found, _] = before_and_after(&experiment.trained()?);
    keep(experiment, "rates", &found);
    let ends = |range: RangeInclusive<f64>| {
        let chosen = found.iter().filter(move |rate| range.contains(&over_critical(rate)));
        chosen.map(|rate| (rate.eta, rate.sharpness[1]))
    };
    let low: Vec<f64> = ends(0.0..=BELOW).map(|(_, sharpness)| sharpness).collect();
    let high: Vec<f64> = ends(ABOVE).map(|(_, sharpness)| sharpness).collect();
    experiment.measured("flat", Measurement::one(spread(&low)));
    experiment.measured("exponent", Measurement::exponent(&law("eta", ends(ABOVE))?));
    let least = |values: &[f64]| Measurement::least(values).number();
    experiment.measured("least", Measurement::one(least(&high) / least(&low)));
    Ok(())
}

/// Accuracy below and above the critical rate, and what steps at a low rate do to it.
pub(crate) fn accuracy(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    // All trials have the same data.
    let separable = trials.first().map(|trial| separability(&trial.spec)).transpose()?;
    let separable = separable.map(|(report, ..)| report);
    let (yes, part) = separable.map_or((f64::NAN, f64::NAN), |report| {
        let yes = report.separable.map_or(f64::NAN, |yes| u8::from(yes).into());
        (yes, report.parts.inseparable as f64 / report.samples as f64)
    });
    experiment.measured("separable", Measurement::one(yes));
    experiment.measured("inseparable", Measurement::one(part));
    let [before, after] = before_and_after(&trials);
    keep(experiment, "rates", &before);
    keep(experiment, "rates-after", &after);
    let lowered: Vec<&Trained> = trials.iter().filter(|trial| trial.spec.schedule.last_steps > 0).collect();
    experiment.measured("gain", ahead(&lowered, |rate| over_critical(rate) > 1.0));
    let [high, low] = at_the_best(&lowered, |rate| over_critical(rate) > 1.0, |trial| -trial.loss);
    let logs: Vec<f64> = high.iter().zip(&low).map(|(high, low)| (high / low).ln()).collect();
    experiment.measured("loss", Measurement::mean(&logs));
    let sharpness = |high: bool| {
        let of_kind = after.iter().filter(|rate| (over_critical(rate) > 1.0) == high);
        let best = of_kind.min_by(|a, b| a.loss.total_cmp(&b.loss));
        best.map_or(f64::NAN, |rate| rate.sharpness[1])
    };
    experiment.measured("flatter", Measurement::one(sharpness(true) / sharpness(false)));
    let changes: Vec<f64> = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| over_critical(before) > 1.0 && before.diverged + after.diverged == 0.0)
        .map(|(before, after)| after.accuracy - before.accuracy)
        .collect();
    experiment.measured("change", Measurement::about(median(changes.iter().copied()), changes.len()));
    experiment.measured(
        "best",
        measurement(best(after.iter().filter(|rate| over_critical(rate) > 1.0)), |rate| rate.accuracy),
    );
    Ok(())
}
