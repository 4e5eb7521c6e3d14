//! Matrix products.

use crate::{Cpu, Scalar};

/// A matrix inside a slice: element (i, j) stands at `i * row_stride + j * col_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// The numbers.
    pub data: &'a [T],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Distance from a row to the next.
    pub row_stride: usize,
    /// Distance from a column to the next.
    pub col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix whose rows follow one another.
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Matrix { data, rows, cols, row_stride: cols, col_stride: 1 }
    }
    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Matrix {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// `c = beta c + alpha a b`.
pub fn product<T: Scalar>(_cpu: Cpu, alpha: T, a: Matrix<T>, b: Matrix<T>, beta: T, c: &mut [T]) {
    for i in 0..a.rows {
        for j in 0..b.cols {
            let mut s = T::ZERO;
            for p in 0..a.cols {
                s +=
                    a.data[i * a.row_stride + p * a.col_stride] * b.data[p * b.row_stride + j * b.col_stride];
            }
            let c = &mut c[i * b.cols + j];
            *c = if beta == T::ZERO { alpha * s } else { beta * *c + alpha * s };
        }
    }
}
