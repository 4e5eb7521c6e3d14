//! The layers a network is made of, one file each.
//!
//! A layer answers four questions about a slice of samples: its output; the gradient given its output's; the
//! change of its output along a direction; the change of that gradient along a direction. From these the
//! engine composes value, gradient, Jacobian and Hessian products, so that a new layer brings the whole of
//! curvature with it. A layer calls kernels and touches no number itself.
//!
//! What a pass computes and a later one needs, a layer may save: [`Layer::saved_len`] and
//! [`Layer::saved_tangent_len`]. What lets samples of a batch depend on each other is a [`Coupling`]. A layer may be
//! defined anywhere and given to [`NetworkBuilder::push`](crate::network::NetworkBuilder::push); the crate's example
//! `attention` is one.
//!
//! A sample's features are positions x channels, feature `(h * width + w) * channels + c` for an image, and one
//! position in a fully connected network.

mod activation;
mod affine;
mod convolution;
mod coupling;
mod dense;
mod normalization;
mod pooling;
mod shortcut;

pub(crate) use activation::Activate;
pub use convolution::Conv2d;
pub use coupling::{Coupling, Statistics};
pub use dense::Dense;
pub use normalization::{Normalization, Normalizer, Over};
pub use pooling::{Kept, Pool2d};
pub use shortcut::Shortcut;

use crate::kernels::elementwise::Write;
use crate::{Cpu, Scalar};
use std::fmt::Debug;

/// A parameter tensor that a layer wants to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The last part of its name: `weight` or `bias`.
    pub name: &'static str,
    /// The shape that PyTorch gives the same parameters.
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
    /// The layer's input, sample by sample.
    pub x: &'a [T],
    /// The output; empty while it is being computed. Noise may have been added to it, see [`Layer::noise_len`].
    pub y: &'a [T],
    /// What [`Layer::forward`] saved; empty while it is being computed.
    pub saved: &'a [T],
    /// Sums over the whole batch, for a layer that couples its samples.
    pub statistics: Statistics<'a>,
}

/// A direction in which a layer's parameters and input move.
#[derive(Clone, Copy, Debug)]
pub struct Direction<'a, T> {
    /// The change of the parameters.
    pub weights: &'a [T],
    /// The change of the input; none where the input is the data, which stays.
    pub x: Option<&'a [T]>,
    /// What [`Layer::forward_tangent`] saved; empty while it is being computed.
    pub saved: &'a [T],
}

/// Where a layer leaves its output, or the change of it. What the slices hold before means nothing.
#[derive(Debug)]
pub struct Output<'a, T> {
    /// The layer's output, sample by sample.
    pub y: &'a mut [T],
    /// What later passes will find in [`Point::saved`], or in [`Direction::saved`].
    pub saved: &'a mut [T],
    /// Room to compute in.
    pub scratch: &'a mut [T],
}

/// Where a layer leaves a gradient, or the change of one.
#[derive(Debug)]
pub struct Sink<'a, T> {
    /// The gradient of the parameters, and whether to replace or to add; none where nobody asks for it.
    pub weights: Option<(&'a mut [T], Write)>,
    /// The gradient of the input, and whether to replace or to add; none where nobody asks for it.
    pub x: Option<(&'a mut [T], Write)>,
    /// Room to compute in. What it holds before means nothing.
    pub scratch: &'a mut [T],
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
    /// Linear in the parameters together, and divides the input's scale out, as a normalisation does. Running statistics
    /// of such a layer are means, which follow the scale, and variances, which follow its square.
    Normalizing {
        /// What is added to the variance: the scale is divided out exactly where it is 0.
        epsilon: f64,
        /// Where each of so many channels is normalised by itself: what is added to a channel in all samples and at all
        /// positions alike leaves the output as it is.
        centers: Option<usize>,
    },
    /// Anything else.
    Other,
}

/// A layer: shapes and fixed numbers, no state, so that each question always has the same answer. Lengths are per
/// sample.
pub trait Layer<T: Scalar>: Send + Sync + Debug {
    /// The length of its input.
    fn input_len(&self) -> usize;
    /// The length of its output.
    fn output_len(&self) -> usize;
    /// Its parameters, in order.
    fn tensors(&self) -> Vec<Tensor> {
        Vec::new()
    }
    /// How many numbers of a sample [`Layer::forward`] saves for the other three passes at the same point. A slice's are
    /// `rows` times as many, in an order of the layer's choosing.
    fn saved_len(&self) -> usize {
        0
    }
    /// How many numbers of a sample [`Layer::forward_tangent`] saves for [`Layer::backward_tangent`] along the same
    /// direction.
    fn saved_tangent_len(&self) -> usize {
        0
    }
    /// How many numbers of scratch each pass needs, for a slice of any number of samples.
    fn scratch_len(&self) -> usize {
        0
    }
    /// What couples its samples, if anything does. Only such a layer may let a sample's output depend on other samples;
    /// the engine brings the batch together before each of its passes.
    fn coupling(&self) -> Option<&dyn Coupling<T>> {
        None
    }
    /// What it does to the scale of its input and of its parameters; [`Response::Other`] is always true.
    fn response(&self) -> Response {
        Response::Other
    }
    /// How many positions of its output take noise, see
    /// [`Network::noisy_gradient`](crate::Network::noisy_gradient). A layer with any may not look at its own output.
    fn noise_len(&self) -> usize {
        0
    }
    /// `y = F(weights, x)`.
    fn forward(&self, at: Point<T>, output: Output<T>);
    /// Given `dy`, the gradient of the output: that of the parameters and of the input.
    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>);
    /// The change of the output along `direction`.
    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, output: Output<T>);
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
