//! Windows over images: their mean, their largest value, or their first pixel. Images are NHWC, as for convolutions.

use super::elementwise::Write;
use super::vectorised;
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
    /// The whole image as one window.
    pub fn global(height: usize, width: usize, channels: usize) -> Self {
        Windows { height, width, channels, window: [height, width], stride: 1 }
    }

    /// Whether there is at least one window.
    pub fn is_sound(&self) -> bool {
        let [rows, columns] = self.window;
        let bounded =
            [self.height, self.width, self.channels, self.stride].iter().all(|&n| (1..1 << 20).contains(&n));
        bounded && (1..=self.height).contains(&rows) && (1..=self.width).contains(&columns)
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

    /// Calls `visit` for every pixel of every window, window after window, with the places of its channels in the input
    /// and in the output.
    #[inline(always)]
    fn for_each_pixel(&self, images: usize, mut visit: impl FnMut(usize, usize)) {
        let [rows, columns] = self.window;
        let (height, width) = (self.output_height(), self.output_width());
        for window in 0..images * height * width {
            let (image, row, column) = (window / width / height, window / width % height, window % width);
            let corner = (image * self.height + row * self.stride) * self.width + column * self.stride;
            for i in 0..rows {
                for j in 0..columns {
                    visit((corner + i * self.width + j) * self.channels, window * self.channels);
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
pub fn average<T: Scalar>(cpu: Cpu, windows: &Windows, x: &[T], y: &mut [T]) {
    let (images, channels, share) = (windows.images(x, y), windows.channels, windows.share::<T>());
    y.fill(T::ZERO);
    vectorised(cpu, || {
        windows.for_each_pixel(images, |from, to| {
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
pub fn average_gradient<T: Scalar>(cpu: Cpu, windows: &Windows, dy: &[T], write: Write, dx: &mut [T]) {
    let (images, channels, share) = (windows.images(dx, dy), windows.channels, windows.share::<T>());
    if write == Write::Set {
        dx.fill(T::ZERO);
    }
    vectorised(cpu, || {
        windows.for_each_pixel(images, |to, from| {
            for (dx, &dy) in dx[to..to + channels].iter_mut().zip(&dy[from..from + channels]) {
                *dx += share * dy;
            }
        });
    });
}

/// `y` = the largest value of each window of `x`; NaN where the window has one.
///
/// # Panics
/// When lengths disagree with the shape.
pub fn maximum<T: Scalar>(cpu: Cpu, windows: &Windows, x: &[T], y: &mut [T]) {
    let (images, channels) = (windows.images(x, y), windows.channels);
    y.fill(-T::ONE / T::ZERO);
    vectorised(cpu, || {
        windows.for_each_pixel(images, |from, to| {
            for (y, &x) in y[to..to + channels].iter_mut().zip(&x[from..from + channels]) {
                // A NaN is kept, and one that comes is taken, for it is below nothing.
                if !(x <= *y || y.to_f64().is_nan()) {
                    *y = x;
                }
            }
        });
    });
}

/// `dx (+)=` the gradient by the input of [`maximum`], given that by the output: it goes to the first of a window's
/// largest pixels, as PyTorch's does. `x` and `y` are what [`maximum`] read and wrote.
///
/// # Panics
/// When lengths disagree with the shape.
pub fn maximum_gradient<T: Scalar>(
    windows: &Windows,
    x: &[T],
    y: &[T],
    dy: &[T],
    write: Write,
    dx: &mut [T],
) {
    windows.images(dx, dy);
    if write == Write::Set {
        dx.fill(T::ZERO);
    }
    windows.for_each_first_largest(x, y, |from, to| dx[from] += dy[to]);
}

/// `y_tangent` = the change of [`maximum`] when `x` changes by `x_tangent`.
///
/// # Panics
/// When lengths disagree with the shape.
pub fn maximum_tangent<T: Scalar>(windows: &Windows, x: &[T], y: &[T], x_tangent: &[T], y_tangent: &mut [T]) {
    windows.images(x_tangent, y_tangent);
    y_tangent.fill(T::ZERO);
    windows.for_each_first_largest(x, y, |from, to| y_tangent[to] = x_tangent[from]);
}

impl Windows {
    /// Calls `visit` for every output with the place of the input that it is, and its own.
    fn for_each_first_largest<T: Scalar>(&self, x: &[T], y: &[T], mut visit: impl FnMut(usize, usize)) {
        let [rows, columns] = self.window;
        let images = self.images(x, y);
        let (height, width) = (self.output_height(), self.output_width());
        for (to, &largest) in y.iter().enumerate().take(images * self.output_len()) {
            let (window, channel) = (to / self.channels, to % self.channels);
            let (image, row, column) = (window / width / height, window / width % height, window % width);
            let corner = (image * self.height + row * self.stride) * self.width + column * self.stride;
            let pixels = (0..rows).flat_map(|i| (0..columns).map(move |j| corner + i * self.width + j));
            let mut places = pixels.map(|pixel| pixel * self.channels + channel);
            // None where the largest is NaN.
            if let Some(from) = places.find(|&from| x[from] == largest) {
                visit(from, to);
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
            maximum(cpu, &WINDOWS, &x, &mut largest);
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
        let (mut y, mut moved) = (vec![0.0; 8], vec![0.0; 8]);
        let cpu = Cpu::current();
        maximum(cpu, &WINDOWS, &x, &mut y);
        maximum_tangent(&WINDOWS, &x, &y, &v, &mut moved);
        let mut pulled = vec![1.0; 60];
        maximum_gradient(&WINDOWS, &x, &y, &u, Write::Add, &mut pulled);
        assert!((dot(&u, &moved) + v.iter().sum::<f64>() - dot(&pulled, &v)).abs() < 1e-12);
        average(cpu, &WINDOWS, &v, &mut moved);
        average_gradient(cpu, &WINDOWS, &u, Write::Set, &mut pulled);
        assert!((dot(&u, &moved) - dot(&pulled, &v)).abs() < 1e-12);
    }

    #[test]
    fn the_first_of_equals_gets_the_gradient_and_nan_stays() {
        let windows = Windows::global(2, 2, 1);
        let x = [1.0, 3.0, 3.0, 3.0f32];
        let (mut y, mut dx) = ([0.0], [9.0; 4]);
        maximum(Cpu::current(), &windows, &x, &mut y);
        maximum_gradient(&windows, &x, &y, &[5.0], Write::Set, &mut dx);
        assert_eq!((y, dx), ([3.0], [0.0, 5.0, 0.0, 0.0]));
        for at in 0..4 {
            let mut x = x;
            x[at] = f32::NAN;
            maximum(Cpu::current(), &windows, &x, &mut y);
            assert!(y[0].is_nan());
        }
    }
}
