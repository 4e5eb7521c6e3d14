//! The product cut into blocks that stay in the caches.

use super::narrow;
use super::pack::{self, Part};
use super::problem::{Initial, Memory, Problem, Tile};
use super::scratch;
use super::tile::{load_up_to, store_up_to};
use super::vector::Vector;
use std::ops::Range;

/// Terms of the sums that one pass over C adds. A panel of A, so many terms deep, shares the first cache with
/// the panel of B that passes by.
const DEPTH: usize = 256;
/// Columns of B in a block. A block, [`DEPTH`] deep, stays in the second cache (half a MiB of `f32`).
const COLUMNS: usize = 512;
/// Panels of B from which on packing A is worth its while.
const PACK_A_ABOVE: usize = 6;
/// Rows of A from which on packing B is worth its while, where B can be read as it lies.
const PACK_B_ABOVE: usize = 128;

/// Multiplications from which on a part of a product is offered to another thread: some ten microseconds of work, of which
/// an offer that nobody takes costs a hundredth.
const OFFERED: usize = 1 << 19;

/// Upper limits on the tiles of all instruction sets, for the memory.
const TILE_ROWS: usize = 16;
const TILE_COLUMNS: usize = 32;

impl<T> Memory<T> {
    const ELEMENTS: usize = DEPTH * TILE_ROWS + DEPTH * COLUMNS + TILE_ROWS * TILE_COLUMNS;

    /// Cuts up memory of [`Self::ELEMENTS`]; each part starts on a cache line if the first does.
    fn new(start: *mut T) -> Self {
        let b = start.wrapping_add(DEPTH * TILE_ROWS);
        Memory { a: start, b, edge: b.wrapping_add(DEPTH * COLUMNS) }
    }
}

/// `total` cut into as few pieces as possible of at most `limit`, of nearly equal length: (start, length).
pub(in crate::kernels) fn pieces(total: usize, limit: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = total.div_ceil(limit);
    (0..count).map(move |index| {
        let start = total * index / count;
        (start, total * (index + 1) / count - start)
    })
}

/// Carries out the product.
///
/// # Safety
/// The machine has the instructions of `V`; the matrices fit in their slices, the shapes agree and are not
/// empty, and C and the initial row have their lengths.
pub(super) unsafe fn run<V: Vector>(problem: Problem<V::Element>) {
    let is_offered = problem.multiplications() >= 2 * OFFERED && rayon::current_thread_index().is_some();
    let parts = if is_offered { rayon::current_num_threads() } else { 1 };
    // SAFETY: the caller's promise.
    unsafe { share::<V>(problem, parts) }
}

/// [`run`] in at most so many parts, of which other threads of the pool may take some. They meet at a boundary of tiles, so
/// that every element is computed as it would be by one.
///
/// # Safety
/// As [`run`].
unsafe fn share<V: Vector>(problem: Problem<V::Element>, parts: usize) {
    // Both element types ask for as much, so that a thread that uses both allocates once.
    const BYTES: usize = Memory::<f64>::ELEMENTS * size_of::<f64>();
    let tiles = problem.columns.len().div_ceil(TILE_COLUMNS);
    if parts > 1 && tiles > 1 && problem.multiplications() >= 2 * OFFERED {
        let middle = problem.columns.start + tiles / 2 * TILE_COLUMNS;
        let [first, second] = problem.split_at(middle);
        let (few, more) = (parts / 2, parts.div_ceil(2));
        // SAFETY: the caller's promise; what holds for all columns holds for some.
        rayon::join(|| unsafe { share::<V>(first, few) }, || unsafe { share::<V>(second, more) });
        return;
    }
    scratch::with(BYTES, |start| {
        // SAFETY: the caller's promise; BYTES suffice for either element type.
        unsafe { V::run(problem, Memory::new(start.cast())) }
    })
}

