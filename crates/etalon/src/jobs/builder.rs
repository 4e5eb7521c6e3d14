//! Putting a problem together in code.

use super::{Architecture, Problem};
use crate::data::SampleShape;
use crate::schedule::{Schedule, Shape};
use crate::train::{BatchSize, Budget, Plan, PlanError, Samples, Task, factors};
use etalon_nn::optim::{Optimizer, OptimizerError, Rule};
use etalon_nn::{Loss, Network, Scalar};
use std::collections::BTreeMap;

/// A [`Problem`] under construction. Unless told otherwise, it is trained by gradient descent at a constant rate, in
/// batches of 64 (all samples where there are fewer), for 500 steps.
#[derive(Debug)]
pub struct ProblemBuilder<T> {
    network: Network<T>,
    loss: Loss,
    train: [Vec<T>; 2],
    held_out: [Vec<T>; 2],
    classes: bool,
    optimizer: Rule,
    weight_decay: f64,
    factors: BTreeMap<String, f64>,
    schedule: Schedule,
    batch: Option<BatchSize>,
    budget: Budget,
    check_every: u64,
    check_samples: usize,
    limit: f64,
    architecture: Option<Architecture>,
}

/// Why parts make no problem.
#[derive(Debug, thiserror::Error)]
pub enum ProblemError {
    /// Numbers that are no whole samples, or none.
    #[error(
        "the {set} inputs are {found} numbers, and the network takes {width} a sample: give a multiple of that, at least \
         one sample"
    )]
    Inputs {
        /// Which set.
        set: &'static str,
        /// How many numbers.
        found: usize,
        /// Numbers of a sample.
        width: usize,
    },
    /// Not one target for each output of each sample.
    #[error(
        "the {set} targets are {found} numbers, and {samples} samples with {width} outputs of the network take {}",
        samples * width
    )]
    Targets {
        /// Which set.
        set: &'static str,
        /// How many numbers.
        found: usize,
        /// Samples.
        samples: usize,
        /// Outputs of the network.
        width: usize,
    },
    /// An input or target that is no number.
    #[error("number {index} of the {set} {what} is {value}: every one must be finite")]
    NotFinite {
        /// Which set.
        set: &'static str,
        /// Inputs or targets.
        what: &'static str,
        /// Its place.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// A loss for another number of outputs.
    #[error("the loss {loss} takes {takes}, and the network has {outputs}")]
    Outputs {
        /// The loss.
        loss: &'static str,
        /// What it takes.
        takes: &'static str,
        /// What there is.
        outputs: usize,
    },
    /// Targets that are not those of the loss.
    #[error("the loss {loss} takes {takes}, and sample {sample} of the {set} targets has others")]
    NotOfLoss {
        /// The loss.
        loss: &'static str,
        /// What it takes.
        takes: &'static str,
        /// Which set.
        set: &'static str,
        /// Which sample.
        sample: usize,
    },
    /// A number out of its range.
    #[error("{name} is {got}: it must be {range}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it is.
        got: f64,
        /// What it may be.
        range: &'static str,
    },
    /// A constant of the optimiser.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// How it is trained.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl<T: Scalar> ProblemBuilder<T> {
    pub(super) fn new(network: Network<T>, loss: Loss) -> Self {
        ProblemBuilder {
            network,
            loss,
            train: [Vec::new(), Vec::new()],
            held_out: [Vec::new(), Vec::new()],
            classes: loss != Loss::Mse,
            optimizer: Rule::default(),
            weight_decay: 0.0,
            factors: BTreeMap::new(),
            schedule: Schedule { warmup: 0, shape: Shape::Constant, last: None },
            batch: None,
            budget: Budget::Steps(500),
            check_every: 25,
            check_samples: 1000,
            limit: 1e12,
            architecture: None,
        }
    }

    /// The training set, sample by sample: samples x inputs of the network, and samples x its outputs. Targets are values
    /// for squared loss, +1 or -1 for logistic and exponential loss, probabilities of the classes for cross-entropy.
    pub fn train(mut self, inputs: impl Into<Vec<T>>, targets: impl Into<Vec<T>>) -> Self {
        self.train = [inputs.into(), targets.into()];
        self
    }

    /// The held-out set, likewise.
    pub fn held_out(mut self, inputs: impl Into<Vec<T>>, targets: impl Into<Vec<T>>) -> Self {
        self.held_out = [inputs.into(), targets.into()];
        self
    }

    /// Whether targets stand for classes, so that there is an accuracy: the sign of one output, or the largest of several.
    /// Unless said, they do under every loss but the squared one.
    pub fn classes(mut self, classes: bool) -> Self {
        self.classes = classes;
        self
    }

    /// The optimiser; gradient descent without momentum where none is given.
    pub fn optimizer(mut self, optimizer: Rule) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// Its weight decay.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// The factor of the learning rate for a segment of the parameters, such as `layers.0.weight`; 0 freezes it.
    pub fn factor(mut self, segment: impl Into<String>, factor: f64) -> Self {
        self.factors.insert(segment.into(), factor);
        self
    }

    /// What the rate does over time.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Samples a step.
    pub fn batch(mut self, batch: BatchSize) -> Self {
        self.batch = Some(batch);
        self
    }

    /// How long training lasts.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// How often metrics are taken, in steps, and on how many training samples at most.
    pub fn check(mut self, every: u64, samples: usize) -> Self {
        (self.check_every, self.check_samples) = (every, samples);
        self
    }

    /// A loss above this many times the larger of the first and the constant predictor's is divergence; 1e12 unless said.
    pub fn limit(mut self, limit: f64) -> Self {
        self.limit = limit;
        self
    }

    /// What the network's structure is, where it is that of a fully connected one: some thresholds depend on it.
    pub fn architecture(mut self, architecture: Architecture) -> Self {
        self.architecture = Some(architecture);
        self
    }

    /// The problem.
    ///
    /// # Errors
    /// When its parts do not go together, or a number is out of its range.
    pub fn build(self) -> Result<Problem<T>, ProblemError> {
        let setting = |name, got: f64, range, is_fine: bool| {
            if is_fine { Ok(()) } else { Err(ProblemError::Setting { name, got, range }) }
        };
        let (decay, limit) = (self.weight_decay, self.limit);
        setting("the weight decay", decay, "a finite number, 0 or above", decay >= 0.0 && decay.is_finite())?;
        setting("the limit of divergence", limit, "above 1", limit > 1.0)?;
        setting(
            "the number of steps between two looks",
            self.check_every as f64,
            "at least 1",
            self.check_every > 0,
        )?;
        setting(
            "the number of samples looked at",
            self.check_samples as f64,
            "at least 1",
            self.check_samples > 0,
        )?;
        for &factor in self.factors.values() {
            let is_fine = factor >= 0.0 && factor.is_finite();
            setting("a learning-rate factor", factor, "a finite number, 0 or above", is_fine)?;
        }
        self.optimizer.stability()?;
        let [train, test] = [("training", self.train), ("held-out", self.held_out)]
            .map(|(set, numbers)| samples(&self.network, self.loss, set, numbers));
        let (train, test) = (train?, test?);
        let batch = match self.batch {
            Some(batch) => batch.of(train.len)?,
            None => train.len.min(64),
        };
        let plan = Plan {
            optimizer: self.optimizer,
            weight_decay: self.weight_decay,
            factors: factors(self.network.layout(), 1.0, &self.factors)?,
            schedule: self.schedule,
            anneal: None,
            noise: None,
            conversion: None,
            budget: self.budget,
            batch,
            check_every: self.check_every,
            check_samples: self.check_samples.min(train.len),
            limit: self.limit,
            goal: None,
            follow_test: false,
            test_steps: Vec::new(),
            learnt: 0.6,
            motion: false,
        };
        let task = Task {
            shape: SampleShape::Flat(self.network.input_len()),
            network: self.network,
            loss: self.loss,
            train,
            test,
            augmentation: None,
            patches: None,
            classes: self.classes,
            notes: Vec::new(),
        };
        Ok(Problem::new(task, plan, self.architecture))
    }
}

