//! eta* on a network: where its search starts, what counts as trained, and what is told of it.

use super::JobError;
use super::find::{FindSettings, Target};
use super::trials::{Interrupted, Trials};
use crate::curvature::{CurvatureSettings, Ends, Instrument};
use crate::phase::{PhaseVerdict, observe_phase};
use crate::search::{
    Curved, EtaStarSummary, Found, Lambda, Observer, SearchError, SeedResult, Settings, Threshold,
    maximal_rate, proper_median, sorted,
};
use crate::train::{Goal, Metric, Plan, Task, Trial, majority};
use etalon_nn::optim::{Optimizer, Rule};
use etalon_nn::{Loss, Scalar};
use rayon::prelude::*;

/// What has to be reached: the target's own threshold, or its share of the way from chance to the best that was seen.
pub(super) fn threshold<T: Scalar>(task: &Task<T>, target: &Target, seen: Option<f64>) -> Option<Threshold> {
    let metric = target.metric_of(task);
    let (value, from) = match (target.threshold, seen) {
        (Some(value), _) => (value, "given".to_string()),
        (None, Some(best)) => {
            let chance = chance(task, metric);
            let percent = 100.0 * target.share;
            let from =
                format!("{percent} % of the way from chance, {chance:.4}, to the best seen, {best:.4}");
            (chance + target.share * (best - chance), from)
        }
        (None, None) => return None,
    };
    Some(Threshold { metric: metric.name().into(), value, from })
}

/// What the best prediction that ignores its input has on the training set.
fn chance<T: Scalar>(task: &Task<T>, metric: Metric) -> f64 {
    if !metric.is_accuracy() {
        return task.constant_loss();
    }
    majority(task.train.targets.chunks_exact(task.train.targets.len() / task.train.len))
}

/// Searches eta*, from the rate that was chosen, if one was, and puts it into what is found.
pub(super) fn add<T: Scalar>(
    found: &mut Found,
    trials: &Trials<'_, T>,
    settings: &FindSettings,
    search: &Settings,
    (threshold, chosen): (Threshold, Option<f64>),
    observer: Observer<'_>,
) -> Result<(), JobError> {
    let (task, plan, seeds) = (trials.task, &trials.plan, &settings.seeds);
    let instrument = Instrument::new(task, plan, &settings.curvature, false);
    let lambdas = seeds
        .par_iter()
        .map(|&seed| lambda(task, &instrument, &trials.starts.of(seed)?[0]))
        .collect::<Result<Vec<_>, _>>()?;
    let starts: Vec<(u64, f64)> = seeds
        .iter()
        .zip(&lambdas)
        .map(|(&seed, lambda)| (seed, start(chosen, lambda.map(|found| found.value), plan, search)))
        .collect();
    // A budget that makes no steps would look like a rate that does not train.
    starts.iter().try_for_each(|&(_, eta)| plan.steps(eta, task.train.len).map(drop))?;
    let lambdas: Vec<Option<f64>> = lambdas.iter().map(|found| found.and_then(Curvature::trusted)).collect();
    if lambdas.iter().any(Option::is_none) {
        found.warnings.push(format!(
            "the {}'s largest eigenvalue at the start did not converge or is not positive for some seeds, so that eta* is \
             not given in units of it; allow more Lanczos iterations",
            Curved::of(task, plan)
        ));
    }
    let search = maximal_rate(trials, &starts, search, observer)?;

    let ratio = |(seed, lambda): (&SeedResult, &Option<f64>)| {
        lambda.map(|lambda| seed.boundary.rank() * lambda / 2.0)
    };
    let ratios: Option<Vec<f64>> = search.seeds.iter().zip(&lambdas).map(ratio).collect();
    let over_limit = |(seed, lambda): (&SeedResult, &Option<f64>)| {
        Some(seed.boundary.rank() / plan.stability_limit((*lambda)?)?)
    };
    let over_limits: Option<Vec<f64>> = search.seeds.iter().zip(&lambdas).map(over_limit).collect();
    let is_plain = plan.optimizer.name() == Rule::default().name() && plan.weight_decay == 0.0;
    let stability = plan.optimizer.stability().ok().filter(|_| !is_plain);
    let known: Option<Vec<f64>> = lambdas.iter().copied().collect();
    let below = search.below_median().filter(|_| settings.phase);
    let lambda_below = below.and_then(|(below, _)| lambdas[seeds.iter().position(|&seed| seed == below)?]);
    let probes = search.seeds.iter().flat_map(|seed| &seed.probes);
    let budgets: f64 = probes.map(|probed| trials.budgets(probed.eta, probed.steps)).sum();
    found.criterion = Some(criterion(&threshold, plan, task));
    found.eta_star_over_2_lambda = ratios.and_then(|ratios| proper_median(&sorted(ratios)));
    found.eta_star_over_limit =
        over_limits.filter(|_| !is_plain).and_then(|ratios| proper_median(&sorted(ratios)));
    found.limit = stability.map(|stability| {
        let bend = stability.bend_formula();
        let bent = format!("(lambda + {bend})");
        stability.formula(if plan.weight_decay == 0.0 { "lambda" } else { &bent })
    });
    found.lambda = Some(Lambda {
        of: Curved::of(task, plan),
        median: known.and_then(|known| proper_median(&sorted(known))),
        seeds: lambdas,
    });
    found.eta_star = Some(EtaStarSummary::of(&search, threshold, 0.0, 0));
    spend(found, budgets, search.gradient_steps);
    found.search = Some(search);
    if let Some((seed, eta)) = below {
        let (verdict, steps) = phase(trials, &settings.curvature, lambda_below, eta, seed)?;
        spend(found, trials.budgets(eta, steps), steps);
        found.phase = Some(verdict.phase);
        found.phase_evidence = Some(verdict);
    }
    Ok(())
}

