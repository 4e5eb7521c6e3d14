//! Products with a set of long vectors, in fixed slices: the same bits whatever the number of threads.

use etalon_nn::kernels::{combination, reduction};
use etalon_nn::{Cpu, Scalar};
use rayon::prelude::*;

/// Elements a slice: 8 KiB of each vector in `f64`, so that a slice of a hundred vectors stays in the second-level cache.
const SLICE: usize = 1024;
/// Numbers to go through from which on threads gain more than handing the work over costs.
const SHARED: usize = 1 << 16;

/// Whether work on so many numbers is worth handing to other threads, where it may be.
fn is_shared(parallel: bool, numbers: usize) -> bool {
    parallel && numbers >= SHARED
}

/// What `of` gives for each slice of `w`, in their order.
fn map<T: Scalar, R: Send>(w: &[T], parallel: bool, of: impl Fn(usize, &[T]) -> R + Sync) -> Vec<R> {
    if parallel {
        w.par_chunks(SLICE).enumerate().map(|(index, part)| of(index, part)).collect()
    } else {
        w.chunks(SLICE).enumerate().map(|(index, part)| of(index, part)).collect()
    }
}

/// The same with slices that `of` may change.
fn map_mut<T: Scalar, R: Send>(
    w: &mut [T],
    parallel: bool,
    of: impl Fn(usize, &mut [T]) -> R + Sync,
) -> Vec<R> {
    if parallel {
        w.par_chunks_mut(SLICE).enumerate().map(|(index, part)| of(index, part)).collect()
    } else {
        w.chunks_mut(SLICE).enumerate().map(|(index, part)| of(index, part)).collect()
    }
}

/// `V^T w`: the components of `w` along each vector.
pub(super) fn components<T: Scalar>(vectors: &[&Vec<T>], w: &[T], parallel: bool) -> Vec<f64> {
    let parallel = is_shared(parallel, vectors.len() * w.len());
    sum_slices(vectors.len(), map(w, parallel, |index, part| slice_components(vectors, index, part)))
}

/// `w += factor * V h`.
pub(super) fn add_combination<T: Scalar>(
    vectors: &[&Vec<T>],
    h: &[f64],
    factor: f64,
    w: &mut [T],
    parallel: bool,
) {
    let parallel = is_shared(parallel, vectors.len() * w.len());
    map_mut(w, parallel, |index, part| slice_combination(vectors, h, factor, index, part));
}

/// `w -= V h`, then `V^T w`, with one reading of `V` from memory instead of two.
pub(super) fn subtract_and_project<T: Scalar>(
    vectors: &[&Vec<T>],
    h: &[f64],
    w: &mut [T],
    parallel: bool,
) -> Vec<f64> {
    let parallel = is_shared(parallel, vectors.len() * w.len());
    let partial = map_mut(w, parallel, |index, part| {
        slice_combination(vectors, h, -1.0, index, part);
        slice_components(vectors, index, part)
    });
    sum_slices(vectors.len(), partial)
}

fn slice_components<T: Scalar>(vectors: &[&Vec<T>], index: usize, part: &[T]) -> Vec<f64> {
    let begin = index * SLICE;
    vectors.iter().map(|v| reduction::dot(Cpu::current(), &v[begin..begin + part.len()], part)).collect()
}

fn slice_combination<T: Scalar>(vectors: &[&Vec<T>], h: &[f64], factor: f64, index: usize, part: &mut [T]) {
    combination::add_combination(Cpu::current(), (vectors, index * SLICE), (h, factor), part);
}

/// Adds up what the slices gave, in their order.
fn sum_slices(count: usize, partial: Vec<Vec<f64>>) -> Vec<f64> {
    (0..count).map(|i| partial.iter().map(|row| row[i]).sum()).collect()
}

/// `a . b`.
pub(super) fn dot<T: Scalar>(a: &[T], b: &[T], parallel: bool) -> f64 {
    let of =
        |index: usize, part: &[T]| reduction::dot(Cpu::current(), part, &b[index * SLICE..][..part.len()]);
    map(a, is_shared(parallel, a.len()), of).into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_add_up_to_the_plain_sums() {
        let n = 30 * SLICE + 13;
        let wave = |k: usize| (0..n).map(|i| ((i * k) as f64 * 0.1).sin()).collect::<Vec<f64>>();
        let waves = [wave(1), wave(2), wave(3)];
        let vectors: Vec<&Vec<f64>> = waves.iter().collect();
        let mut w = wave(5);
        let h = components(&vectors, &w, false);
        for (v, h) in vectors.iter().zip(&h) {
            let plain: f64 = v.iter().zip(&w).map(|(a, b)| a * b).sum();
            assert!((plain - h).abs() < 1e-9);
        }
        let plain = w.iter().map(|x| x * x).sum::<f64>();
        assert!((dot(&w, &w, false) - plain).abs() < 1e-8);
        let last = w[n - 1] - 2.0 * (0..3).map(|i| vectors[i][n - 1] * h[i]).sum::<f64>();
        add_combination(&vectors, &h, -2.0, &mut w, false);
        assert!((w[n - 1] - last).abs() < 1e-8);
        let mut apart = w.clone();
        let fused = subtract_and_project(&vectors, &h, &mut w, false);
        add_combination(&vectors, &h, -1.0, &mut apart, false);
        assert_eq!((fused, &w), (components(&vectors, &apart, false), &apart));
    }

    #[test]
    fn threads_give_the_same_bits() {
        let n = SHARED + 13;
        let wave = |k: usize| (0..n).map(|i| ((i * k) as f32 * 0.1).sin()).collect::<Vec<f32>>();
        let waves = [wave(1), wave(2)];
        let vectors: Vec<&Vec<f32>> = waves.iter().collect();
        let results = [false, true].map(|parallel| {
            let mut w = wave(5);
            let h = components(&vectors, &w, parallel);
            let left = subtract_and_project(&vectors, &h, &mut w, parallel);
            add_combination(&vectors, &left, 0.3, &mut w, parallel);
            (h, left, dot(&w, vectors[0], parallel), w)
        });
        assert!(results[0] == results[1]);
    }
}
