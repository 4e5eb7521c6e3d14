//! Losses of the margin `z = y f`: logistic and exponential.

use crate::Scalar;

/// `ln(1 + e^-z)`, without overflow.
pub(super) fn logistic<T: Scalar>(z: T) -> T {
    let positive = if z < T::ZERO { -z } else { T::ZERO };
    positive + (-z.abs()).exp().ln_1p()
}

/// The derivative of [`logistic`]: `-1 / (1 + e^z)`.
pub(super) fn logistic_slope<T: Scalar>(z: T) -> T {
    // The exponential is taken of a negative number, so that it never overflows.
    let small = (-z.abs()).exp();
    let tail = small / (T::ONE + small);
    if z > T::ZERO { -tail } else { tail - T::ONE }
}

/// The second derivative of [`logistic`].
pub(super) fn logistic_bend<T: Scalar>(z: T) -> T {
    let small = (-z.abs()).exp();
    small / ((T::ONE + small) * (T::ONE + small))
}

/// `e^-z`: the loss and its second derivative.
pub(super) fn exponential<T: Scalar>(z: T) -> T {
    (-z).exp()
}

/// The derivative of [`exponential`].
pub(super) fn exponential_slope<T: Scalar>(z: T) -> T {
    -(-z).exp()
}

pub(super) fn sum<T: Scalar>(outputs: &[T], targets: &[T], loss: impl Fn(T) -> T) -> f64 {
    outputs.iter().zip(targets).map(|(&f, &y)| loss(y * f).to_f64()).sum()
}

pub(super) fn gradient<T: Scalar>(
    scale: T,
    outputs: &[T],
    targets: &[T],
    gradient: &mut [T],
    slope: impl Fn(T) -> T,
) {
    for ((g, &f), &y) in gradient.iter_mut().zip(outputs).zip(targets) {
        *g = scale * y * slope(y * f);
    }
}

pub(super) fn hessian_product<T: Scalar>(
    scale: T,
    outputs: &[T],
    targets: &[T],
    direction: &[T],
    product: &mut [T],
    bend: impl Fn(T) -> T,
) {
    for (((h, &v), &f), &y) in product.iter_mut().zip(direction).zip(outputs).zip(targets) {
        *h = scale * y * y * bend(y * f) * v;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_margins_neither_overflow_nor_lose_the_tail() {
        assert_eq!(logistic(800.0f64), 0.0);
        assert_eq!(logistic(-800.0f64), 800.0);
        assert!((logistic(30.0f64) / (-30.0f64).exp() - 1.0).abs() < 1e-12);
        assert!((logistic_slope(700.0f64) / -(-700.0f64).exp() - 1.0).abs() < 1e-12);
        assert_eq!(logistic_slope(-800.0f64), -1.0);
        assert_eq!(logistic_slope(0.0f64), -0.5);
        assert_eq!(logistic_bend(0.0f64), 0.25);
        assert!(logistic(f64::NAN).is_nan() && logistic_slope(f64::NAN).is_nan());
    }
}
