//! Held-out accuracy against the rate.

use crate::experiment::{ClaimError, Experiment};
use crate::functions::Nothing;
use crate::measurement::Measurement;
use crate::rates::{Rate, ahead, before_and_after, best, keep, measurement, rates, seeds};
use crate::sweeps::Trained;
use serde::Deserialize;

/// Where the best rate of the claim's sweep lies.
pub(crate) fn best_rate(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    let found = rates(&trials);
    keep(experiment, "rates", &found);
    experiment.measured("ahead", ahead(&trials.iter().collect::<Vec<_>>(), |rate| rate.c > 2.0));
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
    let trials = experiment.trained()?;
    let [before, after] = before_and_after(&trials);
    let lowered: Vec<_> = trials.iter().filter(|trial| trial.spec.schedule.last_steps > 0).collect();
    experiment.measured("ahead", ahead(&lowered, |rate| rate.c > 2.0));
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
    let trials = experiment.trained()?;
    let lowered = experiment.trained_with(&[("last_steps", low_rate_steps.into())])?;
    let [before, after] = [&trials, &lowered].map(rates);
    keep(experiment, "rates", &before);
    keep(experiment, "rates-after", &after);
    let trained: Vec<(&Rate, &Rate)> = before
        .iter()
        .zip(&after)
        .take_while(|(before, after)| before.diverged + after.diverged == 0.0)
        .collect();
    // Noise widens it: an upper bound of what the rates themselves do.
    let spread = |trials: &[Trained]| {
        let known = |trial: &&Trained| trained.iter().any(|pair| pair.0.eta == trial.spec.optimizer.eta);
        let of_seed = |seed: u64| {
            let of_seed = trials.iter().filter(known).filter(|trial| trial.spec.seed == seed);
            let accuracies: Vec<f64> = of_seed.map(|trial| trial.accuracy).collect();
            Measurement::most(&accuracies).number() - Measurement::least(&accuracies).number()
        };
        Measurement::mean(&seeds(trials).into_iter().map(of_seed).collect::<Vec<f64>>())
    };
    experiment.measured("spread", spread(&trials));
    experiment.measured("spread_after", spread(&lowered));
    let changes: Vec<f64> = trained.iter().map(|(before, after)| after.accuracy - before.accuracy).collect();
    experiment.measured("change", Measurement::farthest(&changes, 0.0));
    experiment.measured("to", Measurement::one(trained.last().map_or(f64::NAN, |pair| pair.0.c)));
    Ok(())
}
