//! The only place with loops over numbers. Layers, losses and optimisers call what is here, so that kernels of
//! another device can stand beside the processor's.

pub mod activation;
pub mod adamw;
pub mod combination;
pub mod convolution;
pub mod elementwise;
pub(crate) mod normalization;
pub(crate) mod polynomials;
pub mod pooling;
pub mod product;
pub mod reduction;
pub mod subsample;

use crate::Cpu;

/// The most rows, columns, channels or pixels of a stride that an image's kernel takes: products of three can be counted.
pub(crate) const LONGEST: usize = (1 << 20) - 1;

/// Runs `body` compiled for the instruction set `cpu`, so that its loops use that set's vectors.
///
/// A body carries `#[inline(always)]`, and so does every function that it calls: what is not inlined is compiled for the
/// oldest machine.
///
/// The bodies never ask for a fused multiply-add, and Rust never fuses one by itself: what they compute is the
/// same to the bit on every path.
#[inline(always)]
fn vectorised<R>(cpu: Cpu, body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn avx512<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        assert!(Cpu::available().contains(&cpu), "this machine lacks {}", cpu.name());
        match cpu {
            // SAFETY: the assertion above: a path is available when the machine has every feature it enables.
            Cpu::Avx512 => return unsafe { avx512(body) },
            // SAFETY: as above.
            Cpu::Avx2 => return unsafe { avx2(body) },
            Cpu::Portable => {}
        }
    }
    let _ = cpu;
    body()
}
