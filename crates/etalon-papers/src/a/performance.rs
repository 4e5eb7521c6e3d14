//! Held-out accuracy against the rate.

use crate::experiment::{ClaimError, Experiment};
use crate::functions::Nothing;
use crate::measurement::{Measurement, correlation};
use crate::network::{Start, Subject, starts, trials};
use crate::rates::{Rate, ahead, before_and_after, best, keep, measurement, rates, seeds};
use crate::sweeps::Trained;
use etalon::Error;
use etalon::schedule::{Last, Schedule};
use etalon::train::Plan;
use serde::Deserialize;

/// Where the best rate of the claim's sweep lies.
pub(crate) fn best_rate(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    best_of(&trials, experiment);
    Ok(())
}

/// Where the best rate of some trials lies.
fn best_of(trials: &[Trained], experiment: &mut Experiment<'_>) {
    let found = rates(trials);
    keep(experiment, "rates", &found);
    experiment.measured("ahead", ahead(&trials.iter().collect::<Vec<_>>(), |rate| rate.c > 2.0));
    let edge = found.iter().find(|rate| rate.diverged > 0.5).map_or(f64::NAN, |rate| rate.eta);
    let highest = best(&found);
    experiment.measured("c", measurement(highest, |rate| rate.c));
    experiment.measured("below", Measurement::one(highest.map_or(f64::NAN, |rate| rate.eta / edge)));
    experiment.measured("best", measurement(highest, |rate| rate.accuracy));
    let lazy = best(found.iter().filter(|rate| rate.c <= 2.0));
    experiment.measured("lazy", measurement(lazy, |rate| rate.accuracy));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EqualSteps {
    seeds: u64,
    /// `eta lambda_0`, of each seed's own lambda_0.
    rates: Vec<f64>,
    /// The weight decay times the number of steps times the rate 2 / lambda_0.
    decay: f64,
}

/// Where the best rate lies after equally many steps, in units of each seed's own 1 / lambda_0.
pub(crate) fn equal_steps(
    EqualSteps { seeds, rates, decay }: EqualSteps,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let subject = Subject::<f32>::new(&experiment.spec()?)?;
    // As many at every rate.
    let steps = subject.plan.steps(1.0, subject.task.train.len).map_err(Error::from)?;
    let plan = |start: &Start<f32>| Plan {
        weight_decay: 0.5 * decay * start.lambda / steps as f64,
        ..subject.plan.clone()
    };
    let starts = starts(experiment, &subject, seeds)?;
    experiment.at("trials at rates around 2/lambda0")?;
    let ran = trials(experiment, &subject, &starts, &rates, (plan, 0))?;
    best_of(&ran.iter().map(|ran| Trained::ran(&subject, ran)).collect::<Vec<_>>(), experiment);
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
    seeds: u64,
    /// `eta lambda_0`, of each seed's own lambda_0.
    rates: Vec<f64>,
    /// Steps times rate times lambda_0, the steps at the low rate not counted.
    time: f64,
    /// The weight decay times steps times rate.
    decay: f64,
    /// How many steps follow at a low rate, and that rate over 2 / lambda_0.
    last_steps: u64,
    last: f64,
}

/// How much accuracy differs between rates after equal physical time, before and after steps at a low rate, and whether
/// it goes with curvature.
pub(crate) fn equal_time(
    EqualTime { seeds: count, rates: etas, time, decay, last_steps, last }: EqualTime,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let mut subject = Subject::<f32>::new(&experiment.spec()?)?;
    subject.spec.schedule.last_steps = last_steps;
    let plan = |start: &Start<f32>| {
        let last = Some(Last { steps: last_steps, eta: 2.0 * last / start.lambda });
        let lasting = subject.lasting(time, start);
        let schedule = Schedule { last, ..lasting.schedule.clone() };
        Plan { weight_decay: decay * start.lambda / time, schedule, ..lasting }
    };
    let starts = starts(experiment, &subject, count)?;
    experiment.at("trials at rates around 2/lambda0")?;
    let ran = trials(experiment, &subject, &starts, &etas, (plan, 0))?;
    let lowered: Vec<Trained> = ran.iter().map(|ran| Trained::ran(&subject, ran)).collect();
    let without = ran.iter().zip(&lowered);
    let trials: Vec<Trained> =
        without.filter_map(|(ran, lowered)| lowered.without_last(&ran.observed.trajectory.records)).collect();
    let [before, after] = [&trials, &lowered].map(rates);
    keep(experiment, "rates", &before);
    keep(experiment, "rates-after", &after);
    let trained: Vec<(&Rate, &Rate)> = before
        .iter()
        .zip(&after)
        .take_while(|(before, after)| before.diverged + after.diverged == 0.0)
        .collect();
    let of_seed = |trials: &[Trained], seed: u64, of: &dyn Fn(&Trained) -> f64| {
        let known = |trial: &&Trained| trained.iter().any(|pair| pair.0.eta == trial.rate);
        trials.iter().filter(known).filter(|trial| trial.spec.seed == seed).map(of).collect::<Vec<f64>>()
    };
    // Noise widens it: an upper bound of what the rates themselves do.
    let spread = |trials: &[Trained]| {
        let of_seed = |seed: u64| {
            let accuracies = of_seed(trials, seed, &|trial| trial.accuracy);
            Measurement::most(&accuracies).number() - Measurement::least(&accuracies).number()
        };
        Measurement::mean(&seeds(trials).into_iter().map(of_seed).collect::<Vec<f64>>())
    };
    experiment.measured("spread", spread(&trials));
    experiment.measured("spread_after", spread(&lowered));
    let with_curvature = |seed: u64| {
        let curvatures = of_seed(&lowered, seed, &|trial| trial.sharpness[1].ln());
        correlation(&curvatures, &of_seed(&lowered, seed, &|trial| trial.accuracy))
    };
    let correlations: Vec<f64> = seeds(&lowered).into_iter().map(with_curvature).collect();
    experiment.measured("correlation", Measurement::mean(&correlations));
    let changes: Vec<f64> = trained.iter().map(|(before, after)| after.accuracy - before.accuracy).collect();
    experiment.measured("change", Measurement::farthest(&changes, 0.0));
    experiment.measured("to", Measurement::one(trained.last().map_or(f64::NAN, |pair| pair.0.c)));
    Ok(())
}
