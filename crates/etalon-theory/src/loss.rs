//! Losses of a scalar output.

use serde::{Deserialize, Serialize};

use super::TheoryError;

/// A convex loss `l(f)` of one output `f`: the average over samples that all have the same input ("degenerate
/// data").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScalarLoss {
    /// `(f - target)^2 / 2`. With `target != 0` the model is the UV model.
    Mse {
        /// The value to learn.
        target: f64,
    },
    /// `p log(1 + e^-f) + (1 - p) log(1 + e^f)`.
    Logistic {
        /// `p`, the share of samples with label +1, in `[0, 1]`; 0 and 1 are separable: the minimum is at
        /// infinity.
        positive: f64,
    },
    /// `p e^-f + (1 - p) e^f`; at `p = 1/2` this is `cosh f`.
    Exponential {
        /// `p`, as for the logistic loss.
        positive: f64,
    },
}

/// `log(1 + e^z)` without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// `1 / (1 + e^-z)`; an overflowing exponential gives the right limit.
fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

impl ScalarLoss {
    /// Whether the numbers inside are in their ranges.
    pub(super) fn check(&self) -> Result<(), TheoryError> {
        let error = |name, got, range| Err(TheoryError::OutOfRange { name, got, range });
        match *self {
            Self::Mse { target } if !target.is_finite() => error("target", target, "finite"),
            Self::Logistic { positive } | Self::Exponential { positive }
                if !(0.0..=1.0).contains(&positive) =>
            {
                error("positive", positive, "a share between 0 and 1")
            }
            _ => Ok(()),
        }
    }

    /// The loss `l(f)` of an output.
    pub fn value(&self, f: f64) -> f64 {
        match *self {
            Self::Mse { target } => 0.5 * (f - target).powi(2),
            Self::Logistic { positive: p } => p * softplus(-f) + (1.0 - p) * softplus(f),
            // A share of zero must not meet an overflowing exponential.
            Self::Exponential { positive: p } => weighted(p, (-f).exp()) + weighted(1.0 - p, f.exp()),
        }
    }

    /// Its first derivative in the output, `G = dl/df`.
    #[inline]
    pub fn gradient(&self, f: f64) -> f64 {
        match *self {
            Self::Mse { target } => f - target,
            Self::Logistic { positive: p } => sigmoid(f) - p,
            Self::Exponential { positive: p } => weighted(1.0 - p, f.exp()) - weighted(p, (-f).exp()),
        }
    }

    /// Its second derivative in the output, `l''(f)`.
    pub fn curvature(&self, f: f64) -> f64 {
        match *self {
            Self::Mse { .. } => 1.0,
            Self::Logistic { .. } => sigmoid(f) * sigmoid(-f),
            Self::Exponential { .. } => self.value(f),
        }
    }

    /// The `f` that minimises the loss; none for a separable loss, whose minimum is at infinity.
    pub fn minimizer(&self) -> Option<f64> {
        let finite = |f: f64| f.is_finite().then_some(f);
        match *self {
            Self::Mse { target } => Some(target),
            Self::Logistic { positive: p } => finite((p / (1.0 - p)).ln()),
            Self::Exponential { positive: p } => finite(0.5 * (p / (1.0 - p)).ln()),
        }
    }

    /// The infimum of the loss: attained at the minimizer, zero at infinity.
    pub fn minimum(&self) -> f64 {
        self.minimizer().map_or(0.0, |f| self.value(f))
    }

    /// The supremum of `|G|`: for the logistic loss `max(p, 1 - p)`; none where the gradient is unbounded.
    pub fn gradient_bound(&self) -> Option<f64> {
        match *self {
            Self::Logistic { positive: p } => Some(p.max(1.0 - p)),
            Self::Mse { .. } | Self::Exponential { .. } => None,
        }
    }
}

/// `share * x`, zero for a share of zero even where `x` overflowed.
#[inline]
fn weighted(share: f64, x: f64) -> f64 {
    if share == 0.0 { 0.0 } else { share * x }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSES: [ScalarLoss; 6] = [
        ScalarLoss::Mse { target: 0.7 },
        ScalarLoss::Logistic { positive: 0.5 },
        ScalarLoss::Logistic { positive: 0.8 },
        ScalarLoss::Logistic { positive: 1.0 },
        ScalarLoss::Exponential { positive: 0.5 },
        ScalarLoss::Exponential { positive: 0.3 },
    ];

    #[test]
    fn derivatives_match_differences() {
        for loss in LOSSES {
            for f in [-3.0, -0.4, 0.0, 1.3, 4.0] {
                let h = 1e-5;
                let slope = (loss.value(f + h) - loss.value(f - h)) / (2.0 * h);
                let bend = (loss.gradient(f + h) - loss.gradient(f - h)) / (2.0 * h);
                assert!((loss.gradient(f) - slope).abs() < 1e-8, "{loss:?} at {f}");
                assert!((loss.curvature(f) - bend).abs() < 1e-8, "{loss:?} at {f}");
            }
        }
    }

    #[test]
    fn minima_have_their_closed_forms() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} against {b}");
        let logistic = ScalarLoss::Logistic { positive: 0.8 };
        let f = logistic.minimizer().unwrap();
        close(f, 4f64.ln());
        close(logistic.gradient(f), 0.0);
        close(logistic.curvature(f), 0.8 * 0.2);
        let exponential = ScalarLoss::Exponential { positive: 0.5 };
        close(exponential.value(1.5), 1.5f64.cosh());
        close(exponential.gradient(1.5), 1.5f64.sinh());
        close(exponential.curvature(0.0), 1.0);
        let separable = ScalarLoss::Logistic { positive: 1.0 };
        assert_eq!((separable.minimizer(), separable.minimum()), (None, 0.0));
        assert_eq!(ScalarLoss::Exponential { positive: 0.0 }.minimizer(), None);
    }

    #[test]
    fn far_out_values_stay_right() {
        let logistic = ScalarLoss::Logistic { positive: 1.0 };
        assert_eq!(logistic.value(-1e5), 1e5);
        assert_eq!(logistic.value(1e5), 0.0);
        assert_eq!(logistic.gradient(-1e5), -1.0);
        assert_eq!(ScalarLoss::Exponential { positive: 1.0 }.value(1e5), 0.0);
        assert_eq!(ScalarLoss::Exponential { positive: 1.0 }.gradient(1e5), 0.0);
    }
}
