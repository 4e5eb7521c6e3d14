//! What is told of a trial.

use super::{Phase, PhaseVerdict};
use crate::train::{Annealed, Learning, Stop};
use serde::{Deserialize, Serialize};

/// One trial and what it did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrialReport {
    /// The name of the trial: the hash of its spec, where it has one.
    pub trial: String,
    /// Lazy, catapult, divergent or stuck.
    pub phase: Phase,
    /// Which of its ends it came to.
    pub stop: Stop,
    /// The metrics at the end.
    #[serde(rename = "final")]
    pub last: Last,
    /// The metric of a trainer's goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Score>,
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
    /// The base rate, which the schedule multiplies.
    pub eta: f64,
    /// The rate in units of 1 / lambda0, with lambda0 the NTK's at the start.
    pub c: Option<f64>,
    /// The largest rate at which an optimiser with a preconditioner is stable at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// How many updates were done.
    pub steps: u64,
    /// What the phase was judged by.
    pub evidence: PhaseVerdict,
    /// What to keep in mind; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A metric that a trainer's log has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The log's column that it stands in.
    pub name: String,
    /// Its mean over the last fifth of the training; none where that is no finite number.
    pub value: Option<f64>,
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
    /// The share of these samples that is classified right.
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
