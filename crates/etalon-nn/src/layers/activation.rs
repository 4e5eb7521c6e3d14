//! An activation function as a layer.

use super::{Direction, Layer, Point, Response, Sink};
use crate::Scalar;
use crate::kernels::activation::{Activation, gelu, gelu_bend, gelu_slope, relu, relu_slope};
use crate::kernels::elementwise::{Write, copy, map, zip2, zip4};

/// An activation of a given length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Activate {
    pub(crate) function: Activation,
    pub(crate) len: usize,
}

impl Activate {
    /// `out (+)= f'(x) v`.
    fn times_slope<T: Scalar>(&self, at: Point<T>, v: &[T], write: Write, out: &mut [T]) {
        match self.function {
            Activation::Identity => copy(at.cpu, write, v, out),
            Activation::Relu => zip2(at.cpu, write, at.x, v, out, |x, v| relu_slope(x) * v),
            Activation::Tanh => zip2(at.cpu, write, at.y, v, out, |y, v| (T::ONE - y * y) * v),
            Activation::Gelu => zip2(at.cpu, write, at.x, v, out, |x, v| gelu_slope(x) * v),
        }
    }
}

impl<T: Scalar> Layer<T> for Activate {
    fn input_len(&self) -> usize {
        self.len
    }

    fn output_len(&self) -> usize {
        self.len
    }

    fn response(&self) -> Response {
        match self.function {
            Activation::Identity => Response::Linear { biases: 0 },
            Activation::Relu => Response::Homogeneous,
            Activation::Tanh | Activation::Gelu => Response::Other,
        }
    }

    fn forward(&self, at: Point<T>, y: &mut [T]) {
        match self.function {
            Activation::Identity => y.copy_from_slice(at.x),
            Activation::Relu => map(at.cpu, at.x, y, relu),
            Activation::Tanh => map(at.cpu, at.x, y, T::tanh),
            Activation::Gelu => map(at.cpu, at.x, y, gelu),
        }
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((dx, write)) = sink.x {
            self.times_slope(at, dy, write, dx);
        }
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, y_tangent: &mut [T]) {
        match direction.x {
            Some(x_tangent) => self.times_slope(at, x_tangent, Write::Set, y_tangent),
            None => y_tangent.fill(T::ZERO),
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
        let Some((dx, write)) = sink.x else { return };
        let Some(x_tangent) = direction.x else { return self.times_slope(at, dy_tangent, write, dx) };
        // d(f'(x) dy) = f'(x) d(dy) + f''(x) dx dy
        match self.function {
            Activation::Identity | Activation::Relu => self.times_slope(at, dy_tangent, write, dx),
            Activation::Tanh => {
                zip4(at.cpu, write, [at.y, x_tangent, dy, dy_tangent], dx, |y, v, d, dv| {
                    let slope = T::ONE - y * y;
                    slope * (dv - (y + y) * v * d)
                });
            }
            Activation::Gelu => {
                zip4(at.cpu, write, [at.x, x_tangent, dy, dy_tangent], dx, |x, v, d, dv| {
                    gelu_slope(x) * dv + gelu_bend(x) * v * d
                });
            }
        }
    }
}
