//! The tridiagonal matrix of a recurrence, and what its eigenvalues say of the operator's.

use super::Pair;
use crate::curvature::tridiagonal;

/// `T = V^T A V` of orthonormal vectors `V`.
#[derive(Default)]
pub(super) struct Projection {
    pub(super) diagonal: Vec<f64>,
    /// One fewer than `diagonal`; zero where the recurrence went on from a random vector.
    pub(super) off_diagonal: Vec<f64>,
    /// `||A V - V T||`, all of it in the last column.
    pub(super) beta: f64,
    /// Ritz values, ascending, and the last component of each eigenvector of `T`.
    ritz: Vec<(f64, f64)>,
}

impl Projection {
    /// Takes in the newest vector's `alpha = v . A v` and the norm `beta` of what its product has beyond the others. False
    /// if the numbers are too large for the eigenvalues of `T`; the newest vector is then dropped.
    pub(super) fn extend(&mut self, alpha: f64, beta: f64) -> bool {
        self.diagonal.push(alpha);
        let last = self.diagonal.len();
        let Some(eigen) = tridiagonal::eigen(&self.diagonal, &self.off_diagonal, last - 1..last) else {
            self.diagonal.pop();
            self.off_diagonal.pop();
            return false;
        };
        self.beta = beta;
        self.ritz = eigen.values.iter().copied().zip(eigen.rows[0].iter().copied()).collect();
        true
    }

    /// The largest magnitude among the Ritz values.
    pub(super) fn magnitude(&self) -> f64 {
        let ends = [self.ritz.first(), self.ritz.last()];
        ends.into_iter().flatten().fold(0.0, |a: f64, end| a.max(end.0.abs()))
    }

    /// The Ritz values, ascending.
    pub(super) fn values(&self) -> Vec<f64> {
        self.ritz.iter().map(|pair| pair.0).collect()
    }

    /// The residual of a Ritz pair: `beta` times its last component.
    pub(super) fn residual(&self, i: usize) -> f64 {
        self.beta * self.ritz[i].1.abs()
    }

    /// The most that the start can have of a unit eigenvector whose eigenvalue is `mu`, outside of all Ritz values, or farther
    /// out: the vector `v_j = p_j(A) v_1` has `p_j(mu)` times as much, and none has more than 1 (van Dorsselaer, Hochstenbach
    /// and van der Vorst 2000, section 3). Where the recurrence went on from a random vector, that is the start. Without
    /// orthogonality it holds up to rounding, as the recurrence of three terms does.
    pub(super) fn hidden(&self, mu: f64) -> f64 {
        let Self { diagonal, off_diagonal, beta, .. } = self;
        let first = off_diagonal.iter().rposition(|&beta| beta == 0.0).map_or(0, |last| last + 1);
        let (mut before, mut here, mut most) = (0.0, 1.0, 1.0f64);
        for j in first..diagonal.len() {
            let back = if j == first { 0.0 } else { off_diagonal[j - 1] };
            let ahead = off_diagonal.get(j).unwrap_or(beta);
            if *ahead == 0.0 {
                return 0.0;
            }
            (before, here) = (here, ((mu - diagonal[j]) * here - back * before) / ahead);
            // Which passes over what is no number, after an overflow.
            most = most.max(here.abs());
        }
        1.0 / most
    }

    pub(super) fn pair(&self, i: usize, iterations: usize, mature: bool) -> Pair {
        Pair { value: self.ritz[i].0, residual: self.residual(i), iterations, mature }
    }
}
