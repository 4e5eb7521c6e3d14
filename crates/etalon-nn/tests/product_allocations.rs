//! Products allocate nothing after a thread's first.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use etalon_nn::kernels::product::{Matrix, product, product_with_bias};
use etalon_nn::{Cpu, Scalar};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One product of each kind, large enough to use every part of the memory.
fn products<T: Scalar>(cpu: Cpu, a: &[T], b: &[T], bias: &[T], c: &mut [T]) {
    let (m, n, k) = (150, 523, 300);
    let (a, b) = (&a[..m * k], &b[..k * n]);
    let across = Matrix::row_major(a, k, m).transposed();
    let turned = Matrix::row_major(b, n, k).transposed();
    product(cpu, T::ONE, Matrix::row_major(a, m, k), Matrix::row_major(b, k, n), T::ZERO, c);
    product(cpu, T::ONE, across, turned, T::ONE, c);
    product_with_bias(cpu, T::ONE, Matrix::row_major(a, m, k), turned, bias, c);
}

// One test in this file: another one's thread would allocate at the same time.
#[test]
fn a_second_call_allocates_nothing() {
    let (single, double) = (vec![1.0f32; 300 * 523], vec![1.0f64; 300 * 523]);
    let (mut single_c, mut double_c) = (vec![0.0f32; 150 * 523], vec![0.0f64; 150 * 523]);
    for &cpu in Cpu::available() {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        products(cpu, &single, &single, &single[..523], &mut single_c);
        let first = ALLOCATIONS.load(Ordering::Relaxed) - before;
        // The memory belongs to the thread, not to the path: only the first path finds none.
        assert_eq!(first > 0, cpu == Cpu::Portable, "the counter does not count");

        let before = ALLOCATIONS.load(Ordering::Relaxed);
        products(cpu, &single, &single, &single[..523], &mut single_c);
        products(cpu, &double, &double, &double[..523], &mut double_c);
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0, "{}", cpu.name());
    }
}
