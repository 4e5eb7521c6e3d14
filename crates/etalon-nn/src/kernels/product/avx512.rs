//! Vectors of 512 bits: AVX-512F.

use std::arch::x86_64::*;

use super::blocks;
use super::problem::{Memory, Problem, Tile};
use super::tile;
use super::transpose;
use super::vector::{Tiles, Vector, tiles};

// In both blocks below: SAFETY of every intrinsic is the promise of `Vector`, that the machine has AVX-512F and
// that the elements named are valid; masked lanes are neither read nor written.

impl Vector for __m512 {
    type Element = f32;
    const LANES: usize = 16;
    // 24 sums, two vectors of B and one of A fit in 32 registers.
    const TILES: &'static Tiles<f32> = tiles!(1 2 3 4 5 6 7 8 9 10 11 12);

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn run(problem: Problem<Self::Element>, memory: Memory<Self::Element>) {
        // SAFETY: the promise of `blocks::run_in`, passed on.
        unsafe { blocks::run_in::<Self>(problem, memory) }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn tile<const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(t: &Tile<Self::Element>) {
        // SAFETY: the promise of `tile::compute`, passed on.
        unsafe { tile::compute::<Self, ROWS, VECTORS, ACROSS>(t) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_maskz_loadu_ps((1u16 << count) - 1, from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: see above.
        unsafe { _mm512_mask_storeu_ps(to, (1u16 << count) - 1, self) }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: see above.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn total(self) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_ps(self) }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, by: Self, to: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(self, by, to) }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, depth: usize, to: *mut f32, step: usize) {
        // SAFETY: the promise of `Vector`, passed on; a machine with AVX-512F has AVX2 as `Cpu` counts.
        unsafe { transpose::transpose_f32(from, stride, depth, to, step) }
    }
}

impl Vector for __m512d {
    type Element = f64;
    const LANES: usize = 8;
    const TILES: &'static Tiles<f64> = tiles!(1 2 3 4 5 6 7 8 9 10 11 12);

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn run(problem: Problem<Self::Element>, memory: Memory<Self::Element>) {
        // SAFETY: the promise of `blocks::run_in`, passed on.
        unsafe { blocks::run_in::<Self>(problem, memory) }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn tile<const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(t: &Tile<Self::Element>) {
        // SAFETY: the promise of `tile::compute`, passed on.
        unsafe { tile::compute::<Self, ROWS, VECTORS, ACROSS>(t) }
    }

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_set1_pd(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_loadu_pd(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_maskz_loadu_pd((1u8 << count) - 1, from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_pd(to, self) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: see above.
        unsafe { _mm512_mask_storeu_pd(to, (1u8 << count) - 1, self) }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f64) {
        // SAFETY: see above.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_add_pd(self, other) }
    }

    #[inline(always)]
    unsafe fn total(self) -> f64 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_pd(self) }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, by: Self, to: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_pd(self, by, to) }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f64, stride: usize, depth: usize, to: *mut f64, step: usize) {
        // SAFETY: the promise of `Vector`, passed on; a machine with AVX-512F has AVX2 as `Cpu` counts.
        unsafe { transpose::transpose_f64(from, stride, depth, to, step) }
    }
}
