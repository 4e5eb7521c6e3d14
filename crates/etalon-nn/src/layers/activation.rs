//! An activation function as a layer.

use super::{Direction, Layer, Output, Point, Response, Sink};
use crate::Scalar;
use crate::kernels::activation::{Activation, Homogeneity};
use crate::kernels::elementwise::Write;

/// An activation of a given length.
#[derive(Clone, Debug, PartialEq)]
pub struct Activate {
    /// The function.
    pub function: Activation,
    /// Numbers a sample.
    pub len: usize,
}

impl<T: Scalar> Layer<T> for Activate {
    fn input_len(&self) -> usize {
        self.len
    }

    fn output_len(&self) -> usize {
        self.len
    }

    fn response(&self) -> Response {
        match self.function.homogeneity() {
            Homogeneity::Linear => Response::Linear { biases: 0 },
            Homogeneity::Positive => Response::Homogeneous,
            Homogeneity::None => Response::Other,
        }
    }

    fn forward(&self, at: Point<T>, output: Output<T>) {
        self.function.apply(at.cpu, at.x, output.y);
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((dx, write)) = sink.x {
            self.function.times_slope(at.cpu, [at.x, at.y, dy], write, dx);
        }
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, output: Output<T>) {
        match direction.x {
            Some(x_tangent) => {
                self.function.times_slope(at.cpu, [at.x, at.y, x_tangent], Write::Set, output.y);
            }
            None => output.y.fill(T::ZERO),
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
        match direction.x {
            Some(x_tangent) => {
                let (input, gradient) = (([at.x, at.y], x_tangent), (dy, dy_tangent));
                self.function.times_slope_change(at.cpu, input, gradient, write, dx);
            }
            None => self.function.times_slope(at.cpu, [at.x, at.y, dy_tangent], write, dx),
        }
    }
}
