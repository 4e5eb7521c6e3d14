//! The question a climb asks: how good is training at this rate, with this seed, for so long?

use serde::{Deserialize, Serialize};
use std::error::Error;

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// The first part of the budget, [`ClimbSettings::share`](super::ClimbSettings::share) of it.
    Short,
    /// The whole budget.
    Full,
}

/// A training that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The base rate, which the user's own schedule multiplies.
    pub eta: f64,
    /// The seed to train with.
    pub seed: u64,
    /// How much of the budget is wanted.
    pub length: Length,
}

/// What came of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Why it came to nothing: it diverged, is not finite, or died; none where it survived.
    pub failure: Option<String>,
    /// The training loss, averaged over the last fifth of its steps.
    #[serde(deserialize_with = "crate::units::number")]
    pub loss: f64,
    /// The training metric at the end, by which eta* is judged.
    #[serde(deserialize_with = "crate::units::number")]
    pub reached: f64,
    /// The metric on the validation part of the held-out samples, averaged over looks in the last fifth of its steps. Not a
    /// number for a short one.
    #[serde(deserialize_with = "crate::units::number")]
    pub validation: f64,
    /// The same on the test part, which takes no part in the choice.
    #[serde(deserialize_with = "crate::units::number")]
    pub test: f64,
    /// Each validation sample's share in `validation`, whose mean it is; empty where that is not known. From two trainings'
    /// follows how far their difference can be relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<f32>,
    /// Gradient steps spent on it.
    pub steps: u64,
    /// The same as a share of the budget at that rate.
    pub budgets: f64,
}

impl Trained {
    /// Whether it came to its end with finite numbers, and not to nothing.
    pub fn survived(&self) -> bool {
        self.failure.is_none()
    }
}

/// What the metric of a climb is, and from where it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// The name of the metric: accuracy, loss, or the one of a trainer's goal.
    pub name: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// What the best prediction that ignores its input has on the validation part.
    pub chance: f64,
    /// The training loss of the best prediction that ignores its input; not a number where it is not known.
    pub constant_loss: f64,
    /// The standard error of an estimate at chance from the validation part.
    pub error: f64,
}

impl Measure {
    /// Of which nothing is known.
    pub(crate) fn unknown() -> Measure {
        let [chance, constant_loss] = [f64::NAN; 2];
        Measure { name: String::new(), higher_is_better: false, chance, constant_loss, error: 0.0 }
    }

    /// A metric so turned that more is better.
    pub(super) fn turned(&self, value: f64) -> f64 {
        if self.higher_is_better { value } else { -value }
    }
}

/// Trains as asked. Must be a pure function of the question: climbs call it from several threads, and never twice with the
/// same question.
pub trait Training: Sync {
    /// What can go wrong; [`Infallible`](std::convert::Infallible) where nothing can.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Trains from scratch.
    ///
    /// # Errors
    /// When it cannot be told what comes of it. A loss that grows beyond all bounds is no error but a
    /// [`failure`](Trained::failure).
    fn train(&self, question: &Question) -> Result<Trained, Self::Error>;

    /// What the metric is.
    fn measure(&self) -> Measure;
}
