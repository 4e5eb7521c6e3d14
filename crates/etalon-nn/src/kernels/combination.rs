//! Linear combinations of long vectors.

use super::vectorised;
use crate::{Cpu, Scalar};

/// Numbers at a time: their sums, in `f64`, stay in the first cache.
const PART: usize = 512;
/// Vectors that are added in one pass over the sums.
const TOGETHER: usize = 4;

/// `w[i] += factor sum_j h[j] vectors[j][from + i]`, added up in `f64` in the order of the vectors and rounded once.
///
/// # Panics
/// When a vector ends before `from + w.len()`.
pub fn add_combination<T: Scalar>(
    cpu: Cpu,
    (vectors, from): (&[&Vec<T>], usize),
    (h, factor): (&[f64], f64),
    w: &mut [T],
) {
    T::add_combination(cpu, (vectors, from), (h, factor), w);
}

/// Behind the door of [`add_combination`].
pub(crate) fn add<T: Scalar>(
    cpu: Cpu,
    (vectors, from): (&[&Vec<T>], usize),
    (h, factor): (&[f64], f64),
    w: &mut [T],
) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let mut sums = [0.0f64; PART];
            for (w, begin) in w.chunks_mut(PART).zip((from..).step_by(PART)) {
                let len = w.len();
                let sums = &mut sums[..len];
                for (sum, w) in sums.iter_mut().zip(&*w) {
                    *sum = w.to_f64();
                }
                for (vectors, h) in vectors.chunks(TOGETHER).zip(h.chunks(TOGETHER)) {
                    let part = |j: usize| &vectors[j][begin..begin + len];
                    if let [a, b, c, d] = *h {
                        let [a, b, c, d] = [factor * a, factor * b, factor * c, factor * d];
                        let together = part(0).iter().zip(part(1)).zip(part(2)).zip(part(3));
                        for (sum, (((x, y), z), t)) in sums.iter_mut().zip(together) {
                            *sum = *sum + a * x.to_f64() + b * y.to_f64() + c * z.to_f64() + d * t.to_f64();
                        }
                        continue;
                    }
                    for (j, &h) in h.iter().enumerate() {
                        let scaled = factor * h;
                        for (sum, x) in sums.iter_mut().zip(part(j)) {
                            *sum += scaled * x.to_f64();
                        }
                    }
                }
                for (w, &sum) in w.iter_mut().zip(&*sums) {
                    *w = T::from_f64(sum);
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_the_plain_sums_on_every_path() {
        let wave = |k: usize| (0..PART + 40).map(|i| ((i * k) as f32 * 0.1).sin()).collect::<Vec<f32>>();
        for count in [0, 1, 3, 4, 7, 8] {
            let vectors: Vec<Vec<f32>> = (1..=count).map(wave).collect();
            let vectors: Vec<&Vec<f32>> = vectors.iter().collect();
            let h: Vec<f64> = (0..count).map(|j| 0.3 * j as f64 - 1.0).collect();
            let plain: Vec<f32> = (0..PART + 31)
                .map(|i| {
                    (0..count).fold(1.5, |sum, j| sum + -2.0 * h[j] * f64::from(vectors[j][9 + i])) as f32
                })
                .collect();
            for &cpu in Cpu::available() {
                let mut w = vec![1.5f32; PART + 31];
                add_combination(cpu, (&vectors, 9), (&h, -2.0), &mut w);
                assert_eq!(w, plain, "{cpu:?}, {count} vectors");
            }
        }
    }
}
