//! `f32` and `f64` behind one trait.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point number that networks compute with: `f32` or `f64`.
pub trait Scalar:
    Copy
    + Send
    + Sync
    + Default
    + Debug
    + Display
    + PartialOrd
    + PartialEq
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + 'static
    + crate::compiled::Compiled
    + crate::kernels::product::Tiled
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// `f32` or `f64`.
    const NAME: &'static str;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive number that has all its digits (subnormal ones are below).
    const MIN_POSITIVE: Self;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number in `f64`.
    fn to_f64(self) -> f64;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// `e^x`.
    fn exp(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + x)`.
    fn ln_1p(self) -> Self;

    /// The same number, but 0 for a subnormal one.
    #[inline(always)]
    fn flushed(self) -> Self {
        // NaN passes.
        if self.abs() < Self::MIN_POSITIVE { Self::ZERO } else { self }
    }
}

macro_rules! scalar {
    ($type:ident, $exp:path, $tanh:path, $erf:path, $ln:path, $ln_1p:path) => {
        impl Scalar for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = stringify!($type);
            const EPSILON: Self = $type::EPSILON;
            const MIN_POSITIVE: Self = $type::MIN_POSITIVE;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $ln_1p(self)
            }
        }
    };
}

// f64 is there to be right, f32 to be fast: the first calls a maths library that gives the same bits on every
// machine, the second polynomials without branches, which become vector code.
scalar!(f64, libm::exp, libm::tanh, libm::erf, libm::log, libm::log1p);
scalar!(
    f32,
    crate::kernels::polynomials::exp,
    crate::kernels::polynomials::tanh,
    crate::kernels::polynomials::erf,
    libm::logf,
    libm::log1pf
);
