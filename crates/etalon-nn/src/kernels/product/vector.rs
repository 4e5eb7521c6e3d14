//! What the tile asks of a vector register.

use super::problem::{Memory, Problem, Tile};
use crate::Scalar;

/// Functions that compute one tile: by rows, by layout of A, by vectors to the row.
pub(super) type Tiles<T> = [[[unsafe fn(&Tile<T>); 2]; 2]];

/// A vector register of one instruction set, and the functions that are compiled for that set.
///
/// Every method is unsafe for two reasons, stated here once: the machine must have the instruction set, and
/// pointers must be valid for the elements named (no alignment is asked beyond that of the element).
pub(super) trait Vector: Copy {
    /// `f32` or `f64`.
    type Element: Scalar;
    /// Elements in a register.
    const LANES: usize;
    /// `TILES[rows - 1][across][vectors - 1]` is [`Vector::tile`] for so many rows and vectors to the row; the
    /// table is as long as a tile may be high.
    const TILES: &'static Tiles<Self::Element>;

    /// [`blocks::run_in`](super::blocks::run_in), compiled for the set.
    unsafe fn run(problem: Problem<Self::Element>, memory: Memory<Self::Element>);
    /// [`tile::compute`](super::tile::compute), compiled for the set.
    unsafe fn tile<const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(t: &Tile<Self::Element>);
    /// `x` in every lane.
    unsafe fn splat(x: Self::Element) -> Self;
    /// `LANES` elements.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// `count < LANES` elements, then zeros; nothing behind them is read.
    unsafe fn load_first(from: *const Self::Element, count: usize) -> Self;
    /// `LANES` elements.
    unsafe fn store(self, to: *mut Self::Element);
    /// The first `count < LANES` elements; nothing behind them is written.
    unsafe fn store_first(self, to: *mut Self::Element, count: usize);
    /// Asks for the cache line of an element that will be needed.
    unsafe fn prefetch(at: *const Self::Element);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// The sum of all lanes, in an order of its own.
    unsafe fn total(self) -> Self::Element;
    /// `self * by + to`, fused where the set can.
    unsafe fn multiply_add(self, by: Self, to: Self) -> Self;
    /// `to[p * step + i] = from[i * stride + p]`, for `i < 4` and `p < depth`.
    unsafe fn transpose(
        from: *const Self::Element,
        stride: usize,
        depth: usize,
        to: *mut Self::Element,
        step: usize,
    );
}

/// The table of [`Vector::TILES`], for so many rows.
macro_rules! tiles {
    ($($rows:literal)*) => {
        &[$([
            [Self::tile::<$rows, 1, false>, Self::tile::<$rows, 2, false>],
            [Self::tile::<$rows, 1, true>, Self::tile::<$rows, 2, true>],
        ]),*]
    };
}
pub(super) use tiles;
