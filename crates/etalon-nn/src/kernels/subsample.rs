//! Every so many pixels of an image, with more channels: the residual network's shortcut without parameters.

use super::elementwise::Write;
use crate::Scalar;

/// Output pixel (i, j) has the channels of input pixel (i stride, j stride), then zeros. Images are NHWC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subsample {
    /// Rows of an input image.
    pub height: usize,
    /// Columns of an input image.
    pub width: usize,
    /// Channels of an input pixel.
    pub inputs: usize,
    /// Channels of an output pixel, at least as many.
    pub outputs: usize,
    /// Pixels from one that is kept to the next.
    pub stride: usize,
}

impl Subsample {
    /// Elements of an input image.
    pub fn input_len(&self) -> usize {
        self.height * self.width * self.inputs
    }

    /// Elements of an output image.
    pub fn output_len(&self) -> usize {
        self.height.div_ceil(self.stride) * self.width.div_ceil(self.stride) * self.outputs
    }

    /// The place of each pixel that is kept, in the input and in the output.
    fn kept(self, images: usize) -> impl Iterator<Item = (usize, usize)> {
        let rows =
            (0..images * self.height).filter(move |row| (row % self.height).is_multiple_of(self.stride));
        let columns =
            move |row| (0..self.width).step_by(self.stride).map(move |column| row * self.width + column);
        rows.flat_map(columns).enumerate().map(move |(to, from)| (from * self.inputs, to * self.outputs))
    }
}

/// `y` = the pixels of `x` that are kept.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn subsample<T: Scalar>(shape: &Subsample, x: &[T], y: &mut [T]) {
    for (from, to) in shape.kept(x.len() / shape.input_len()) {
        let (kept, new) = y[to..to + shape.outputs].split_at_mut(shape.inputs);
        kept.copy_from_slice(&x[from..from + shape.inputs]);
        new.fill(T::ZERO);
    }
}

/// `dx (+)=` the gradient by the input of [`subsample`], given that by the output.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn subsample_gradient<T: Scalar>(shape: &Subsample, dy: &[T], write: Write, dx: &mut [T]) {
    if write == Write::Set {
        dx.fill(T::ZERO);
    }
    for (from, to) in shape.kept(dx.len() / shape.input_len()) {
        for (dx, &dy) in dx[from..from + shape.inputs].iter_mut().zip(&dy[to..]) {
            *dx += dy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_other_pixel_and_adds_channels_of_zeros() {
        let shape = Subsample { height: 3, width: 2, inputs: 1, outputs: 2, stride: 2 };
        let mut y = [9.0; 8];
        subsample(&shape, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0], &mut y);
        assert_eq!(y, [1.0, 0.0, 5.0, 0.0, 11.0, 0.0, 15.0, 0.0]);
        let mut dx = [1.0; 12];
        subsample_gradient(&shape, &[2.0, 7.0, 3.0, 7.0, 4.0, 7.0, 5.0, 7.0], Write::Add, &mut dx);
        assert_eq!(dx, [3.0, 1.0, 1.0, 1.0, 4.0, 1.0, 5.0, 1.0, 1.0, 1.0, 6.0, 1.0]);
    }
}
