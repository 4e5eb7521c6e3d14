//! The question a search asks: does it train at this rate, with this seed?

use serde::{Deserialize, Serialize};
use std::error::Error;

/// Answers whether training at a rate succeeds. Must be a pure function of its arguments: searches call it
/// from several threads, in any order, and never twice with the same arguments.
///
/// Closures `Fn(f64, u64) -> Result<Outcome, E>` are probes.
pub trait Probe: Sync {
    /// What can go wrong; [`Infallible`](std::convert::Infallible) where nothing can.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Trains from scratch at the constant learning rate `eta` with this `seed`.
    ///
    /// # Errors
    /// When it cannot be told whether it trains: a machine that is gone, a file that is not there. The search ends with it.
    /// A loss that grows beyond all bounds is no error but an answer, [`Answer::TooFast`].
    fn probe(&self, eta: f64, seed: u64) -> Result<Outcome, Self::Error>;
}

impl<F, E> Probe for F
where
    F: Fn(f64, u64) -> Result<Outcome, E> + Sync,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Error = E;

    fn probe(&self, eta: f64, seed: u64) -> Result<Outcome, E> {
        self(eta, seed)
    }
}

/// A probe's answer and its price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it trained, and at which end it failed if not.
    pub verdict: Answer,
    /// Gradient steps spent on it, fewer than the budget where the answer was known earlier.
    pub steps: u64,
}

/// Did it train, and if not, at which end did it fail?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The threshold was reached within the budget.
    Trained,
    /// Diverged, became non-finite or died; the text says which, with its number.
    TooFast(String),
    /// The budget ran out before the threshold, all values finite. Usually the rate is too low; it can also
    /// be so high that training idles without diverging.
    TooSlow,
}

/// One rate that was probed, with its answer and its price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// The constant learning rate that was probed.
    pub eta: f64,
    /// Whether it trained there, and at which end it failed if not.
    pub verdict: Answer,
    /// Gradient steps spent there.
    pub steps: u64,
}

impl Probed {
    /// Whether training succeeded at this rate.
    pub fn trained(&self) -> bool {
        self.verdict == Answer::Trained
    }

    pub(super) fn too_fast(&self) -> bool {
        matches!(self.verdict, Answer::TooFast(_))
    }

    /// Why this rate failed, in words; `None` if it trained.
    pub fn failure(&self) -> Option<String> {
        match &self.verdict {
            Answer::Trained => None,
            Answer::TooFast(reason) => Some(reason.clone()),
            Answer::TooSlow => {
                Some(format!("the threshold was not reached in {} steps, all values finite", self.steps))
            }
        }
    }
}
