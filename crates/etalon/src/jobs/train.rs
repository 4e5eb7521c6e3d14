//! One trial, observed and judged.

use super::{JobError, Problem};
use crate::curvature::{CurvatureSettings, Instrument};
use crate::folder::{disk, write_whole};
use crate::json_lines;
use crate::memory::{self, MemoryError};
use crate::phase::{Last, Statistics, TrialReport, observe_from};
use crate::search::check_rate;
use crate::train::{Checkpoint, Metrics, Plan, Stop, Trajectory, Trial, trial_bytes};
use etalon_nn::Scalar;
use etalon_nn::optim::Optimizer;
use etalon_nn::parameters::{load, save};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// What needs the memory of a trial.
pub(crate) const TRIAL: &str = "this trial";
/// What makes it fit.
const SMALLER: &str = "measure on fewer samples, or take a smaller batch or a smaller network";

/// At which rate to train, from where, and what to measure on the way.
#[derive(Clone, Debug, Default)]
pub struct TrainSettings {
    /// The base learning rate.
    pub eta: f64,
    /// The seed of fresh parameters, and of everything that is drawn in training.
    pub seed: u64,
    /// What the trial is called in its report.
    pub name: String,
    /// Steps between two measurements of curvature; 0: at the start and the end.
    pub every: u64,
    /// How curvature is measured.
    pub curvature: CurvatureSettings,
    /// Parameters to start from instead of fresh ones.
    pub weights: Option<PathBuf>,
    /// Where to save the parameters at the end.
    pub save_weights: Option<PathBuf>,
    /// What is kept on the way.
    pub keep: Keep,
    /// Ends it where it is, once raised.
    pub stop: Option<Arc<AtomicBool>>,
}

/// What is kept of a trial on its way.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// A file from which the same trial goes on to the same bits. It is the trial's that has its name, so that the name must
    /// stand for the problem.
    pub checkpoint: Option<PathBuf>,
    /// A file with its recorded steps, a line of JSON each.
    pub trajectory: Option<PathBuf>,
    /// How long it takes at least from one time to the next.
    pub every: Duration,
}

impl Keep {
    /// Writes what is asked for.
    fn write(&self, checkpoint: &Checkpoint, of: &str) -> Result<(), String> {
        let written = |path: &Path, bytes: serde_json::Result<Vec<u8>>| {
            write_whole(path, &bytes.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
        };
        self.checkpoint.iter().try_for_each(|path| written(path, checkpoint.to_bytes(of)))?;
        self.trajectory.iter().try_for_each(|path| written(path, json_lines::lines(checkpoint.records())))
    }
}

impl TrainSettings {
    /// At this rate, the rest by default.
    pub fn at(eta: f64) -> Self {
        TrainSettings { eta, ..TrainSettings::default() }
    }
}

/// Refuses a trial of so many bytes that does not fit into memory beside its instrument.
pub(super) fn check_memory<T: Scalar>(trial: u64, instrument: &Instrument<'_, T>) -> Result<(), MemoryError> {
    let with = |instrument: u64| trial.saturating_add(instrument);
    let needed = with(instrument.bytes());
    memory::check_with(TRIAL, needed, |limit| instrument.relief(limit, needed, with), SMALLER)
}

/// Runs one trial, observed and judged. `progress` hears of the step and of how many there are.
///
/// # Errors
/// When the rate makes no number of steps that can be done, memory does not suffice, or a file cannot be read or written.
pub fn train<T: Scalar>(
    problem: &Problem<T>,
    settings: &TrainSettings,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(TrialReport, Trajectory), JobError> {
    let &TrainSettings { eta, seed, every, .. } = settings;
    check_rate("the learning rate of a trial", eta)?;
    let task = problem.task();
    let plan = Plan { follow_test: true, ..problem.plan().clone() };
    let instrument = Instrument::new(task, &plan, &settings.curvature, true);
    let (layout, state) = (task.network.layout(), task.network.state_layout());
    check_memory(trial_bytes(task, &plan), &instrument)?;
    let start: [Vec<T>; 2] = match &settings.weights {
        Some(path) => load(path, [layout, state])?,
        None => [layout.initialise(seed), state.initialise(seed)],
    };
    let numbers: Vec<u8> = start.iter().flatten().flat_map(|number| number.to_f64().to_le_bytes()).collect();
    let of = format!("{} {eta:?} {seed} {every} {}", settings.name, json_lines::digest(&numbers));
    let keep = &settings.keep;
    let kept = keep.checkpoint.as_ref().and_then(|path| disk::read(path).ok());
    let kept = kept.and_then(|bytes| Checkpoint::from_bytes(&bytes, &of));
    let mut trial = Trial::from_checkpoint(task, &plan, eta, seed, start, true)?;
    if let Some(stop) = &settings.stop {
        trial = trial.until(stop);
    }
    let (mut before, mut fault) = (Instant::now(), None);
    let observed = observe_from(trial, &instrument, every, kept, progress, &mut |interrupted, checkpoint| {
        if interrupted || before.elapsed() >= keep.every {
            // A disk that is full costs the checkpoint, not the trial.
            fault = keep.write(&checkpoint(), &of).err();
            before = Instant::now();
        }
    });
    if let Some(path) = &settings.save_weights {
        save(path, [(layout, &observed.parameters), (state, &observed.running)])?;
    }
    let (trajectory, verdict) = (observed.trajectory, observed.verdict);
    let is_interrupted = matches!(trajectory.stop, Stop::Interrupted { .. });
    let end = trajectory.records.last();
    let finite = |value: f64| value.is_finite().then_some(value);
    let Metrics { loss: train_loss, accuracy: train_accuracy } = trajectory.train;
    let Metrics { loss: test_loss, accuracy: test_accuracy } = trajectory.test;
    let report = TrialReport {
        trial: settings.name.clone(),
        phase: verdict.phase,
        stop: trajectory.stop.clone(),
        last: Last {
            train_loss: finite(train_loss),
            train_accuracy,
            test_loss: finite(test_loss),
            test_accuracy,
            ntk: end.and_then(|record| record.ntk),
            hessian: end.and_then(|record| record.hessian),
            preconditioned: end.and_then(|record| record.preconditioned),
        },
        metric: None,
        groups: trajectory.groups,
        annealed: trajectory.annealed,
        statistics: task.network.is_coupled().then_some(Statistics::Running),
        eta,
        c: verdict.ntk_start.map(|lambda| eta * lambda),
        limit: observed.limit.filter(|_| plan.optimizer.preconditions()),
        steps: trajectory.steps,
        evidence: verdict,
        warnings: task
            .notes
            .iter()
            .cloned()
            // One that has come to its end needs nothing that was kept.
            .chain(fault.filter(|_| is_interrupted).map(|fault| format!("not kept on its way: {fault}")))
            .collect(),
    };
    Ok((report, trajectory))
}
