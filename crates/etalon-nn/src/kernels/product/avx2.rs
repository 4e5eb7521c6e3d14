//! Vectors of 256 bits: AVX2 with FMA.

use std::arch::x86_64::*;

use super::blocks;
use super::problem::{Memory, Problem, Tile};
use super::tile;
use super::transpose;
use super::vector::{Tiles, Vector, tiles};

/// All bits of the first `count` of eight lanes.
#[target_feature(enable = "avx2")]
fn first_f32(count: usize) -> __m256i {
    _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
}

/// All bits of the first `count` of four lanes.
#[target_feature(enable = "avx2")]
fn first_f64(count: usize) -> __m256i {
    _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3))
}

// In both blocks below: SAFETY of every intrinsic is the promise of `Vector`, that the machine has AVX2 and FMA
// and that the elements named are valid; masked lanes are neither read nor written.

impl Vector for __m256 {
    type Element = f32;
    const LANES: usize = 8;
    // Twelve sums, two vectors of B and one of A fit in 16 registers.
    const TILES: &'static Tiles<f32> = tiles!(1 2 3 4 5 6);

    #[target_feature(enable = "avx2,fma")]
    unsafe fn run(problem: Problem<Self::Element>, memory: Memory<Self::Element>) {
        // SAFETY: the promise of `blocks::run_in`, passed on.
        unsafe { blocks::run_in::<Self>(problem, memory) }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(t: &Tile<Self::Element>) {
        // SAFETY: the promise of `tile::compute`, passed on.
        unsafe { tile::compute::<Self, ROWS, VECTORS, ACROSS>(t) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_maskload_ps(from, first_f32(count)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: see above.
        unsafe { _mm256_maskstore_ps(to, first_f32(count), self) }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: see above.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn total(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, by: Self, to: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(self, by, to) }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, depth: usize, to: *mut f32, step: usize) {
        // SAFETY: the promise of `Vector`, passed on.
        unsafe { transpose::transpose_f32(from, stride, depth, to, step) }
    }
}

impl Vector for __m256d {
    type Element = f64;
    const LANES: usize = 4;
    const TILES: &'static Tiles<f64> = tiles!(1 2 3 4 5 6);

    #[target_feature(enable = "avx2,fma")]
    unsafe fn run(problem: Problem<Self::Element>, memory: Memory<Self::Element>) {
        // SAFETY: the promise of `blocks::run_in`, passed on.
        unsafe { blocks::run_in::<Self>(problem, memory) }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const ROWS: usize, const VECTORS: usize, const ACROSS: bool>(t: &Tile<Self::Element>) {
        // SAFETY: the promise of `tile::compute`, passed on.
        unsafe { tile::compute::<Self, ROWS, VECTORS, ACROSS>(t) }
    }

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_set1_pd(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_loadu_pd(from) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_maskload_pd(from, first_f64(count)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_pd(to, self) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: see above.
        unsafe { _mm256_maskstore_pd(to, first_f64(count), self) }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const f64) {
        // SAFETY: see above.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_add_pd(self, other) }
    }

    #[inline(always)]
    unsafe fn total(self) -> f64 {
        // SAFETY: see above.
        unsafe {
            let two = _mm_add_pd(_mm256_castpd256_pd128(self), _mm256_extractf128_pd::<1>(self));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, by: Self, to: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_pd(self, by, to) }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f64, stride: usize, depth: usize, to: *mut f64, step: usize) {
        // SAFETY: the promise of `Vector`, passed on.
        unsafe { transpose::transpose_f64(from, stride, depth, to, step) }
    }
}
