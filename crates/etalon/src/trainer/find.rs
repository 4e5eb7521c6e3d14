//! The search on a trainer: the rate to use by its metric, and eta*.

use super::course::{Course, Until};
use super::probes::Probes;
use super::runner::{Cost, Interrupted, Runner};
use super::{Bound, Trainer, TrainerError};
use crate::jobs::{FindSettings, Listener, Memory, News};
use crate::search::{
    Climb, ClimbSettings, Ended, EtaStar, EtaStarSummary, Found, Length, Measure, Progress, Provisional,
    Question, Saved, SearchError, Settings, Threshold, check_rate, check_seeds, maximal_rate, recommend,
};
use crate::units::significant;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a first rate that diverges is lowered, by this factor.
const LOWERED: (usize, f64) = (6, 10.0);

/// Searches the rate to use with a trainer, if its goal names a metric, and eta*. Of the settings it takes seeds, climb, search,
/// the target's share and phase. The result depends on the trainer and the settings alone, not on the number of slots.
///
/// Trainings are waited for on threads of its own, as many as there are slots.
///
/// # Errors
/// When the settings make no search, or a training gives no answer; see [`Fault`](super::Fault).
pub fn find(
    trainer: &Trainer,
    settings: &FindSettings,
    memory: &dyn Memory,
    listener: Listener<'_>,
) -> Result<Found, TrainerError> {
    check(trainer, settings)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(trainer.slots.max(1)).build();
    let pool = pool.map_err(|error| TrainerError::Io {
        action: "start a thread for each slot".into(),
        source: io::Error::other(error),
    })?;
    let stopped = AtomicBool::new(false);
    let tell = |news: News<'_>| {
        if listener(news).is_break() {
            stopped.store(true, Ordering::Relaxed);
        }
        if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let going = || tell(News::Step);
    let metric = trainer.goal.metric.clone().unwrap_or_default();
    let runner = Runner::new(trainer, &going)?;
    let probes = Probes {
        runner: &runner,
        memory,
        share: 1.0,
        until: trainer.goal.bound.map_or(Until::End, Until::Goal),
        total: trainer.steps.unwrap_or(0),
        measure: Measure { name: metric, ..Measure::unknown() },
    };
    let mut search = Search { trainer, settings, probes, tell: &tell, found: None };
    let ended = pool.install(|| search.run());
    let found = search.found;
    match (runner.answer(ended), found) {
        (Ok(()), Some(found)) => Ok(found),
        (Ok(()), None) => Err(SearchError::Cancelled.into()),
        (Err(error @ TrainerError::Training { .. }), _) => Err(error),
        (Err(_), Some(found)) if stopped.into_inner() => Ok(Found { stopped: Ended::Interrupted, ..found }),
        (Err(error), _) => Err(error),
    }
}

/// Refuses what makes no search before anything is started.
fn check(trainer: &Trainer, settings: &FindSettings) -> Result<(), TrainerError> {
    check_seeds(settings.seeds.iter().copied())?;
    check_rate("the rate to start from", trainer.start)?;
    settings.search.iter().try_for_each(Settings::validate)?;
    settings.climb.iter().try_for_each(ClimbSettings::validate)?;
    trainer.check(settings.seeds.len())?;
    if settings.search.is_none() && trainer.goal.metric.is_none() {
        return Err(TrainerError::Nothing);
    }
    Ok(())
}

