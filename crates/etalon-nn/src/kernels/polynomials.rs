//! `exp`, `tanh` and `erf` in `f32` without a branch, so that loops over them become vector code.

/// `e^x`, relative error under 2e-7; 0 and infinity beyond the range, NaN for NaN.
///
/// Range reduction by `x = n ln 2 + r` in two parts and a polynomial of degree 6 (Cephes, `expf`).
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Comparisons with NaN are false, so that NaN passes through both.
    let clamped = if x > 89.0 { 89.0 } else { x };
    let clamped = if clamped < -104.0 { -104.0 } else { clamped };
    // Adding 1.5 * 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let n = (clamped * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = clamped - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    let p = p * (r * r) + r + 1.0;
    // Two factors, so that neither leaves the range of f32: n lies in [-150, 128].
    let half = (n * 0.5 + ROUND) - ROUND;
    p * power_of_two(half) * power_of_two(n - half)
}

/// `2^n` for an integer `n` in [-126, 127]; anything for NaN.
#[inline(always)]
fn power_of_two(n: f32) -> f32 {
    // n + 127 + 2^23 holds the biased exponent in its low bits.
    f32::from_bits((n + (127.0 + 8_388_608.0)).to_bits() << 23)
}

/// The hyperbolic tangent, relative error under 3e-7 (Cephes, `tanhf`).
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let z = x * x;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_909e-2;
    let p = p * z - 5.373_971_4e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let small = p * z * x + x;
    let large = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { small } else { large.copysign(x) }
}

/// The error function, absolute error under 5e-7: a rational function of degree 13/8 on [-4, 4], beyond which
/// `f32` cannot tell it from 1.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let far = x;
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let z = x * x;
    let p = -2.726_142e-10;
    let p = p * z + 2.770_681_4e-8;
    let p = p * z - 2.101_024e-6;
    let p = p * z - 5.692_506_5e-5;
    let p = p * z - 7.349_906e-4;
    let p = p * z - 2.954_6e-3;
    let p = p * z - 1.609_603_3e-2;
    let q = -1.456_607_2e-5;
    let q = q * z - 2.133_740_5e-4;
    let q = q * z - 1.682_827e-3;
    let q = q * z - 7.373_329_3e-3;
    let q = q * z - 1.426_473_9e-2;
    let near = x * p / q;
    // Exactly one beyond the interval: GELU multiplies what is missing by x.
    let near = if far >= 4.0 { 1.0 } else { near };
    if far <= -4.0 { -1.0 } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(from: f32, to: f32) -> impl Iterator<Item = f32> {
        (0..=200_000).map(move |i| from + (to - from) * (i as f32 / 200_000.0))
    }

    #[test]
    fn agree_with_the_maths_library() {
        for x in grid(-87.0, 88.0) {
            let exact = libm::exp(f64::from(x));
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp({x})");
        }
        for x in grid(-12.0, 12.0).filter(|&x| x != 0.0) {
            let exact = libm::tanh(f64::from(x));
            assert!((f64::from(tanh(x)) / exact - 1.0).abs() < 3e-7, "tanh({x})");
        }
        for x in grid(-6.0, 6.0) {
            assert!((f64::from(erf(x)) - libm::erf(f64::from(x))).abs() < 5e-7, "erf({x})");
        }
    }

    #[test]
    fn ends_of_the_range_and_nan() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-200.0), 0.0);
        assert!((f64::from(exp(-100.0)) - libm::exp(-100.0)).abs() < 2e-45);
        assert_eq!((tanh(1e30), tanh(-1e30), tanh(0.0)), (1.0, -1.0, 0.0));
        assert_eq!((erf(f32::INFINITY), erf(-5.0)), (1.0, -1.0));
        assert_eq!(crate::kernels::activation::gelu(-1e4f32), 0.0);
        for f in [exp, tanh, erf] {
            assert!(f(f32::NAN).is_nan());
        }
    }
}
