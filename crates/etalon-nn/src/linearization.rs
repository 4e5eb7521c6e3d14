//! A network held at one point: value, gradient, and products with its Jacobian and Hessian.

use crate::executor::{Capacity, Executor, Gradients, Op, Operands};
use crate::{Batch, Loss, Network, Scalar};

/// How many bytes of values and gradients are kept. What does not fit is computed again in every product.
const CACHE_BYTES: u64 = 1 << 30;

/// What a slice has at the point: its values, and their gradients.
const VALUES: &[Op] = &[Op::Forward];
const POINT: &[Op] = &[Op::Forward, Op::LossGradient, Op::Backward];

/// A network, a loss and a set of samples at one parameter vector.
///
/// The values at that point are computed once and kept; a product then pays for its direction only. With `m`
/// samples, `k` outputs and `p` parameters, `J` is the (m k) x p Jacobian of all outputs and `H` the p x p Hessian of
/// the mean loss. Products are exact: no finite difference is taken anywhere.
///
/// Batch normalisation is in training: its statistics are those of the set, and move with the parameters.
#[derive(Debug)]
pub struct Linearization<'a, T> {
    network: &'a Network<T>,
    parameters: &'a [T],
    batch: Batch<'a, T>,
    loss: Loss,
    rows: usize,
    executor: Executor<T>,
}

impl<'a, T: Scalar> Linearization<'a, T> {
    /// Goes to the point. With `parallel`, sets of more than one slice run on rayon's threads; the results have the
    /// same bits without.
    ///
    /// # Panics
    /// When lengths disagree with the network's.
    pub fn new(
        network: &'a Network<T>,
        parameters: &'a [T],
        batch: Batch<'a, T>,
        loss: Loss,
        parallel: bool,
    ) -> Self {
        let rows = network.rows(parameters, batch.inputs);
        let width = network.output_len();
        assert_eq!(
            batch.targets.len(),
            rows * width,
            "targets do not have the width of the network's output"
        );
        let executor = Executor::new(network, rows, Self::capacity(network, rows), parallel);
        let mut at = Linearization { network, parameters, batch, loss, rows, executor };
        at.run(&[], POINT, &[], &[], &mut []);
        at.executor.keep(network.cut(rows));
        at
    }

    /// How many bytes [`Linearization::new`] would take.
    pub fn bytes(network: &Network<T>, rows: usize) -> u64 {
        Self::capacity(network, rows).bytes(network, rows)
    }

    /// Tapes for as many slices as may be kept and one for the others; for all of them where they need each other.
    fn capacity(network: &Network<T>, rows: usize) -> Capacity {
        let cut = network.cut(rows);
        let all = cut.slices_per_lane();
        let capacity = Capacity { points: all, gradients: Gradients::Kept, tangents: all };
        if network.is_coupled() {
            return capacity;
        }
        let slice = (cut.longest() * capacity.per_sample(network).0 * size_of::<T>()) as u64;
        let kept = CACHE_BYTES / slice.max(1) / cut.lanes() as u64;
        Capacity { points: all.min(kept as usize + 1), tangents: 1, ..capacity }
    }

    /// Samples x outputs: the length of a vector in the space of outputs.
    pub fn outputs_len(&self) -> usize {
        self.rows * self.network.output_len()
    }

    /// The network that is linearised.
    pub fn network(&self) -> &'a Network<T> {
        self.network
    }

    /// Whether it runs on rayon's threads.
    pub fn is_parallel(&self) -> bool {
        self.executor.is_parallel()
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.rows
    }

    /// The mean loss of the batch at the point.
    pub fn value(&mut self) -> f64 {
        self.run(VALUES, &[Op::Loss], &[], &[], &mut []);
        self.executor.loss()
    }

    /// All outputs, one sample after another.
    ///
    /// # Panics
    /// When a vector has another length than its space.
    pub fn outputs(&mut self, out: &mut [T]) {
        self.check_outputs(out);
        self.run(VALUES, &[Op::Outputs], &[], &[], out);
    }

    /// The gradient of the mean loss.
    ///
    /// # Panics
    /// When a vector has another length than its space.
    pub fn gradient(&mut self, out: &mut [T]) {
        self.sum(VALUES, &[Op::LossGradient, Op::Gradient], &[], &[], out);
    }

    /// `J v`, the change of all outputs when the parameters move along `v`.
    ///
    /// # Panics
    /// When a vector has another length than its space.
    pub fn jvp(&mut self, v: &[T], out: &mut [T]) {
        self.check_parameters(v);
        self.check_outputs(out);
        self.run(VALUES, &[Op::ForwardTangent, Op::Tangents], v, &[], out);
    }

    /// `J^T u`: a vector in the space of outputs, pulled back to that of parameters.
    ///
    /// # Panics
    /// When a vector has another length than its space.
    pub fn vjp(&mut self, u: &[T], out: &mut [T]) {
        self.check_outputs(u);
        self.sum(VALUES, &[Op::Cotangent, Op::PullBack], &[], u, out);
    }

    /// `J^T L'' J v / m`, where `L''` is the Hessian of the loss with respect to the outputs: the part of `H v` that
    /// stays when the network is linear in its parameters (Gauss-Newton).
    ///
    /// # Panics
    /// When a vector has another length than its space.
    pub fn gauss_newton(&mut self, v: &[T], out: &mut [T]) {
        self.check_parameters(v);
        self.sum(VALUES, &[Op::ForwardTangent, Op::LossProduct, Op::PullBack], v, &[], out);
    }

    /// `H v`: the Hessian of the mean loss times a vector in the space of parameters.
    ///
    /// # Panics
    /// When a vector has another length than its space.
    pub fn hvp(&mut self, v: &[T], out: &mut [T]) {
        self.check_parameters(v);
        self.sum(POINT, &[Op::ForwardTangent, Op::LossProduct, Op::BackwardTangent], v, &[], out);
    }

    /// Runs a program that adds up a vector in the space of parameters.
    fn sum(&mut self, fill: &[Op], program: &[Op], direction: &[T], cotangent: &[T], out: &mut [T]) {
        self.check_parameters(out);
        self.run(fill, program, direction, cotangent, &mut []);
        self.executor.collect(self.network, self.rows);
        out.copy_from_slice(self.executor.sum());
    }

    fn run(&mut self, fill: &[Op], program: &[Op], direction: &[T], cotangent: &[T], out: &mut [T]) {
        let Linearization { network, parameters, batch, loss, .. } = *self;
        let operands = Operands { network, parameters, batch, loss, direction, cotangent, noise: &[] };
        self.executor.run(&operands, fill, program, out);
    }

    fn check_parameters(&self, v: &[T]) {
        assert_eq!(v.len(), self.network.parameters(), "not a vector in the space of parameters");
    }

    fn check_outputs(&self, u: &[T]) {
        assert_eq!(u.len(), self.outputs_len(), "not a vector in the space of outputs");
    }
}
