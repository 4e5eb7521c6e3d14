//! Symmetric linear operators: a space and a product with its vectors.

use super::{Memory, Space};
use std::error::Error;

/// A symmetric linear operator on a [`Space`], known only by its products.
///
/// Vectors need no more digits than the operator's products have: those over an `f32` network are `f32`, with sums in `f64`.
/// Where more are wanted all the same, vectors may be `f64` ([`Memory<f64>`]), the operator converting at its own edge.
///
/// Requirements: the operator is symmetric, and the same at every call (one fixed batch, one fixed set of
/// normalisation statistics). [`Spectrum::asymmetry`](super::Spectrum::asymmetry) shows when it is not symmetric; one
/// that is seen to change is an error.
///
/// An operator of one's own, which may fail, on vectors of `f32`:
///
/// ```
/// use etalon::curvature::{ApplyError, LanczosSettings, Memory, Operator, lanczos};
///
/// /// Springs between neighbours in a row, with both ends fixed to a wall.
/// struct Chain {
///     stiffness: Vec<f32>,
/// }
///
/// impl Operator for Chain {
///     type Space = Memory<f32>;
///
///     fn space(&self) -> Memory<f32> {
///         Memory::new(self.stiffness.len() - 1)
///     }
///
///     fn apply(&mut self, x: &Vec<f32>, y: &mut Vec<f32>) -> Result<(), ApplyError> {
///         if let Some(broken) = self.stiffness.iter().position(|k| *k < 0.0) {
///             return Err(ApplyError::failed(format!("spring {broken} is broken")));
///         }
///         let at = |i: usize| if (1..=x.len()).contains(&i) { x[i - 1] } else { 0.0 };
///         for i in 1..=x.len() {
///             let (left, right) = (self.stiffness[i - 1], self.stiffness[i]);
///             y[i - 1] = left * (at(i) - at(i - 1)) + right * (at(i) - at(i + 1));
///         }
///         Ok(())
///     }
/// }
///
/// let mut chain = Chain { stiffness: vec![1.0; 51] };
/// let top = lanczos(&mut chain, &LanczosSettings::default(), None)?.largest[0];
/// let closed_form = 2.0 + 2.0 * (std::f64::consts::PI / 51.0).cos();
/// assert!(top.converged && (top.value - closed_form).abs() < 1e-5);
///
/// chain.stiffness[7] = -1.0;
/// let error = lanczos(&mut chain, &LanczosSettings::default(), None).unwrap_err();
/// assert_eq!(error.to_string(), "the operator failed at product 1: spring 7 is broken");
/// # Ok::<(), etalon::curvature::LanczosError>(())
/// ```
pub trait Operator {
    /// Where its vectors live.
    type Space: Space;

    /// The space; the same one at every call.
    fn space(&self) -> Self::Space;

    /// Writes `A x` into `y`; both belong to the space, and what `y` held before is of no meaning.
    ///
    /// # Errors
    /// Where the product cannot be computed, or is no longer wanted. A product that is not finite is no error: the
    /// algorithm stops and says at which iteration.
    fn apply(
        &mut self,
        x: &<Self::Space as Space>::Vector,
        y: &mut <Self::Space as Space>::Vector,
    ) -> Result<(), ApplyError>;
}

/// Why there is no product.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It was asked to stop.
    #[error("it was interrupted")]
    Interrupted,
    /// What the operator is made of failed.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

impl ApplyError {
    /// A failure, from an error of any kind or a text.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        ApplyError::Failed(error.into())
    }
}

/// What was wrong with the numbers an operator was to be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// The entries do not fill a square.
    #[error("a dense operator of size {dim} needs {} entries, got {got}: pass all rows, one after the other", dim * dim)]
    Size {
        /// Rows and columns asked for.
        dim: usize,
        /// Entries given.
        got: usize,
    },
    /// Two entries that should be equal are not.
    #[error(
        "entries ({row}, {column}) and ({column}, {row}) differ: the operator must be symmetric, pass (A + A^T)/2"
    )]
    Asymmetric {
        /// Row of the first entry that differs from its mirror image.
        row: usize,
        /// Its column.
        column: usize,
    },
}

