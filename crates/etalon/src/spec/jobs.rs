//! The jobs of a spec: [`jobs`] on the problem and settings that it describes, in the precision that it names.

use super::trainer::is_heeded;
use super::{EtaStarWanted, KEYS, Key, Precision, Spec, TaskError, words};
use crate::curvature::{CurvatureSettings, Measurement, Quantity};
use crate::error::Error;
use crate::jobs::{
    self, After, Architecture, BoundarySettings, FindSettings, Forgetful, Journal, Keep, Listener,
    MeasureSettings, Memory, Problem, Target, TrainSettings,
};
use crate::phase::{Boundaries, TrialReport};
use crate::search::{ClimbSettings, Found, Settings};
use crate::theory::Range;
use crate::train::{Metric, Plan, Task, Trajectory};
use crate::trainer::{self, Trainer};
use crate::watch::Row;
use etalon_nn::Scalar;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Files of a measurement, and what to measure.
#[derive(Clone, Debug, Default)]
pub struct MeasureOptions {
    /// As [`MeasureSettings::weights`].
    pub weights: Option<PathBuf>,
    /// As [`MeasureSettings::save_weights`].
    pub save_weights: Option<PathBuf>,
    /// As [`MeasureSettings::save_batch`].
    pub save_batch: Option<PathBuf>,
    /// As [`MeasureSettings::quantities`]; none stands for its default.
    pub quantities: Option<Vec<Quantity>>,
}

/// Files of a trial.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// As [`TrainSettings::weights`].
    pub weights: Option<PathBuf>,
    /// As [`TrainSettings::save_weights`].
    pub save_weights: Option<PathBuf>,
    /// As [`TrainSettings::keep`].
    pub keep: Keep,
    /// As [`TrainSettings::stop`].
    pub stop: Option<Arc<AtomicBool>>,
}

/// Calls a generic function of a spec with the numbers that it names.
macro_rules! in_its_precision {
    ($spec:expr, $call:ident($($argument:expr),*)) => {
        match $spec.precision {
            Precision::F32 => $spec.$call::<f32>($($argument),*),
            Precision::F64 => $spec.$call::<f64>($($argument),*),
        }
    };
}

impl Spec {
    /// Searches the rate to use and eta*, as [`jobs::find`]. With a journal, a file that keeps what was tried, it goes on
    /// from where an earlier call was stopped.
    ///
    /// # Errors
    /// When the spec makes no problem; as [`jobs::find`].
    ///
    /// With a trainer, trainings leave their files in a folder beside the journal, of the same name.
    pub fn find(&self, journal: Option<&Path>, listener: Listener<'_>) -> Result<Found, Error> {
        if self.trainer.is_given() {
            return self.find_with_trainer(journal, listener);
        }
        in_its_precision!(self, find_in(journal, listener))
    }

    fn find_in<T: Scalar>(&self, journal: Option<&Path>, listener: Listener<'_>) -> Result<Found, Error> {
        let problem = self.problem::<T>()?;
        let settings = self.find_settings(problem.task())?;
        jobs::check_memory(&problem, &settings)?;
        match journal {
            Some(path) => self.find_with(&problem, &Journal::open(path), listener),
            None => self.find_with(&problem, &Forgetful, listener),
        }
    }

    fn find_with_trainer(&self, journal: Option<&Path>, listener: Listener<'_>) -> Result<Found, Error> {
        let folder = journal.map(|journal| journal.with_extension(""));
        let trainer = self.trainer.trainer(folder.as_deref())?;
        let settings = self.search_settings();
        let found = match journal {
            Some(path) => trainer::find(&trainer, &settings, &Journal::open(path), listener),
            None => trainer::find(&trainer, &settings, &Forgetful, listener),
        };
        Ok(self.worded(found?))
    }

    /// The keys that differ from their defaults and that no job takes notice of, with the reason.
    pub fn idle(&self) -> Vec<String> {
        let usual = Spec::default();
        let is_idle = |key: &&Key| !is_heeded(key.path) && key.value(self) != key.value(&usual);
        let told = |key: &Key| format!("{} has no part in this: the trainer's command decides it", key.path);
        let keys = if self.trainer.is_given() { KEYS } else { &[] };
        keys.iter().filter(is_idle).map(told).collect()
    }

