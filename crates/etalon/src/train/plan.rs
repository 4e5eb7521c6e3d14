//! A trial's numbers, worked out from its spec.

use super::{Anneal, Noise, Task};
use crate::schedule::{Conversion, ConversionError, FileError, Schedule};
use crate::spec::{BatchSize, Budget, Metric, Spec};
use etalon_nn::Scalar;
use etalon_nn::optim::{Optimizer, Rule};

/// What a trial does, apart from its rate and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The optimiser.
    pub optimizer: Rule,
    /// Its weight decay.
    pub weight_decay: f64,
    /// One factor of the learning rate a segment, in the layout's order; 0 freezes it, weight decay too.
    pub factors: Vec<f64>,
    /// The schedule.
    pub schedule: Schedule,
    /// Whether the rate is lowered when the training loss is low enough.
    pub anneal: Option<Anneal>,
    /// The noise before activations, if there is any.
    pub noise: Option<Noise>,
    /// How scale-invariant segments trade weight decay for a growing rate, if they do.
    pub conversion: Option<Conversion>,
    /// How long it lasts.
    pub budget: Budget,
    /// Samples a step.
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
    /// The accuracy from which on a group of samples counts as learnt.
    pub learnt: f64,
    /// Whether records tell how the weights of each segment move.
    pub motion: bool,
}

/// What counts as trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Of what.
    pub metric: Metric,
    /// The accuracy to reach or the loss to get below.
    pub threshold: f64,
}

/// Why a spec makes no plan for its task.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The schedule's file.
    #[error(transparent)]
    Schedule(#[from] FileError),
    /// The schedule has no equivalent.
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    /// No parameter's scale is without effect.
    #[error(
        "schedule.conversion needs weights whose scale does not matter, and this network has none ({0}); put a \
         normalisation behind them, such as network.normalizer = \"batch\" with network.normalizer_epsilon = 0"
    )]
    NotInvariant(String),
    /// Segments with different rates.
    #[error(
        "schedule.conversion is for one rate of all scale-invariant segments, and {name} has the factor {factor} \
         (optimizer.factors, optimizer.input_factor); leave it at 1"
    )]
    Uneven {
        /// The segment.
        name: String,
        /// Its factor.
        factor: f64,
    },
    /// More samples a step than there are.
    #[error(
        "train.batch is {batch}, and there are {samples} training samples; take at most that, or \"full\""
    )]
    Batch {
        /// Asked for.
        batch: usize,
        /// There.
        samples: usize,
    },
    /// Boundaries of another optimiser than gradient descent.
    #[error(
        "the boundaries of early training are rates in units of 1 / sharpness, as gradient descent has them, and \
         optimizer.kind is \"{0}\"; use \"sgd\", or `etalon find`"
    )]
    NoSharpness(&'static str),
    /// A factor for a segment that the network has not.
    #[error("optimizer.factors names `{name}`; the network's segments are {known}")]
    Segment {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// An accuracy of targets that are no classes.
    #[error(
        "search.metric is an accuracy, and the labels of {0} are values; use \"train_loss\" or \"test_loss\""
    )]
    NoClasses(String),
    /// Nobody says how long an epoch is.
    #[error(
        "train.epochs needs the number of samples: give data.train a number, or --steps-per-epoch, or train.steps"
    )]
    UnknownEpoch,
    /// The budget makes no step, or too many to count.
    #[error("the budget makes {0:.3e} steps; it must make between 1 and 1e12")]
    Steps(f64),
    /// A schedule that only training can tell.
    #[error(
        "schedule.anneal_below lowers the rate when the training loss is low enough: the schedule is not known before \
         training; run `etalon train`, and give the step it tells as schedule.milestones with kind = \"step\""
    )]
    Unforeseeable,
    /// A schedule that is too long to be listed.
    #[error("a schedule of {0:.3e} steps is too long to be listed; at most 1e7")]
    TooLong(f64),
}

impl Budget {
    /// The number of steps at a base rate, with so many batches an epoch.
    ///
    /// # Errors
    /// When it is no number of steps that can be done.
    pub(crate) fn steps(self, eta: f64, batches: f64) -> Result<u64, PlanError> {
        let steps = match self {
            Budget::Steps(steps) => steps as f64,
            Budget::Epochs(epochs) => (epochs * batches).floor(),
            // A quotient that is whole but for rounding is not rounded up.
            Budget::PhysicalTime(time) => (time / eta * (1.0 - 4.0 * f64::EPSILON)).ceil(),
        };
        if (1.0..=1e12).contains(&steps) { Ok(steps as u64) } else { Err(PlanError::Steps(steps)) }
    }
}

impl Plan {
    /// The plan of a spec for its task, without a goal.
    ///
    /// # Errors
    /// When the spec's numbers do not fit the task.
    pub fn new<T: Scalar>(spec: &Spec, task: &Task<T>) -> Result<Plan, PlanError> {
        let samples = task.train.len;
        let batch = match spec.train.batch {
            BatchSize::Full => samples,
            BatchSize::Samples(batch) if batch <= samples => batch,
            BatchSize::Samples(batch) => return Err(PlanError::Batch { batch, samples }),
        };
        Ok(Plan {
            optimizer: spec.optimizer.rule(),
            weight_decay: spec.optimizer.weight_decay,
            factors: factors(spec, task)?,
            schedule: spec.schedule.schedule()?,
            anneal: spec.schedule.anneal_below.map(|below| Anneal { below, factor: spec.schedule.factor }),
            noise: spec.noise.noise(),
            conversion: spec.schedule.conversion,
            budget: spec.train.budget,
            batch,
            check_every: spec.train.check_every,
            check_samples: spec.train.check_samples.min(samples),
            limit: spec.train.limit,
            goal: None,
            follow_test: spec.train.check_test,
            learnt: spec.measure.learnt,
            motion: spec.measure.weights,
        })
    }

    /// The same plan with the early stop of the spec's search.
    ///
    /// # Errors
    /// When the goal is an accuracy and the task has no classes.
    pub fn with_goal<T>(self, spec: &Spec, task: &Task<T>) -> Result<Plan, PlanError> {
        let Goal { metric, threshold } =
            Goal { metric: spec.search.metric, threshold: spec.search.threshold };
        if !task.classes && matches!(metric, Metric::TrainAccuracy | Metric::TestAccuracy) {
            return Err(PlanError::NoClasses(spec.data.name.clone()));
        }
        Ok(Plan { goal: Some(Goal { metric, threshold }), ..self })
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

/// One factor a segment: the input layer's, times what the spec says of it by name.
pub(crate) fn factors<T: Scalar>(spec: &Spec, task: &Task<T>) -> Result<Vec<f64>, PlanError> {
    let layout = task.network.layout();
    if let Some(name) = spec.optimizer.factors.keys().find(|name| layout.find(name).is_none()) {
        let known: Vec<&str> = layout.segments().iter().map(|segment| segment.name.as_str()).collect();
        return Err(PlanError::Segment { name: name.clone(), known: known.join(", ") });
    }
    let layer_of = |name: &str| name.rsplit_once('.').map(|(layer, _)| layer.to_string());
    let first = layout.segments().first().and_then(|segment| layer_of(&segment.name));
    let factor = |name: &String| {
        let input = if layer_of(name) == first { spec.optimizer.input_factor } else { 1.0 };
        input * spec.optimizer.factors.get(name).copied().unwrap_or(1.0)
    };
    Ok(layout.segments().iter().map(|segment| factor(&segment.name)).collect())
}
