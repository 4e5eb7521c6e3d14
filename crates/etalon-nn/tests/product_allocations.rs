//! Products allocate nothing after a thread's first.

mod counting;

use counting::allocations;
use etalon_nn::kernels::product::{Matrix, product, product_with_bias};
use etalon_nn::{Cpu, Scalar};

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
        let before = allocations();
        products(cpu, &single, &single, &single[..523], &mut single_c);
        let first = allocations() - before;
        // The memory belongs to the thread, not to the path: only the first path finds none.
        assert_eq!(first > 0, cpu == Cpu::Portable, "the counter does not count");

        let before = allocations();
        products(cpu, &single, &single, &single[..523], &mut single_c);
        products(cpu, &double, &double, &double[..523], &mut double_c);
        assert_eq!(allocations() - before, 0, "{}", cpu.name());
    }
}
