//! The fully connected layer.

use super::{Direction, Layer, Point, Response, Sink, Tensor};
use crate::Scalar;
use crate::kernels::elementwise::{Write, add_rows, fill_rows};
use crate::kernels::product::{Matrix, product, product_with_bias};
use crate::kernels::reduction::add_column_sums;

/// `y = s W x + t b` with `W` of shape (outputs, inputs) and fixed multipliers `s`, `t`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// The length of the input.
    pub inputs: usize,
    /// The length of the output.
    pub outputs: usize,
    /// The multiplier `s`.
    pub weight_multiplier: f64,
    /// The deviation of the initial `W`.
    pub weight_deviation: f64,
    /// The multiplier `t`; no bias without. Biases start at zero.
    pub bias_multiplier: Option<f64>,
}

impl Dense {
    /// The weight, and the bias where there is one.
    fn split<'a, T>(&self, weights: &'a [T]) -> (&'a [T], &'a [T]) {
        weights.split_at(self.inputs * self.outputs)
    }

    fn scale<T: Scalar>(&self) -> T {
        T::from_f64(self.weight_multiplier)
    }

    fn bias_scale<T: Scalar>(&self) -> Option<T> {
        self.bias_multiplier.map(T::from_f64)
    }

    /// `y (+)= s x W^T`.
    fn apply<T: Scalar>(&self, at: &Point<T>, x: &[T], weight: &[T], write: Write, y: &mut [T]) {
        let x = Matrix::row_major(x, at.rows, self.inputs);
        let weight = Matrix::row_major(weight, self.outputs, self.inputs);
        product(at.cpu, self.scale(), x, weight.transposed(), write.keep(), y);
    }

    /// `dx (+)= s dy W`.
    fn pull_back<T: Scalar>(&self, at: &Point<T>, dy: &[T], weight: &[T], write: Write, dx: &mut [T]) {
        let dy = Matrix::row_major(dy, at.rows, self.outputs);
        let weight = Matrix::row_major(weight, self.outputs, self.inputs);
        product(at.cpu, self.scale(), dy, weight, write.keep(), dx);
    }

    /// `dW (+)= s dy^T x`.
    fn correlate<T: Scalar>(&self, at: &Point<T>, dy: &[T], x: &[T], write: Write, dw: &mut [T]) {
        let dy = Matrix::row_major(dy, at.rows, self.outputs);
        let x = Matrix::row_major(x, at.rows, self.inputs);
        product(at.cpu, self.scale(), dy.transposed(), x, write.keep(), dw);
    }

    /// `db (+)= t sum of dy`.
    fn sum_to_bias<T: Scalar>(&self, at: &Point<T>, dy: &[T], write: Write, db: &mut [T]) {
        if let Some(t) = self.bias_scale() {
            if write == Write::Set {
                db.fill(T::ZERO);
            }
            add_column_sums(at.cpu, t, dy, db);
        }
    }
}

impl<T: Scalar> Layer<T> for Dense {
    fn input_len(&self) -> usize {
        self.inputs
    }

    fn output_len(&self) -> usize {
        self.outputs
    }

    fn tensors(&self) -> Vec<Tensor> {
        let weight = Tensor {
            name: "weight",
            shape: vec![self.outputs, self.inputs],
            mean: 0.0,
            deviation: self.weight_deviation,
            multiplier: self.weight_multiplier,
        };
        let bias = self.bias_multiplier.map(|multiplier| Tensor {
            name: "bias",
            shape: vec![self.outputs],
            mean: 0.0,
            deviation: 0.0,
            multiplier,
        });
        [Some(weight), bias].into_iter().flatten().collect()
    }

    fn response(&self) -> Response {
        Response::Linear { biases: if self.bias_multiplier.is_some() { self.outputs } else { 0 } }
    }

    fn forward(&self, at: Point<T>, y: &mut [T]) {
        let (weight, bias) = self.split(at.weights);
        match self.bias_multiplier {
            None => self.apply(&at, at.x, weight, Write::Set, y),
            Some(1.0) => {
                let x = Matrix::row_major(at.x, at.rows, self.inputs);
                let weight = Matrix::row_major(weight, self.outputs, self.inputs);
                product_with_bias(at.cpu, self.scale(), x, weight.transposed(), bias, y);
            }
            Some(t) => {
                fill_rows(at.cpu, T::from_f64(t), bias, y);
                self.apply(&at, at.x, weight, Write::Add, y);
            }
        }
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((weights, write)) = sink.weights {
            let (dw, db) = weights.split_at_mut(self.inputs * self.outputs);
            self.correlate(&at, dy, at.x, write, dw);
            self.sum_to_bias(&at, dy, write, db);
        }
        if let Some((dx, write)) = sink.x {
            self.pull_back(&at, dy, self.split(at.weights).0, write, dx);
        }
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, y_tangent: &mut [T]) {
        let (weight_tangent, bias_tangent) = self.split(direction.weights);
        self.apply(&at, at.x, weight_tangent, Write::Set, y_tangent);
        if let Some(x_tangent) = direction.x {
            self.apply(&at, x_tangent, self.split(at.weights).0, Write::Add, y_tangent);
        }
        if let Some(t) = self.bias_scale() {
            add_rows(at.cpu, t, bias_tangent, y_tangent);
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
            let (dw, db) = weights.split_at_mut(self.inputs * self.outputs);
            self.correlate(&at, dy_tangent, at.x, write, dw);
            if let Some(x_tangent) = direction.x {
                self.correlate(&at, dy, x_tangent, Write::Add, dw);
            }
            self.sum_to_bias(&at, dy_tangent, write, db);
        }
        if let Some((dx, write)) = sink.x {
            self.pull_back(&at, dy_tangent, self.split(at.weights).0, write, dx);
            self.pull_back(&at, dy, self.split(direction.weights).0, Write::Add, dx);
        }
    }
}
