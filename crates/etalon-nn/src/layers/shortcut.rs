//! The shortcut without parameters, where a residual network's stage begins.

use super::{Direction, Layer, Output, Point, Response, Sink};
use crate::Scalar;
use crate::kernels::subsample::{Subsample, subsample, subsample_gradient};

/// Every so many pixels of an NHWC image, with new channels of zeros (He, Zhang, Ren and Sun 2015, 1512.03385,
/// section 3.3, option A).
#[derive(Clone, Debug, PartialEq)]
pub struct Shortcut {
    /// Its shape.
    pub shape: Subsample,
}

impl<T: Scalar> Layer<T> for Shortcut {
    fn input_len(&self) -> usize {
        self.shape.input_len()
    }

    fn output_len(&self) -> usize {
        self.shape.output_len()
    }

    fn response(&self) -> Response {
        Response::Linear { biases: 0 }
    }

    fn forward(&self, at: Point<T>, Output { y, .. }: Output<T>) {
        subsample(&self.shape, at.x, y);
    }

    fn backward(&self, _: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((dx, write)) = sink.x {
            subsample_gradient(&self.shape, dy, write, dx);
        }
    }

    fn forward_tangent(&self, _: Point<T>, direction: Direction<T>, output: Output<T>) {
        match direction.x {
            Some(x_tangent) => subsample(&self.shape, x_tangent, output.y),
            None => output.y.fill(T::ZERO),
        }
    }

    fn backward_tangent(&self, _: Point<T>, _: Direction<T>, _: &[T], dy_tangent: &[T], sink: Sink<T>) {
        if let Some((dx, write)) = sink.x {
            subsample_gradient(&self.shape, dy_tangent, write, dx);
        }
    }
}
