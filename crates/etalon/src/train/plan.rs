//! How a trial trains.

use super::{Anneal, Budget, Goal, Noise, Task};
use crate::schedule::{Conversion, ConversionError, Schedule};
use etalon_nn::optim::{Optimizer, Rule};
use etalon_nn::parameters::Layout;
use std::collections::BTreeMap;

/// What a trial does, apart from its rate and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The optimiser with its constants.
    pub optimizer: Rule,
    /// The weight decay, coupled or not as the optimiser has it.
    pub weight_decay: f64,
    /// One factor of the learning rate a segment, in the layout's order; 0 freezes it, weight decay too.
    pub factors: Vec<f64>,
    /// What the base rate is multiplied by at each step.
    pub schedule: Schedule,
    /// Whether the rate is lowered when the training loss is low enough.
    pub anneal: Option<Anneal>,
    /// The noise before activations, if there is any.
    pub noise: Option<Noise>,
    /// How scale-invariant segments trade weight decay for a growing rate, if they do.
    pub conversion: Option<Conversion>,
    /// How long it lasts.
    pub budget: Budget,
    /// How many samples a step sees.
    pub batch: usize,
    /// Steps between two looks at the metrics.
    pub check_every: u64,
    /// Training samples on which metrics are taken.
    pub check_samples: usize,
    /// A loss above this many times the larger of the first and the constant predictor's is divergence.
    pub limit: f64,
    /// Where it stops early, having succeeded.
    pub goal: Option<Goal>,
    /// Whether held-out metrics are taken at every look, not at the end alone.
    pub follow_test: bool,
    /// The steps of those of these looks that are wanted; empty for all.
    pub test_steps: Vec<u64>,
    /// The accuracy from which on a group of samples counts as learnt.
    pub learnt: f64,
    /// Whether records tell how the weights of each segment move.
    pub motion: bool,
}

/// Why a task cannot be trained so.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The schedule has no equivalent.
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    /// No parameter's scale is without effect.
    #[error(
        "a schedule is converted for weights whose scale does not matter, and this network has none ({0}); put a \
         normalisation with epsilon 0 behind them"
    )]
    NotInvariant(String),
    /// Segments with different rates.
    #[error(
        "a schedule is converted for one rate of all scale-invariant segments, and {name} has the factor {factor}; leave \
         it at 1"
    )]
    Uneven {
        /// The segment.
        name: String,
        /// Its factor.
        factor: f64,
    },
    /// More samples a step than there are, or none.
    #[error(
        "a batch of {batch} cannot be drawn from {samples} training samples; take 1 to {samples}, or all of them"
    )]
    Batch {
        /// Asked for.
        batch: usize,
        /// There.
        samples: usize,
    },
    /// Boundaries of another optimiser than gradient descent.
    #[error(
        "the boundaries of early training are rates in units of 1 / sharpness, as gradient descent has them, and not \
         {0}; use gradient descent, or search for the maximal rate"
    )]
    NoSharpness(&'static str),
    /// A factor for a segment that the network has not.
    #[error("a learning-rate factor is given for `{name}`; the network's segments are {known}")]
    Segment {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// An accuracy of targets that are no classes.
    #[error("an accuracy is asked for, and the targets are values; ask for a loss")]
    NoClasses,
    /// The best prediction that ignores its input is right.
    #[error("all targets are alike, so that there is nothing to learn; give a goal, or other targets")]
    NothingToLearn,
    /// The budget makes no step, or too many to count.
    #[error("the budget makes {0:.3e} steps; it must make between 1 and 1e12")]
    Steps(f64),
    /// A schedule that is too long to be listed.
    #[error("a schedule of {0:.3e} steps is too long to be listed; at most 1e7")]
    TooLong(f64),
}

impl Plan {
    /// The same plan, stopping early where the goal is reached.
    ///
    /// # Errors
    /// When the goal is an accuracy and the task has no classes.
    pub fn with_goal<T>(self, goal: Goal, task: &Task<T>) -> Result<Plan, PlanError> {
        if goal.metric.is_accuracy() && !task.classes {
            return Err(PlanError::NoClasses);
        }
        Ok(Plan { goal: Some(goal), ..self })
    }

    /// The largest rate at which its optimiser is stable on a quadratic of this curvature; none where a constant of the
    /// optimiser is out of its range.
    pub fn stability_limit(&self, curvature: f64) -> Option<f64> {
        let stability = self.optimizer.stability().ok()?;
        Some(stability.limit(curvature + stability.bend(self.weight_decay)))
    }

    /// How many numbers a trial keeps for each parameter, at most: the parameters themselves, what the optimiser
    /// remembers, and copies for those who look at it.
    pub(crate) fn numbers_per_parameter(&self) -> usize {
        3 + self.optimizer.buffers().max(1)
    }

    /// The number of steps at a base rate, with so many training samples: those of the budget, and those that the schedule
    /// has at its end. A budget of physical time counts the base
    /// rate, whatever the schedule does to it.
    ///
    /// # Errors
    /// When it is no number of steps that can be done.
    pub fn steps(&self, eta: f64, samples: usize) -> Result<u64, PlanError> {
        Ok(self.budget.steps(eta, (samples / self.batch) as f64)? + self.schedule.last_steps())
    }
}

/// One factor of the learning rate a segment: `input` for those of the first layer, times what `named` says of it.
///
/// # Errors
/// When `named` has a segment that the network has not.
pub(crate) fn factors(
    layout: &Layout,
    input: f64,
    named: &BTreeMap<String, f64>,
) -> Result<Vec<f64>, PlanError> {
    if let Some(name) = named.keys().find(|name| layout.find(name).is_none()) {
        let known: Vec<&str> = layout.segments().iter().map(|segment| segment.name.as_str()).collect();
        return Err(PlanError::Segment { name: name.clone(), known: known.join(", ") });
    }
    let layer_of = |name: &str| name.rsplit_once('.').map(|(layer, _)| layer.to_string());
    let first = layout.segments().first().and_then(|segment| layer_of(&segment.name));
    let factor = |name: &String| {
        let input = if layer_of(name) == first { input } else { 1.0 };
        input * named.get(name).copied().unwrap_or(1.0)
    };
    Ok(layout.segments().iter().map(|segment| factor(&segment.name)).collect())
}
