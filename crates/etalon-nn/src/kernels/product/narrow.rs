//! Products with few columns, such as the one output of a regression: C's elements as dot products.
//!
//! A tile would leave most lanes of its vectors empty. Here the lanes run along the inner dimension instead, for
//! which the rows of A and the columns of B must be contiguous.

use super::problem::{Initial, Problem};
use super::tile::load_up_to;
use super::vector::Vector;
use crate::Scalar;

/// The most columns that are computed in this way.
pub(super) const COLUMNS: usize = 4;
/// Rows of A at a time: with four columns, 16 sums.
const ROWS: usize = 4;

/// Carries out a product with `COLUMNS` columns.
///
/// # Safety
/// As [`super::blocks::run_in`]; moreover `a.col_stride` = `b.row_stride` = 1 and B has `COLUMNS` columns.
#[inline(always)]
pub(super) unsafe fn run<V: Vector, const COLUMNS: usize>(problem: Problem<V::Element>) {
    let Problem { alpha, a, b, initial, c, .. } = problem;
    // SAFETY: the caller's promise; so few columns are never divided.
    let c = unsafe { std::slice::from_raw_parts_mut(c, a.rows * COLUMNS) };
    for start in (0..a.rows).step_by(ROWS) {
        // Rows beyond the last repeat it, and are not written.
        let rows: [_; ROWS] = std::array::from_fn(|i| a.address((start + i).min(a.rows - 1), 0));
        let columns: [_; COLUMNS] = std::array::from_fn(|j| b.address(0, j));
        // SAFETY: the caller's promise: each row and column holds `a.cols` contiguous elements.
        let sums = unsafe { dots::<V, COLUMNS>(rows, columns, a.cols) };
        for (i, sums) in sums.into_iter().enumerate().take(a.rows - start) {
            let c = &mut c[(start + i) * COLUMNS..][..COLUMNS];
            for (j, (c, sum)) in c.iter_mut().zip(sums).enumerate() {
                let initial = match initial {
                    Initial::Zero => V::Element::ZERO,
                    Initial::Kept => *c,
                    Initial::Row(row) => row[j],
                };
                *c = alpha * sum + initial;
            }
        }
    }
}

/// The dot product of each row with each column. Loops over indices: see `tile::add_term`.
///
/// # Safety
/// The machine has the instructions of `V`, and each pointer is valid for `depth` elements.
#[inline(always)]
unsafe fn dots<V: Vector, const COLUMNS: usize>(
    rows: [*const V::Element; ROWS],
    columns: [*const V::Element; COLUMNS],
    depth: usize,
) -> [[V::Element; COLUMNS]; ROWS] {
    // SAFETY: the caller's promise; no vector reaches beyond `depth`.
    unsafe {
        let mut sums = [[V::splat(V::Element::ZERO); COLUMNS]; ROWS];
        let whole = depth / V::LANES * V::LANES;
        for p in (0..whole).step_by(V::LANES) {
            let mut vectors = [V::splat(V::Element::ZERO); COLUMNS];
            for j in 0..COLUMNS {
                vectors[j] = V::load(columns[j].add(p));
            }
            for i in 0..ROWS {
                let row = V::load(rows[i].add(p));
                for j in 0..COLUMNS {
                    sums[i][j] = row.multiply_add(vectors[j], sums[i][j]);
                }
            }
        }
        let mut results = [[V::Element::ZERO; COLUMNS]; ROWS];
        for (i, (sums, row)) in sums.iter_mut().zip(rows).enumerate() {
            for (j, (sum, column)) in sums.iter_mut().zip(columns).enumerate() {
                if whole < depth {
                    let rest: V = load_up_to(row.add(whole), depth - whole);
                    *sum = rest.multiply_add(load_up_to(column.add(whole), depth - whole), *sum);
                }
                results[i][j] = sum.total();
            }
        }
        results
    }
}
