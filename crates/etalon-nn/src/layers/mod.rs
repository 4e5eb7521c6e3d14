//! The layers a network is made of, one file each.
//!
//! A layer answers four questions about a slice of samples: its output; the gradient given its output's; the
//! change of its output along a direction; the change of that gradient along a direction. From these the
//! engine composes value, gradient, Jacobian and Hessian products, so that a new layer brings the whole of
//! curvature with it. A layer calls kernels and touches no number itself.
//!
//! A sample's features are positions x channels, feature `(h * width + w) * channels + c` for an image, and one
//! position in a fully connected network.

mod activation;
mod affine;
mod convolution;
mod dense;
mod normalization;
mod pooling;
mod shortcut;

pub use convolution::Conv2d;
pub use dense::Dense;
pub use normalization::{Normalization, Normalizer, Over};
pub use pooling::{Kept, Pool2d};
pub use shortcut::Shortcut;

use crate::kernels::elementwise::Write;
use crate::{Cpu, Scalar};
use std::fmt::Debug;
use std::ops::Range;

/// An activation of a given length as a layer.
pub(crate) fn activate<T: Scalar>(
    function: crate::kernels::activation::Activation,
    len: usize,
) -> Box<dyn Layer<T>> {
    Box::new(activation::Activate { function, len })
}

/// A parameter tensor that a layer wants to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The last part of its name: `weight` or `bias`.
    pub name: &'static str,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    /// The mean of its initial values.
    pub mean: f64,
    /// The deviation of its initial values.
    pub deviation: f64,
    /// The fixed number that multiplies it.
    pub multiplier: f64,
}

/// One layer at one point: all that its answers may depend on. `x` and `y` are `rows` samples, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a, T> {
    /// The kernels to use.
    pub cpu: Cpu,
    /// How many samples the slice has.
    pub rows: usize,
    /// The layer's own parameters, its tensors one after another.
    pub weights: &'a [T],
    /// The input.
    pub x: &'a [T],
    /// The output; empty while it is being computed. That of a normalisation may have had noise added to it.
    pub y: &'a [T],
    /// Sums over the whole batch, for a layer that couples its samples.
    pub statistics: Statistics<'a>,
}

/// What [`Normalization`] over a batch knows of all its samples, a few numbers a channel for each pass; empty for
/// every other layer, and for a pass that has not been done.
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

/// A direction in which a layer's parameters and input move.
#[derive(Clone, Copy, Debug)]
pub struct Direction<'a, T> {
    /// The change of the parameters.
    pub weights: &'a [T],
    /// The change of the input; none where the input is the data, which stays.
    pub x: Option<&'a [T]>,
}

/// Where a layer leaves a gradient, or the change of one.
#[derive(Debug)]
pub struct Sink<'a, T> {
    /// The gradient of the parameters, and whether to replace or to add; none where nobody asks for it.
    pub weights: Option<(&'a mut [T], Write)>,
    /// The gradient of the input, and whether to replace or to add; none where nobody asks for it.
    pub x: Option<(&'a mut [T], Write)>,
}

/// How a layer's output answers when its input, or its parameters, are multiplied by a number above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Response {
    /// Linear in the input; linear in the parameters together; shifted by so many biases, which repeat over the
    /// positions of a sample (0 without).
    Linear {
        /// How many.
        biases: usize,
    },
    /// Has no parameters, and passes the input's scale on, as ReLU and max-pooling do.
    Homogeneous,
    /// A normalisation.
    Normalizing(Normalization),
    /// Anything else.
    Other,
}

/// A layer: shapes and fixed numbers, no state. Lengths are per sample.
pub trait Layer<T: Scalar>: Send + Sync + Debug {
    /// The length of its input.
    fn input_len(&self) -> usize;
    /// The length of its output.
    fn output_len(&self) -> usize;
    /// Its parameters, in order.
    fn tensors(&self) -> Vec<Tensor> {
        Vec::new()
    }
    /// The normalisation over the batch that this layer is, if it is one. Only such a layer may let a sample's output
    /// depend on other samples; the engine brings the batch together before each of its passes.
    fn coupling(&self) -> Option<&Normalization> {
        None
    }
    /// What it does to the scale of its input and of its parameters; [`Response::Other`] is always true.
    fn response(&self) -> Response {
        Response::Other
    }
    /// `y = F(weights, x)`.
    fn forward(&self, at: Point<T>, y: &mut [T]);
    /// Given `dy`, the gradient of the output: that of the parameters and of the input.
    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>);
    /// The change of the output along `direction`.
    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, y_tangent: &mut [T]);
    /// The change along `direction` of what [`Layer::backward`] gives, where `dy` itself changes by `dy_tangent`.
    fn backward_tangent(
        &self,
        at: Point<T>,
        direction: Direction<T>,
        dy: &[T],
        dy_tangent: &[T],
        sink: Sink<T>,
    );
}
