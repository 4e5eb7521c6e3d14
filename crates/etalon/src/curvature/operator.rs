//! Symmetric linear operators: a size and a product with a vector.

/// A symmetric linear operator on `R^dim`, known only by its products.
///
/// Vectors are `f64` whatever the operator computes in: one over an `f32` network converts at its own edge,
/// because the orthogonality of a Lanczos basis needs the digits even where the network does not.
///
/// Requirements: the operator is symmetric, and the same at every call (one fixed batch, one fixed set of
/// normalisation statistics). [`Spectrum::asymmetry`](super::Spectrum::asymmetry) shows when it is not.
pub trait Operator {
    /// The number of rows and columns.
    fn dim(&self) -> usize;

    /// Writes `A x` into `y`; both have `dim` elements, and what `y` held before is of no meaning. Where the
    /// product cannot be computed, write NaN: the algorithm stops and says at which iteration.
    fn apply(&mut self, x: &[f64], y: &mut [f64]);
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
    fn dim(&self) -> usize {
        self.dim
    }

    fn apply(&mut self, x: &[f64], y: &mut [f64]) {
        // No rows means no elements in y either, so the chunk size of an empty matrix does not matter.
        for (row, out) in self.entries.chunks_exact(self.dim.max(1)).zip(y) {
            *out = row.iter().zip(x).map(|(a, b)| a * b).sum();
        }
    }
}

/// A closure as an operator: `FnOperator::new(dim, |x, y| ...)`.
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
    fn dim(&self) -> usize {
        self.dim
    }

    fn apply(&mut self, x: &[f64], y: &mut [f64]) {
        (self.product)(x, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_operator_multiplies_row_by_row() {
        let mut operator = DenseOperator::new(2, vec![1.0, 2.0, 2.0, -3.0]).unwrap();
        let mut y = [0.0; 2];
        operator.apply(&[10.0, 1.0], &mut y);
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
        let mut y = [0.0; 3];
        operator.apply(&[1.0, 2.0, 3.0], &mut y);
        assert_eq!((operator.dim(), y), (3, [2.0, 4.0, 6.0]));
    }
}
