//! Loops over matrices of many rows and few columns, column by column.
//!
//! Columns are taken in blocks. Where a row is shorter than a block, several rows count as one, so that vectors are
//! full; the order of every sum depends on the shape alone.

use crate::Scalar;
use crate::kernels::elementwise::Write;
use std::array::from_fn;

/// Columns a block.
const BLOCK: usize = 128;

/// How a matrix is walked through: a block of columns, in runs of whole rows.
#[derive(Clone, Copy)]
struct Walk {
    start: usize,
    columns: usize,
    /// Numbers a run.
    width: usize,
    /// From one run's start to the next's.
    stride: usize,
}

#[inline(always)]
fn walks(columns: usize) -> impl Iterator<Item = Walk> {
    (0..columns).step_by(BLOCK).map(move |start| {
        let block = (columns - start).min(BLOCK);
        let width = if columns <= BLOCK { columns * (BLOCK / columns) } else { block };
        Walk { start, columns: block, width, stride: if columns <= BLOCK { width } else { columns } }
    })
}

impl Walk {
    /// A number a column, repeated over the rows of a run.
    #[inline(always)]
    fn spread<T: Scalar>(&self, of: impl Fn(usize) -> f64) -> [T; BLOCK] {
        let mut spread = [T::ZERO; BLOCK];
        for row in spread[..self.width].chunks_exact_mut(self.columns) {
            row.iter_mut().enumerate().for_each(|(j, to)| *to = T::from_f64(of(self.start + j)));
        }
        spread
    }
}

/// `sums[s][j] = sum_i term(u_1[i][j], ..., u_N[i][j], center(j))[s]`, accumulated in `f64`; `sums` has `S` rows of one
/// number a column.
#[inline(always)]
pub(super) fn column_sums<T: Scalar, const N: usize, const S: usize>(
    inputs: [&[T]; N],
    center: impl Fn(usize) -> f64,
    sums: &mut [f64],
    term: impl Fn([f64; N], f64) -> [f64; S],
) {
    let (columns, len) = (sums.len() / S, inputs[0].len());
    for walk in walks(columns) {
        let center: [f64; BLOCK] = walk.spread(&center);
        let mut totals = [[0.0f64; BLOCK]; S];
        for offset in (walk.start..len).step_by(walk.stride) {
            let width = walk.width.min(len - offset);
            let inputs = inputs.map(|input| &input[offset..offset + width]);
            let center = &center[..width];
            let totals = totals.each_mut().map(|totals| &mut totals[..width]);
            for i in 0..width {
                let terms = term(from_fn(|n| inputs[n][i].to_f64()), center[i]);
                for s in 0..S {
                    totals[s][i] += terms[s];
                }
            }
        }
        for (totals, sums) in totals.iter().zip(sums.chunks_exact_mut(columns)) {
            let sums = &mut sums[walk.start..walk.start + walk.columns];
            sums.fill(0.0);
            for row in totals[..walk.width].chunks_exact(walk.columns) {
                sums.iter_mut().zip(row).for_each(|(sum, &total)| *sum += total);
            }
        }
    }
}

/// `out[i][j] (+)= sum_n weights[n][j] inputs[n][i][j] + slope[j] (x[i][j] - center[j]) + constant[j]`.
#[inline(always)]
pub(super) fn combine<T: Scalar, const N: usize>(
    write: Write,
    (inputs, weights): ([&[T]; N], [&[f64]; N]),
    (x, center, slope): (&[T], &[f64], &[f64]),
    constant: &[f64],
    out: &mut [T],
) {
    let len = out.len();
    for walk in walks(center.len()) {
        let weights: [[T; BLOCK]; N] = weights.map(|weights| walk.spread(|j| weights[j]));
        let [center, slope, constant]: [[T; BLOCK]; 3] =
            [center, slope, constant].map(|numbers| walk.spread(|j| numbers[j]));
        for offset in (walk.start..len).step_by(walk.stride) {
            let width = walk.width.min(len - offset);
            let inputs = inputs.map(|input| &input[offset..offset + width]);
            let weights = weights.each_ref().map(|weights| &weights[..width]);
            let (x, out) = (&x[offset..offset + width], &mut out[offset..offset + width]);
            let (center, slope, constant) = (&center[..width], &slope[..width], &constant[..width]);
            let value = |i: usize| {
                let mut sum = slope[i] * (x[i] - center[i]) + constant[i];
                for n in 0..N {
                    sum += weights[n][i] * inputs[n][i];
                }
                sum
            };
            match write {
                Write::Set => (0..width).for_each(|i| out[i] = value(i)),
                Write::Add => (0..width).for_each(|i| out[i] += value(i)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_walked_through_once() {
        for columns in [1, 2, 3, 16, 100, 127, 128, 129, 300] {
            for rows in [1, 2, 7, 130] {
                let x: Vec<f64> = (0..rows * columns).map(|i| (i % 23) as f64 - 7.0).collect();
                let center: Vec<f64> = (0..columns).map(|j| j as f64).collect();
                let mut sums = vec![f64::NAN; 2 * columns];
                column_sums([&x], |j| center[j], &mut sums, |[x], center| [x, x * center]);
                for j in 0..columns {
                    let sum: f64 = (0..rows).map(|i| x[i * columns + j]).sum();
                    assert_eq!((sums[j], sums[columns + j]), (sum, sum * j as f64), "{rows} x {columns}");
                }
                let (weights, slope, constant) = (
                    vec![2.0; columns],
                    vec![3.0; columns],
                    center.iter().map(|c| 3.0 * c).collect::<Vec<_>>(),
                );
                let mut out = vec![1.0; x.len()];
                combine(Write::Add, ([&x], [&weights]), (&x, &center, &slope), &constant, &mut out);
                assert!(out.iter().zip(&x).all(|(&out, x)| out == 1.0 + 5.0 * x), "{rows} x {columns}");
            }
        }
    }
}