struct Search<'a> {
    trainer: &'a Trainer,
    settings: &'a FindSettings,
    probes: Probes<'a>,
    tell: &'a (dyn Fn(News<'_>) -> ControlFlow<()> + Sync),
    /// What is known so far; none before the first training.
    found: Option<Found>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), TrainerError> {
        let Search { trainer, settings, tell, .. } = *self;
        let search = settings.search.as_ref();
        // What eta* counts as trained may follow from what training comes to, as on a network.
        let range = search.and_then(|search| search.range);
        let own = ClimbSettings { trainings: 1, range, ..ClimbSettings::default() };
        let has_metric = trainer.goal.metric.is_some();
        let climb = settings.climb.as_ref().or(trainer.goal.bound.is_none().then_some(&own));
        let climb = climb.filter(|_| has_metric);
        let (eta, first) = self.first(climb.is_some(), range)?;
        let mut found = Found::new(provisional(eta, &first, range), Vec::new());
        if !has_metric && settings.climb.is_some() {
            let why = "the rate to use was not chosen: the trainer's goal names no metric to choose it by";
            found.warnings.push(why.into());
        }
        let begins = trainer.goal.bound.zip(first.first_metric());
        if let Some((bound, value)) = begins.filter(|&(bound, value)| bound.is_met(value)) {
            let metric = trainer.goal.metric.as_deref().unwrap_or_default();
            found.warnings.push(format!(
                "the goal, {metric} of {bound}, is met by the first row of the log already, which has {}: where that is before \
                 the first step, set one that training has to reach",
                significant(value, 4)
            ));
        }
        let start = found.provisional.eta;
        let is_stopped = tell(News::Provisional(&found.provisional)).is_break();
        self.found = Some(found);
        if is_stopped {
            return Err(Interrupted.into());
        }
        let observer = |progress: &Progress<'_>| tell(News::Trial(progress));
        let mut bound = trainer.goal.bound;
        let mut from = "given".to_string();
        if let Some(climb) = climb {
            let measure = self.measure(&first);
            let chance = measure.chance;
            self.probes.share = climb.share;
            self.probes.measure = measure.clone();
            let mut climbed = Climb::new(start, &settings.seeds, measure.clone(), climb)?;
            let ended = recommend(&self.probes, &mut climbed, &observer);
            let choice = climbed.so_far();
            let Some(found) = &mut self.found else { return Err(Interrupted.into()) };
            found.budgets += choice.budgets;
            found.gradient_steps += choice.gradient_steps;
            let is_learnt = choice.eta.is_some();
            if settings.climb.is_some() {
                found.recommended = Some(choice);
            }
            ended?;
            if let Some(choice) = &found.recommended {
                let _ = tell(News::Recommended(choice));
            }
            let best = climbed.reached(measure.higher_is_better).filter(|_| is_learnt);
            if let (None, Some(best)) = (bound, best) {
                let share = settings.target.share;
                let value = chance + share * (best - chance);
                bound =
                    Some(if measure.higher_is_better { Bound::Above(value) } else { Bound::Below(value) });
                from = format!(
                    "{} % of the way from its first value, {}, to the best seen, {}",
                    100.0 * share,
                    significant(chance, 4),
                    significant(best, 4)
                );
            }
            if bound.is_none() && search.is_some() {
                let why = "eta* was not searched: nothing was learnt, so that there is no threshold to reach";
                found.warnings.push(why.into());
                return Ok(());
            }
        }
        let Some(search) = search else { return Ok(()) };
        self.probes.until = bound.map_or(Until::End, Until::Goal);
        self.eta_star(search, bound, from, &first, &observer)
    }

    /// The first training, which tells whether the trainer works before many are started. A choice needs one that survives:
    /// its length, and where its metric begins.
    fn first(&mut self, is_choice: bool, range: Option<[f64; 2]>) -> Result<(f64, Course), TrainerError> {
        let probes = &mut self.probes;
        let seed = self.settings.seeds[0];
        let until = if is_choice { Until::End } else { probes.until };
        let clamped = |eta: f64| range.map_or(eta, |[low, high]| eta.clamp(low, high));
        let start = clamped(self.trainer.start);
        let (most, factor) = LOWERED;
        let mut eta = start;
        for tries in 1.. {
            let question = Question { eta, seed, length: Length::Full };
            let known = if is_choice {
                probes.memory.recall_training(&question).is_some()
            } else {
                probes.memory.recall(eta, seed).is_some()
            };
            let kept = known.then(|| probes.runner.kept(eta, seed, until)).flatten();
            let course = match kept {
                Some(kept) => kept,
                None => probes.runner.course(eta, seed, until, 0, &mut |_| {})?,
            };
            if probes.total == 0 && course.survived() && until == Until::End {
                probes.total = course.step;
            }
            if !is_choice {
                probes.memory.keep(eta, seed, &course.outcome());
                return Ok((eta, course));
            }
            if course.first_metric().is_some() && probes.total > 0 {
                probes.memory.keep_training(&question, &course.trained(probes.total));
                return Ok((eta, course));
            }
            let lower = clamped(eta / factor);
            if tries == most || lower == eta {
                let metric = self.trainer.goal.metric.clone().unwrap_or_default();
                return Err(TrainerError::NoStart { tries, highest: start, lowest: eta, metric });
            }
            eta = lower;
        }
        Err(Interrupted.into())
    }

    fn measure(&self, first: &Course) -> Measure {
        Measure {
            name: self.trainer.goal.metric.clone().unwrap_or_default(),
            higher_is_better: self.trainer.goal.bound.is_some_and(Bound::is_higher_better),
            chance: first.first_metric().unwrap_or(f64::NAN),
            error: first.metric_error(),
            // The first loss is no such: a network that was trained before begins below.
            ..Measure::unknown()
        }
    }

    fn eta_star(
        &mut self,
        search: &Settings,
        bound: Option<Bound>,
        from: String,
        first: &Course,
        observer: crate::search::Observer<'_>,
    ) -> Result<(), TrainerError> {
        let Search { trainer, settings, probes, found, .. } = self;
        let Some(found) = found else { return Err(Interrupted.into()) };
        let chosen = found.recommended.as_ref().and_then(|choice| choice.eta);
        let start = chosen.filter(|_| found.provisional.lambda.is_none()).unwrap_or(found.provisional.eta);
        let starts: Vec<(u64, f64)> = settings.seeds.iter().map(|&seed| (seed, start)).collect();
        let star = maximal_rate(probes, &starts, search, observer)?;
        let whole = star.seeds.iter().flat_map(|seed| &seed.probes).map(|probed| probed.steps).max();
        let total = Some(probes.total).filter(|&total| total > 0).or(whole).unwrap_or(1).max(1);
        let mut steps = star.gradient_steps;
        if let Some((seed, eta)) = star.below_median().filter(|_| settings.phase) {
            let course =
                match probes.runner.kept(eta, seed, Until::End).filter(|_| probes.until == Until::End) {
                    Some(kept) => kept,
                    None => {
                        let course = probes.course(eta, seed, Until::End)?;
                        steps += course.step;
                        course
                    }
                };
            let evidence = course.phase();
            found.phase = Some(evidence.phase);
            found.phase_evidence = Some(evidence);
        }
        found.saved = saved(&star, total, probes.runner.cost());
        found.criterion = Some(match bound {
            Some(bound) => {
                let metric = trainer.goal.metric.as_deref().unwrap_or_default();
                let of = match from.as_str() {
                    "given" => bound.to_string(),
                    from => format!("{} {} ({from})", bound.relation(), significant(bound.value(), 4)),
                };
                format!("{metric} of {of} in some row of the log, all losses finite")
            }
            None => "a training loss that ends finite and, over the last fifth of the training, lower than it began".into(),
        });
        let threshold = match bound {
            Some(bound) => Threshold {
                metric: trainer.goal.metric.clone().unwrap_or_default(),
                value: bound.value(),
                from,
            },
            None => Threshold {
                metric: "loss".into(),
                value: first.first_loss(),
                from: "the first loss of the first training; each has its own".into(),
            },
        };
        let budgets = steps as f64 / total as f64;
        found.eta_star = Some(EtaStarSummary::of(&star, threshold, budgets, steps));
        found.budgets += budgets;
        found.gradient_steps += steps;
        found.search = Some(star);
        Ok(())
    }
}

