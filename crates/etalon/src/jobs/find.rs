//! The search on a network.

use super::trials::{Forgetful, Memory, Trials, trained_starts};
use super::{JobError, Problem};
use crate::curvature::{CurvatureSettings, Ends, Instrument};
use crate::memory;
use crate::phase::observe;
use crate::schedule::{Schedule, Shape};
use crate::search::{
    Boundary, Curved, EtaStar, EtaStarSummary, Found, LadderSettings, Lambda, Observer, Recommended,
    SeedResult, Settings, check_seeds, maximal_rate, proper_median, recommend, sorted,
};
use crate::train::{Goal, Metric, Plan, PlanError, Task, Trial, trial_bytes};
use etalon_nn::optim::{Optimizer, Rule};
use etalon_nn::{Loss, Scalar};
use rayon::prelude::*;

/// What needs the memory of a search.
pub(crate) const SEARCH: &str = "this search";

/// How to search for eta* and the rate to use.
#[derive(Clone, Debug)]
pub struct FindSettings {
    /// The seeds of fresh networks.
    pub seeds: Vec<u64>,
    /// What counts as trained; without, a training loss below half of what the best constant prediction has.
    pub goal: Option<Goal>,
    /// How each seed's eta* is bracketed.
    pub search: Settings,
    /// Below eta*, the rates among which the one to use is chosen; none leaves the choice out.
    pub ladder: Option<LadderSettings>,
    /// Whether to look at what training does just below eta*, which takes a trial and its curvature.
    pub phase: bool,
    /// Training before the search; none searches from fresh networks.
    pub after: Option<After>,
    /// How curvature is measured, from which each search starts.
    pub curvature: CurvatureSettings,
}

/// Training before a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct After {
    /// Passes over the training set.
    pub epochs: f64,
    /// The rate.
    pub eta: f64,
}

impl Default for FindSettings {
    fn default() -> Self {
        FindSettings {
            seeds: (0..5).collect(),
            goal: None,
            search: Settings::default(),
            ladder: Some(LadderSettings::default()),
            phase: true,
            after: None,
            curvature: CurvatureSettings::default(),
        }
    }
}

/// Searches eta* of a problem's network and the rate to use below it. The result depends on the problem, the settings and
/// the [instruction set](crate::nn::Cpu) alone, not on the number of threads. `observer` hears of every probe and may stop
/// the search.
///
/// # Errors
/// When settings make no search, memory does not suffice, or the observer stops the search.
pub fn find<T: Scalar>(
    problem: &Problem<T>,
    settings: &FindSettings,
    observer: Observer<'_>,
) -> Result<Found, JobError> {
    let advice = "use fewer threads, a smaller network, or measure curvature on fewer samples";
    memory::check(SEARCH, find_bytes(problem, settings), advice)?;
    find_with(problem, settings, &Forgetful, observer)
}

/// What a search takes at most, its data not counted.
pub(crate) fn find_bytes<T: Scalar>(problem: &Problem<T>, settings: &FindSettings) -> u64 {
    let (task, plan) = (problem.task(), problem.plan());
    let parameters = (task.network.parameters() * size_of::<T>()) as u64;
    let trial = trial_bytes(task, plan);
    let seeds = settings.seeds.len();
    let threads = rayon::current_num_threads().min(seeds * settings.search.sections) as u64;
    let starts = if settings.after.is_some() { seeds as u64 * parameters } else { 0 };
    let instrument = Instrument::new(task, plan, &settings.curvature, false).bytes();
    threads.saturating_mul(trial.max(instrument)).saturating_add(starts)
}