    /// The same of a search.
    pub fn unheeded(&self) -> Vec<String> {
        if self.trainer.is_given() {
            let is_given = self.optimizer.eta != Spec::default().optimizer.eta;
            let eta = "optimizer.eta has no part in this: the search begins at trainer.start".to_string();
            return is_given.then_some(eta).into_iter().chain(self.idle()).collect();
        }
        let usual = self.optimizer.usual_eta();
        let is_unheeded = self.optimizer.eta != usual && self.search.after_epochs == 0.0;
        let eta = format!(
            "optimizer.eta = {} has no part in this: the rate is what is looked for, and search.after_epochs is 0",
            self.optimizer.eta
        );
        is_unheeded.then_some(eta).into_iter().collect()
    }

    /// As [`Spec::find`] on a task that is there already, with what is known from an earlier call.
    pub(crate) fn find_with<T: Scalar>(
        &self,
        problem: &Problem<T>,
        memory: &dyn Memory,
        listener: Listener<'_>,
    ) -> Result<Found, Error> {
        let settings = self.find_settings(problem.task())?;
        Ok(self.worded(jobs::find_with(problem, &settings, memory, listener)?))
    }

    /// Measures curvature, as [`jobs::measure`].
    ///
    /// # Errors
    /// When the spec makes no problem; as [`jobs::measure`].
    pub fn measure(&self, options: &MeasureOptions) -> Result<Measurement, Error> {
        in_its_precision!(self, measure_in(options))
    }

    fn measure_in<T: Scalar>(&self, options: &MeasureOptions) -> Result<Measurement, Error> {
        let MeasureOptions { weights, save_weights, save_batch, quantities } = options.clone();
        let quantities = quantities.unwrap_or(Quantity::OF_THRESHOLDS.into());
        let curvature = self.curvature_settings();
        let settings = MeasureSettings { curvature, weights, save_weights, save_batch, quantities };
        let task = self.task::<T>()?;
        let plan = self.plan_to_measure(&task)?;
        let problem = self.problem_of(task, plan);
        let mut measured = jobs::measure(&problem, &settings)?;
        words::varied(&mut measured.warnings, problem.task(), self.seed);
        Ok(measured)
    }

