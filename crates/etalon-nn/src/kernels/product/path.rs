//! From an element type and an instruction set to the code compiled for both.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

use super::blocks;
use super::portable::Plain;
use super::problem::Problem;
use super::vector::{Tiles, Vector};
use crate::Cpu;

/// The tiles of one instruction set, for kernels other than the product.
#[derive(Clone, Copy)]
pub struct MicroKernel<T: 'static> {
    /// Elements in a register.
    pub lanes: usize,
    /// As [`Vector::TILES`].
    pub tiles: &'static Tiles<T>,
}

impl<T> MicroKernel<T> {
    fn of<V: Vector<Element = T>>() -> Self {
        MicroKernel { lanes: V::LANES, tiles: V::TILES }
    }
}

/// A number that products are compiled for. Sealed: its method takes what only this module can make.
pub trait Tiled: Sized {
    /// Carries out a product.
    ///
    /// # Safety
    /// The machine has `cpu`, and the parts of the problem have the lengths that its shapes ask for.
    #[doc(hidden)]
    unsafe fn multiply(cpu: Cpu, problem: Problem<Self>);

    /// The tiles of a path; to call one, the machine must have it.
    #[doc(hidden)]
    fn micro_kernel(cpu: Cpu) -> MicroKernel<Self>;
}

impl Tiled for f32 {
    unsafe fn multiply(cpu: Cpu, problem: Problem<f32>) {
        // SAFETY: the caller's promise.
        unsafe {
            match cpu {
                #[cfg(target_arch = "x86_64")]
                Cpu::Avx512 => blocks::run::<__m512>(problem),
                #[cfg(target_arch = "x86_64")]
                Cpu::Avx2 => blocks::run::<__m256>(problem),
                _ => blocks::run::<Plain<f32, 4>>(problem),
            }
        }
    }

    // Inlined into another crate it would have all tiles compiled there anew.
    #[inline(never)]
    fn micro_kernel(cpu: Cpu) -> MicroKernel<f32> {
        match cpu {
            #[cfg(target_arch = "x86_64")]
            Cpu::Avx512 => MicroKernel::of::<__m512>(),
            #[cfg(target_arch = "x86_64")]
            Cpu::Avx2 => MicroKernel::of::<__m256>(),
            _ => MicroKernel::of::<Plain<f32, 4>>(),
        }
    }
}

impl Tiled for f64 {
    unsafe fn multiply(cpu: Cpu, problem: Problem<f64>) {
        // SAFETY: the caller's promise.
        unsafe {
            match cpu {
                #[cfg(target_arch = "x86_64")]
                Cpu::Avx512 => blocks::run::<__m512d>(problem),
                #[cfg(target_arch = "x86_64")]
                Cpu::Avx2 => blocks::run::<__m256d>(problem),
                _ => blocks::run::<Plain<f64, 2>>(problem),
            }
        }
    }

    // As above.
    #[inline(never)]
    fn micro_kernel(cpu: Cpu) -> MicroKernel<f64> {
        match cpu {
            #[cfg(target_arch = "x86_64")]
            Cpu::Avx512 => MicroKernel::of::<__m512d>(),
            #[cfg(target_arch = "x86_64")]
            Cpu::Avx2 => MicroKernel::of::<__m256d>(),
            _ => MicroKernel::of::<Plain<f64, 2>>(),
        }
    }
}
