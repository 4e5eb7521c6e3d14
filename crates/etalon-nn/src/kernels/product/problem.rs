//! What is to be computed: a product, a tile of it, and memory for both.

use super::Matrix;
use crate::Scalar;
use std::marker::PhantomData;
use std::ops::Range;

/// What C holds before `alpha A B` is added.
#[derive(Clone, Copy, Debug)]
pub enum Initial<R> {
    /// Nothing; the memory is not read.
    Zero,
    /// What it holds now.
    Kept,
    /// The same row everywhere.
    Row(R),
}

impl<R> Initial<R> {
    pub fn map_row<S>(self, f: impl FnOnce(R) -> S) -> Initial<S> {
        match self {
            Initial::Zero => Initial::Zero,
            Initial::Kept => Initial::Kept,
            Initial::Row(row) => Initial::Row(f(row)),
        }
    }
}

/// Some columns of `C = initial + alpha A B`, with shapes that agree and none of them empty.
#[derive(Debug)]
pub struct Problem<'a, T> {
    pub(super) alpha: T,
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) initial: Initial<&'a [T]>,
    /// All of C, row-major and contiguous; of it only `columns` are read and written here.
    pub(super) c: *mut T,
    pub(super) columns: Range<usize>,
    whole: PhantomData<&'a mut [T]>,
}

// SAFETY: it stands for the exclusive borrow that it was made from, and parts of one product have no column in common.
unsafe impl<T: Scalar> Send for Problem<'_, T> {}

impl<'a, T: Scalar> Problem<'a, T> {
    /// A whole product; `c` holds as many rows as A and as many columns as B.
    pub(super) fn new(
        alpha: T,
        a: Matrix<'a, T>,
        b: Matrix<'a, T>,
        initial: Initial<&'a [T]>,
        c: &'a mut [T],
    ) -> Self {
        debug_assert_eq!(c.len(), a.rows * b.cols);
        Problem { alpha, a, b, initial, c: c.as_mut_ptr(), columns: 0..b.cols, whole: PhantomData }
    }

    /// How many multiplications it takes.
    pub(super) fn multiplications(&self) -> usize {
        self.a.rows.saturating_mul(self.a.cols).saturating_mul(self.columns.len())
    }

    /// The columns before one and those from it on.
    pub(super) fn split_at(self, column: usize) -> [Self; 2] {
        let Range { start, end } = self.columns;
        debug_assert!(start < column && column < end);
        [start..column, column..end].map(|columns| Problem { columns, ..self })
    }
}

/// The operands of one tile, `rows x vectors * LANES` elements of C.
///
/// A product has one run of terms; a convolution has one for each row of pixels that it reads.
pub struct Tile<'a, T> {
    /// Where the runs of A start, from `a` on. B has no gaps between runs.
    pub runs: &'a [usize],
    /// Terms in each run.
    pub depth: usize,
    /// Element (i, p) of a run of A lies at `p * a_stride + i` where ACROSS, else at `i * a_stride + p`.
    pub a: *const T,
    pub a_stride: usize,
    /// Row p of B, `vectors * LANES` elements, lies at `p * b_step`.
    pub b: *const T,
    pub b_step: usize,
    /// Row i of C, `vectors * LANES` elements, lies at `i * c_row`.
    pub c: *mut T,
    pub c_row: usize,
    pub alpha: T,
    pub initial: Initial<*const T>,
}

/// Memory for what is packed: one panel of A, one block of B, and a tile that lies partly outside C.
#[derive(Clone, Copy)]
pub(super) struct Memory<T> {
    pub(super) a: *mut T,
    pub(super) b: *mut T,
    pub(super) edge: *mut T,
}