/// Whole samples with the targets that the loss takes.
fn samples<T: Scalar>(
    network: &Network<T>,
    loss: Loss,
    set: &'static str,
    [inputs, targets]: [Vec<T>; 2],
) -> Result<Samples<T>, ProblemError> {
    let (width, outputs) = (network.input_len(), network.output_len());
    let len = inputs.len() / width;
    if len == 0 || inputs.len() != len * width {
        return Err(ProblemError::Inputs { set, found: inputs.len(), width });
    }
    if targets.len() != len * outputs {
        return Err(ProblemError::Targets { set, found: targets.len(), samples: len, width: outputs });
    }
    for (what, numbers) in [("inputs", &inputs), ("targets", &targets)] {
        if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(ProblemError::NotFinite { set, what, index, value: numbers[index].to_f64() });
        }
    }
    let name = loss.name();
    let fits = |row: &[T]| match loss {
        Loss::Mse => true,
        Loss::CrossEntropy => {
            let sum: f64 = row.iter().map(|share| share.to_f64()).sum();
            row.iter().all(|&share| share >= T::ZERO) && (sum - 1.0).abs() < 1e-3
        }
        Loss::Logistic | Loss::Exponential => row.iter().all(|sign| sign.to_f64().abs() == 1.0),
    };
    let (takes, outputs_taken, is_fine) = match loss {
        Loss::Mse => ("any target", "any number of outputs", true),
        Loss::CrossEntropy => {
            ("probabilities of the classes, which add up to 1", "one output a class, at least 2", outputs > 1)
        }
        Loss::Logistic | Loss::Exponential => ("targets +1 and -1", "one output", outputs == 1),
    };
    if !is_fine {
        return Err(ProblemError::Outputs { loss: name, takes: outputs_taken, outputs });
    }
    if let Some(sample) = targets.chunks_exact(outputs).position(|row| !fits(row)) {
        return Err(ProblemError::NotOfLoss { loss: name, takes, set, sample });
    }
    Ok(Samples { inputs, targets, len })
}
