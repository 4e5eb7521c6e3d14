//! The fully connected layer.

use super::Point;
use super::affine::Affine;
use crate::Scalar;
use crate::kernels::elementwise::Write;
use crate::kernels::product::{Matrix, product, product_with_bias};

/// `y = s W x + t b` with `W` of shape (outputs, inputs) and fixed multipliers `s`, `t`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// The length of the input.
    pub inputs: usize,
    /// The length of the output.
    pub outputs: usize,
    /// The fixed multiplier `s` of the weights.
    pub weight_multiplier: f64,
    /// The deviation of the initial `W`.
    pub weight_deviation: f64,
    /// The multiplier `t`; no bias without. Biases start at zero.
    pub bias_multiplier: Option<f64>,
}

impl Dense {
    fn matrix<'a, T>(&self, weight: &'a [T]) -> Matrix<'a, T> {
        Matrix::row_major(weight, self.outputs, self.inputs)
    }
}

impl Affine for Dense {
    fn lens(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.outputs, self.inputs]
    }

    fn weight_len(&self) -> usize {
        self.inputs * self.outputs
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

    /// `y (+)= s x W^T`.
    fn apply<T: Scalar>(&self, at: &Point<T>, x: &[T], weight: &[T], write: Write, y: &mut [T]) {
        let x = Matrix::row_major(x, at.rows, self.inputs);
        let scale = T::from_f64(self.weight_multiplier);
        product(at.cpu, scale, x, self.matrix(weight).transposed(), write.keep(), y);
    }

    fn apply_with_bias<T: Scalar>(&self, at: &Point<T>, weight: &[T], bias: &[T], y: &mut [T]) {
        let x = Matrix::row_major(at.x, at.rows, self.inputs);
        let scale = T::from_f64(self.weight_multiplier);
        product_with_bias(at.cpu, scale, x, self.matrix(weight).transposed(), bias, y);
    }

    /// `dx (+)= s dy W`.
    fn pull_back<T: Scalar>(&self, at: &Point<T>, dy: &[T], weight: &[T], write: Write, dx: &mut [T]) {
        let dy = Matrix::row_major(dy, at.rows, self.outputs);
        let scale = T::from_f64(self.weight_multiplier);
        product(at.cpu, scale, dy, self.matrix(weight), write.keep(), dx);
    }

    /// `dW (+)= s dy^T x`.
    fn correlate<T: Scalar>(&self, at: &Point<T>, dy: &[T], x: &[T], write: Write, dw: &mut [T]) {
        let dy = Matrix::row_major(dy, at.rows, self.outputs);
        let x = Matrix::row_major(x, at.rows, self.inputs);
        let scale = T::from_f64(self.weight_multiplier);
        product(at.cpu, scale, dy.transposed(), x, write.keep(), dw);
    }
}
