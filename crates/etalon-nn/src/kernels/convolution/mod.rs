//! Two-dimensional convolutions with zero padding, on one thread and without allocation, and their two gradients.
//!
//! Images are NHWC: one image after another, each row by row, the channels of a pixel side by side. Weights have
//! PyTorch's order (outputs, inputs, kernel rows, kernel columns), so that a parameter vector holds what a file
//! of PyTorch's holds. What is computed is PyTorch's "convolution", which does not flip the kernel.
//!
//! No patch is ever written out. In an image with its border of zeros, the pixels that a row of the kernel reads lie
//! side by side, and those of the next output lie a step further: that is a matrix whose rows overlap, and the
//! product's tiles read it where it lies. A kernel of three rows makes three such runs of terms (`correlate`).
//! Weights are packed once a call, in the order in which tiles read them.
//!
//! As with products, the bits of an image's result depend on that image, the weights, the shape and the instruction
//! set alone; sums over images (the gradient by weights) run from the first image to the last.

mod correlate;
mod frame;
mod input_gradient;
#[cfg(test)]
mod tests;
mod weight_gradient;
mod weights;

pub use input_gradient::input_gradient;
pub use weight_gradient::weight_gradient;

use super::LONGEST;
use super::elementwise::Write;
use super::product::problem::Initial;
use super::product::{Matrix, product, product_with_bias};
use crate::{Cpu, Scalar};
use correlate::{Correlation, Grid};
use frame::Frame;
use weights::{Packed, Panels};

/// The shape of a convolution with a square kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Rows of an input image.
    pub height: usize,
    /// Columns of an input image.
    pub width: usize,
    /// Channels of an input pixel.
    pub inputs: usize,
    /// Channels of an output pixel.
    pub outputs: usize,
    /// Rows and columns of the kernel, up to [`Convolution::LARGEST_KERNEL`].
    pub kernel: usize,
    /// Pixels from one place of the kernel to the next, both ways.
    pub stride: usize,
    /// Rows and columns of zeros on each of the four sides.
    pub padding: usize,
}

impl Convolution {
    /// The largest kernel.
    pub const LARGEST_KERNEL: usize = correlate::RUNS;

    /// Whether there is at least one output pixel, and the numbers of elements can be counted.
    pub(crate) fn is_sound(&self) -> bool {
        let Convolution { height, width, inputs, outputs, kernel, stride, padding } = *self;
        let bounded =
            [height, width, inputs, outputs, kernel, stride].iter().all(|&n| (1..=LONGEST).contains(&n));
        bounded
            && padding <= LONGEST
            && kernel <= Self::LARGEST_KERNEL
            && kernel <= height + 2 * padding
            && kernel <= width + 2 * padding
    }

    /// Rows of an output image.
    pub fn output_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Columns of an output image.
    pub fn output_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Elements of an input image.
    pub fn input_len(&self) -> usize {
        self.height * self.width * self.inputs
    }

    /// Elements of an output image.
    pub fn output_len(&self) -> usize {
        self.output_height() * self.output_width() * self.outputs
    }

    /// Elements of the weight.
    pub fn weight_len(&self) -> usize {
        self.outputs * self.fan_in()
    }