/// As [`find`], with what is known from an earlier call. Bytes are the caller's to check, with [`find_bytes`].
///
/// # Errors
/// As [`find`].
pub(crate) fn find_with<T: Scalar>(
    problem: &Problem<T>,
    settings: &FindSettings,
    memory: &dyn Memory,
    observer: Observer<'_>,
) -> Result<Found, JobError> {
    let (task, seeds) = (problem.task(), &settings.seeds);
    let mut warnings = task.notes.clone();
    let goal = settings.goal.map_or_else(|| own_goal(task), Ok)?;
    let mut plan = problem.plan().clone().with_goal(goal, task)?;
    let constant = Schedule { warmup: 0, shape: Shape::Constant, last: None };
    if plan.schedule != constant || plan.conversion.is_some() {
        warnings.push("eta* is a constant rate: the schedule is left out".into());
        (plan.schedule, plan.conversion) = (constant, None);
    }
    check_seeds(seeds.iter().copied())?;
    settings.search.validate()?;
    settings.ladder.iter().try_for_each(LadderSettings::validate)?;
    let instrument = Instrument::new(task, &plan, &settings.curvature, false);
    let trials = Trials {
        task,
        plan: &plan,
        full: Plan { goal: None, ..plan.clone() },
        starts: trained_starts(settings.after, task, &plan, seeds)?,
        memory,
    };
    let lambdas = seeds
        .par_iter()
        .map(|&seed| lambda(task, &instrument, &trials.start(seed)[0]))
        .collect::<Result<Vec<_>, _>>()?;
    let starts: Vec<(u64, f64)> = seeds
        .iter()
        .zip(&lambdas)
        .map(|(&seed, lambda)| (seed, start(lambda.map(|found| found.value), &plan, &settings.search)))
        .collect();
    // A budget that makes no steps would look like a rate that does not train.
    starts.iter().try_for_each(|&(_, eta)| plan.steps(eta, task.train.len).map(drop))?;
    let lambdas: Vec<Option<f64>> = lambdas.iter().map(|found| found.and_then(Curvature::trusted)).collect();
    if lambdas.iter().any(Option::is_none) {
        warnings.push(format!(
            "the {}'s largest eigenvalue at the start did not converge or is not positive for some seeds, so that eta* is \
             not given in units of it; allow more Lanczos iterations",
            Curved::of(task, &plan)
        ));
    }
    let search = maximal_rate(&trials, &starts, &settings.search, observer)?;

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
    let mut gradient_steps = search.gradient_steps;
    let shown = match nearest_to_median(&search) {
        Some((seed, eta)) if settings.phase => {
            let start = trials.start(seed);
            let trial = Trial::from_checkpoint(task, &trials.full, eta, seed, start, true)?;
            let verdict = observe(trial, &instrument, 0, &mut |_, _| {});
            gradient_steps += verdict.trajectory.steps;
            Some(verdict.verdict)
        }
        _ => None,
    };
    let choice = match (ceiling(&search), &settings.ladder) {
        (Some(ceiling), Some(ladder)) => Some(recommend(&trials, ceiling, seeds, ladder, observer)?),
        _ => None,
    };
    gradient_steps += choice.as_ref().map_or(0, |choice| choice.gradient_steps);
    let recommended = choice.as_ref().and_then(|choice| {
        Some(Recommended {
            eta: choice.eta?,
            metric: choice.metric.clone(),
            value: choice.median,
            why: choice.why.clone(),
        })
    });
    let no_recommendation = match (&recommended, &choice) {
        (Some(_), _) => None,
        (None, Some(choice)) => Some(choice.why.clone()),
        (None, None) if settings.ladder.is_none() => Some("no choice was asked for".into()),
        (None, None) => Some("some seed trained at no rate, so that no rate is known to be safe".into()),
    };
    Ok(Found {
        eta_star: EtaStarSummary {
            median: search.median,
            low: search.low,
            high: search.high,
            coverage: search.coverage,
            seeds: search.seeds.len(),
            censored: search.censored,
            undefined: search.undefined,
            with_islands: search.seeds.iter().filter(|seed| !seed.islands.is_empty()).count(),
            reason: search.reason.clone(),
        },
        eta_star_over_2_lambda: ratios.and_then(|ratios| proper_median(&sorted(ratios))),
        eta_star_over_limit: over_limits
            .filter(|_| !is_plain)
            .and_then(|ratios| proper_median(&sorted(ratios))),
        limit: stability.map(|stability| {
            let bend = stability.bend_formula();
            let bent = format!("(lambda + {bend})");
            stability.formula(if plan.weight_decay == 0.0 { "lambda" } else { &bent })
        }),
        lambda: Lambda {
            of: Curved::of(task, &plan),
            median: known.and_then(|known| proper_median(&sorted(known))),
            seeds: lambdas,
        },
        phase: shown.as_ref().map(|verdict| verdict.phase),
        phase_evidence: shown,
        recommended,
        no_recommendation,
        criterion: criterion(goal, &plan, task),
        warnings,
        gradient_steps,
        search,
        choice,
        seconds: None,
    })
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

/// Where a seed's search starts: at the optimiser's limit of stability, inside the range.
fn start(lambda: Option<f64>, plan: &Plan, settings: &Settings) -> f64 {
    let start = lambda.and_then(|lambda| plan.stability_limit(lambda)).unwrap_or(0.1);
    settings.range.map_or(start, |[low, high]| start.clamp(low, high))
}

/// The rate and seed at which to look at the phase: the highest rate that trained, of the seed in the middle.
fn nearest_to_median(search: &EtaStar) -> Option<(u64, f64)> {
    let median = search.median?;
    let distance = |eta: f64| (eta / median).ln().abs();
    let found = search.seeds.iter().filter_map(|seed| Some((seed, seed.eta()?)));
    let (seed, _) = found.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
    let Boundary::Found { low, .. } = seed.boundary else { return None };
    Some((seed.seed, low))
}

/// The rate below which to choose: eta*, or the highest rate of the range where every seed trained there.
fn ceiling(search: &EtaStar) -> Option<f64> {
    search.median.or_else(|| {
        let highest = search.seeds.iter().map(|seed| match seed.boundary {
            Boundary::CensoredAbove(highest) => Some(highest),
            boundary => boundary.eta(),
        });
        let highest: Option<Vec<f64>> = highest.collect();
        highest?.into_iter().reduce(f64::min)
    })
}

/// The goal where none is given: what ignores its input has not trained.
fn own_goal<T: Scalar>(task: &Task<T>) -> Result<Goal, PlanError> {
    let threshold = 0.5 * task.constant_loss();
    if threshold > 0.0 {
        Ok(Goal { metric: Metric::TrainLoss, threshold })
    } else {
        Err(PlanError::NothingToLearn)
    }
}

/// What counts as trained, in words.
fn criterion<T>(Goal { metric, threshold }: Goal, plan: &Plan, task: &Task<T>) -> String {
    let (set, samples) = match metric {
        Metric::TrainAccuracy | Metric::TrainLoss => ("training", plan.check_samples),
        Metric::TestAccuracy | Metric::TestLoss => ("held-out", task.test.len),
    };
    let (what, relation) = if metric.is_accuracy() { ("accuracy", "at least") } else { ("loss", "at most") };
    let (budget, every) = (plan.budget, plan.check_every);
    format!(
        "{what} of {relation} {threshold} on {samples} {set} samples within {budget}, looked at every {every} steps, all values finite"
    )
}
