//! A network, its data, and how it is trained.

use super::ProblemBuilder;
use crate::train::{Plan, Task};
use etalon_nn::kernels::activation::Activation;
use etalon_nn::{Loss, Network, Scalar};
use std::sync::Arc;

/// What a job is about: what is learnt ([`Task`]) and how ([`Plan`]). Rates and seeds are in the settings of the jobs.
/// Cloning shares the data.
#[derive(Debug)]
pub struct Problem<T> {
    task: Arc<Task<T>>,
    plan: Plan,
    architecture: Option<Architecture>,
}

/// What theory asks of a network beyond its curvature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Hidden layers; 0 for a linear model.
    pub hidden_layers: usize,
    /// Units, or channels, of a hidden layer.
    pub width: usize,
    /// The nonlinearity between layers.
    pub activation: Activation,
    /// Whether layers have biases.
    pub bias: bool,
}

impl<T: Scalar> Problem<T> {
    /// Begins a problem with a network and a loss.
    pub fn builder(network: Network<T>, loss: Loss) -> ProblemBuilder<T> {
        ProblemBuilder::new(network, loss)
    }
}

impl<T> Problem<T> {
    /// That of a task and a plan that are there already.
    pub(crate) fn new(task: impl Into<Arc<Task<T>>>, plan: Plan, architecture: Option<Architecture>) -> Self {
        Problem { task: task.into(), plan, architecture }
    }

    /// What is learnt, by what.
    pub fn task(&self) -> &Task<T> {
        &self.task
    }

    /// How it is trained.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What is known of the network's structure.
    pub fn architecture(&self) -> Option<Architecture> {
        self.architecture
    }
}

impl<T> Clone for Problem<T> {
    fn clone(&self) -> Self {
        Problem { task: self.task.clone(), plan: self.plan.clone(), architecture: self.architecture }
    }
}