    /// Terms of an output's sum.
    pub fn fan_in(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Operations of a forward pass over one image, a multiplication and an addition counting as two. The gradients
    /// take as many each.
    pub fn operations(&self) -> f64 {
        2.0 * (self.output_height() * self.output_width()) as f64 * self.weight_len() as f64
    }

    /// Where the weight of a tap (kernel row x kernel + kernel column) lies.
    fn place(&self, output: usize, input: usize, tap: usize) -> usize {
        (output * self.inputs + input) * self.kernel * self.kernel + tap
    }

    /// Whether every output pixel is the product of the weight and the input pixel at its place.
    fn is_product(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// The input with its border, as the forward pass and the gradient by weights read it.
    fn frame(&self) -> Frame {
        let reach = |count: usize| (count - 1) * self.stride + self.kernel;
        Frame {
            image: [self.height, self.width, self.inputs],
            top: self.padding,
            left: self.padding,
            height: reach(self.output_height()),
            width: reach(self.output_width()),
        }
    }

    fn check<T>(&self, cpu: Cpu, x: &[T], weight: &[T], y: &[T]) {
        assert!(self.is_sound(), "convolution: {self:?} has no output, or a kernel that is too large");
        let images = x.len() / self.input_len();
        assert!(
            x.len() == images * self.input_len() && y.len() == images * self.output_len(),
            "convolution: {} input and {} output elements are not whole images of {self:?}",
            x.len(),
            y.len()
        );
        assert_eq!(weight.len(), self.weight_len(), "convolution: the weight of {self:?} has another length");
        assert!(Cpu::available().contains(&cpu), "convolution: this machine lacks {}", cpu.name());
    }
}

/// `y (+)= alpha W * x`, for any number of images.
///
/// # Panics
/// When lengths disagree with the shape, the shape is not sound, or this machine lacks `cpu`.
pub fn convolve<T: Scalar>(
    cpu: Cpu,
    shape: &Convolution,
    alpha: T,
    x: &[T],
    weight: &[T],
    write: Write,
    y: &mut [T],
) {
    shape.check(cpu, x, weight, y);
    if shape.is_product() {
        let (x, weight) = as_matrices(shape, x, weight);
        return product(cpu, alpha, x, weight.transposed(), write.keep(), y);
    }
    forward(cpu, shape, alpha, x, weight, initial(write), y);
}

/// `y = alpha W * x + bias`, with one number of `bias` for each output channel.
///
/// # Panics
/// As [`convolve`], and when `bias` has another length.
pub fn convolve_with_bias<T: Scalar>(
    cpu: Cpu,
    shape: &Convolution,
    alpha: T,
    x: &[T],
    weight: &[T],
    bias: &[T],
    y: &mut [T],
) {
    shape.check(cpu, x, weight, y);
    assert_eq!(bias.len(), shape.outputs, "convolution: the bias of {shape:?} has another length");
    if shape.is_product() {
        let (x, weight) = as_matrices(shape, x, weight);
        return product_with_bias(cpu, alpha, x, weight.transposed(), bias, y);
    }
    forward(cpu, shape, alpha, x, weight, Initial::Row(bias), y);
}

/// Pixels x inputs, and outputs x inputs.
fn as_matrices<'a, T>(shape: &Convolution, x: &'a [T], weight: &'a [T]) -> (Matrix<'a, T>, Matrix<'a, T>) {
    let pixels = x.len() / shape.inputs;
    (Matrix::row_major(x, pixels, shape.inputs), Matrix::row_major(weight, shape.outputs, shape.inputs))
}

fn initial<R>(write: Write) -> Initial<R> {
    match write {
        Write::Set => Initial::Zero,
        Write::Add => Initial::Kept,
    }
}

fn forward<T: Scalar>(
    cpu: Cpu,
    shape: &Convolution,
    alpha: T,
    x: &[T],
    weight: &[T],
    initial: Initial<&[T]>,
    y: &mut [T],
) {
    let micro = T::micro_kernel(cpu);
    let (frame, kernel) = (shape.frame(), shape.kernel);
    let packed = Packed { terms: shape.fan_in(), columns: shape.outputs, lanes: micro.lanes };
    let room = [packed.len(), frame.room(), correlate::EDGE];
    weights::with_panels(room, |Panels([panels, framed, edge])| {
        // Terms in the order of a framed image: kernel rows, kernel columns, inputs.
        packed.pack(panels, weight, shape.fan_in(), |term| {
            shape.place(0, term % shape.inputs, term / shape.inputs)
        });
        frame.clear(framed);
        let (line, width) = (frame.line(), shape.output_width());
        let mut starts = [0; correlate::RUNS];
        starts.iter_mut().enumerate().for_each(|(row, start)| *start = row * line);
        let correlation = Correlation {
            micro,
            grid: Grid {
                rows: shape.output_height(),
                cols: width,
                a_line: shape.stride * line,
                a_pixel: shape.stride * shape.inputs,
                c_line: width * shape.outputs,
                c_pixel: shape.outputs,
            },
            runs: &starts[..kernel],
            run: kernel * shape.inputs,
            packed,
            panels,
            alpha,
            initial,
        };
        for (x, y) in x.chunks_exact(shape.input_len()).zip(y.chunks_exact_mut(shape.output_len())) {
            correlation.run(frame.show(x, framed), y, edge);
        }
    });
}
