//! The search on a network: what `etalon find` does.

use super::order::{proper_median, sorted};
use super::trials::{Forgetful, Memory, Trials, trained_starts};
use super::{Boundary, EtaStar, LadderSettings, Observer, Recommendation, Settings, maximal_rate, recommend};
use crate::curvature::{Ends, Instrument};
use crate::error::Error;
use crate::memory;
use crate::phase::{self, observe};
use crate::schedule::{Schedule, Shape};
use crate::spec::{Precision, Spec};
use crate::train::{Plan, PlanError, Task, Trial};
use etalon_nn::optim::{Optimizer, Rule};
use etalon_nn::{Loss, Scalar, Workspace};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The maximal initial learning rate of a network, and the rate to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The maximal initial learning rate.
    pub eta_star: EtaStarSummary,
    /// The median over seeds of eta* in units of 2 / lambda of the same seed.
    pub eta_star_over_2_lambda: Option<f64>,
    /// The same in units of the optimiser's own limit of stability, where that is not 2 / lambda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_star_over_limit: Option<f64>,
    /// That limit in plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Which lambda.
    pub lambda: Lambda,
    /// What training does just below eta*: at the lower end of the bracket of the seed nearest to the median.
    pub phase: Option<phase::Phase>,
    /// The evidence for it.
    pub phase_evidence: Option<phase::Verdict>,
    /// The rate to use.
    pub recommended: Option<Recommended>,
    /// Why no rate is recommended, where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_recommendation: Option<String>,
    /// What counted as trained.
    pub criterion: String,
    /// What to keep in mind; empty where there is nothing.
    pub warnings: Vec<String>,
    /// All gradient steps spent: search, choice, and the trial that tells the phase.
    pub gradient_steps: u64,
    /// The search in full: every probe of every seed.
    pub search: EtaStar,
    /// The choice in full: the curve of the held-out metric against the rate.
    pub choice: Option<Recommendation>,
    /// Wall-clock seconds, where they are of interest: the rest does not depend on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// What a search takes curvature from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curved {
    /// The neural tangent kernel: for MSE, where it is the curvature that does not depend on the residuals.
    Ntk,
    /// The Hessian: for other losses, which have a curvature of their own.
    Hessian,
    /// The Hessian in the coordinates of an optimiser with a preconditioner, the one after a first update with the gradient
    /// of the measured samples: for any loss.
    PreconditionedHessian,
}

/// The curvature that the search is measured in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lambda {
    /// Of what it is an eigenvalue.
    pub of: Curved,
    /// Its median over seeds, at the start, in the coordinates of the learning-rate factors.
    pub median: Option<f64>,
    /// Each seed's.
    pub seeds: Vec<Option<f64>>,
}

/// eta* without its probes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtaStarSummary {
    /// The median over seeds; none where it lies beyond the range.
    pub median: Option<f64>,
    /// The lower end of the interval for the median.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The probability with which such an interval covers the median.
    pub coverage: f64,
    /// How many seeds.
    pub seeds: usize,
    /// How many trained up to the end of the range.
    pub censored: usize,
    /// How many trained at no rate.
    pub undefined: usize,
    /// How many have trained above their boundary again (lucky islands, which do not count).
    pub with_islands: usize,
    /// Why there is no median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The rate to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommended {
    /// The rate.
    pub eta: f64,
    /// The held-out metric by which it was chosen.
    pub metric: String,
    /// Its median over seeds at that rate.
    pub value: Option<f64>,
    /// The reason, with its numbers.
    pub why: String,
}

/// Searches eta* of a spec's network and the rate to use below it. The result depends on the spec and the
/// [instruction set](crate::nn::cpu) alone, not on the number of threads. `observer` hears of every probe and may stop the search.
///
/// # Errors
/// When the spec makes no task, memory does not suffice, or the observer stops the search.
pub fn find(spec: &Spec, observer: Observer<'_>) -> Result<Found, Error> {
    match spec.precision {
        Precision::F32 => find_in::<f32>(spec, observer),
        Precision::F64 => find_in::<f64>(spec, observer),
    }
}

fn find_in<T: Scalar>(spec: &Spec, observer: Observer<'_>) -> Result<Found, Error> {
    let task = Task::<T>::new(spec)?;
    let advice = "use fewer --threads, a smaller network, or fewer measure.samples";
    memory::check("this search", bytes(spec, &task)?, advice)?;
    find_on(&task, spec, &Forgetful, observer)
}

/// What a search takes at most, its data not counted.
///
/// # Errors
/// When the spec makes no plan for its task.
pub(crate) fn bytes<T: Scalar>(spec: &Spec, task: &Task<T>) -> Result<u64, PlanError> {
    let plan = Plan::new(spec, task)?;
    let parameters = (task.network.parameters() * size_of::<T>()) as u64;
    let trial = Workspace::<T>::bytes(&task.network, plan.batch)
        + Workspace::<T>::bytes_for_outputs(&task.network, plan.check_samples)
        + plan.numbers_per_parameter() as u64 * parameters;
    let threads = rayon::current_num_threads().min(spec.search.seeds * spec.search.sections) as u64;
    let starts = if spec.search.after_epochs > 0.0 { spec.search.seeds as u64 * parameters } else { 0 };
    let instrument = Instrument::new(spec, task, false)?.bytes();
    Ok(threads.saturating_mul(trial.max(instrument)).saturating_add(starts))
}

