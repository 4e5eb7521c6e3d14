//! Outputs, value and gradient of a loss over a set of samples.

use crate::kernels::elementwise::Write;
use crate::kernels::reduction;
use crate::lanes::{self, fold, for_each, slices_of};
use crate::network::{Adjoint, Tape};
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
    lanes: Vec<Lane<T>>,
    rows: usize,
    parallel: bool,
}

#[derive(Debug)]
struct Lane<T> {
    values: Tape<T>,
    adjoints: Tape<T>,
    gradient: Vec<T>,
    loss: f64,
}

impl<T: Scalar> Workspace<T> {
    /// Buffers for batches of up to `rows` samples. With `parallel`, batches of more than one slice run on rayon's
    /// threads; the results have the same bits without.
    pub fn new(network: &Network<T>, rows: usize, parallel: bool) -> Self {
        let slice = rows.min(lanes::SLICE);
        let lane = || Lane {
            values: Tape::new(network, slice),
            adjoints: Tape::new(network, slice),
            gradient: vec![T::ZERO; network.parameters()],
            loss: 0.0,
        };
        Workspace { lanes: (0..lanes::lanes(rows)).map(|_| lane()).collect(), rows, parallel }
    }

    /// As [`Workspace::new`] for [`Network::outputs`] alone, which needs less room.
    pub fn for_outputs(network: &Network<T>, rows: usize, parallel: bool) -> Self {
        let slice = rows.min(lanes::SLICE);
        let lane = || Lane {
            values: Tape::new(network, slice),
            adjoints: Tape::default(),
            gradient: Vec::new(),
            loss: 0.0,
        };
        Workspace { lanes: (0..lanes::lanes(rows)).map(|_| lane()).collect(), rows, parallel }
    }

    /// How many bytes [`Workspace::new`] would take.
    pub fn bytes(network: &Network<T>, rows: usize) -> u64 {
        let slice = rows.min(lanes::SLICE);
        let lane = 2 * slice as u64 * network.values_per_sample() as u64 + network.parameters() as u64;
        lanes::lanes(rows) as u64 * lane * size_of::<T>() as u64
    }

    /// The gradient that [`Network::gradient`] left here.
    pub fn gradient(&self) -> &[T] {
        &self.lanes[0].gradient
    }

    /// The lanes that so many samples take.
    fn lanes(&mut self, rows: usize) -> &mut [Lane<T>] {
        assert!(rows <= self.rows, "a batch of {rows} samples in a workspace made for {}", self.rows);
        &mut self.lanes[..lanes::lanes(rows)]
    }
}

impl<T: Scalar> Network<T> {
    /// The outputs of all `inputs`, one sample after another.
    ///
    /// # Panics
    /// When lengths disagree with the network's, or the workspace was made for fewer samples.
    pub fn outputs(&self, parameters: &[T], inputs: &[T], workspace: &mut Workspace<T>, outputs: &mut [T]) {
        let rows = self.rows(parameters, inputs);
        assert_eq!(outputs.len(), rows * self.output_len(), "the outputs' room has the wrong length");
        let (len, width, parallel) = (self.input_len(), self.output_len(), workspace.parallel);
        for_each(workspace.lanes(rows), parallel, rows, width, outputs, &|lane, run, out| {
            for (slice, out) in slices_of(run).zip(out.chunks_mut(lanes::SLICE * width)) {
                let count = slice.len();
                self.forward(parameters, &inputs[slice.start * len..slice.end * len], &mut lane.values);
                out.copy_from_slice(lane.values.output(self, count));
            }
        });
    }

    /// The mean loss; its gradient is left in the workspace.
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
        let rows = self.rows(parameters, batch.inputs);
        let (len, width, parallel) = (self.input_len(), self.output_len(), workspace.parallel);
        assert_eq!(
            batch.targets.len(),
            rows * width,
            "targets do not have the width of the network's output"
        );
        let scale = 1.0 / rows as f64;
        let lanes = workspace.lanes(rows);
        for_each(lanes, parallel, rows, 0, &mut [] as &mut [T], &|lane, run, _| {
            lane.loss = 0.0;
            let mut write = Write::Set;
            for slice in slices_of(run) {
                let count = slice.len();
                let inputs = &batch.inputs[slice.start * len..slice.end * len];
                let targets = &batch.targets[slice.start * width..slice.end * width];
                self.forward(parameters, inputs, &mut lane.values);
                let outputs = lane.values.output(self, count);
                lane.loss += loss.value(width, scale, outputs, targets);
                loss.gradient(
                    self.cpu(),
                    width,
                    scale,
                    outputs,
                    targets,
                    lane.adjoints.output_mut(self, count),
                );
                let adjoint =
                    Adjoint { tape: &mut lane.adjoints, parameters: Some((&mut lane.gradient, write)) };
                self.backward(parameters, inputs, &lane.values, adjoint);
                write = Write::Add;
            }
        });
        let (first, others) = lanes.split_at_mut(1);
        fold(self.cpu(), parallel, &mut first[0].gradient, others, |lane| &lane.gradient);
        lanes.iter().map(|lane| lane.loss).sum()
    }

    /// Whether every number of a vector is finite.
    pub fn all_finite(&self, vector: &[T]) -> bool {
        reduction::all_finite(self.cpu(), vector)
    }

    /// The number of samples in `inputs`.
    pub(crate) fn rows(&self, parameters: &[T], inputs: &[T]) -> usize {
        assert_eq!(parameters.len(), self.parameters(), "the network has another number of parameters");
        assert_eq!(inputs.len() % self.input_len(), 0, "inputs are not whole samples of this network");
        assert!(!inputs.is_empty(), "there is no sample");
        inputs.len() / self.input_len()
    }
}
