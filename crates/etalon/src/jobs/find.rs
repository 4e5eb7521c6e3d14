//! The search on a network: a first guess, the rate to use, and eta*.

use super::eta_star;
use super::provisional::provisional;
use super::starts::Starts;
use super::trials::{Forgetful, Going, Memory, Trials};
use super::{JobError, Problem};
use crate::curvature::{CurvatureSettings, Instrument};
use crate::memory;
use crate::schedule::{Schedule, Shape};
use crate::search::{
    Climb, ClimbSettings, Ended, Found, Progress, Provisional, Recommendation, Settings, Training,
    check_seeds, recommend,
};
use crate::train::{Goal, Metric, Plan, PlanError, Task, trial_bytes};
use etalon_nn::{Scalar, Workspace};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// What needs the memory of a search.
pub(crate) const SEARCH: &str = "this search";

/// Curvature as a search has it: its noise is less than a climb's first step.
pub(crate) const COARSE: CurvatureSettings =
    CurvatureSettings { samples: 128, tolerance: 0.05, iterations: 100, top: 1, seed: 0 };

/// What to find, and how.
#[derive(Clone, Debug)]
pub struct FindSettings {
    /// The seeds of fresh networks: all for eta*, as many as are needed for the rate to use.
    pub seeds: Vec<u64>,
    /// How the rate to use is chosen; none leaves it out.
    pub climb: Option<ClimbSettings>,
    /// How each seed's eta* is bracketed; none leaves it out.
    pub search: Option<Settings>,
    /// What counts as trained in the search of eta*.
    pub target: Target,
    /// Whether to look at what training does just below eta*, which takes a trial and its curvature.
    pub phase: bool,
    /// Training before the search; none searches from fresh networks.
    pub after: Option<After>,
    /// How the curvature of starts is measured: for the first guess, and for eta* in units of it.
    pub curvature: CurvatureSettings,
}

/// What counts as trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Of what; without, the training accuracy, or loss where there are no classes.
    pub metric: Option<Metric>,
    /// The accuracy to reach or the loss to get below; without, `share` decides.
    pub threshold: Option<f64>,
    /// The share of the way from chance to the best that training was seen to come to.
    pub share: f64,
}

impl Default for Target {
    fn default() -> Self {
        Target { metric: None, threshold: None, share: 0.8 }
    }
}

impl Target {
    pub(super) fn metric_of<T>(&self, task: &Task<T>) -> Metric {
        self.metric.unwrap_or(if task.classes { Metric::TrainAccuracy } else { Metric::TrainLoss })
    }
}

/// Training before a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct After {
    /// Passes over the training set.
    pub epochs: f64,
    /// The constant learning rate of that training.
    pub eta: f64,
}

impl Default for FindSettings {
    fn default() -> Self {
        FindSettings {
            seeds: (0..5).collect(),
            climb: Some(ClimbSettings::default()),
            search: Some(Settings::default()),
            target: Target::default(),
            phase: true,
            after: None,
            curvature: COARSE,
        }
    }
}

