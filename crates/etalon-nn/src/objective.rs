//! Outputs, value and gradient of a loss over a set of samples.

use crate::executor::{Capacity, Executor, Gradients, Op, Operands};
use crate::{Loss, Network, Scalar};

/// Samples: `inputs` one after another, `targets` one after another in the width of the network's output.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    /// Samples x input length.
    pub inputs: &'a [T],
    /// Samples x output length.
    pub targets: &'a [T],
}

/// The buffers of value and gradient. Made once, used for every step: none of the methods that take it allocates.
#[derive(Debug)]
pub struct Workspace<T> {
    executor: Executor<T>,
    /// How many samples the last batch had whose gradient was taken.
    samples: usize,
}

impl<T: Scalar> Workspace<T> {
    /// Buffers for batches of up to `rows` samples. With `parallel`, batches of more than one slice run on rayon's
    /// threads; the results have the same bits without.
    pub fn new(network: &Network<T>, rows: usize, parallel: bool) -> Self {
        Self::with(network, rows, Self::capacity(network, rows), parallel)
    }

    /// As [`Workspace::new`] for [`Network::outputs`] alone, which needs less room.
    pub fn for_outputs(network: &Network<T>, rows: usize, parallel: bool) -> Self {
        Self::with(network, rows, Self::OUTPUTS, parallel)
    }

    /// How many bytes [`Workspace::new`] would take.
    pub fn bytes(network: &Network<T>, rows: usize) -> u64 {
        Self::capacity(network, rows).bytes(network, rows)
    }

    /// How many bytes [`Workspace::for_outputs`] would take.
    pub fn bytes_for_outputs(network: &Network<T>, rows: usize) -> u64 {
        Self::OUTPUTS.bytes(network, rows)
    }

    const OUTPUTS: Capacity = Capacity { points: 1, gradients: Gradients::None, tangents: 0 };

    fn with(network: &Network<T>, rows: usize, capacity: Capacity, parallel: bool) -> Self {
        Workspace { executor: Executor::new(network, rows, capacity, parallel), samples: 0 }
    }

    /// One slice's tapes serve a lane, unless the slices need each other.
    fn capacity(network: &Network<T>, rows: usize) -> Capacity {
        let points = if network.is_coupled() { network.cut(rows).slices_per_lane() } else { 1 };
        Capacity { points, gradients: Gradients::Passing, tangents: 0 }
    }

    /// The gradient that [`Network::gradient`] left here.
    pub fn gradient(&self) -> &[T] {
        self.executor.sum()
    }
}

impl<T: Scalar> Network<T> {
    /// The outputs of all `inputs`, one sample after another, as PyTorch's networks give them in evaluation: batch
    /// normalisation takes the running statistics in `state`, which is empty for a network without, so that an output
    /// depends on its own input alone.
    ///
    /// # Panics
    /// When lengths disagree with the network's, or the workspace was made for fewer samples.
    pub fn outputs(
        &self,
        parameters: &[T],
        state: &[T],
        inputs: &[T],
        workspace: &mut Workspace<T>,
        outputs: &mut [T],
    ) {
        let rows = self.rows(parameters, inputs);
        assert_eq!(outputs.len(), rows * self.output_len(), "the outputs' room has the wrong length");
        assert_eq!(state.len(), self.state_layout().len(), "the network has another number of statistics");
        let batch = Batch { inputs, targets: &[] };
        let operands = Operands {
            network: self,
            parameters,
            batch,
            loss: Loss::Mse,
            direction: &[],
            cotangent: &[],
            noise: &[],
        };
        workspace.executor.evaluate(&operands, state, outputs);
    }

    /// The mean loss; its gradient is left in the workspace. Batch normalisation takes the statistics of this batch,
    /// through which the gradient goes.
    ///
    /// # Panics
    /// When lengths disagree with the network's, or the workspace was made for fewer samples or for outputs alone.
    pub fn gradient(
        &self,
        parameters: &[T],
        batch: Batch<T>,
        loss: Loss,
        workspace: &mut Workspace<T>,
    ) -> f64 {
        self.noisy_gradient(parameters, batch, &[], loss, workspace)
    }

    /// As [`Network::gradient`], with noise before the activations: to the output of every normalisation a number is
    /// added for each position, the same for all samples and channels (Li, Wei and Ma 2019, 1907.04595, section 5).
    /// `noise` has [`Network::noise_len`] numbers, or none for no noise.
    ///
    /// # Panics
    /// As [`Network::gradient`].
    pub fn noisy_gradient(
        &self,
        parameters: &[T],
        batch: Batch<T>,
        noise: &[T],
        loss: Loss,
        workspace: &mut Workspace<T>,
    ) -> f64 {
        assert!(noise.is_empty() || noise.len() == self.noise_len(), "the network has other normalisations");
        let rows = self.rows(parameters, batch.inputs);
        assert_eq!(
            batch.targets.len(),
            rows * self.output_len(),
            "targets do not have the width of the network's output"
        );
        let operands =
            Operands { network: self, parameters, batch, loss, direction: &[], cotangent: &[], noise };
        let executor = &mut workspace.executor;
        executor.run(&operands, &[], &[Op::Forward, Op::Loss, Op::LossGradient, Op::Gradient], &mut []);
        executor.collect(self, rows);
        workspace.samples = rows;
        executor.loss()
    }

    /// Moves the running statistics in `state` towards those of the batch whose gradient was taken last, by a tenth, as
    /// PyTorch's batch normalisation does in training: `running = 0.9 running + 0.1 batch`, with the batch's unbiased
    /// variance.
    ///
    /// # Panics
    /// When the state is another network's.
    pub fn track(&self, workspace: &Workspace<T>, state: &mut [T]) {
        assert_eq!(state.len(), self.state_layout().len(), "the network has another number of statistics");
        self.track_statistics(workspace.samples, workspace.executor.statistics(), state);
    }

    /// Whether every number of a vector is finite.
    pub fn all_finite(&self, vector: &[T]) -> bool {
        T::all_finite(self.cpu(), vector)
    }

    /// The number of samples in `inputs`.
    pub(crate) fn rows(&self, parameters: &[T], inputs: &[T]) -> usize {
        assert_eq!(parameters.len(), self.parameters(), "the network has another number of parameters");
        assert_eq!(inputs.len() % self.input_len(), 0, "inputs are not whole samples of this network");
        assert!(!inputs.is_empty(), "there is no sample");
        inputs.len() / self.input_len()
    }
}