/// What ending probes early has saved.
fn saved(star: &EtaStar, total: u64, cost: Cost) -> Option<Saved> {
    let probes = star.seeds.iter().flat_map(|seed| &seed.probes);
    let early: Vec<u64> =
        probes.map(|probed| total.saturating_sub(probed.steps)).filter(|&left| left > 0).collect();
    let steps: u64 = early.iter().sum();
    let seconds = (cost.steps > 0).then(|| cost.seconds * steps as f64 / cost.steps as f64);
    (steps > 0).then_some(Saved { trainings: early.len(), steps, seconds })
}

/// Where the search begins: at the limit of gradient descent, where the log has a curvature, or where it was told to.
fn provisional(eta: f64, first: &Course, range: Option<[f64; 2]>) -> Provisional {
    let limit = first.sharpness.map(|lambda| 2.0 / lambda);
    let (eta, rule) = match (limit, first.sharpness) {
        (Some(limit), Some(lambda)) => (
            range.map_or(limit, |[low, high]| limit.clamp(low, high)),
            format!(
                "2 / lambda, lambda = {} the curvature in the first row of the log",
                significant(lambda, 3)
            ),
        ),
        _ => (eta, "a rate to begin with: the log has no curvature at the start".to_string()),
    };
    Provisional { eta, rule, lambda: first.sharpness, residual: None, samples: 0, products: 0 }
}
