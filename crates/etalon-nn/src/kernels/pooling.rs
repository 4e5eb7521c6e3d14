//! Windows over images: their mean, their largest value, or their first pixel. Images are NHWC, as for convolutions.

use super::elementwise::Write;
use super::{LONGEST, vectorised};
use crate::{Cpu, Scalar};

/// Windows of an image, without padding: a pixel beyond the last whole window is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Windows {
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels of a pixel, each of which is pooled by itself.
    pub channels: usize,
    /// Rows and columns of a window.
    pub window: [usize; 2],
    /// Pixels from one window to the next, both ways.
    pub stride: usize,
}

impl Windows {
    /// The most pixels of an image: their numbers are whole ones that `f32` has exactly.
    pub(crate) const MOST_PIXELS: usize = 1 << 24;

    /// The whole image as one window.
    pub fn global(height: usize, width: usize, channels: usize) -> Self {
        Windows { height, width, channels, window: [height, width], stride: 1 }
    }

    /// Whether there is at least one window.
    pub(crate) fn is_sound(&self) -> bool {
        let [rows, columns] = self.window;
        let bounded =
            [self.height, self.width, self.channels, self.stride].iter().all(|&n| (1..=LONGEST).contains(&n));
        bounded
            && self.height * self.width <= Self::MOST_PIXELS
            && (1..=self.height).contains(&rows)
            && (1..=self.width).contains(&columns)
    }

    /// Rows of windows.
    pub fn output_height(&self) -> usize {
        (self.height - self.window[0]) / self.stride + 1
    }

    /// Columns of windows.
    pub fn output_width(&self) -> usize {
        (self.width - self.window[1]) / self.stride + 1
    }

    /// Elements of an image.
    pub fn input_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Elements of an image's result.
    pub fn output_len(&self) -> usize {
        self.output_height() * self.output_width() * self.channels
    }

    fn images<T>(&self, x: &[T], y: &[T]) -> usize {
        assert!(self.is_sound(), "pooling: {self:?} has no window");
        let images = x.len() / self.input_len();
        assert!(
            x.len() == images * self.input_len() && y.len() == images * self.output_len(),
            "pooling: {} input and {} output elements are not whole images of {self:?}",
            x.len(),
            y.len()
        );
        images
    }

    /// The first pixel of a window, in all images.
    #[inline(always)]
    fn corner(&self, window: usize) -> usize {
        let (height, width) = (self.output_height(), self.output_width());
        let (image, row, column) = (window / width / height, window / width % height, window % width);
        (image * self.height + row * self.stride) * self.width + column * self.stride
    }

    /// Calls `visit` for every pixel of every window, window after window, with the window's first pixel, how far behind
    /// that the pixel stands, and the place of the window's channels in the output.
    #[inline(always)]
    fn for_each_pixel(&self, images: usize, mut visit: impl FnMut(usize, usize, usize)) {
        let [rows, columns] = self.window;
        for window in 0..images * self.output_height() * self.output_width() {
            let corner = self.corner(window);
            for i in 0..rows {
                for j in 0..columns {
                    visit(corner, i * self.width + j, window * self.channels);
                }
            }
        }
    }

    /// One over the number of pixels of a window.
    fn share<T: Scalar>(&self) -> T {
        T::ONE / T::from_f64((self.window[0] * self.window[1]) as f64)
    }
}

/// `y` = the mean of each window of `x`.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn average<T: Scalar>(cpu: Cpu, windows: &Windows, x: &[T], y: &mut [T]) {
    let (images, channels, share) = (windows.images(x, y), windows.channels, windows.share::<T>());
    y.fill(T::ZERO);
    vectorised(cpu, || {
        windows.for_each_pixel(images, |corner, offset, to| {
            let from = (corner + offset) * channels;
            for (y, &x) in y[to..to + channels].iter_mut().zip(&x[from..from + channels]) {
                *y += share * x;
            }
        });
    });
}

/// `dx (+)=` the gradient by the input of [`average`], given that by the output.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn average_gradient<T: Scalar>(cpu: Cpu, windows: &Windows, dy: &[T], write: Write, dx: &mut [T]) {
    let (images, channels, share) = (windows.images(dx, dy), windows.channels, windows.share::<T>());
    if write == Write::Set {
        dx.fill(T::ZERO);
    }
    vectorised(cpu, || {
        windows.for_each_pixel(images, |corner, offset, from| {
            let to = (corner + offset) * channels;
            for (dx, &dy) in dx[to..to + channels].iter_mut().zip(&dy[from..from + channels]) {
                *dx += share * dy;
            }
        });
    });
}

/// `y` = the largest value of each window of `x`; NaN where the window has one. `winners`, of the length of `y`, says
/// which pixel that is, the first of equals: how many pixels of the image it stands behind the first of its window; -1
/// where the largest is NaN.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn maximum<T: Scalar>(cpu: Cpu, windows: &Windows, x: &[T], y: &mut [T], winners: &mut [T]) {
    let (images, channels) = (windows.images(x, y), windows.channels);
    assert_eq!(winners.len(), y.len(), "pooling: each output has one winner");
    y.fill(-T::ONE / T::ZERO);
    winners.fill(T::ZERO);
    vectorised(cpu, || {
        windows.for_each_pixel(images, |corner, offset, to| {
            let from = (corner + offset) * channels;
            let place = T::from_f64(offset as f64);
            let outputs = y[to..to + channels].iter_mut().zip(&mut winners[to..to + channels]);
            for ((y, winner), &x) in outputs.zip(&x[from..from + channels]) {
                // A NaN is kept, and one that comes is taken, for it is below nothing.
                if !(x <= *y || y.to_f64().is_nan()) {
                    (*y, *winner) = (x, place);
                }
            }
        });
    });
    for (winner, y) in winners.iter_mut().zip(y) {
        if y.to_f64().is_nan() {
            *winner = -T::ONE;
        }
    }
}

