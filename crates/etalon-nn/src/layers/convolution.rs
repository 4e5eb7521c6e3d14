//! The convolutional layer.

use super::Point;
use super::affine::Affine;
use crate::Scalar;
use crate::kernels::convolution::{self as kernels, Convolution, convolve, convolve_with_bias};
use crate::kernels::elementwise::Write;

/// `y = s W * x + t b` over NHWC images, with `W` of shape (outputs, inputs, rows, columns) and fixed multipliers `s`,
/// `t`. `b` has one number for each output channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    /// Image, kernel, stride, padding and channels.
    pub shape: Convolution,
    /// The fixed multiplier `s` of the weights.
    pub weight_multiplier: f64,
    /// The deviation of the initial `W`.
    pub weight_deviation: f64,
    /// The multiplier `t`; no bias without. Biases start at zero.
    pub bias_multiplier: Option<f64>,
}

impl Affine for Conv2d {
    fn lens(&self) -> (usize, usize) {
        (self.shape.input_len(), self.shape.output_len())
    }

    fn weight_shape(&self) -> Vec<usize> {
        let Convolution { inputs, outputs, kernel, .. } = self.shape;
        vec![outputs, inputs, kernel, kernel]
    }

    fn weight_len(&self) -> usize {
        self.shape.weight_len()
    }

    fn weight_multiplier(&self) -> f64 {
        self.weight_multiplier
    }

    fn weight_deviation(&self) -> f64 {
        self.weight_deviation
    }

    fn bias_multiplier(&self) -> Option<f64> {
        self.bias_multiplier
    }

    /// `y (+)= s W * x`.
    fn apply<T: Scalar>(&self, at: &Point<T>, x: &[T], weight: &[T], write: Write, y: &mut [T]) {
        convolve(at.cpu, &self.shape, T::from_f64(self.weight_multiplier), x, weight, write, y);
    }

    fn apply_with_bias<T: Scalar>(&self, at: &Point<T>, weight: &[T], bias: &[T], y: &mut [T]) {
        let scale = T::from_f64(self.weight_multiplier);
        convolve_with_bias(at.cpu, &self.shape, scale, at.x, weight, bias, y);
    }

    /// `dx (+)= s W^T * dy`.
    fn pull_back<T: Scalar>(&self, at: &Point<T>, dy: &[T], weight: &[T], write: Write, dx: &mut [T]) {
        let scale = T::from_f64(self.weight_multiplier);
        kernels::input_gradient(at.cpu, &self.shape, scale, dy, weight, write, dx);
    }

    /// `dW (+)= s` times the sum over images and positions of `dy x`.
    fn correlate<T: Scalar>(&self, at: &Point<T>, dy: &[T], x: &[T], write: Write, dw: &mut [T]) {
        let scale = T::from_f64(self.weight_multiplier);
        kernels::weight_gradient(at.cpu, &self.shape, scale, x, dy, write, dw);
    }
}
