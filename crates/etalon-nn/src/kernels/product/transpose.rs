//! Rows turned into columns with AVX2, for packing.

use std::arch::x86_64::*;

/// Four rows, turned: `to[p * step + i] = from[i * stride + p]`.
///
/// # Safety
/// The machine has AVX2, and `from` and `to` are valid for `i < 4` and `p < depth`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn transpose_f32(from: *const f32, stride: usize, depth: usize, to: *mut f32, step: usize) {
    // SAFETY: the caller's promise; no vector reaches beyond p = depth.
    unsafe {
        if depth < 8 {
            for p in 0..depth {
                for i in 0..4 {
                    *to.add(p * step + i) = *from.add(i * stride + p);
                }
            }
            return;
        }
        for block in (0..depth).step_by(8) {
            // The last block ends with the last column, though it may repeat a part of the one before.
            let p = block.min(depth - 8);
            let row = |i: usize| _mm256_loadu_ps(from.add(i * stride + p));
            let low01 = _mm256_unpacklo_ps(row(0), row(1));
            let high01 = _mm256_unpackhi_ps(row(0), row(1));
            let low23 = _mm256_unpacklo_ps(row(2), row(3));
            let high23 = _mm256_unpackhi_ps(row(2), row(3));
            let columns = [
                _mm256_shuffle_ps::<0x44>(low01, low23),
                _mm256_shuffle_ps::<0xee>(low01, low23),
                _mm256_shuffle_ps::<0x44>(high01, high23),
                _mm256_shuffle_ps::<0xee>(high01, high23),
            ];
            // Each register holds column p + q in its low half, column p + q + 4 in its high half.
            for (q, &column) in columns.iter().enumerate() {
                _mm_storeu_ps(to.add((p + q) * step), _mm256_castps256_ps128(column));
                _mm_storeu_ps(to.add((p + q + 4) * step), _mm256_extractf128_ps::<1>(column));
            }
        }
    }
}

/// Four rows, turned: `to[p * step + i] = from[i * stride + p]`.
///
/// # Safety
/// The machine has AVX2, and `from` and `to` are valid for `i < 4` and `p < depth`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn transpose_f64(from: *const f64, stride: usize, depth: usize, to: *mut f64, step: usize) {
    // SAFETY: the caller's promise; no vector reaches beyond p = depth.
    unsafe {
        if depth < 4 {
            for p in 0..depth {
                for i in 0..4 {
                    *to.add(p * step + i) = *from.add(i * stride + p);
                }
            }
            return;
        }
        for block in (0..depth).step_by(4) {
            // As in `transpose_f32`.
            let p = block.min(depth - 4);
            let row = |i: usize| _mm256_loadu_pd(from.add(i * stride + p));
            let low01 = _mm256_unpacklo_pd(row(0), row(1));
            let high01 = _mm256_unpackhi_pd(row(0), row(1));
            let low23 = _mm256_unpacklo_pd(row(2), row(3));
            let high23 = _mm256_unpackhi_pd(row(2), row(3));
            let to = to.add(p * step);
            _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(low01, low23));
            _mm256_storeu_pd(to.add(step), _mm256_permute2f128_pd::<0x20>(high01, high23));
            _mm256_storeu_pd(to.add(2 * step), _mm256_permute2f128_pd::<0x31>(low01, low23));
            _mm256_storeu_pd(to.add(3 * step), _mm256_permute2f128_pd::<0x31>(high01, high23));
        }
    }
}