/// `dx (+)=` the gradient by the input of [`maximum`], given that by the output: it goes to the winners, as
/// PyTorch's does.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn maximum_gradient<T: Scalar>(
    windows: &Windows,
    winners: &[T],
    dy: &[T],
    write: Write,
    dx: &mut [T],
) {
    windows.images(dx, dy);
    if write == Write::Set {
        dx.fill(T::ZERO);
    }
    windows.for_each_winner(winners, |from, to| dx[from] += dy[to]);
}

/// `y_tangent` = the change of [`maximum`] when `x` changes by `x_tangent`.
///
/// # Panics
/// When lengths disagree with the shape.
pub(crate) fn maximum_tangent<T: Scalar>(
    windows: &Windows,
    winners: &[T],
    x_tangent: &[T],
    y_tangent: &mut [T],
) {
    windows.images(x_tangent, y_tangent);
    y_tangent.fill(T::ZERO);
    windows.for_each_winner(winners, |from, to| y_tangent[to] = x_tangent[from]);
}

impl Windows {
    /// Calls `visit` for every output that has a winner, with the winner's place in the input and with its own.
    fn for_each_winner<T: Scalar>(&self, winners: &[T], mut visit: impl FnMut(usize, usize)) {
        for (window, winners) in winners.chunks_exact(self.channels).enumerate() {
            let (corner, start) = (self.corner(window), window * self.channels);
            for (channel, winner) in winners.iter().enumerate() {
                if *winner >= T::ZERO {
                    let pixel = corner + winner.to_f64() as usize;
                    visit(pixel * self.channels + channel, start + channel);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { height: 3, width: 5, channels: 2, window: [2, 3], stride: 2 };

    fn input() -> Vec<f64> {
        (0..60).map(|i| f64::from((i * 37) % 23) - 11.0).collect()
    }

    /// The six values of a window.
    fn window(x: &[f64], image: usize, column: usize, channel: usize) -> Vec<f64> {
        let at = |i: usize, j: usize| x[((image * 3 + i) * 5 + 2 * column + j) * 2 + channel];
        (0..2).flat_map(|i| (0..3).map(move |j| at(i, j))).collect()
    }

    #[test]
    fn windows_have_their_mean_and_their_largest_value() {
        let x = input();
        for &cpu in Cpu::available() {
            let (mut mean, mut largest) = (vec![f64::NAN; 8], vec![f64::NAN; 8]);
            average(cpu, &WINDOWS, &x, &mut mean);
            maximum(cpu, &WINDOWS, &x, &mut largest, &mut [0.0; 8]);
            for at in 0..8 {
                let values = window(&x, at / 4, at / 2 % 2, at % 2);
                assert!((mean[at] - values.iter().sum::<f64>() / 6.0).abs() < 1e-14);
                assert_eq!(largest[at], values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            }
        }
    }

    #[test]
    fn gradients_are_adjoint_to_tangents() {
        let (x, u) = (input(), [0.5, -2.0, 3.0, 1.0, -1.5, 2.5, 4.0, -0.25]);
        let v: Vec<f64> = (0..60).map(|i| f64::from((i * 29) % 31) - 15.0).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (mut winners, mut moved) = (vec![0.0; 8], vec![0.0; 8]);
        let cpu = Cpu::current();
        maximum(cpu, &WINDOWS, &x, &mut [0.0; 8], &mut winners);
        maximum_tangent(&WINDOWS, &winners, &v, &mut moved);
        let mut pulled = vec![1.0; 60];
        maximum_gradient(&WINDOWS, &winners, &u, Write::Add, &mut pulled);
        assert!((dot(&u, &moved) + v.iter().sum::<f64>() - dot(&pulled, &v)).abs() < 1e-12);
        average(cpu, &WINDOWS, &v, &mut moved);
        average_gradient(cpu, &WINDOWS, &u, Write::Set, &mut pulled);
        assert!((dot(&u, &moved) - dot(&pulled, &v)).abs() < 1e-12);
    }

    #[test]
    fn the_first_of_equals_gets_the_gradient_and_nan_stays() {
        let windows = Windows::global(2, 2, 1);
        let x = [1.0, 3.0, 3.0, 3.0f32];
        for &cpu in Cpu::available() {
            let (mut y, mut winner, mut dx) = ([0.0], [0.0], [9.0; 4]);
            let mut gradient = |x: &[f32; 4]| {
                maximum(cpu, &windows, x, &mut y, &mut winner);
                maximum_gradient(&windows, &winner, &[5.0], Write::Set, &mut dx);
                (y[0], dx)
            };
            assert_eq!(gradient(&x), (3.0, [0.0, 5.0, 0.0, 0.0]));
            assert_eq!(gradient(&[-0.0, 0.0, -1.0, 0.0]), (0.0, [5.0, 0.0, 0.0, 0.0]));
            let infinite = [f32::NEG_INFINITY; 4];
            assert_eq!(gradient(&infinite), (f32::NEG_INFINITY, [5.0, 0.0, 0.0, 0.0]));
            for at in 0..4 {
                let mut x = x;
                x[at] = f32::NAN;
                let (largest, dx) = gradient(&x);
                assert!(largest.is_nan() && dx == [0.0; 4]);
            }
        }
    }

    #[test]
    fn an_image_with_more_pixels_than_f32_can_number_is_not_pooled() {
        assert!(Windows::global(1 << 12, 1 << 12, 1).is_sound());
        assert!(!Windows::global((1 << 12) + 1, 1 << 12, 1).is_sound());
    }
}
