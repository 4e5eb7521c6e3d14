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

    pub(super) fn pair(&self, i: usize, iterations: usize, mature: bool) -> Pair {
        Pair { value: self.ritz[i].0, residual: self.residual(i), iterations, mature }
    }
}