/// A symmetric matrix held whole, row by row: for tests and small Gram matrices.
#[derive(Clone, Debug)]
pub struct DenseOperator {
    dim: usize,
    entries: Vec<f64>,
}

impl DenseOperator {
    /// From `dim * dim` entries, row-major. Mirror entries may differ by rounding: 1e-12 of the
    /// largest entry.
    pub fn new(dim: usize, entries: Vec<f64>) -> Result<Self, OperatorError> {
        if dim.checked_mul(dim) != Some(entries.len()) {
            return Err(OperatorError::Size { dim, got: entries.len() });
        }
        let largest = entries.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
        for row in 0..dim {
            for column in 0..row {
                let (a, b) = (entries[row * dim + column], entries[column * dim + row]);
                // A NaN entry passes here and is reported by the algorithm that meets it.
                if (a - b).abs() > 1e-12 * largest {
                    return Err(OperatorError::Asymmetric { row, column });
                }
            }
        }
        Ok(Self { dim, entries })
    }

    /// The diagonal matrix of the given values.
    pub fn diagonal(values: &[f64]) -> Self {
        let dim = values.len();
        let mut entries = vec![0.0; dim * dim];
        for (i, &value) in values.iter().enumerate() {
            entries[i * dim + i] = value;
        }
        Self { dim, entries }
    }
}

impl Operator for DenseOperator {
    type Space = Memory<f64>;

    fn space(&self) -> Memory<f64> {
        Memory::new(self.dim)
    }

    fn apply(&mut self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<(), ApplyError> {
        // No rows means no elements in y either, so the chunk size of an empty matrix does not matter.
        for (row, out) in self.entries.chunks_exact(self.dim.max(1)).zip(y) {
            *out = row.iter().zip(x).map(|(a, b)| a * b).sum();
        }
        Ok(())
    }
}

/// A closure that cannot fail as an operator: `FnOperator::new(dim, |x: &[f64], y: &mut [f64]| ...)`.
pub struct FnOperator<F> {
    dim: usize,
    product: F,
}

impl<F: FnMut(&[f64], &mut [f64])> FnOperator<F> {
    /// `product(x, y)` writes `A x` into `y`; both have `dim` elements.
    pub fn new(dim: usize, product: F) -> Self {
        Self { dim, product }
    }
}

impl<F: FnMut(&[f64], &mut [f64])> Operator for FnOperator<F> {
    type Space = Memory<f64>;

    fn space(&self) -> Memory<f64> {
        Memory::new(self.dim)
    }

    fn apply(&mut self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<(), ApplyError> {
        (self.product)(x, y);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_operator_multiplies_row_by_row() {
        let mut operator = DenseOperator::new(2, vec![1.0, 2.0, 2.0, -3.0]).unwrap();
        let mut y = vec![0.0; 2];
        operator.apply(&vec![10.0, 1.0], &mut y).unwrap();
        assert_eq!(y, [12.0, 17.0]);
    }

    #[test]
    fn wrong_shapes_and_asymmetry_are_named() {
        let error = DenseOperator::new(2, vec![1.0; 3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a dense operator of size 2 needs 4 entries, got 3: pass all rows, one after the other"
        );
        let error = DenseOperator::new(2, vec![1.0, 2.0, 2.5, 1.0]).unwrap_err();
        assert_eq!(error, OperatorError::Asymmetric { row: 1, column: 0 });
    }

    #[test]
    fn a_closure_is_an_operator() {
        let mut operator = FnOperator::new(3, |x: &[f64], y: &mut [f64]| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
        });
        let mut y = vec![0.0; 3];
        operator.apply(&vec![1.0, 2.0, 3.0], &mut y).unwrap();
        assert_eq!((operator.space().dim(), y), (3, vec![2.0, 4.0, 6.0]));
    }
}
