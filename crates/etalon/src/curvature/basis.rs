//! Products with a set of long vectors, in fixed slices: the same bits whatever the number of threads.

use rayon::prelude::*;

/// Elements a slice: 8 KiB of each vector, so that a slice of a hundred vectors stays in the second-level cache.
const SLICE: usize = 1024;

/// `a . b`, with eight running sums so that the compiler can use wide registers.
fn slice_dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_parts, b_parts) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_parts.zip(b_parts) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// `V^T w`: the components of `w` along each vector.
pub(super) fn components(vectors: &[&[f64]], w: &[f64]) -> Vec<f64> {
    let slices = w.par_chunks(SLICE).enumerate();
    let partial = slices.map(|(index, part)| slice_components(vectors, index, part)).collect();
    sum_slices(vectors.len(), partial)
}

/// `w += factor * V h`.
pub(super) fn add_combination(vectors: &[&[f64]], h: &[f64], factor: f64, w: &mut [f64]) {
    let slices = w.par_chunks_mut(SLICE).enumerate();
    slices.for_each(|(index, part)| slice_combination(vectors, h, factor, index, part));
}

/// `w -= V h`, then `V^T w`, with one reading of `V` from memory instead of two.
pub(super) fn subtract_and_project(vectors: &[&[f64]], h: &[f64], w: &mut [f64]) -> Vec<f64> {
    let slices = w.par_chunks_mut(SLICE).enumerate();
    let partial = slices.map(|(index, part)| {
        slice_combination(vectors, h, -1.0, index, part);
        slice_components(vectors, index, part)
    });
    sum_slices(vectors.len(), partial.collect())
}

fn slice_components(vectors: &[&[f64]], index: usize, part: &[f64]) -> Vec<f64> {
    let begin = index * SLICE;
    vectors.iter().map(|v| slice_dot(&v[begin..begin + part.len()], part)).collect()
}

fn slice_combination(vectors: &[&[f64]], h: &[f64], factor: f64, index: usize, part: &mut [f64]) {
    let begin = index * SLICE;
    for (v, &coefficient) in vectors.iter().zip(h) {
        let scaled = factor * coefficient;
        for (w, x) in part.iter_mut().zip(&v[begin..]) {
            *w += scaled * x;
        }
    }
}

/// Adds up what the slices gave, in their order.
fn sum_slices(count: usize, partial: Vec<Vec<f64>>) -> Vec<f64> {
    (0..count).map(|i| partial.iter().map(|row| row[i]).sum()).collect()
}

/// The Euclidean norm; not finite if an element is not, or if its square overflows.
pub(super) fn norm(w: &[f64]) -> f64 {
    w.chunks(SLICE).map(|part| slice_dot(part, part)).sum::<f64>().sqrt()
}

/// `w *= factor`.
pub(super) fn scale(w: &mut [f64], factor: f64) {
    w.iter_mut().for_each(|x| *x *= factor);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_add_up_to_the_plain_sums() {
        let n = 3 * SLICE + 13;
        let wave = |k: usize| (0..n).map(|i| ((i * k) as f64 * 0.1).sin()).collect::<Vec<f64>>();
        let waves = [wave(1), wave(2), wave(3)];
        let vectors: Vec<&[f64]> = waves.iter().map(Vec::as_slice).collect();
        let mut w = wave(5);
        let h = components(&vectors, &w);
        for (v, h) in vectors.iter().zip(&h) {
            let plain: f64 = v.iter().zip(&w).map(|(a, b)| a * b).sum();
            assert!((plain - h).abs() < 1e-9);
        }
        let plain = w.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((norm(&w) - plain).abs() < 1e-10);
        let last = w[n - 1] - 2.0 * (0..3).map(|i| vectors[i][n - 1] * h[i]).sum::<f64>();
        add_combination(&vectors, &h, -2.0, &mut w);
        assert!((w[n - 1] - last).abs() < 1e-9);
        let mut apart = w.clone();
        let fused = subtract_and_project(&vectors, &h, &mut w);
        add_combination(&vectors, &h, -1.0, &mut apart);
        assert_eq!((fused, &w), (components(&vectors, &apart), &apart));
    }

    #[test]
    fn a_norm_that_is_not_finite_says_so() {
        assert!(!norm(&[1.0, f64::NAN]).is_finite());
        assert!(!norm(&[f64::INFINITY]).is_finite());
        assert!(!norm(&[1e200]).is_finite());
    }
}