/// As [`find`], on a task that is there already, with what is known from an earlier call. Memory is the caller's to
/// check, with [`bytes`].
///
/// # Errors
/// As [`find`].
pub(crate) fn find_on<T: Scalar>(
    task: &Task<T>,
    spec: &Spec,
    memory: &dyn Memory,
    observer: Observer<'_>,
) -> Result<Found, Error> {
    let mut warnings = task.notes.clone();
    let mut plan = Plan::new(spec, task)?.with_goal(spec, task)?;
    let constant = Schedule { warmup: 0, shape: Shape::Constant, last: None };
    if plan.schedule != constant || plan.conversion.is_some() {
        warnings.push("eta* is a constant rate: the schedule of the spec is left out".into());
        (plan.schedule, plan.conversion) = (constant, None);
    }
    let instrument = Instrument::new(spec, task, false)?;
    let settings = Settings {
        tolerance: spec.search.tolerance,
        factor: spec.search.factor,
        sections: spec.search.sections,
        range: match spec.search.range[..] {
            [low, high] => Some([low, high]),
            _ => None,
        },
        ..Settings::default()
    };
    settings.validate()?;
    let seeds: Vec<u64> = (0..spec.search.seeds as u64).map(|index| spec.seed.wrapping_add(index)).collect();
    let trials = Trials {
        task,
        plan: &plan,
        full: Plan { goal: None, ..plan.clone() },
        starts: trained_starts(spec, task, &plan, &seeds)?,
        memory,
    };
    let lambdas = seeds
        .par_iter()
        .map(|&seed| lambda(task, &instrument, &trials.start(seed)[0]))
        .collect::<Result<Vec<_>, _>>()?;
    let starts: Vec<(u64, f64)> = seeds
        .iter()
        .zip(&lambdas)
        .map(|(&seed, lambda)| (seed, start(lambda.map(|found| found.value), &plan, &settings)))
        .collect();
    // A budget that makes no steps would look like a rate that does not train.
    starts.iter().try_for_each(|&(_, eta)| plan.steps(eta, task.train.len).map(drop))?;
    let lambdas: Vec<Option<f64>> = lambdas.iter().map(|found| found.and_then(Curvature::trusted)).collect();
    if lambdas.iter().any(Option::is_none) {
        warnings.push(format!(
            "the {}'s largest eigenvalue at the start did not converge or is not positive for some seeds, so that eta* is \
             not given in units of it; allow more measure.iterations",
            Curved::of(task, &plan)
        ));
    }
    let search = maximal_rate(&trials, &starts, &settings, observer)?;

    let ratio = |(seed, lambda): (&super::SeedResult, &Option<f64>)| {
        lambda.map(|lambda| seed.boundary.rank() * lambda / 2.0)
    };
    let ratios: Option<Vec<f64>> = search.seeds.iter().zip(&lambdas).map(ratio).collect();
    let over_limit = |(seed, lambda): (&super::SeedResult, &Option<f64>)| {
        Some(seed.boundary.rank() / plan.stability_limit((*lambda)?)?)
    };
    let over_limits: Option<Vec<f64>> = search.seeds.iter().zip(&lambdas).map(over_limit).collect();
    let is_plain = plan.optimizer.name() == Rule::default().name() && plan.weight_decay == 0.0;
    let stability = plan.optimizer.stability().ok().filter(|_| !is_plain);
    let known: Option<Vec<f64>> = lambdas.iter().copied().collect();
    let mut gradient_steps = search.gradient_steps;
    let shown = match nearest_to_median(&search) {
        Some((seed, eta)) if spec.search.phase => {
            let start = trials.start(seed);
            let trial = Trial::from_checkpoint(task, &trials.full, eta, seed, start, true)?;
            let verdict = observe(trial, &instrument, 0, &mut |_, _| {});
            gradient_steps += verdict.trajectory.steps;
            Some(verdict.verdict)
        }
        _ => None,
    };
    let choice = match ceiling(&search) {
        Some(ceiling) if spec.search.rates > 0 => {
            let ladder = LadderSettings {
                rates: spec.search.rates,
                max_rates: spec.search.rates.max(LadderSettings::default().max_rates),
                ..LadderSettings::default()
            };
            Some(recommend(&trials, ceiling, &seeds, &ladder, observer)?)
        }
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
        (None, None) if spec.search.rates == 0 => Some("search.rates is 0".into()),
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
        criterion: criterion(spec, &plan, task),
        warnings,
        gradient_steps,
        search,
        choice,
        seconds: None,
    })
}

impl Curved {
    fn of<T>(task: &Task<T>, plan: &Plan) -> Self {
        match plan.optimizer.preconditions() {
            true => Curved::PreconditionedHessian,
            false if task.loss == Loss::Mse => Curved::Ntk,
            false => Curved::Hessian,
        }
    }
}

impl std::fmt::Display for Curved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Curved::Ntk => "NTK",
            Curved::Hessian => "Hessian",
            Curved::PreconditionedHessian => "preconditioned Hessian",
        })
    }
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
) -> Result<Option<Curvature>, Error> {
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

/// What counts as trained, in words.
fn criterion<T>(spec: &Spec, plan: &Plan, task: &Task<T>) -> String {
    use crate::spec::{Budget, Metric::*};
    let (set, what, relation) = match spec.search.metric {
        TrainAccuracy => ("training", "accuracy", "at least"),
        TestAccuracy => ("held-out", "accuracy", "at least"),
        TrainLoss => ("training", "loss", "at most"),
        TestLoss => ("held-out", "loss", "at most"),
    };
    let samples = if set == "training" { plan.check_samples } else { task.test.len };
    let budget = match plan.budget {
        Budget::Steps(steps) => format!("{steps} steps"),
        Budget::Epochs(epochs) => format!("{epochs} epochs"),
        Budget::PhysicalTime(time) => format!("a physical time of {time}"),
    };
    let (threshold, every) = (spec.search.threshold, plan.check_every);
    format!(
        "{what} of {relation} {threshold} on {samples} {set} samples within {budget}, looked at every {every} steps, all values finite"
    )
}
