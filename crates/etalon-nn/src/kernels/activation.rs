//! Activation functions with their first two derivatives.

use crate::Scalar;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(x, 0)`; its derivative at 0 is taken to be 0, as PyTorch and JAX do.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `x Phi(x)` with the exact Gaussian distribution function, not its tanh approximation.
    Gelu,
}

impl Activation {
    /// The name in specs.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Tanh => "tanh",
            Activation::Gelu => "gelu",
        }
    }
}

/// `max(x, 0)`, except that NaN stays NaN: a network that has left the numbers must not look sane.
#[inline(always)]
pub(crate) fn relu<T: Scalar>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

/// 1 where `x > 0`, else 0.
#[inline(always)]
pub(crate) fn relu_slope<T: Scalar>(x: T) -> T {
    if x > T::ZERO { T::ONE } else { T::ZERO }
}

/// The density of the standard normal distribution.
#[inline(always)]
fn density<T: Scalar>(x: T) -> T {
    const ONE_OVER_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
    T::from_f64(ONE_OVER_SQRT_2PI) * (-(x * x) * T::from_f64(0.5)).exp()
}

/// The distribution function of the standard normal distribution.
#[inline(always)]
fn distribution<T: Scalar>(x: T) -> T {
    T::from_f64(0.5) * (T::ONE + (x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf())
}

/// `x Phi(x)`.
#[inline(always)]
pub(crate) fn gelu<T: Scalar>(x: T) -> T {
    x * distribution(x)
}

/// The derivative of [`gelu`]: `Phi(x) + x phi(x)`.
#[inline(always)]
pub(crate) fn gelu_slope<T: Scalar>(x: T) -> T {
    distribution(x) + x * density(x)
}

/// The second derivative of [`gelu`]: `phi(x) (2 - x^2)`.
#[inline(always)]
pub(crate) fn gelu_bend<T: Scalar>(x: T) -> T {
    density(x) * (T::from_f64(2.0) - x * x)
}
