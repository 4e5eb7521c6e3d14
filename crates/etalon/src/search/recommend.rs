//! The rate to use: the best by a held-out metric, under the user's own schedule.

use super::observe::Inquiry;
use super::{Answer, Climb, Observer, Question, SearchError, Training};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The rate to use, those that are as good, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The rate; `None` if nothing was learnt at any.
    pub eta: Option<f64>,
    /// The lowest rate that cannot be told from the best: within 1 % of it, on the way from chance, with a probability of at
    /// least 5 %, or by what was measured. None where no training closes the set below: it is open.
    pub low: Option<f64>,
    /// The highest such rate; none where the set is open above.
    pub high: Option<f64>,
    /// The metric by which rates were compared: accuracy, loss, or the one of a trainer's goal.
    pub metric: String,
    /// It on the validation part of the held-out samples (four of five), by which the rate was chosen: the mean of the trainings nearest to
    /// the rate, each averaged over the last fifth of its steps.
    pub validation: Option<f64>,
    /// The same on the test part, which took no part in choosing.
    pub test: Option<f64>,
    /// Of how many trainings these are.
    pub seeds: usize,
    /// What a prediction that ignores its input has.
    pub chance: f64,
    /// The deviation of one training's metric, in percent of the way from chance to the best.
    pub noise: Option<f64>,
    /// The reason in one sentence, with its numbers.
    pub why: String,
    /// Every training, in ascending order of the rate.
    pub curve: Vec<CurvePoint>,
    /// What the choice cost, in trainings of the full budget.
    pub budgets: f64,
    /// The same in gradient steps.
    pub gradient_steps: u64,
}

/// What a training was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The climb by short trainings.
    Short,
    /// The model of full ones.
    Full,
    /// Whether a rate above the suggestion survives.
    Guard,
}

impl Role {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Role::Short => "short",
            Role::Full => "full",
            Role::Guard => "guard",
        }
    }
}

/// One training of a choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The base rate, which the schedule multiplies.
    pub eta: f64,
    /// The seed that was trained with.
    pub seed: u64,
    /// What it was for.
    pub role: Role,
    /// Why it came to nothing; none where it survived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The training loss, averaged over the last fifth of its steps.
    #[serde(deserialize_with = "crate::units::number")]
    pub train_loss: f64,
    /// The metric on the validation part; not a number for a short training.
    #[serde(deserialize_with = "crate::units::number")]
    pub validation: f64,
    /// The metric on the test part.
    #[serde(deserialize_with = "crate::units::number")]
    pub test: f64,
    /// Gradient steps spent on it.
    pub steps: u64,
}

/// Chooses the rate to use: asks all questions of a climb, those of a round in parallel on the rayon pool that it is called
/// in. Deterministic whatever the number of threads. Where it ends early, [`Climb::so_far`] is the choice by what was told.
///
/// # Errors
/// If a training cannot be told, or the observer cancels.
pub fn recommend<T: Training + ?Sized>(
    training: &T,
    climb: &mut Climb,
    observer: Observer<'_>,
) -> Result<(), SearchError> {
    let inquiry = Inquiry::new(observer);
    loop {
        let questions = climb.ask();
        if questions.is_empty() {
            return Ok(());
        }
        let answer = |question: Question| {
            let Question { eta, seed, .. } = question;
            let ask = || {
                training.train(&question).map(|trained| {
                    let verdict = match &trained.failure {
                        None => Answer::Trained,
                        Some(why) => Answer::TooFast(why.clone()),
                    };
                    (trained, verdict)
                })
            };
            let (trained, _) =
                inquiry.answer((eta, seed), ask, |(trained, verdict)| (verdict, trained.steps))?;
            Ok((question, trained))
        };
        let answers = questions.into_par_iter().map(answer).collect::<Vec<Result<_, SearchError>>>();
        for answer in answers {
            let (question, trained) = answer?;
            climb.tell(&question, trained)?;
        }
    }
}
