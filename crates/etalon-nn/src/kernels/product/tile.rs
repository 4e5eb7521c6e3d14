//! One tile of C, kept in registers while the inner dimension passes by.

use super::problem::{Initial, Tile};
use super::vector::Vector;

impl<T> Tile<'_, T> {
    /// Vector j of row i of C.
    #[inline(always)]
    fn c_at<V: Vector<Element = T>>(&self, i: usize, j: usize) -> *mut T {
        self.c.wrapping_add(i * self.c_row + j * V::LANES)
    }
}

/// Terms between two looks at the loop's end.
const UNROLLED: usize = 4;

/// Computes a tile of `ROWS` rows and `VECTORS` vectors to the row.
///
/// # Safety
/// The machine has the instructions of `V`; the elements of A, B, C and the initial row that [`Tile`] names are
/// valid.
#[inline(always)]
pub(super) unsafe fn compute<V: Vector, const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(
    t: &Tile<V::Element>,
) {
    // SAFETY: the caller's promise; each access below is to an element that the fields of `Tile` describe.
    // Pointers step past their last row with `wrapping_add` and are not read there.
    unsafe {
        let zero = V::splat(V::Element::default());
        let mut sums = [[zero; VECTORS]; ROWS];
        let (a_row, a_step) = if ACROSS { (1, t.a_stride) } else { (t.a_stride, 1) };
        let mut b = t.b;
        for i in 0..ROWS {
            for j in 0..VECTORS {
                V::prefetch(t.c_at::<V>(i, j));
            }
        }
        // Unrolling saves the reckoning of addresses. A tall tile that reads along rows has too many of them.
        let unrolled = if ACROSS || ROWS * VECTORS <= 16 { t.depth / UNROLLED } else { 0 };
        for &start in t.runs {
            let mut a = t.a.wrapping_add(start);
            for _ in 0..unrolled {
                for p in 0..UNROLLED {
                    add_term(&mut sums, a.wrapping_add(p * a_step), a_row, b.wrapping_add(p * t.b_step));
                }
                a = a.wrapping_add(UNROLLED * a_step);
                b = b.wrapping_add(UNROLLED * t.b_step);
            }
            for _ in UNROLLED * unrolled..t.depth {
                add_term(&mut sums, a, a_row, b);
                a = a.wrapping_add(a_step);
                b = b.wrapping_add(t.b_step);
            }
        }
        // One loop for each case: a branch in the loop would be taken ROWS * VECTORS times.
        let alpha = V::splat(t.alpha);
        match t.initial {
            Initial::Zero => {
                for (i, sums) in sums.iter().enumerate() {
                    for (j, sum) in sums.iter().enumerate() {
                        alpha.multiply_add(*sum, zero).store(t.c_at::<V>(i, j));
                    }
                }
            }
            Initial::Kept => {
                for (i, sums) in sums.iter().enumerate() {
                    for (j, sum) in sums.iter().enumerate() {
                        let c = t.c_at::<V>(i, j);
                        alpha.multiply_add(*sum, V::load(c)).store(c);
                    }
                }
            }
            Initial::Row(row) => {
                for (i, sums) in sums.iter().enumerate() {
                    for (j, sum) in sums.iter().enumerate() {
                        let initial = V::load(row.add(j * V::LANES));
                        alpha.multiply_add(*sum, initial).store(t.c_at::<V>(i, j));
                    }
                }
            }
        }
    }
}

/// Adds one term to every sum: a column of A, whose elements lie `a_row` apart, times a row of B.
///
/// A function, not a closure, and loops over indices, not a zip: neither can be made to be inlined, and where it is not, as in a
/// build without optimisation across the parts of a crate, vectors travel through memory and training takes ten times as long.
///
/// # Safety
/// As [`compute`].
#[inline(always)]
unsafe fn add_term<V: Vector, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; ROWS],
    a: *const V::Element,
    a_row: usize,
    b: *const V::Element,
) {
    // SAFETY: the caller's promise: the column has ROWS elements, the row has VECTORS * LANES.
    unsafe {
        let mut row = [V::splat(V::Element::default()); VECTORS];
        for (j, vector) in row.iter_mut().enumerate() {
            *vector = V::load(b.add(j * V::LANES));
        }
        for (i, sums) in sums.iter_mut().enumerate() {
            let factor = V::splat(*a.add(i * a_row));
            for j in 0..VECTORS {
                sums[j] = factor.multiply_add(row[j], sums[j]);
            }
        }
    }
}

/// The first `count` elements, or a full vector where there are as many, then zeros.
///
/// # Safety
/// The machine has the instructions of `V` and the elements are valid for reads.
#[inline(always)]
pub(super) unsafe fn load_up_to<V: Vector>(from: *const V::Element, count: usize) -> V {
    // SAFETY: the caller's promise.
    unsafe { if count >= V::LANES { V::load(from) } else { V::load_first(from, count) } }
}

/// Writes the first `count` elements, or the full vector where there is as much room.
///
/// # Safety
/// The machine has the instructions of `V` and the elements are valid for writes.
#[inline(always)]
pub(super) unsafe fn store_up_to<V: Vector>(vector: V, to: *mut V::Element, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if count >= V::LANES { vector.store(to) } else { vector.store_first(to, count) } }
}
