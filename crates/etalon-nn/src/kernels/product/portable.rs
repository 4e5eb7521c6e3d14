//! Vectors as plain arrays, for any machine.

use super::blocks;
use super::problem::{Memory, Problem, Tile};
use super::tile;
use super::vector::{Tiles, Vector, tiles};
use crate::Scalar;

/// `LANES` numbers, which the compiler keeps in whatever registers the machine has.
#[derive(Clone, Copy)]
pub(super) struct Plain<T, const LANES: usize>([T; LANES]);

impl<T: Scalar, const LANES: usize> Vector for Plain<T, LANES> {
    type Element = T;
    const LANES: usize = LANES;
    const TILES: &'static Tiles<T> = tiles!(1 2 3 4);

    unsafe fn run(problem: Problem<Self::Element>, memory: Memory<Self::Element>) {
        // SAFETY: the promise of `blocks::run_in`, passed on.
        unsafe { blocks::run_in::<Self>(problem, memory) }
    }

    unsafe fn tile<const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(t: &Tile<Self::Element>) {
        // SAFETY: the promise of `tile::compute`, passed on.
        unsafe { tile::compute::<Self, ROWS, VECTORS, ACROSS>(t) }
    }

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Plain([x; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise: LANES elements are valid; an array is aligned as its element.
        Plain(unsafe { from.cast::<[T; LANES]>().read() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        let mut lanes = [T::ZERO; LANES];
        for (i, lane) in lanes.iter_mut().take(count).enumerate() {
            // SAFETY: the caller's promise: the first `count` elements are valid.
            *lane = unsafe { *from.add(i) };
        }
        Plain(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's promise: LANES elements are valid; an array is aligned as its element.
        unsafe { to.cast::<[T; LANES]>().write(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        for (i, lane) in self.0.into_iter().take(count).enumerate() {
            // SAFETY: the caller's promise: the first `count` elements are valid.
            unsafe { *to.add(i) = lane }
        }
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const T) {}

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    #[inline(always)]
    unsafe fn total(self) -> T {
        self.0.into_iter().sum()
    }

    #[inline(always)]
    unsafe fn multiply_add(self, by: Self, to: Self) -> Self {
        // Two roundings: without the instruction, a fused multiply-add is a function call.
        Plain(std::array::from_fn(|i| self.0[i] * by.0[i] + to.0[i]))
    }

    #[inline(always)]
    unsafe fn transpose(from: *const T, stride: usize, depth: usize, to: *mut T, step: usize) {
        for p in 0..depth {
            for i in 0..4 {
                // SAFETY: the caller's promise: these elements are valid.
                unsafe { *to.add(p * step + i) = *from.add(i * stride + p) }
            }
        }
    }
}
