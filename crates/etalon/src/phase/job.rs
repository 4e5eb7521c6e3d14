//! What `etalon train` does: one trial, observed and judged.

use super::{Phase, Verdict, observe};
use crate::curvature::Instrument;
use crate::error::Error;
use crate::memory;
use crate::spec::{Precision, Spec};
use crate::train::{Annealed, Learning, Metrics, Plan, Stop, Task, Trajectory, Trial};
use etalon_nn::optim::Optimizer;
use etalon_nn::parameters::{load, save};
use etalon_nn::{Scalar, Workspace};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One trial and what it did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The name of the trial: the hash of its spec.
    pub trial: String,
    /// The phase.
    pub phase: Phase,
    /// Why it ended.
    pub stop: Stop,
    /// The metrics at the end.
    #[serde(rename = "final")]
    pub last: Last,
    /// What was learnt of each group of samples and when, where training samples have patches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Learning>,
    /// Whether and when the rate was lowered, where that waits for the training loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annealed: Option<Annealed>,
    /// What batch normalisation took for the metrics: `running`, its running statistics, as PyTorch does in evaluation.
    /// Losses of steps and curvature took their own batch's. None without batch normalisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// The base rate.
    pub eta: f64,
    /// The rate in units of 1 / lambda0, with lambda0 the NTK's at the start.
    pub c: Option<f64>,
    /// The largest rate at which an optimiser with a preconditioner is stable at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Updates done.
    pub steps: u64,
    /// What the phase was judged by.
    pub evidence: Verdict,
    /// What to keep in mind; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Which statistics batch normalisation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistics {
    /// Running ones, as in evaluation.
    Running,
}

/// Metrics at the end of a trial; numbers that are not finite are none.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Last {
    /// Loss on the training samples that are looked at.
    pub train_loss: Option<f64>,
    /// Accuracy on them.
    pub train_accuracy: Option<f64>,
    /// Loss on the held-out set.
    pub test_loss: Option<f64>,
    /// Accuracy on the held-out set.
    pub test_accuracy: Option<f64>,
    /// The top eigenvalue of the NTK.
    pub ntk: Option<f64>,
    /// The top eigenvalue of the Hessian.
    pub hessian: Option<f64>,
    /// That of the Hessian in the coordinates of the optimiser's preconditioner, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditioned: Option<f64>,
}

/// Where a trial starts, and where to leave its parameters.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// Parameters to start from instead of fresh ones.
    pub weights: Option<PathBuf>,
    /// Where to save the parameters at the end.
    pub save_weights: Option<PathBuf>,
}

/// Runs the trial of a spec. `progress` hears of the step and of how many there are.
///
/// # Errors
/// When the spec makes no trial, memory does not suffice, or a file cannot be read or written.
pub fn train(
    spec: &Spec,
    options: &TrainOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Report, Trajectory), Error> {
    match spec.precision {
        Precision::F32 => train_in::<f32>(spec, options, progress),
        Precision::F64 => train_in::<f64>(spec, options, progress),
    }
}

fn train_in<T: Scalar>(
    spec: &Spec,
    options: &TrainOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Report, Trajectory), Error> {
    let task = Task::<T>::new(spec)?;
    let plan = Plan { follow_test: true, ..Plan::new(spec, &task)? };
    let instrument = Instrument::new(spec, &task, true)?;
    let (layout, state) = (task.network.layout(), task.network.state_layout());
    let needed = Workspace::<T>::bytes(&task.network, plan.batch)
        + instrument.bytes()
        + (plan.numbers_per_parameter() * layout.len() * size_of::<T>()) as u64;
    memory::check("this trial", needed, "take fewer measure.samples, a smaller batch or a smaller network")?;
    let start = match &options.weights {
        Some(path) => load(path, [layout, state])?,
        None => [layout.initialise(spec.seed), state.initialise(spec.seed)],
    };
    let eta = spec.optimizer.eta;
    let trial = Trial::from_checkpoint(&task, &plan, eta, spec.seed, start, true)?;
    let observed = observe(trial, &instrument, spec.measure.every, progress);
    if let Some(path) = &options.save_weights {
        save(path, [(layout, &observed.parameters), (state, &observed.running)])?;
    }
    let (trajectory, verdict) = (observed.trajectory, observed.verdict);
    let end = trajectory.records.last();
    let finite = |value: f64| value.is_finite().then_some(value);
    let Metrics { loss: train_loss, accuracy: train_accuracy } = trajectory.train;
    let Metrics { loss: test_loss, accuracy: test_accuracy } = trajectory.test;
    let report = Report {
        trial: spec.hash(),
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
        groups: trajectory.groups,
        annealed: trajectory.annealed,
        statistics: task.network.is_coupled().then_some(Statistics::Running),
        eta,
        c: verdict.ntk_start.map(|lambda| eta * lambda),
        limit: observed.limit.filter(|_| plan.optimizer.preconditions()),
        steps: trajectory.steps,
        evidence: verdict,
        warnings: task.notes.clone(),
    };
    Ok((report, trajectory))
}
