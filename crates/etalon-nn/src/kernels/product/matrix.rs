//! What a product reads.

/// A matrix inside a slice: `rows x cols`, element (i, j) at `i * row_stride + j * col_stride`.
///
/// The fields are free: any block of columns, every other row, a repeated row (`row_stride` = 0).
/// [`product`](super::product()) checks that the matrix fits in its slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// Where the elements lie.
    pub data: &'a [T],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// Elements from one column to the next.
    pub col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The first `rows x cols` elements of `data`, row after row.
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Matrix { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The transposed matrix, in the same place.
    pub fn transposed(self) -> Self {
        Matrix {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Whether each element lies in the slice.
    pub(super) fn fits(&self) -> bool {
        if self.rows == 0 || self.cols == 0 {
            return true;
        }
        let down = (self.rows - 1).checked_mul(self.row_stride);
        let across = (self.cols - 1).checked_mul(self.col_stride);
        let last = down.zip(across).and_then(|(down, across)| down.checked_add(across));
        last.is_some_and(|last| last < self.data.len())
    }

    /// Where the element (i, j) lies.
    pub(super) fn address(&self, i: usize, j: usize) -> *const T {
        debug_assert!(i < self.rows && j < self.cols);
        self.data.as_ptr().wrapping_add(i * self.row_stride + j * self.col_stride)
    }
}
