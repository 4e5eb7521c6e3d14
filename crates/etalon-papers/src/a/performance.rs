//! Held-out accuracy against the rate.

use crate::experiment::{ClaimError, Experiment};
use crate::functions::Nothing;
use crate::measurement::Measurement;
use crate::rates::{Rate, before_and_after, best, keep, measurement, rates};
use serde::Deserialize;

/// Where the best rate of the claim's sweep lies.
pub(crate) fn best_rate(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let found = rates(&experiment.trained()?);
    keep(experiment, "rates", &found);
    let edge = found.iter().find(|rate| rate.diverged > 0.5).map_or(f64::NAN, |rate| rate.eta);
    let highest = best(&found);
    experiment.measured("c", measurement(highest, |rate| rate.c));
    experiment.measured("below", Measurement::one(highest.map_or(f64::NAN, |rate| rate.eta / edge)));
    experiment.measured("best", measurement(highest, |rate| rate.accuracy));
    let lazy = best(found.iter().filter(|rate| rate.c <= 2.0));
    experiment.measured("lazy", measurement(lazy, |rate| rate.accuracy));
    Ok(())
}

/// Where it lies after steps at a low rate, which is the same for all.
pub(crate) fn best_rate_after_low_rate(
    _: Nothing,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let [before, after] = before_and_after(&experiment.trained()?);
    keep(experiment, "rates", &before);
    keep(experiment, "rates-after", &after);
    let highest = best(&after);
    experiment.measured("c", measurement(highest, |rate| rate.c));
    experiment.measured("best", measurement(highest, |rate| rate.accuracy));
    let lazy = best(after.iter().filter(|rate| rate.c <= 2.0));
    experiment.measured("lazy", measurement(lazy, |rate| rate.accuracy));
    experiment.measured("before", measurement(best(&before), |rate| rate.c));
    let gain = highest.zip(best(&before)).map(|(after, before)| after.accuracy - before.accuracy);
    experiment.measured("change", Measurement::one(gain.unwrap_or(f64::NAN)));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EqualTime {
    /// Steps at a low rate in the second sweep; the first has none.
    low_rate_steps: i64,
}

/// How much accuracy differs between rates after equal physical time, without and with steps at a low rate after it.
pub(crate) fn equal_time(
    EqualTime { low_rate_steps }: EqualTime,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let before = rates(&experiment.trained()?);
    let after = rates(&experiment.trained_with(&[("last_steps", low_rate_steps.into())])?);
    keep(experiment, "rates", &before);
    keep(experiment, "rates-after", &after);
    let trained: Vec<(&Rate, &Rate)> = before
        .iter()
        .zip(&after)
        .take_while(|(before, after)| before.diverged + after.diverged == 0.0)
        .collect();
    let spread = |of: &dyn Fn(&(&Rate, &Rate)) -> f64| {
        let fold = |start, pick: fn(f64, f64) -> f64| trained.iter().map(of).fold(start, pick);
        fold(f64::NEG_INFINITY, f64::max) - fold(f64::INFINITY, f64::min)
    };
    experiment.measured("spread", Measurement::one(spread(&|pair| pair.0.accuracy)));
    experiment.measured("spread_after", Measurement::one(spread(&|pair| pair.1.accuracy)));
    let changes: Vec<f64> = trained.iter().map(|(before, after)| after.accuracy - before.accuracy).collect();
    experiment.measured("change", Measurement::farthest(&changes, 0.0));
    experiment.measured("to", Measurement::one(trained.last().map_or(f64::NAN, |pair| pair.0.c)));
    Ok(())
}
