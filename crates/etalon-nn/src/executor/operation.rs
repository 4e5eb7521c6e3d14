//! The operations that programs are made of, each on a slice.

use super::tapes::{PointTapes, Slice, TangentTapes};
use crate::layers::Statistics;
use crate::network::{Adjoint, Filled, Meeting, Source};
use crate::{Batch, Loss, Network, Scalar};
use std::ops::Range;

/// One operation on a slice: a pass through the network, or what happens at its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Computes the values.
    Forward,
    /// Copies the outputs out.
    Outputs,
    /// Adds up the loss.
    Loss,
    /// The loss's gradient becomes the outputs'.
    LossGradient,
    /// From the gradient of the outputs, that of all values.
    Backward,
    /// As [`Op::Backward`], and adds up the parameters'.
    Gradient,
    /// Computes the changes of the values along the direction.
    ForwardTangent,
    /// Copies the changes of the outputs out.
    Tangents,
    /// The loss's Hessian times the outputs' changes becomes the change of the outputs' gradient.
    LossProduct,
    /// The cotangent becomes that change.
    Cotangent,
    /// From that change pulled back as if it were a gradient, adds up the parameters'.
    PullBack,
    /// From that change, adds up the change of the parameters' gradient.
    BackwardTangent,
}

/// What a pass through the network computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Values,
    /// The gradients of the values, and where wanted those of the parameters.
    Adjoints {
        parameters: bool,
    },
    /// The changes of the values.
    Tangents,
    /// The changes of the gradients, as if they were gradients.
    PulledBack,
    /// The changes of the gradients.
    Changes,
}

impl Op {
    /// The pass that it is; none where it is at the outputs.
    pub(super) fn pass(self) -> Option<Pass> {
        match self {
            Op::Forward => Some(Pass::Values),
            Op::Backward => Some(Pass::Adjoints { parameters: false }),
            Op::Gradient => Some(Pass::Adjoints { parameters: true }),
            Op::ForwardTangent => Some(Pass::Tangents),
            Op::PullBack => Some(Pass::PulledBack),
            Op::BackwardTangent => Some(Pass::Changes),
            Op::Outputs | Op::Loss | Op::LossGradient | Op::Tangents | Op::LossProduct | Op::Cotangent => {
                None
            }
        }
    }
}

impl Pass {
    /// Whether it goes from the input to the output.
    pub(super) fn is_forward(self) -> bool {
        matches!(self, Pass::Values | Pass::Tangents)
    }

    /// Whether it adds up a vector in the space of parameters.
    pub(super) fn has_parameters(self) -> bool {
        matches!(self, Pass::Adjoints { parameters: true } | Pass::PulledBack | Pass::Changes)
    }
}

/// What a program works on. Vectors that it does not ask for may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'a, T> {
    pub(crate) network: &'a Network<T>,
    pub(crate) parameters: &'a [T],
    pub(crate) batch: Batch<'a, T>,
    pub(crate) loss: Loss,
    /// In the space of parameters.
    pub(crate) direction: &'a [T],
    /// In the space of outputs.
    pub(crate) cotangent: &'a [T],
    /// On the outputs of layers that take noise.
    pub(crate) noise: &'a [T],
}

impl<T: Scalar> Operands<'_, T> {
    pub(super) fn rows(&self) -> usize {
        self.batch.inputs.len() / self.network.input_len()
    }

    fn source<'a>(&'a self, samples: &Range<usize>, statistics: Statistics<'a>) -> Source<'a, T> {
        let len = self.network.input_len();
        let inputs = &self.batch.inputs[samples.start * len..samples.end * len];
        Source { weights: self.parameters, inputs, statistics, noise: self.noise }
    }

    /// One operation on some nodes of a slice.
    pub(super) fn apply(&self, op: Op, nodes: Range<usize>, statistics: Statistics, slice: &mut Slice<T>) {
        let Operands { network, loss, direction, .. } = *self;
        let Slice { samples, point, tangent, sum, write, scratch, .. } = slice;
        let (PointTapes { values, adjoints }, TangentTapes { tangents, changes }) =
            (&mut **point, &mut **tangent);
        let source = self.source(samples, statistics);
        let (rows, width, cpu) = (samples.len(), network.output_len(), network.cpu());
        let scale = 1.0 / self.rows() as f64;
        let ends = samples.start * width..samples.end * width;
        let parameters = Some((&mut **sum, *write));
        match op {
            Op::Forward => network.forward(nodes, source, values, scratch),
            Op::Outputs => slice.out.copy_from_slice(values.output(network, rows)),
            Op::Loss => {
                let targets = &self.batch.targets[ends];
                *slice.loss += loss.value(width, scale, values.output(network, rows), targets);
            }
            Op::LossGradient => {
                let (outputs, top) = (values.output(network, rows), adjoints.output_mut(network, rows));
                loss.gradient(cpu, width, scale, outputs, &self.batch.targets[ends], top);
            }
            Op::Backward => {
                let adjoint = Adjoint { tape: adjoints, parameters: None, scratch };
                network.backward(nodes, source, values, adjoint);
            }
            Op::Gradient => {
                network.backward(nodes, source, values, Adjoint { tape: adjoints, parameters, scratch });
            }
            Op::ForwardTangent => {
                network.forward_tangent(nodes, source, values, direction, tangents, scratch);
            }
            Op::Tangents => slice.out.copy_from_slice(tangents.output(network, rows)),
            Op::LossProduct => {
                let (outputs, change) = (values.output(network, rows), tangents.output(network, rows));
                let (targets, top) = (&self.batch.targets[ends], changes.output_mut(network, rows));
                loss.hessian_product(cpu, width, scale, outputs, targets, change, top);
            }
            Op::Cotangent => changes.output_mut(network, rows).copy_from_slice(&self.cotangent[ends]),
            Op::PullBack => {
                network.backward(nodes, source, values, Adjoint { tape: changes, parameters, scratch });
            }
            Op::BackwardTangent => {
                let change = Adjoint { tape: changes, parameters, scratch };
                network.backward_tangent(nodes, source, values, adjoints, direction, tangents, change);
            }
        }
    }

    /// A slice's part of the statistics that the node of a meeting needs to go on.
    pub(super) fn gather(
        &self,
        pass: Pass,
        meeting: Meeting<T>,
        statistics: Statistics,
        slice: &mut Slice<T>,
    ) {
        let source = self.source(&slice.samples, statistics);
        let (PointTapes { values, adjoints }, TangentTapes { tangents, changes }) =
            (&*slice.point, &*slice.tangent);
        let direction = self.direction;
        let filled = match pass {
            Pass::Values => Filled::Values,
            Pass::Adjoints { .. } => Filled::Adjoints(adjoints),
            Pass::Tangents => Filled::Tangents(direction, tangents),
            Pass::PulledBack => Filled::Adjoints(changes),
            Pass::Changes => Filled::Changes { direction, adjoints, tangents, changes },
        };
        self.network.gather(meeting, source, values, filled, slice.part);
    }
}
