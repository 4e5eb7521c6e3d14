//! The row of a training trial.

use super::{Row, columns};
use crate::phase::Phase;
use crate::sweep::{Grid, Job};
use crate::train::{Annealed, Groups, Learning, Metrics, Reason, Record, Trajectory};
use crate::units::number;
use serde::{Deserialize, Serialize};

/// What a training trial came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainRow {
    /// How it went and how it ended.
    #[serde(flatten)]
    pub scores: TrainScores,
    /// Its curvature, where that is measured.
    #[serde(flatten)]
    pub curvature: Option<Curvature>,
    /// Its groups of samples, where training samples have patches.
    #[serde(flatten)]
    pub groups: Option<GroupScores>,
    /// When its rate was lowered, where that waits for the training loss.
    #[serde(flatten)]
    pub annealing: Option<Annealing>,
    /// What its trainer's metric came to, where its goal names one.
    #[serde(flatten)]
    pub metric: Option<MetricScore>,
}

columns! {
    /// How a training trial went and how it ended. A number that is not finite is NaN when it is read back.
    pub struct TrainScores {
        /// What training did.
        pub phase: Phase,
        /// Why it ended, without the numbers.
        pub stop: Reason,
        /// Updates of the parameters that were done.
        pub steps: u64,
        /// The loss of the first step's batch.
        #[serde(deserialize_with = "number")]
        pub first_loss: f64,
        /// The largest loss of a step's batch.
        #[serde(deserialize_with = "number")]
        pub peak_loss: f64,
        /// The step that had it.
        pub peak_step: u64,
        /// The loss on the training samples that are looked at, before the first step.
        #[serde(deserialize_with = "number")]
        pub start_loss: f64,
        /// The same at the end.
        #[serde(deserialize_with = "number")]
        pub train_loss: f64,
        /// The share of them that is right at the end; none where targets are no classes.
        pub train_accuracy: Option<f64>,
        /// The loss on the held-out set at the end.
        #[serde(deserialize_with = "number")]
        pub test_loss: f64,
        /// The share of it that is right at the end; none where targets are no classes.
        pub test_accuracy: Option<f64>,
        /// The loss of the best constant prediction on the training set.
        #[serde(deserialize_with = "number")]
        pub constant_loss: f64,
    }
}

// The first field of each of these four is required (an `Option` by itself would not be): a row without it has no such part.
columns! {
    /// Largest eigenvalues at the start and at the end; none where one was not found.
    pub struct Curvature {
        /// The rate in units of one over the NTK's eigenvalue at the start, `eta lambda_0`.
        #[serde(deserialize_with = "Option::deserialize")]
        pub c: Option<f64>,
        /// Of the NTK at the start.
        pub ntk: Option<f64>,
        /// Of the Hessian at the start.
        pub hessian: Option<f64>,
        /// Of the NTK at the end.
        pub ntk_end: Option<f64>,
        /// Of the Hessian at the end.
        pub hessian_end: Option<f64>,
    }
}

columns! {
    /// How well each group is predicted at the end, and the first look at which it was learnt.
    pub struct GroupScores {
        /// The accuracy on training images that never have a patch.
        #[serde(deserialize_with = "Option::deserialize")]
        pub unpatched_accuracy: Option<f64>,
        /// On training images with a patch.
        pub patched_accuracy: Option<f64>,
        /// On patches alone, of the training samples' classes.
        pub patch_only_accuracy: Option<f64>,
        /// On held-out images in the shares of the training set.
        pub test_mixed_accuracy: Option<f64>,
        /// On patches alone, of the held-out samples' classes.
        pub test_patch_only_accuracy: Option<f64>,
        /// The step at which images without a patch were learnt; none: at no look.
        pub unpatched_learnt_at: Option<u64>,
        /// The step at which images with a patch were learnt.
        pub patched_learnt_at: Option<u64>,
        /// The step at which patches alone were learnt.
        pub patch_only_learnt_at: Option<u64>,
    }
}

columns! {
    /// When the rate was lowered.
    pub struct Annealing {
        /// The first step at the lower rate; none where the loss never reached its threshold.
        #[serde(deserialize_with = "Option::deserialize")]
        pub annealed_at: Option<u64>,
    }
}

columns! {
    /// The metric of a trainer's goal.
    pub struct MetricScore {
        /// Its mean over the last fifth of the training; none where that is no finite number.
        #[serde(deserialize_with = "Option::deserialize")]
        pub metric: Option<f64>,
    }
}

impl Row for TrainRow {
    type Record = Record;
    const JOB: &str = "train";

    fn columns(grid: &Grid) -> Vec<&'static str> {
        let measured = grid.job() == Job::Train { curvature: true };
        let parts = [
            (true, TrainScores::COLUMNS),
            (measured, Curvature::COLUMNS),
            (grid.sets("data.patch.size"), GroupScores::COLUMNS),
            (grid.sets("schedule.anneal_below"), Annealing::COLUMNS),
            (grid.sets("trainer.goal.metric"), MetricScore::COLUMNS),
        ];
        parts.into_iter().filter(|(has, _)| *has).flat_map(|(_, columns)| columns).copied().collect()
    }
}

impl TrainRow {
    /// The row of a trial; `measured` says whether curvature was asked for.
    pub(crate) fn new(trajectory: &Trajectory, phase: Phase, measured: bool) -> TrainRow {
        TrainRow {
            scores: TrainScores::new(trajectory, phase),
            curvature: measured.then(|| Curvature::new(trajectory)),
            groups: trajectory.groups.as_ref().map(GroupScores::new),
            annealing: trajectory.annealed.map(|Annealed { step, .. }| Annealing { annealed_at: step }),
            metric: None,
        }
    }
}

impl TrainScores {
    fn new(trajectory: &Trajectory, phase: Phase) -> Self {
        TrainScores {
            phase,
            stop: trajectory.stop.reason(),
            steps: trajectory.steps,
            first_loss: trajectory.first_loss,
            peak_loss: trajectory.peak_loss,
            peak_step: trajectory.peak_step,
            start_loss: trajectory.start.loss,
            train_loss: trajectory.train.loss,
            train_accuracy: trajectory.train.accuracy,
            test_loss: trajectory.test.loss,
            test_accuracy: trajectory.test.accuracy,
            constant_loss: trajectory.constant_loss,
        }
    }
}

impl Curvature {
    fn new(trajectory: &Trajectory) -> Self {
        let (start, end) = (trajectory.records.first(), trajectory.records.last());
        let [ntk, ntk_end] = [start, end].map(|record| record?.ntk);
        let [hessian, hessian_end] = [start, end].map(|record| record?.hessian);
        Curvature { c: ntk.map(|lambda| trajectory.eta * lambda), ntk, hessian, ntk_end, hessian_end }
    }
}

impl GroupScores {
    fn new(Learning { learnt_at, last, .. }: &Learning) -> Self {
        let of = |metrics: Option<Metrics>| metrics?.accuracy;
        let Groups { unpatched, patched, patch_only, test_mixed, test_patch_only } = *last;
        GroupScores {
            unpatched_accuracy: of(unpatched),
            patched_accuracy: of(patched),
            patch_only_accuracy: of(patch_only),
            test_mixed_accuracy: of(test_mixed),
            test_patch_only_accuracy: of(test_patch_only),
            unpatched_learnt_at: learnt_at.unpatched,
            patched_learnt_at: learnt_at.patched,
            patch_only_learnt_at: learnt_at.patch_only,
        }
    }
}
