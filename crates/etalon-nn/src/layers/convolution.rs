//! The convolutional layer.

use super::{Direction, Layer, Point, Response, Sink, Tensor};
use crate::Scalar;
use crate::kernels::convolution::{self as kernels, Convolution, convolve, convolve_with_bias};
use crate::kernels::elementwise::{Write, add_rows, fill_rows};
use crate::kernels::reduction::add_column_sums;

/// `y = s W * x + t b` over NHWC images, with `W` of shape (outputs, inputs, rows, columns) and fixed multipliers `s`,
/// `t`. `b` has one number for each output channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    /// Its shape.
    pub shape: Convolution,
    /// The multiplier `s`.
    pub weight_multiplier: f64,
    /// The deviation of the initial `W`.
    pub weight_deviation: f64,
    /// The multiplier `t`; no bias without. Biases start at zero.
    pub bias_multiplier: Option<f64>,
}

impl Conv2d {
    /// The weight, and the bias where there is one.
    fn split<'a, T>(&self, weights: &'a [T]) -> (&'a [T], &'a [T]) {
        weights.split_at(self.shape.weight_len())
    }

    fn scale<T: Scalar>(&self) -> T {
        T::from_f64(self.weight_multiplier)
    }

    fn bias_scale<T: Scalar>(&self) -> Option<T> {
        self.bias_multiplier.map(T::from_f64)
    }

    /// `y (+)= s W * x`.
    fn apply<T: Scalar>(&self, at: &Point<T>, x: &[T], weight: &[T], write: Write, y: &mut [T]) {
        convolve(at.cpu, &self.shape, self.scale(), x, weight, write, y);
    }

    /// `dx (+)= s W^T * dy`.
    fn pull_back<T: Scalar>(&self, at: &Point<T>, dy: &[T], weight: &[T], write: Write, dx: &mut [T]) {
        kernels::input_gradient(at.cpu, &self.shape, self.scale(), dy, weight, write, dx);
    }

    /// `dW (+)= s` times the sum over images and positions of `dy x`.
    fn correlate<T: Scalar>(&self, at: &Point<T>, dy: &[T], x: &[T], write: Write, dw: &mut [T]) {
        kernels::weight_gradient(at.cpu, &self.shape, self.scale(), x, dy, write, dw);
    }

    /// `db (+)= t` times the sum over images and positions of `dy`.
    fn sum_to_bias<T: Scalar>(&self, at: &Point<T>, dy: &[T], write: Write, db: &mut [T]) {
        if let Some(t) = self.bias_scale() {
            if write == Write::Set {
                db.fill(T::ZERO);
            }
            add_column_sums(at.cpu, t, dy, db);
        }
    }
}

impl<T: Scalar> Layer<T> for Conv2d {
    fn input_len(&self) -> usize {
        self.shape.input_len()
    }

    fn output_len(&self) -> usize {
        self.shape.output_len()
    }

    fn tensors(&self) -> Vec<Tensor> {
        let Convolution { inputs, outputs, kernel, .. } = self.shape;
        let weight = Tensor {
            name: "weight",
            shape: vec![outputs, inputs, kernel, kernel],
            mean: 0.0,
            deviation: self.weight_deviation,
            multiplier: self.weight_multiplier,
        };
        let bias = self.bias_multiplier.map(|multiplier| Tensor {
            name: "bias",
            shape: vec![outputs],
            mean: 0.0,
            deviation: 0.0,
            multiplier,
        });
        [Some(weight), bias].into_iter().flatten().collect()
    }

    fn response(&self) -> Response {
        Response::Linear { biases: if self.bias_multiplier.is_some() { self.shape.outputs } else { 0 } }
    }

    fn forward(&self, at: Point<T>, y: &mut [T]) {
        let (weight, bias) = self.split(at.weights);
        match self.bias_multiplier {
            None => self.apply(&at, at.x, weight, Write::Set, y),
            Some(1.0) => convolve_with_bias(at.cpu, &self.shape, self.scale(), at.x, weight, bias, y),
            Some(t) => {
                fill_rows(at.cpu, T::from_f64(t), bias, y);
                self.apply(&at, at.x, weight, Write::Add, y);
            }
        }
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((weights, write)) = sink.weights {
            let (dw, db) = weights.split_at_mut(self.shape.weight_len());
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
            let (dw, db) = weights.split_at_mut(self.shape.weight_len());
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