/// [`run`], with its memory.
///
/// # Safety
/// As [`run`]; the memory is valid.
#[inline(always)]
pub(super) unsafe fn run_in<V: Vector>(problem: Problem<V::Element>, memory: Memory<V::Element>) {
    let Problem { alpha, a, b, initial, c, ref columns, .. } = problem;
    if a.col_stride == 1 && b.row_stride == 1 && b.cols <= narrow::COLUMNS {
        // SAFETY: the caller's promise; what else `narrow` asks for was just seen.
        return unsafe {
            match b.cols {
                1 => narrow::run::<V, 1>(problem),
                2 => narrow::run::<V, 2>(problem),
                3 => narrow::run::<V, 3>(problem),
                _ => narrow::run::<V, { narrow::COLUMNS }>(problem),
            }
        };
    }
    let (m, n, k) = (a.rows, b.cols, a.cols);
    let tile_rows = V::TILES.len();
    let tile_columns = 2 * V::LANES;
    debug_assert!(
        tile_rows <= TILE_ROWS && tile_columns <= TILE_COLUMNS && COLUMNS.is_multiple_of(tile_columns)
    );

    // A tile reads A element by element, along a row or across the rows, so that A can mostly be read as it
    // lies; it reads B vector by vector.
    let Range { start, end } = columns.clone();
    let panels = (end - start).div_ceil(tile_columns);
    let pack_a = panels > PACK_A_ABOVE || (a.row_stride != 1 && a.col_stride != 1);
    let across = pack_a || a.col_stride != 1;
    let pack_b = m > PACK_B_ABOVE || b.col_stride != 1;

    for (first, count) in pieces(panels, COLUMNS / tile_columns) {
        let block = start + first * tile_columns..end.min(start + (first + count) * tile_columns);
        for (p, depth) in pieces(k, DEPTH) {
            let initial = if p == 0 { initial } else { Initial::Kept };
            for (i, rows) in pieces(m, tile_rows) {
                let (a_panel, a_stride) = if pack_a {
                    let part = Part::of_rows(&a, i..i + rows, p, depth);
                    // SAFETY: the part lies in A; the memory for A holds one panel.
                    unsafe { pack::panel::<V>(&part, memory.a, rows) };
                    (memory.a.cast_const(), rows)
                } else {
                    (a.address(i, p), if across { a.col_stride } else { a.row_stride })
                };
                for j in block.clone().step_by(tile_columns) {
                    let columns = tile_columns.min(end - j);
                    let vectors = columns.div_ceil(V::LANES);
                    let width = vectors * V::LANES;
                    let (b_panel, b_step) = if pack_b || columns < width {
                        let panel = memory.b.wrapping_add((j - block.start) * depth);
                        if i == 0 {
                            let part = Part::of_columns(&b, j..j + columns, p, depth);
                            // SAFETY: the part lies in B; the block's panels lie one behind another.
                            unsafe { pack::panel::<V>(&part, panel, width) };
                        }
                        (panel.cast_const(), width)
                    } else {
                        (b.address(p, j), b.row_stride)
                    };
                    let tile = Tile {
                        runs: &[0],
                        depth,
                        a: a_panel,
                        a_stride,
                        b: b_panel,
                        b_step,
                        c: c.wrapping_add(i * n + j),
                        c_row: n,
                        alpha,
                        initial: initial.map_row(|row| row[j..].as_ptr()),
                    };
                    let compute = V::TILES[rows - 1][usize::from(across)][vectors - 1];
                    // SAFETY: the tile's operands lie in A and B, or their packed copies, and in C; where its
                    // vectors would reach beyond C's columns, it goes through the edge.
                    unsafe {
                        if columns == width {
                            compute(&tile);
                        } else {
                            let edge = Tile { c: memory.edge, c_row: width, initial: Initial::Zero, ..tile };
                            compute(&edge);
                            add_columns::<V>(&edge, rows, columns, &tile);
                        }
                    }
                }
            }
        }
    }
}

/// C = initial + the edge, for so many columns: what `tile` would do if its vectors did not reach beyond C.
///
/// # Safety
/// The machine has the instructions of `V`; `rows` rows of the C of both tiles are valid, and so are `columns`
/// columns of `tile`'s initial row.
#[inline(always)]
unsafe fn add_columns<V: Vector>(
    edge: &Tile<V::Element>,
    rows: usize,
    columns: usize,
    tile: &Tile<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..rows {
            for j in (0..columns).step_by(V::LANES) {
                let count = columns - j;
                let c = tile.c.add(i * tile.c_row + j);
                let sum = V::load(edge.c.add(i * edge.c_row + j));
                let value = match tile.initial {
                    Initial::Zero => sum,
                    Initial::Kept => sum.add(load_up_to(c, count)),
                    Initial::Row(row) => sum.add(load_up_to(row.add(j), count)),
                };
                store_up_to(value, c, count);
            }
        }
    }
}
