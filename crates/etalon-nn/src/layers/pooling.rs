//! Pooling: the mean or the largest value of windows of an image.

use super::{Direction, Layer, Output, Point, Response, Sink};
use crate::Scalar;
use crate::kernels::elementwise::Write;
use crate::kernels::pooling::{self as kernels, Windows};

/// What is kept of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// The mean of its pixels.
    Average,
    /// The largest of its pixels, channel by channel; the gradient goes to the first of equals.
    Maximum,
}

/// Pooling over NHWC images.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool2d {
    /// The windows.
    pub windows: Windows,
    /// What is kept of each.
    pub kept: Kept,
}

impl Pool2d {
    /// `dx (+)=` the gradient by the input: linear in `dy`, and constant near almost every `x`.
    fn pull_back<T: Scalar>(&self, at: &Point<T>, dy: &[T], write: Write, dx: &mut [T]) {
        match self.kept {
            Kept::Average => kernels::average_gradient(at.cpu, &self.windows, dy, write, dx),
            Kept::Maximum => kernels::maximum_gradient(&self.windows, at.saved, dy, write, dx),
        }
    }
}

impl<T: Scalar> Layer<T> for Pool2d {
    fn input_len(&self) -> usize {
        self.windows.input_len()
    }

    fn output_len(&self) -> usize {
        self.windows.output_len()
    }

    /// The winners of the windows.
    fn saved_len(&self) -> usize {
        match self.kept {
            Kept::Average => 0,
            Kept::Maximum => self.windows.output_len(),
        }
    }

    fn response(&self) -> Response {
        match self.kept {
            Kept::Average => Response::Linear { biases: 0 },
            Kept::Maximum => Response::Homogeneous,
        }
    }

    fn forward(&self, at: Point<T>, Output { y, saved, .. }: Output<T>) {
        match self.kept {
            Kept::Average => kernels::average(at.cpu, &self.windows, at.x, y),
            Kept::Maximum => kernels::maximum(at.cpu, &self.windows, at.x, y, saved),
        }
    }

    fn backward(&self, at: Point<T>, dy: &[T], sink: Sink<T>) {
        if let Some((dx, write)) = sink.x {
            self.pull_back(&at, dy, write, dx);
        }
    }

    fn forward_tangent(&self, at: Point<T>, direction: Direction<T>, output: Output<T>) {
        match (direction.x, self.kept) {
            (None, _) => output.y.fill(T::ZERO),
            (Some(x_tangent), Kept::Average) => {
                kernels::average(at.cpu, &self.windows, x_tangent, output.y);
            }
            (Some(x_tangent), Kept::Maximum) => {
                kernels::maximum_tangent(&self.windows, at.saved, x_tangent, output.y);
            }
        }
    }

    fn backward_tangent(&self, at: Point<T>, _: Direction<T>, _: &[T], dy_tangent: &[T], sink: Sink<T>) {
        if let Some((dx, write)) = sink.x {
            self.pull_back(&at, dy_tangent, write, dx);
        }
    }
}
