//! One flat vector of parameters, cut into named segments.
//!
//! Parameters, gradients, momentum buffers, directions and eigenvectors are all plain vectors that share one
//! [`Layout`]. Optimisers, Lanczos, norms, learning-rate factors and files work on those and need no more.

mod file;

pub use file::{FileError, load, save, save_tensors};

use crate::Scalar;
use crate::layers::Tensor;
use crate::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;

/// A named piece of the parameter vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// PyTorch's name, such as `layers.0.weight`.
    pub name: String,
    /// PyTorch's shape: (out, in) for a fully connected layer's weight.
    pub shape: Vec<usize>,
    /// Where it stands in the vector.
    pub range: Range<usize>,
    /// The mean of its initial values.
    pub mean: f64,
    /// The deviation of its independent normal initial values; 0 starts it at their mean.
    pub deviation: f64,
    /// The fixed number that multiplies it wherever it is used (1 in the standard parametrisation).
    pub multiplier: f64,
}

/// How a parameter vector is cut into segments, in order and without gaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    segments: Vec<Segment>,
}

impl Layout {
    /// The segments in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.segments.last().map_or(0, |last| last.range.end)
    }

    /// Whether there is no parameter at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The segment of that name.
    pub fn find(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.name == name)
    }

    /// Appends a layer's tensor to the layer's name.
    pub(crate) fn push(&mut self, layer: &str, tensor: Tensor) {
        let Tensor { name, shape, mean, deviation, multiplier } = tensor;
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        let name = format!("{layer}.{name}");
        self.segments.push(Segment { name, shape, range, mean, deviation, multiplier });
    }

    /// Fresh parameters: each segment normal with its own mean and deviation. They depend on the seed alone, and a
    /// network in `f32` starts at the roundings of the same network in `f64`.
    pub fn initialise<T: Scalar>(&self, seed: u64) -> Vec<T> {
        T::initialise(self, seed)
    }

    /// Behind the door of [`Layout::initialise`].
    pub(crate) fn draw<T: Scalar>(&self, seed: u64) -> Vec<T> {
        let mut parameters = vec![T::ZERO; self.len()];
        for (index, segment) in self.segments.iter().enumerate() {
            let parameters = &mut parameters[segment.range.clone()];
            if segment.deviation == 0.0 {
                parameters.fill(T::from_f64(segment.mean));
                continue;
            }
            let mut generator = stream(seed, Purpose::Parameters, index as u64);
            for parameter in parameters {
                let normal: f64 = StandardNormal.sample(&mut generator);
                *parameter = T::from_f64(segment.mean + segment.deviation * normal);
            }
        }
        parameters
    }
}
