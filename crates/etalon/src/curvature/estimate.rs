//! What a measurement of curvature answers: values that carry their accuracy and why they stopped.

use std::fmt;

use serde::Serialize;

/// Why an iteration ended, with the number that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Every eigenvalue asked for has a residual within the tolerance, and none farther out was overlooked.
    Converged,
    /// The budget of this many iterations was spent first.
    MaxIterations(usize),
    /// The basis spans the whole space: the eigenvalues are those of the operator up to rounding.
    SubspaceExhausted,
    /// The operator's product at this iteration (counted from 1) held an infinity or NaN. What was found
    /// before is returned; nothing if it was the first.
    NotFinite(usize),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Converged => write!(f, "converged"),
            Self::MaxIterations(n) => {
                write!(f, "stopped after {n} iterations: allow more, or a larger tolerance")
            }
            Self::SubspaceExhausted => write!(f, "the whole space was searched"),
            Self::NotFinite(n) => write!(
                f,
                "the operator gave an infinity or NaN at iteration {n}: check that what it is made of is finite"
            ),
        }
    }
}

/// Which vectors a recurrence kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// All: each new one was made orthogonal to them.
    Full,
    /// The last two: eigenvalues come from the tridiagonal matrix alone.
    None,
}

/// One eigenvalue and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Eigenvalue {
    /// The Ritz value `theta`, in the operator's own unit.
    pub value: f64,
    /// `||A v - theta v|| / s` for the unit vector `v` found with it, where `s` is the largest magnitude among
    /// all Ritz values of the run ([`Spectrum::scale`], the estimate of `||A||`; the smallest positive number
    /// if that is zero). Some eigenvalue of `A` lies within `residual * s` of `value`; where it is well
    /// separated from its neighbours the error is of the order of the square. Estimated as
    /// `|beta_m s_m| / s` from the Lanczos recurrence, or measured by one more product where asked.
    pub residual: f64,
    /// Iterations of the run that found it: each costs one product with the operator.
    pub iterations: usize,
    /// `residual` is within the tolerance, and no eigenvalue farther out was overlooked; see [`lanczos`](super::lanczos()).
    pub converged: bool,
}

/// The ends of a spectrum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spectrum<V = Vec<f64>> {
    /// The largest algebraic eigenvalues, largest first; empty if not asked for.
    pub largest: Vec<Eigenvalue>,
    /// The smallest algebraic eigenvalues, smallest (most negative) first; empty if not asked for.
    pub smallest: Vec<Eigenvalue>,
    /// Unit eigenvectors of `largest`, in its order; empty unless vectors were asked for. The sign of an
    /// eigenvector is arbitrary; in [`Memory`](super::Memory) its component of largest magnitude is positive.
    #[serde(skip)]
    pub largest_vectors: Vec<V>,
    /// Unit eigenvectors of `smallest`, in its order; empty unless vectors were asked for.
    #[serde(skip)]
    pub smallest_vectors: Vec<V>,
    /// Why the iteration ended.
    pub stop: StopReason,
    /// Which vectors were kept.
    pub basis: Basis,
    /// The memory that the vectors could have taken at most, in bytes; known before the first product.
    pub bytes: u64,
    /// How many steps the iteration made.
    pub iterations: usize,
    /// Products with the operator in all, those that verify residuals and the operator itself included.
    pub applications: usize,
    /// The largest magnitude among all Ritz values: the estimate of `||A||` that residuals are relative to.
    pub scale: f64,
    /// The largest `|v_i . A v_j - T_ij| / scale` seen, over basis vectors `v` and their tridiagonal matrix `T`;
    /// without a basis, over neighbours, `|v_i . A v_j - v_j . A v_i| / scale`. Rounding for a symmetric operator
    /// (1e-14 in `f64`, 1e-6 in `f32`); more means that the operator is not symmetric, and that no value here can
    /// be trusted beyond it.
    pub asymmetry: f64,
    /// Whether further copies of repeated eigenvalues were looked for to the end (a Krylov space holds one
    /// copy of each). Always true where one eigenvalue an end was asked for and found, or the space exhausted.
    pub repeats_checked: bool,
}

impl<V> Spectrum<V> {
    /// Whether every eigenvalue that was asked for is there and converged.
    pub fn converged(&self) -> bool {
        let both = self.largest.iter().chain(&self.smallest);
        !matches!(self.stop, StopReason::NotFinite(_)) && both.into_iter().all(|e| e.converged)
    }

    /// The interval `value +- residual * scale` that surely holds an eigenvalue.
    pub fn interval(&self, eigenvalue: &Eigenvalue) -> (f64, f64) {
        let radius = eigenvalue.residual * self.scale;
        (eigenvalue.value - radius, eigenvalue.value + radius)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_reason_carries_its_number_and_advice() {
        assert_eq!(
            StopReason::MaxIterations(100).to_string(),
            "stopped after 100 iterations: allow more, or a larger tolerance"
        );
        assert_eq!(serde_json::to_string(&StopReason::NotFinite(3)).unwrap(), r#"{"not-finite":3}"#);
        assert_eq!(serde_json::to_string(&StopReason::Converged).unwrap(), r#""converged""#);
    }
}
