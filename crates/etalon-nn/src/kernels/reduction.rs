//! Sums. Each is taken in an order that depends on the lengths alone, so that its bits do too.

use super::vectorised;
use crate::{Cpu, Scalar};

/// The sum is kept in this many parts: enough for the widest vectors, and the same on every path.
const PARTS: usize = 32;

/// `sum_i x_i y_i`, accumulated in `f64`.
///
/// # Panics
/// When the two differ in length.
pub fn dot<T: Scalar>(cpu: Cpu, x: &[T], y: &[T]) -> f64 {
    T::dot(cpu, x, y)
}

/// Behind the door of [`dot`].
pub(crate) fn sum_of_products<T: Scalar>(cpu: Cpu, x: &[T], y: &[T]) -> f64 {
    assert_eq!(x.len(), y.len(), "the two vectors of a dot product differ in length");
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let mut parts = [0.0f64; PARTS];
            let (xs, ys) = (x.chunks_exact(PARTS), y.chunks_exact(PARTS));
            let tail: f64 =
                xs.remainder().iter().zip(ys.remainder()).map(|(&x, &y)| x.to_f64() * y.to_f64()).sum();
            for (x, y) in xs.zip(ys) {
                for i in 0..PARTS {
                    parts[i] += x[i].to_f64() * y[i].to_f64();
                }
            }
            parts.iter().sum::<f64>() + tail
        },
    )
}

/// The Euclidean norm, accumulated in `f64`.
pub fn norm<T: Scalar>(cpu: Cpu, x: &[T]) -> f64 {
    dot(cpu, x, x).sqrt()
}

/// `sums[j] += a sum_i x[i][j]`, where `x` holds whole rows of `sums.len()` numbers.
pub fn add_column_sums<T: Scalar>(cpu: Cpu, a: T, x: &[T], sums: &mut [T]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for row in x.chunks_exact(sums.len()) {
                for (sum, &x) in sums.iter_mut().zip(row) {
                    *sum += a * x;
                }
            }
        },
    );
}

/// Whether every number is finite.
pub fn all_finite<T: Scalar>(cpu: Cpu, x: &[T]) -> bool {
    // 0 x is 0 for a finite x and NaN otherwise; the sum tells in one pass without a branch.
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let mut parts = [T::ZERO; PARTS];
            let chunks = x.chunks_exact(PARTS);
            let tail: T = chunks.remainder().iter().map(|&x| x * T::ZERO).sum();
            for chunk in chunks {
                for i in 0..PARTS {
                    parts[i] += chunk[i] * T::ZERO;
                }
            }
            parts.iter().copied().sum::<T>() + tail == T::ZERO
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_the_same_bits_on_every_path() {
        let x: Vec<f32> = (0..1003).map(|i| (i as f32 * 0.37).sin()).collect();
        let y: Vec<f32> = (0..1003).map(|i| (i as f32 * 0.11).cos()).collect();
        let reference: f64 = x.iter().zip(&y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
        let portable = dot(Cpu::Portable, &x, &y);
        assert!((portable - reference).abs() < 1e-12 * 1003.0);
        for &cpu in Cpu::available() {
            assert_eq!(dot(cpu, &x, &y).to_bits(), portable.to_bits(), "{cpu:?}");
            let mut sums = [0.5f32; 17];
            add_column_sums(cpu, 2.0, &x[..17 * 59], &mut sums);
            let expected: f32 = 0.5 + (0..59).map(|i| 2.0 * x[i * 17 + 3]).fold(0.0, |a, b| a + b);
            assert!((sums[3] - expected).abs() < 1e-4);
        }
    }

    #[test]
    fn finds_a_number_that_is_not_finite_wherever_it_stands() {
        for &cpu in Cpu::available() {
            for n in [1, 31, 32, 33, 100] {
                let mut x = vec![1.0f32; n];
                assert!(all_finite(cpu, &x));
                for (at, bad) in [(0, f32::NAN), (n - 1, f32::INFINITY), (n / 2, f32::NEG_INFINITY)] {
                    x[at] = bad;
                    assert!(!all_finite(cpu, &x), "{bad} at {at} of {n}");
                    x[at] = 1.0;
                }
            }
        }
        assert!(all_finite::<f64>(Cpu::Portable, &[]));
    }
}
