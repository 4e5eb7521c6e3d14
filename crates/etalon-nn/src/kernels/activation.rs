//! Activation functions with their first two derivatives. All that is known of one of them stands here.

use super::elementwise::{Write, copy, map, zip2, zip4};
use crate::{Cpu, Scalar};

/// A nonlinearity that is applied to each number by itself.
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

/// How an activation passes on what is done to its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Homogeneity {
    /// All of it.
    Linear,
    /// Its scale.
    Positive,
    /// Neither.
    None,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 4] =
        [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Gelu];

    /// The name in specs.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Tanh => "tanh",
            Activation::Gelu => "gelu",
        }
    }

    pub(crate) fn homogeneity(self) -> Homogeneity {
        match self {
            Activation::Identity => Homogeneity::Linear,
            Activation::Relu => Homogeneity::Positive,
            Activation::Tanh | Activation::Gelu => Homogeneity::None,
        }
    }

    /// `y = f(x)`.
    pub(crate) fn apply<T: Scalar>(self, cpu: Cpu, x: &[T], y: &mut [T]) {
        match self {
            Activation::Identity => y.copy_from_slice(x),
            Activation::Relu => map(cpu, x, y, relu),
            Activation::Tanh => map(cpu, x, y, T::tanh),
            Activation::Gelu => map(cpu, x, y, gelu),
        }
    }

    /// `out (+)= f'(x) v`, where `y = f(x)`.
    pub(crate) fn times_slope<T: Scalar>(self, cpu: Cpu, [x, y, v]: [&[T]; 3], write: Write, out: &mut [T]) {
        match self {
            Activation::Identity => copy(cpu, write, v, out),
            Activation::Relu => zip2(cpu, write, x, v, out, |x, v| relu_slope(x) * v),
            Activation::Tanh => zip2(cpu, write, y, v, out, |y, v| (T::ONE - y * y) * v),
            Activation::Gelu => zip2(cpu, write, x, v, out, |x, v| gelu_slope(x) * v),
        }
    }

    /// `out (+)=` the change of `f'(x) v` when `x` changes by `dx` and `v` by `dv`: `f'(x) dv + f''(x) dx v`.
    pub(crate) fn times_slope_change<T: Scalar>(
        self,
        cpu: Cpu,
        ([x, y], dx): ([&[T]; 2], &[T]),
        (v, dv): (&[T], &[T]),
        write: Write,
        out: &mut [T],
    ) {
        match self {
            Activation::Identity | Activation::Relu => self.times_slope(cpu, [x, y, dv], write, out),
            Activation::Tanh => zip4(cpu, write, [y, dx, v, dv], out, |y, dx, v, dv| {
                let slope = T::ONE - y * y;
                slope * (dv - (y + y) * dx * v)
            }),
            Activation::Gelu => zip4(cpu, write, [x, dx, v, dv], out, |x, dx, v, dv| {
                gelu_slope(x) * dv + gelu_bend(x) * dx * v
            }),
        }
    }
}

/// `max(x, 0)`, except that NaN stays NaN: a network that has left the numbers must not look sane.
#[inline(always)]
fn relu<T: Scalar>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

/// 1 where `x > 0`, else 0.
#[inline(always)]
fn relu_slope<T: Scalar>(x: T) -> T {
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
pub(super) fn gelu<T: Scalar>(x: T) -> T {
    x * distribution(x)
}

/// The derivative of [`gelu`]: `Phi(x) + x phi(x)`.
#[inline(always)]
fn gelu_slope<T: Scalar>(x: T) -> T {
    distribution(x) + x * density(x)
}

/// The second derivative of [`gelu`]: `phi(x) (2 - x^2)`.
#[inline(always)]
fn gelu_bend<T: Scalar>(x: T) -> T {
    density(x) * (T::from_f64(2.0) - x * x)
}
