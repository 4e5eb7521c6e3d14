//! What a trial did.

use super::{Annealed, Groups, Learning, Metrics, Motion};
use crate::json_lines;
use crate::units::significant;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Why a trial ended, with the number that ended it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Stop {
    /// The budget was spent.
    Budget {
        /// Steps done.
        steps: u64,
    },
    /// It was ended before its budget was spent.
    Interrupted {
        /// Steps done.
        steps: u64,
        /// Steps of the budget.
        total: u64,
    },
    /// The goal was reached.
    Goal {
        /// Steps done.
        steps: u64,
        /// The metric there.
        value: f64,
        /// What it had to be.
        threshold: f64,
    },
    /// The loss left its limit; one that is not a number has left it too.
    Diverged {
        /// The step whose batch had that loss.
        step: u64,
        /// The loss; none where it is not a finite number.
        loss: Option<f64>,
        /// The limit.
        limit: f64,
    },
    /// An output is not a finite number.
    NotFinite {
        /// Steps done.
        steps: u64,
    },
    /// Every sample has the same outputs: the hidden units no longer see the input.
    Dead {
        /// Steps done.
        steps: u64,
    },
    /// Its log, which is all that is known of it, showed divergence.
    Shown {
        /// The step of the row that did.
        step: u64,
        /// What it showed.
        why: String,
    },
}

/// Why a trial ended, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The budget was spent.
    Budget,
    /// It was ended before that.
    Interrupted,
    /// The goal was reached.
    Goal,
    /// The loss left its limit.
    Diverged,
    /// An output is not a finite number.
    NotFinite,
    /// Every sample has the same outputs.
    Dead,
}

impl Stop {
    /// The same without its numbers.
    pub fn reason(&self) -> Reason {
        match self {
            Stop::Budget { .. } => Reason::Budget,
            Stop::Interrupted { .. } => Reason::Interrupted,
            Stop::Goal { .. } => Reason::Goal,
            Stop::Diverged { .. } | Stop::Shown { .. } => Reason::Diverged,
            Stop::NotFinite { .. } => Reason::NotFinite,
            Stop::Dead { .. } => Reason::Dead,
        }
    }

    /// Whether training left the numbers or its limit.
    pub fn diverged(&self) -> bool {
        matches!(self, Stop::Diverged { .. } | Stop::NotFinite { .. } | Stop::Shown { .. })
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Budget { steps } => write!(f, "the budget of {steps} steps was spent"),
            Stop::Interrupted { steps, total } => {
                write!(f, "it was interrupted after {steps} of {total} steps")
            }
            Stop::Goal { steps, value, threshold } => {
                write!(f, "the goal of {threshold} was reached after {steps} steps, at {value:.4}")
            }
            Stop::Diverged { step, loss: Some(loss), limit } => {
                write!(
                    f,
                    "diverged at step {step}: the loss {} is above {}",
                    significant(*loss, 3),
                    significant(*limit, 3)
                )
            }
            Stop::Diverged { step, loss: None, .. } => {
                write!(f, "diverged at step {step}: the loss is not a finite number")
            }
            Stop::NotFinite { steps } => write!(f, "an output is not a finite number after {steps} steps"),
            Stop::Shown { step, why } => write!(f, "diverged at step {step}: {why}"),
            Stop::Dead { steps } => {
                write!(f, "dead after {steps} steps: every sample has the same outputs")
            }
        }
    }
}

/// One recorded step. What was not measured there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Steps done before this one.
    pub step: u64,
    /// The learning rate of this step.
    pub eta: f64,
    /// The loss of this step's batch, before its update; none where it is not a finite number, and at the end, where no
    /// step is taken. What is looked at there is in `train` and `test`: with batch normalisation it is another quantity.
    pub loss: Option<f64>,
    /// Metrics on the training samples that are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Metrics>,
    /// Metrics on the held-out set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Metrics>,
    /// Metrics of the groups, where training samples have patches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// The largest eigenvalue of the NTK.
    pub ntk: Option<f64>,
    /// The largest eigenvalue of the Hessian.
    pub hessian: Option<f64>,
    /// That of the Hessian in the optimiser's coordinates, `P^-1/2 H P^-1/2`, where it has a preconditioner `P`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditioned: Option<f64>,
    /// How the weights of each segment move, where that is asked for (`measure.weights`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<Motion>>,
}

impl Record {
    /// The records of a trajectory's file: one a line, as JSON.
    ///
    /// # Errors
    /// What is wrong with the file, and in which line; a last line that was cut short is wrong too.
    pub fn read(path: &Path) -> Result<Vec<Record>, String> {
        json_lines::read(path)
    }

    pub(super) fn new(step: u64, eta: f64) -> Self {
        let (train, test, groups, weights) = (None, None, None, None);
        let (ntk, hessian, preconditioned) = (None, None, None);
        Record { step, eta, loss: None, train, test, groups, ntk, hessian, preconditioned, weights }
    }

    /// Whether curvature was measured there.
    pub(super) fn is_measured(&self) -> bool {
        self.ntk.is_some() || self.hessian.is_some()
    }
}

/// A trial from beginning to end.
///
/// Losses are of two kinds. Those of steps (`first_loss`, `peak_loss`, [`Record::loss`]) are what was trained on: the loss
/// of a batch, with its own statistics, patches, augmentation and noise. Metrics (`start`, `train`, `test`) are those of
/// evaluation on the samples that are looked at. Only losses of one kind can be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// The base rate, which the schedule multiplies.
    pub eta: f64,
    /// The seed of start, order of batches and noise.
    pub seed: u64,
    /// Recorded steps in order: all of a short trial, a few thousand of a long one (and those where curvature was
    /// measured); the last record has the state after the last update, and no step.
    pub records: Vec<Record>,
    /// The metrics before the first step on the training samples that are looked at; to be compared with `train`.
    pub start: Metrics,
    /// The loss of the first step's batch; to be compared with `peak_loss`.
    pub first_loss: f64,
    /// The step whose batch had the largest loss, over all steps.
    pub peak_step: u64,
    /// The largest loss of a step's batch, that of `peak_step`.
    pub peak_loss: f64,
    /// The metrics at the end on the training samples that are looked at.
    pub train: Metrics,
    /// The metrics at the end on the held-out set.
    pub test: Metrics,
    /// What it learnt of each group and when, where training samples have patches.
    pub groups: Option<Learning>,
    /// Whether and when the rate was lowered, where that waits for the training loss.
    pub annealed: Option<Annealed>,
    /// The loss of the best constant prediction on the training set.
    pub constant_loss: f64,
    /// Updates of the parameters that were done.
    pub steps: u64,
    /// Why it ended, with the number that ended it.
    pub stop: Stop,
}