/// Adds to what eta* has cost, and with it the whole.
fn spend(found: &mut Found, budgets: f64, steps: u64) {
    if let Some(star) = &mut found.eta_star {
        star.budgets += budgets;
        star.gradient_steps += steps;
    }
    found.budgets += budgets;
    found.gradient_steps += steps;
}

/// What training does at a rate, and in how many steps, from a start of this curvature.
fn phase<T: Scalar>(
    trials: &Trials<'_, T>,
    curvature: &CurvatureSettings,
    lambda: Option<f64>,
    eta: f64,
    seed: u64,
) -> Result<(PhaseVerdict, u64), JobError> {
    let Trials { task, going, .. } = trials;
    // To the end, and with no looks on the way: the losses of batches tell what happens there.
    let whole = Plan { goal: None, check_every: u64::MAX, ..trials.plan.clone() };
    let instrument = Instrument::new(task, &whole, curvature, true);
    let trial = Trial::from_checkpoint(task, &whole, eta, seed, trials.starts.of(seed)?, true)?;
    let observed = observe_phase(trial.until(going.stopped), &instrument, lambda, &mut |step| going.at(step));
    going.unless_stopped(observed).map_err(|Interrupted| SearchError::Cancelled.into())
}

/// The curvature of a seed's start.
#[derive(Clone, Copy)]
struct Curvature {
    value: f64,
    converged: bool,
}

impl Curvature {
    /// The value, if it can be relied on.
    fn trusted(self) -> Option<f64> {
        self.converged.then_some(self.value)
    }
}

/// The curvature of a seed's start; none where it is not positive.
fn lambda<T: Scalar>(
    task: &Task<T>,
    instrument: &Instrument<'_, T>,
    start: &[T],
) -> Result<Option<Curvature>, JobError> {
    let mut reading = instrument.at(start);
    let spectrum = match reading.preconditioned(None)? {
        Some(preconditioned) => preconditioned,
        None if task.loss == Loss::Mse => reading.ntk()?,
        None => reading.hessian(Ends::Largest, 1)?,
    };
    let top = spectrum.largest.first().map(|top| Curvature { value: top.value, converged: top.converged });
    Ok(top.filter(|found| found.value > 0.0 && found.value.is_finite()))
}

/// Where a seed's search starts, inside the range: at a rate that is known to train, else at the optimiser's limit of
/// stability.
fn start(chosen: Option<f64>, lambda: Option<f64>, plan: &Plan, settings: &Settings) -> f64 {
    let limit = || lambda.and_then(|lambda| plan.stability_limit(lambda));
    let start = chosen.or_else(limit).unwrap_or(0.1);
    settings.range.map_or(start, |[low, high]| start.clamp(low, high))
}

/// What counts as trained, in words.
fn criterion<T>(threshold: &Threshold, plan: &Plan, task: &Task<T>) -> String {
    let Some(Goal { metric, threshold: value }) = plan.goal else { return String::new() };
    let (set, samples) = match metric {
        Metric::TrainAccuracy | Metric::TrainLoss => ("training", plan.check_samples),
        Metric::TestAccuracy | Metric::TestLoss => ("held-out", task.test.len),
    };
    let (what, relation) = if metric.is_accuracy() { ("accuracy", "at least") } else { ("loss", "at most") };
    let (budget, every) = (plan.budget, plan.check_every);
    let (value, from) = match threshold.from.as_str() {
        "given" => (value.to_string(), String::new()),
        from => (format!("{value:.4}"), format!(" ({from})")),
    };
    format!(
        "{what} of {relation} {value}{from} on {samples} {set} samples within {budget}, looked at every {every} steps, all \
         values finite"
    )
}
