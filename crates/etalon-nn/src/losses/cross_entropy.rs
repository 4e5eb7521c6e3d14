//! Softmax cross-entropy. A row's targets are the classes' probabilities; they need not be 0 and 1.

use crate::Scalar;

pub(super) fn sum<T: Scalar>(width: usize, outputs: &[T], targets: &[T]) -> f64 {
    rows(width, outputs, targets)
        .map(|(f, y)| {
            let top = largest(f);
            let mass: T = f.iter().map(|&f| (f - top).exp()).sum();
            let log_mass = mass.to_f64().ln() + top.to_f64();
            f.iter().zip(y).map(|(&f, &y)| y.to_f64() * (log_mass - f.to_f64())).sum::<f64>()
        })
        .sum()
}

pub(super) fn gradient<T: Scalar>(width: usize, scale: T, outputs: &[T], targets: &[T], gradient: &mut [T]) {
    for ((f, y), g) in rows(width, outputs, targets).zip(gradient.chunks_exact_mut(width)) {
        softmax(f, g);
        let weight: T = y.iter().copied().sum();
        for (g, &y) in g.iter_mut().zip(y) {
            *g = scale * (weight * *g - y);
        }
    }
}

/// `weight (diag(p) - p p^T) v`.
pub(super) fn hessian_product<T: Scalar>(
    width: usize,
    scale: T,
    outputs: &[T],
    targets: &[T],
    direction: &[T],
    product: &mut [T],
) {
    let directions = direction.chunks_exact(width).zip(product.chunks_exact_mut(width));
    for ((f, y), (v, h)) in rows(width, outputs, targets).zip(directions) {
        softmax(f, h);
        let mean: T = h.iter().zip(v).map(|(&p, &v)| p * v).sum();
        let weight: T = y.iter().copied().sum();
        for (h, &v) in h.iter_mut().zip(v) {
            *h = scale * weight * *h * (v - mean);
        }
    }
}

fn rows<'a, T>(width: usize, outputs: &'a [T], targets: &'a [T]) -> impl Iterator<Item = (&'a [T], &'a [T])> {
    outputs.chunks_exact(width).zip(targets.chunks_exact(width))
}

/// The largest output of a row, so that no exponential overflows. A NaN comes out of the exponentials.
fn largest<T: Scalar>(row: &[T]) -> T {
    row.iter().copied().fold(row[0], |top, f| if f > top { f } else { top })
}

fn softmax<T: Scalar>(outputs: &[T], probabilities: &mut [T]) {
    let top = largest(outputs);
    let mut mass = T::ZERO;
    for (p, &f) in probabilities.iter_mut().zip(outputs) {
        *p = (f - top).exp();
        mass += *p;
    }
    for p in probabilities {
        *p /= mass;
    }
}