/// What a search tells while it runs, each as soon as it is known.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// The guess from curvature, before any training.
    Provisional(&'a Provisional),
    /// A training or a probe goes on.
    Step,
    /// A training or a probe has ended.
    Trial(&'a Progress<'a>),
    /// The rate to use.
    Recommended(&'a Recommendation),
}

/// Hears of news, from any thread. `Break` ends the search, which returns what it knows.
pub type Listener<'a> = &'a (dyn Fn(News<'_>) -> ControlFlow<()> + Sync);

/// The listener that hears nothing.
pub fn unheard(_: News<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Searches the rate to use on a problem, and its maximal initial rate eta*. The result depends on the problem, the settings
/// and the [instruction set](crate::nn::Cpu) alone, not on the number of threads.
///
/// # Errors
/// When settings make no search, or memory does not suffice.
pub fn find<T: Scalar>(
    problem: &Problem<T>,
    settings: &FindSettings,
    listener: Listener<'_>,
) -> Result<Found, JobError> {
    check_memory(problem, settings)?;
    find_with(problem, settings, &Forgetful, listener)
}

/// Refuses a search that does not fit into memory.
pub(crate) fn check_memory<T: Scalar>(problem: &Problem<T>, settings: &FindSettings) -> Result<(), JobError> {
    let advice = "use fewer threads, a smaller network, or measure curvature on fewer samples";
    let instrument = instrument(problem, settings);
    let with = |instrument| search_bytes(problem, settings, instrument);
    let needed = with(instrument.bytes());
    Ok(memory::check_with(SEARCH, needed, |limit| instrument.relief(limit, needed, with), advice)?)
}

fn instrument<'a, T: Scalar>(problem: &'a Problem<T>, settings: &FindSettings) -> Instrument<'a, T> {
    Instrument::new(problem.task(), problem.plan(), &settings.curvature, false)
}

/// What a search takes at most, its data not counted.
pub(crate) fn find_bytes<T: Scalar>(problem: &Problem<T>, settings: &FindSettings) -> u64 {
    search_bytes(problem, settings, instrument(problem, settings).bytes())
}

/// As [`find_bytes`], with an instrument that takes so much.
fn search_bytes<T: Scalar>(problem: &Problem<T>, settings: &FindSettings, instrument: u64) -> u64 {
    let (task, plan) = (problem.task(), problem.plan());
    // Held-out samples are looked at beside the trial's own looks.
    let scores = Workspace::<T>::bytes_for_outputs(&task.network, task.test.len);
    let trial = trial_bytes(task, plan).saturating_add(scores);
    let seeds = settings.seeds.len();
    let sections = settings.search.as_ref().map_or(1, |search| search.sections);
    let at_once = seeds.saturating_mul(sections).max(3);
    let threads = rayon::current_num_threads().min(at_once) as u64;
    let starts = Starts::bytes(settings.after, task, seeds);
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
    listener: Listener<'_>,
) -> Result<Found, JobError> {
    let (task, plan, seeds) = (problem.task(), problem.plan(), &settings.seeds);
    check_seeds(seeds.iter().copied())?;
    settings.search.iter().try_for_each(Settings::validate)?;
    settings.climb.iter().try_for_each(ClimbSettings::validate)?;
    let metric = settings.target.metric_of(task);
    if metric.is_accuracy() && !task.classes {
        return Err(PlanError::NoClasses.into());
    }
    if task.constant_loss() <= 0.0 {
        return Err(PlanError::NothingToLearn.into());
    }
    let stopped = AtomicBool::new(false);
    let tell = |news: News<'_>| {
        if listener(news).is_break() {
            stopped.store(true, Ordering::Relaxed);
        }
        if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let observer = |progress: &Progress<'_>| tell(News::Trial(progress));
    let starts = Starts::new(settings.after, task, plan, seeds)?;
    let first = starts.of(seeds[0])?;
    // In the pool, whose idle threads then take parts of large products.
    let provisional = rayon::scope(|_| provisional(task, plan, &settings.curvature, &first))?;
    plan.steps(provisional.eta, task.train.len)?;
    let is_stopped = tell(News::Provisional(&provisional)).is_break();
    let mut found = Found::new(provisional, task.notes.clone());
    let interrupted = |found: Found| Ok(Found { stopped: Ended::Interrupted, ..found });
    if is_stopped {
        return interrupted(found);
    }
    // What eta* counts as trained follows from what training comes to: a short climb and one training tell it.
    let range = settings.search.as_ref().and_then(|search| search.range);
    let own = ClimbSettings { trainings: 1, range, ..ClimbSettings::default() };
    let is_measured = settings.search.is_some() && settings.target.threshold.is_none();
    let climb = settings.climb.as_ref().or(is_measured.then_some(&own));
    let mut trials = Trials {
        task,
        plan: plan.clone(),
        full: plan,
        share: climb.map_or(1.0, |climb| climb.share),
        metric,
        starts: &starts,
        memory,
        going: Going { ask: &|| tell(News::Step), stopped: &stopped },
    };
    let eta = found.provisional.eta;
    let mut chosen = None;
    let climb = climb.map(|settings| Climb::new(eta, seeds, trials.measure(), settings)).transpose()?;
    let mut climbed = climb.map(|climb| climb.ahead(trials.ahead(eta)));
    if let Some(climb) = &mut climbed {
        match recommend(&trials, climb, &observer) {
            Err(_) if stopped.load(Ordering::Relaxed) => {}
            ended => ended?,
        }
        let choice = climb.so_far();
        found.budgets += choice.budgets;
        found.gradient_steps += choice.gradient_steps;
        chosen = choice.eta;
        if settings.climb.is_some() {
            if !stopped.load(Ordering::Relaxed) {
                let _ = tell(News::Recommended(&choice));
            }
            found.recommended = Some(choice);
        }
    }
    if stopped.load(Ordering::Relaxed) {
        return interrupted(found);
    }
    let Some(search) = &settings.search else { return Ok(found) };
    let seen = climbed.as_ref().and_then(|climb| climb.reached(metric.is_accuracy()));
    let is_learnt = found.recommended.as_ref().is_none_or(|choice| choice.eta.is_some());
    let threshold = eta_star::threshold(task, &settings.target, seen);
    let Some(threshold) = threshold.filter(|_| is_learnt || settings.target.threshold.is_some()) else {
        found
            .warnings
            .push("eta* was not searched: nothing was learnt, so that there is no threshold to reach".into());
        return Ok(found);
    };
    trials.plan =
        constant(plan, &mut found.warnings).with_goal(Goal { metric, threshold: threshold.value }, task)?;
    match eta_star::add(&mut found, &trials, settings, search, (threshold, chosen), &observer) {
        Err(_) if stopped.load(Ordering::Relaxed) => interrupted(found),
        Err(error) => Err(error),
        Ok(()) => Ok(found),
    }
}

/// The plan with a constant rate, which eta* is, and no looks but for the goal.
fn constant(plan: &Plan, warnings: &mut Vec<String>) -> Plan {
    let constant = Schedule { warmup: 0, shape: Shape::Constant, last: None };
    if plan.schedule != constant || plan.conversion.is_some() || plan.anneal.is_some() {
        warnings.push("eta* is a constant rate: its search leaves the schedule out, the choice of the rate to use does not".into());
    }
    Plan {
        schedule: constant,
        conversion: None,
        anneal: None,
        motion: false,
        follow_test: false,
        ..plan.clone()
    }
}
