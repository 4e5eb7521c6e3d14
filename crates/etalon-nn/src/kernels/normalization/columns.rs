//! Loops over matrices of many rows and few columns, column by column.
//!
//! Columns are taken in blocks. Where a row is shorter than a block, several rows count as one, so that vectors are
//! full; the order of every sum depends on the shape alone. A single row, which is what a sample of a fully connected
//! network is, needs no walk.

use crate::Scalar;
use crate::kernels::elementwise::Write;
use std::ops::Range;

/// Columns a block.
const BLOCK: usize = 128;

/// One number for each place of a run.
type Run<T> = [T; BLOCK];

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
    /// The runs of a matrix of so many numbers.
    #[inline(always)]
    fn runs(self, len: usize) -> impl Iterator<Item = Range<usize>> {
        (self.start..len).step_by(self.stride).map(move |at| at..at + self.width.min(len - at))
    }

    /// A number a column, repeated over the rows of a run.
    #[inline(always)]
    fn spread<F: Scalar, T: Scalar>(&self, of: &[F], to: &mut Run<T>) {
        let of = &of[self.start..self.start + self.columns];
        for row in to[..self.width].chunks_exact_mut(self.columns) {
            row.iter_mut().zip(of).for_each(|(to, from)| *to = T::from_f64(from.to_f64()));
        }
    }

    /// Sums over the rows of a run.
    #[inline(always)]
    fn fold(&self, run: &Run<f64>, sums: &mut [f64]) {
        let sums = &mut sums[self.start..self.start + self.columns];
        sums.fill(0.0);
        for row in run[..self.width].chunks_exact(self.columns) {
            sums.iter_mut().zip(row).for_each(|(sum, &part)| *sum += part);
        }
    }
}

/// For each column `j` of `x`: `sum_i u`, then `sum_i v`, where `[u, v] = terms(x[i][j], center[j])`.
#[inline(always)]
pub(super) fn sums_of_one<T: Scalar, F: Scalar>(
    x: &[T],
    center: &[F],
    sums: &mut [f64],
    terms: impl Fn(f64, f64) -> [f64; 2],
) {
    let (first, second) = sums.split_at_mut(center.len());
    if x.len() == center.len() {
        for (((u, v), c), x) in first.iter_mut().zip(second).zip(center).zip(x) {
            [*u, *v] = terms(x.to_f64(), c.to_f64());
        }
        return;
    }
    for walk in walks(center.len()) {
        let mut centers = [0.0; BLOCK];
        walk.spread(center, &mut centers);
        let (mut us, mut vs) = ([0.0; BLOCK], [0.0; BLOCK]);
        for run in walk.runs(x.len()) {
            for (((u, v), &c), x) in us.iter_mut().zip(&mut vs).zip(&centers).zip(&x[run]) {
                let terms = terms(x.to_f64(), c);
                *u += terms[0];
                *v += terms[1];
            }
        }
        walk.fold(&us, first);
        walk.fold(&vs, second);
    }
}

/// For each column `j`: `sum_i u[i][j]`, then `sum_i u[i][j] (x[i][j] - center[j])`.
#[inline(always)]
pub(super) fn sums_of_two<T: Scalar>(u: &[T], x: &[T], center: &[f64], sums: &mut [f64]) {
    let (first, second) = sums.split_at_mut(center.len());
    if x.len() == center.len() {
        for (((a, b), &c), (u, x)) in first.iter_mut().zip(second).zip(center).zip(u.iter().zip(x)) {
            (*a, *b) = (u.to_f64(), u.to_f64() * (x.to_f64() - c));
        }
        return;
    }
    for walk in walks(center.len()) {
        let mut centers = [0.0; BLOCK];
        walk.spread(center, &mut centers);
        let (mut us, mut vs) = ([0.0; BLOCK], [0.0; BLOCK]);
        for run in walk.runs(x.len()) {
            let inputs = u[run.clone()].iter().zip(&x[run]);
            for (((a, b), &c), (u, x)) in us.iter_mut().zip(&mut vs).zip(&centers).zip(inputs) {
                *a += u.to_f64();
                *b += u.to_f64() * (x.to_f64() - c);
            }
        }
        walk.fold(&us, first);
        walk.fold(&vs, second);
    }
}

/// For each column `j`: `sum_i u[i][j] v[i][j]`.
#[inline(always)]
pub(super) fn sums_of_products<T: Scalar>(u: &[T], v: &[T], sums: &mut [f64]) {
    for walk in walks(sums.len()) {
        let mut products = [0.0; BLOCK];
        for run in walk.runs(u.len()) {
            for ((sum, u), v) in products.iter_mut().zip(&u[run.clone()]).zip(&v[run]) {
                *sum += u.to_f64() * v.to_f64();
            }
        }
        walk.fold(&products, sums);
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
    let one = T::from_f64;
    if out.len() == center.len() {
        let places = out.iter_mut().zip(x).zip(center.iter().zip(slope).zip(constant));
        let set = |x: T, ((&m, &s), &c): ((&f64, &f64), &f64)| one(s) * (x - one(m)) + one(c);
        match write {
            Write::Set => places.for_each(|((out, &x), factors)| *out = set(x, factors)),
            Write::Add => places.for_each(|((out, &x), factors)| *out += set(x, factors)),
        }
        for (input, weights) in inputs.iter().zip(weights) {
            for ((out, &input), &weight) in out.iter_mut().zip(*input).zip(weights) {
                *out += one(weight) * input;
            }
        }
        return;
    }
    let (mut runs, mut factors) = ([[T::ZERO; BLOCK]; N], [[T::ZERO; BLOCK]; 3]);
    for walk in walks(center.len()) {
        runs.iter_mut().zip(weights).for_each(|(run, weights)| walk.spread(weights, run));
        factors
            .iter_mut()
            .zip([center, slope, constant])
            .for_each(|(run, numbers)| walk.spread(numbers, run));
        let [center, slope, constant] = &factors;
        for run in walk.runs(out.len()) {
            let out = &mut out[run.clone()];
            let places = out.iter_mut().zip(&x[run.clone()]).zip(center.iter().zip(slope).zip(constant));
            match write {
                Write::Set => places.for_each(|((out, &x), ((&m, &s), &c))| *out = s * (x - m) + c),
                Write::Add => places.for_each(|((out, &x), ((&m, &s), &c))| *out += s * (x - m) + c),
            }
            // The run is short enough to stay in the first cache.
            for (input, weights) in inputs.iter().zip(&runs) {
                for ((out, &input), &weight) in out.iter_mut().zip(&input[run.clone()]).zip(weights) {
                    *out += weight * input;
                }
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
                sums_of_two(&x, &x, &center, &mut sums);
                let mut products = vec![f64::NAN; columns];
                sums_of_products(&x, &x, &mut products);
                let mut pairs = vec![f64::NAN; 2 * columns];
                sums_of_one(&x, &center, &mut pairs, |x, center| [x, x * x - center * x]);
                assert_eq!(pairs, sums);
                for j in 0..columns {
                    let sum: f64 = (0..rows).map(|i| x[i * columns + j]).sum();
                    let product: f64 = (0..rows).map(|i| x[i * columns + j] * x[i * columns + j]).sum();
                    assert_eq!((sums[j], products[j]), (sum, product), "{rows} x {columns}");
                    assert_eq!(sums[columns + j], product - sum * j as f64, "{rows} x {columns}");
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
