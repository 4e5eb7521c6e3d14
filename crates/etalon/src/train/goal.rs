//! What counts as trained.

/// A number by which training is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says it")]
pub enum Metric {
    #[default]
    TrainAccuracy,
    TestAccuracy,
    TrainLoss,
    TestLoss,
}

impl Metric {
    /// Its name in files of settings and results.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::TrainAccuracy => "train_accuracy",
            Metric::TestAccuracy => "test_accuracy",
            Metric::TrainLoss => "train_loss",
            Metric::TestLoss => "test_loss",
        }
    }

    /// Whether it is of training samples, not of held-out ones.
    pub(super) fn is_of_training(self) -> bool {
        matches!(self, Metric::TrainAccuracy | Metric::TrainLoss)
    }

    /// Whether it is an accuracy, which only classes have.
    pub fn is_accuracy(self) -> bool {
        matches!(self, Metric::TrainAccuracy | Metric::TestAccuracy)
    }
}

/// What counts as trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// What is to reach the threshold.
    pub metric: Metric,
    /// The accuracy to reach or the loss to get below.
    pub threshold: f64,
}
