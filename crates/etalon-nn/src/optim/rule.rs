//! The rules there are.

use super::{AdamW, BUFFERS, Buffers, Optimizer, OptimizerError, Rate, Sgd, Stability};
use crate::{Cpu, Scalar};

/// One of the rules. The default is gradient descent without momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent, with momentum or without.
    Sgd(Sgd),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
}

impl Default for Rule {
    fn default() -> Self {
        Rule::Sgd(Sgd::default())
    }
}

/// Asks the rule itself.
macro_rules! ask {
    ($self:ident, $rule:ident => $answer:expr) => {
        match $self {
            Rule::Sgd($rule) => $answer,
            Rule::AdamW($rule) => $answer,
        }
    };
}

impl Optimizer for Rule {
    fn name(&self) -> &'static str {
        ask!(self, rule => rule.name())
    }

    fn buffers(&self) -> usize {
        ask!(self, rule => rule.buffers())
    }

    fn update<T: Scalar>(
        &self,
        cpu: Cpu,
        rate: Rate,
        step: u64,
        gradient: &[T],
        buffers: [&mut [T]; BUFFERS],
        parameters: &mut [T],
    ) {
        ask!(self, rule => rule.update(cpu, rate, step, gradient, buffers, parameters));
    }

    fn stability(&self) -> Result<Stability, OptimizerError> {
        ask!(self, rule => rule.stability())
    }

    fn preconditions(&self) -> bool {
        ask!(self, rule => rule.preconditions())
    }

    fn preconditioner<T: Scalar>(&self, memory: &Buffers<T>) -> Option<Vec<f64>> {
        ask!(self, rule => rule.preconditioner(memory))
    }
}
