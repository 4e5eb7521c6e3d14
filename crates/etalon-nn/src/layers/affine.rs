//! What the fully connected and the convolutional layer have in common.

use super::{Direction, Layer, Output, Point, Response, Sink, Tensor};
use crate::Scalar;
use crate::kernels::elementwise::{Write, add_rows, fill_rows};
use crate::kernels::reduction::add_column_sums;
use std::fmt::Debug;

/// `y = s A(W) x + t b`: a map `A` that is linear in the weight `W` and in the input, fixed multipliers `s` and `t`, and
/// one bias for each output channel. Its four answers as a [`Layer`] follow from the map, its transpose and its gradient.
pub(super) trait Affine: Send + Sync + Debug {
    /// The lengths of a sample's input and output.
    fn lens(&self) -> (usize, usize);
    /// The shape of `W`, whose first number is that of the output channels.
    fn weight_shape(&self) -> Vec<usize>;
    /// The numbers of `W`.
    fn weight_len(&self) -> usize;
    /// `s`.
    fn weight_multiplier(&self) -> f64;
    /// The deviation of the initial `W`.
    fn weight_deviation(&self) -> f64;
    /// `t`; no bias without.
    fn bias_multiplier(&self) -> Option<f64>;
    /// `y (+)= s A(W) x`.
    fn apply<T: Scalar>(&self, at: &Point<T>, x: &[T], weight: &[T], write: Write, y: &mut [T]);
    /// `y = s A(W) x + b`, in one pass.
    fn apply_with_bias<T: Scalar>(&self, at: &Point<T>, weight: &[T], bias: &[T], y: &mut [T]);
    /// `dx (+)= s A(W)^T dy`.
    fn pull_back<T: Scalar>(&self, at: &Point<T>, dy: &[T], weight: &[T], write: Write, dx: &mut [T]);
    /// `dW (+)= s` times the gradient of `<dy, A(W) x>`.
    fn correlate<T: Scalar>(&self, at: &Point<T>, dy: &[T], x: &[T], write: Write, dw: &mut [T]);

    /// `db (+)= t` times the sum over samples and positions of `dy`.
    fn sum_to_bias<T: Scalar>(&self, at: &Point<T>, dy: &[T], write: Write, db: &mut [T]) {
        if let Some(t) = self.bias_multiplier() {
            if write == Write::Set {
                db.fill(T::ZERO);
            }
            add_column_sums(at.cpu, T::from_f64(t), dy, db);
        }
    }
}

impl<T: Scalar, A: Affine> Layer<T> for A {
    fn input_len(&self) -> usize {
        self.lens().0
    }

    fn output_len(&self) -> usize {
        self.lens().1
    }

    fn tensors(&self) -> Vec<Tensor> {
        let shape = self.weight_shape();
        // Biases start at zero.
        let bias = self.bias_multiplier().map(|multiplier| Tensor {
            name: "bias",
            shape: shape[..1].to_vec(),
            mean: 0.0,
            deviation: 0.0,
            multiplier,
        });
        let weight = Tensor {
            name: "weight",
            shape,
            mean: 0.0,
            deviation: self.weight_deviation(),
            multiplier: self.weight_multiplier(),
        };
        [Some(weight), bias].into_iter().flatten().collect()
    }

    fn response(&self) -> Response {
        Response::Linear { biases: self.bias_multiplier().map_or(0, |_| self.weight_shape()[0]) }
    }

    fn forward(&self, at: Point<T>, Output { y, .. }: Output<T>) {
        let (weight, bias) = at.weights.split_at(self.weight_len());
        match self.bias_multiplier() {
            None => self.apply(&at, at.x, weight, Write::Set, y),
            Some(1.0) => self.apply_with_bias(&at, weight, bias, y),
            Some(t) => {
                fill_rows(at.cpu, T::from_f64(t), bias, y);
                self.apply(&at, at.x, weight, Write::Add, y);
            }
        }
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((weights, write)) = sink.weights {
            let (dw, db) = weights.split_at_mut(self.weight_len());
            self.correlate(&at, dy, at.x, write, dw);
            self.sum_to_bias(&at, dy, write, db);
        }
        if let Some((dx, write)) = sink.x {
            self.pull_back(&at, dy, &at.weights[..self.weight_len()], write, dx);
        }
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, output: Output<T>) {
        let (weight_tangent, bias_tangent) = direction.weights.split_at(self.weight_len());
        let y_tangent = output.y;
        self.apply(&at, at.x, weight_tangent, Write::Set, y_tangent);
        if let Some(x_tangent) = direction.x {
            self.apply(&at, x_tangent, &at.weights[..self.weight_len()], Write::Add, y_tangent);
        }
        if let Some(t) = self.bias_multiplier() {
            add_rows(at.cpu, T::from_f64(t), bias_tangent, y_tangent);
        }
    }

    fn backward_tangent(
        &self,
        at: Point<T>,
        direction: Direction<T>,
        dy: &[T],
        dy_tangent: &[T],
        sink: Sink<T>,
    ) {
        if let Some((weights, write)) = sink.weights {
            let (dw, db) = weights.split_at_mut(self.weight_len());
            self.correlate(&at, dy_tangent, at.x, write, dw);
            if let Some(x_tangent) = direction.x {
                self.correlate(&at, dy, x_tangent, Write::Add, dw);
            }
            self.sum_to_bias(&at, dy_tangent, write, db);
        }
        if let Some((dx, write)) = sink.x {
            self.pull_back(&at, dy_tangent, &at.weights[..self.weight_len()], write, dx);
            self.pull_back(&at, dy, &direction.weights[..self.weight_len()], Write::Add, dx);
        }
    }
}
