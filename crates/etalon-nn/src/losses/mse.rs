//! Half the squared distance.

use crate::kernels::elementwise::{Write, map, zip2};
use crate::{Cpu, Scalar};

pub(super) fn sum<T: Scalar>(outputs: &[T], targets: &[T]) -> f64 {
    outputs.iter().zip(targets).map(|(&f, &y)| (f - y).to_f64()).map(|e| 0.5 * e * e).sum()
}

pub(super) fn gradient<T: Scalar>(cpu: Cpu, scale: T, outputs: &[T], targets: &[T], gradient: &mut [T]) {
    zip2(cpu, Write::Set, outputs, targets, gradient, |f, y| scale * (f - y));
}

pub(super) fn hessian_product<T: Scalar>(cpu: Cpu, scale: T, direction: &[T], product: &mut [T]) {
    map(cpu, direction, product, |v| scale * v);
}
