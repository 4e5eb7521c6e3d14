//! Optimisers: the rules by which gradients move parameters, and how much curvature each can bear.
//!
//! An optimiser knows no schedule and no network: it is told a rate, and works on flat vectors. What a rule is and when
//! it becomes unstable stand beside each other, in one file a rule; everything else asks.

mod adamw;
mod rule;
mod sgd;
mod step;

pub use adamw::AdamW;
pub use rule::Rule;
pub use sgd::Sgd;
pub use step::step;

use crate::{Cpu, Scalar};

/// The most buffers that a rule keeps.
pub const BUFFERS: usize = 2;

/// A rule by which gradients move parameters.
pub trait Optimizer: Sync {
    /// Its name in kebab-case.
    fn name(&self) -> &'static str;

    /// How many buffers it keeps, at most [`BUFFERS`], each as long as the parameters.
    fn buffers(&self) -> usize;

    /// One update of parameters that have one rate. `step` counts the updates before it. The gradient and each buffer
    /// that the rule keeps are as long as `parameters`; further buffers are empty.
    fn update<T: Scalar>(
        &self,
        cpu: Cpu,
        rate: Rate,
        step: u64,
        gradient: &[T],
        buffers: [&mut [T]; BUFFERS],
        parameters: &mut [T],
    );

    /// When it becomes unstable.
    ///
    /// # Errors
    /// When one of its constants is out of its range.
    fn stability(&self) -> Result<Stability, OptimizerError>;

    /// Whether it divides the gradient by a preconditioner `P`: the curvature that limits its rate is then that of
    /// `P^-1/2 H P^-1/2`.
    fn preconditions(&self) -> bool {
        false
    }

    /// The diagonal of `P` in this state, one positive number a parameter; none of a rule without, and before the first
    /// update.
    fn preconditioner<T: Scalar>(&self, _: &Buffers<T>) -> Option<Vec<f64>> {
        None
    }
}

/// What an update is told of a run of parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The learning rate of this step.
    pub eta: f64,
    /// The weight decay of this step, coupled or not as the rule has it.
    pub weight_decay: f64,
}

/// What a rule remembers of earlier gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffers<T> {
    /// The buffers that the rule keeps, each as long as the parameters, and empty ones.
    pub buffers: [Vec<T>; BUFFERS],
    /// How many updates were done, which bias corrections count.
    pub steps: u64,
}

impl<T: Scalar> Buffers<T> {
    /// Those of a rule before its first update.
    pub fn new(rule: &impl Optimizer, parameters: usize) -> Self {
        let len = |index| if index < rule.buffers() { parameters } else { 0 };
        Buffers { buffers: std::array::from_fn(|index| vec![T::ZERO; len(index)]), steps: 0 }
    }

    /// Those of a rule after its first update, which was with this gradient.
    pub fn after_first(rule: &impl Optimizer, cpu: Cpu, gradient: &[T]) -> Self {
        let mut memory = Buffers::new(rule, gradient.len());
        let still = Rate { eta: 0.0, weight_decay: 0.0 };
        let buffers = memory.buffers.each_mut().map(Vec::as_mut_slice);
        rule.update(cpu, still, 0, gradient, buffers, &mut vec![T::ZERO; gradient.len()]);
        memory.steps = 1;
        memory
    }
}

/// Where a rule becomes unstable on a quadratic: at the rate `numerator / (denominator lambda)`, with `lambda` the
/// curvature. Above it some start grows without bound, below it all shrink; each rule's documentation derives its own,
/// and `limits_are_where_the_rules_themselves_begin_to_grow` iterates the rules themselves on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// Each with its text, in the rule's constants.
    numerator: (f64, &'static str),
    denominator: (f64, &'static str),
    /// How much curvature one unit of weight decay stands for.
    decay: (f64, &'static str),
    assumes: String,
}

impl Stability {
    /// The largest stable rate for a curvature, that of [`Stability::bend`] included; infinite where it is not positive.
    pub fn limit(&self, curvature: f64) -> f64 {
        if curvature <= 0.0 { f64::INFINITY } else { self.numerator.0 / (self.denominator.0 * curvature) }
    }

    /// The curvature that a weight decay adds to every direction.
    pub fn bend(&self, weight_decay: f64) -> f64 {
        self.decay.0 * weight_decay
    }

    /// The limit in plain text, with the name of the curvature.
    pub fn formula(&self, curvature: &str) -> String {
        let (numerator, denominator) = (self.numerator.1, self.denominator.1);
        if denominator.is_empty() {
            format!("{numerator} / {curvature}")
        } else {
            format!("{numerator} / ({denominator} {curvature})")
        }
    }

    /// What [`Stability::bend`] is, in plain text.
    pub fn bend_formula(&self) -> &'static str {
        self.decay.1
    }

    /// What it takes for granted of the rule, in plain text.
    pub fn assumes(&self) -> &str {
        &self.assumes
    }
}

/// A constant of a rule is out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {got}: it must be {range}")]
pub struct OptimizerError {
    /// The name of the constant, such as momentum.
    pub name: &'static str,
    /// The value that was given.
    pub got: f64,
    /// What it may be.
    pub range: &'static str,
}

/// A constant from 0 to below 1.
fn share(name: &'static str, got: f64) -> Result<(), OptimizerError> {
    let range = "in [0, 1)";
    if (0.0..1.0).contains(&got) { Ok(()) } else { Err(OptimizerError { name, got, range }) }
}

#[cfg(test)]
mod tests;
