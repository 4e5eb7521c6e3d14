//! What counts as trained.

/// A number by which training is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says it")]
pub enum Metric {
    TrainAccuracy,
    TestAccuracy,
    TrainLoss,
    TestLoss,
}

impl Metric {
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
