//! What couples the samples of a batch.

use super::{Direction, Point, Tensor};
use crate::Scalar;
use std::ops::Range;

/// What a layer knows of all samples of a batch: a few sums for each pass, in `f64`. Empty for every layer that couples
/// nothing, and for a pass that has not been done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics<'a> {
    /// How many samples the batch has.
    pub samples: usize,
    /// Of the input.
    pub values: &'a [f64],
    /// Of the output's gradient.
    pub adjoints: &'a [f64],
    /// Of the input's change along a direction.
    pub tangents: &'a [f64],
    /// Of the change of the output's gradient.
    pub changes: &'a [f64],
}

impl<'a> Statistics<'a> {
    /// One layer's part.
    pub(crate) fn part(self, range: &Range<usize>) -> Self {
        let cut = |all: &'a [f64]| all.get(range.clone()).unwrap_or_default();
        Statistics {
            samples: self.samples,
            values: cut(self.values),
            adjoints: cut(self.adjoints),
            tangents: cut(self.tangents),
            changes: cut(self.changes),
        }
    }
}

/// How the samples of a batch meet in a layer: through [`Coupling::statistics_len`] sums over all of them for each pass.
///
/// Before a pass of such a layer every slice gathers its part of the pass's sums, and the engine adds the parts up in
/// the order of the slices; the layer finds the sums in [`Point::statistics`]. Its parameters' gradient follows from the
/// sums, not from a slice: a [`Sink`](super::Sink) never asks it for one. Running statistics stand for those of a batch
/// in evaluation.
pub trait Coupling<T: Scalar>: Sync {
    /// How many sums each pass has.
    fn statistics_len(&self) -> usize;
    /// A slice's part of the sums of the input, before [`Layer::forward`](super::Layer::forward).
    fn gather_values(&self, at: Point<T>, part: &mut [f64]);
    /// A slice's part of the sums of the output's gradient, before [`Layer::backward`](super::Layer::backward).
    fn gather_adjoints(&self, at: Point<T>, dy: &[T], part: &mut [f64]);
    /// A slice's part of the sums of the input's change, before
    /// [`Layer::forward_tangent`](super::Layer::forward_tangent).
    fn gather_tangents(&self, at: Point<T>, direction: Direction<T>, part: &mut [f64]);
    /// A slice's part of the sums of the change of the output's gradient, before
    /// [`Layer::backward_tangent`](super::Layer::backward_tangent).
    fn gather_changes(
        &self,
        at: Point<T>,
        direction: Direction<T>,
        dy: &[T],
        dy_tangent: &[T],
        part: &mut [f64],
    );
    /// Adds the part of so many samples more to the total of the samples before them. Plain addition, as for the other
    /// three passes, unless the layer keeps means in the place of sums.
    fn merge_values(&self, (_, total): (usize, &mut [f64]), (_, part): (usize, &[f64])) {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    /// The gradient of the parameters.
    fn parameter_gradient(&self, statistics: Statistics, gradient: &mut [T]);
    /// The change of [`Coupling::parameter_gradient`] along the direction.
    fn parameter_gradient_change(&self, statistics: Statistics, gradient: &mut [T]);
    /// The running statistics that the network's state holds for it, with PyTorch's names.
    fn running(&self) -> Vec<Tensor>;
    /// Moves running statistics towards those of a batch's values.
    fn track(&self, samples: usize, values: &[f64], running: &mut [T]);
    /// The sums that a batch of so many samples would have if it had the running statistics.
    fn evaluate(&self, samples: usize, running: &[T], values: &mut [f64]);
}