    /// Trains once, as [`jobs::train`]. `progress` hears of the step and of how many there are. With a trainer, as
    /// [`Spec::train_with`], without files.
    ///
    /// # Errors
    /// When the spec makes no problem; as [`jobs::train`].
    pub fn train(
        &self,
        options: &TrainOptions,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(TrialReport, Trajectory), Error> {
        if self.trainer.is_given() {
            let stop = options.stop.clone().unwrap_or_default();
            let going = || match stop.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            let total = self.trainer.steps;
            return self.train_with(None, 0, &going, &mut |row| progress(row.step, total.max(row.step)));
        }
        in_its_precision!(self, train_in(options, progress))
    }

    /// Trains once with the trainer, as [`trainer::train`], which leaves its files in a folder. `slot` is the number of its
    /// slot.
    ///
    /// # Errors
    /// As [`trainer::train`].
    pub fn train_with(
        &self,
        folder: Option<&Path>,
        slot: usize,
        going: &(dyn Fn() -> ControlFlow<()> + Sync),
        hear: &mut dyn FnMut(&Row),
    ) -> Result<(TrialReport, Trajectory), Error> {
        let trainer = Trainer { slot, ..self.trainer.trainer(folder)? };
        let (eta, seed, name) = (self.optimizer.eta, self.seed, self.hash());
        let settings = TrainSettings { eta, seed, name, ..TrainSettings::default() };
        Ok(trainer::train(&trainer, &settings, going, hear)?)
    }

    fn train_in<T: Scalar>(
        &self,
        options: &TrainOptions,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(TrialReport, Trajectory), Error> {
        let TrainOptions { weights, save_weights, keep, stop } = options.clone();
        let settings = TrainSettings {
            eta: self.optimizer.eta,
            seed: self.seed,
            name: self.hash(),
            every: self.measure.every,
            curvature: self.curvature_settings(),
            weights,
            save_weights,
            keep,
            stop,
        };
        Ok(jobs::train(&self.problem::<T>()?, &settings, progress)?)
    }

    /// The boundaries of early training from the weights of each seed, as [`jobs::boundaries`].
    ///
    /// # Errors
    /// When the spec makes no problem; as [`jobs::boundaries`].
    pub fn boundaries(&self, seeds: &[u64]) -> Result<Vec<Boundaries>, Error> {
        if self.trainer.is_given() {
            let going = || ControlFlow::Continue(());
            return self.boundaries_with(seeds, None, 0, &going);
        }
        in_its_precision!(self, boundaries_in(seeds))
    }

    /// The same on the trainer, as [`trainer::boundaries`]. With a journal it goes on from where an earlier call was stopped,
    /// and trainings leave their files in a folder beside it, of the same name. `slot` is the number of its slot.
    ///
    /// # Errors
    /// As [`trainer::boundaries`].
    pub(crate) fn boundaries_with(
        &self,
        seeds: &[u64],
        journal: Option<&Path>,
        slot: usize,
        going: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Vec<Boundaries>, Error> {
        let folder = journal.map(|journal| journal.with_extension(""));
        let trainer = Trainer { slot, ..self.trainer.trainer(folder.as_deref())? };
        let settings = BoundarySettings { seeds: seeds.to_vec(), ..self.boundary_settings() };
        Ok(match journal {
            Some(path) => trainer::boundaries(&trainer, &settings, &Journal::open(path), going),
            None => trainer::boundaries(&trainer, &settings, &Forgetful, going),
        }?)
    }

    fn boundaries_in<T: Scalar>(&self, seeds: &[u64]) -> Result<Vec<Boundaries>, Error> {
        let settings = BoundarySettings { seeds: seeds.to_vec(), ..self.boundary_settings() };
        Ok(jobs::boundaries(&self.problem::<T>()?, &settings)?)
    }

    /// What it trains, on what, and how.
    ///
    /// # Errors
    /// When data cannot be had, or the spec's parts contradict each other.
    pub fn problem<T: Scalar>(&self) -> Result<Problem<T>, Error> {
        let task = self.task()?;
        let plan = self.plan(&task)?;
        Ok(self.problem_of(task, plan))
    }

    pub(crate) fn problem_of<T>(&self, task: impl Into<Arc<Task<T>>>, plan: Plan) -> Problem<T> {
        let network = &self.network;
        let architecture = Architecture {
            hidden_layers: network.depth,
            width: network.width,
            activation: network.activation,
            bias: network.bias,
        };
        Problem::new(task, plan, Some(architecture))
    }

    /// How it searches.
    ///
    /// # Errors
    /// When it searches for an accuracy and the task has no classes.
    pub fn find_settings<T>(&self, task: &Task<T>) -> Result<FindSettings, Error> {
        if self.search.metric.is_some_and(Metric::is_accuracy) && !task.classes {
            return Err(TaskError::NoClasses(self.data.name.clone()).into());
        }
        Ok(self.search_settings())
    }

    fn search_settings(&self) -> FindSettings {
        let search = &self.search;
        let range = <[f64; 2]>::try_from(&search.range[..]).ok();
        let climb = ClimbSettings { trainings: search.trainings, share: search.short, range };
        FindSettings {
            seeds: (0..search.seeds as u64).map(|index| self.seed.wrapping_add(index)).collect(),
            climb: (search.eta_star != EtaStarWanted::Only).then_some(climb),
            search: (search.eta_star != EtaStarWanted::No).then(|| Settings {
                tolerance: search.tolerance,
                factor: search.factor,
                sections: search.sections,
                range,
                ..Settings::default()
            }),
            target: Target { metric: search.metric, threshold: search.threshold, share: search.share },
            phase: search.phase && search.eta_star != EtaStarWanted::Only,
            after: (search.after_epochs > 0.0)
                .then_some(After { epochs: search.after_epochs, eta: self.optimizer.eta }),
            curvature: CurvatureSettings {
                samples: search.samples,
                tolerance: jobs::COARSE.tolerance,
                ..self.curvature_settings()
            },
        }
    }

    /// Where it looks for boundaries, with its own seed.
    pub fn boundary_settings(&self) -> BoundarySettings {
        let [low, high] = self.boundaries.range;
        let range = Range { low, high, steps: self.boundaries.points, tolerance: self.boundaries.tolerance };
        BoundarySettings { seeds: vec![self.seed], range, curvature: self.curvature_settings() }
    }

    /// What was found, with advice that names the spec's keys.
    fn worded(&self, mut found: Found) -> Found {
        if let (Some(search), Some(star)) = (&mut found.search, &mut found.eta_star) {
            search.reason = words::no_median(search);
            star.reason = search.reason.clone();
        }
        found
    }
}
