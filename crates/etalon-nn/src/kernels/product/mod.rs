//! Matrix products without allocation: `C = beta C + alpha A B`.
//!
//! The method is that of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication", ACM
//! Transactions on Mathematical Software 34(3), 2008): `blocks` cuts the product into blocks that stay in the
//! caches, `pack` lays their operands out in the order in which they are read, and `tile` keeps a small tile of
//! C in registers while it walks along the inner dimension. What already lies well is read where it lies, for
//! the products of training are small; those with a few columns only have a way of their own, `narrow`.
//!
//! A large product that is called in a thread pool offers half of its columns to a thread that has nothing to do: the
//! batch that is too small to be cut into lanes, and the last of many trials, leave some idle.
//!
//! The result is a function of the values, the shapes, the strides and the instruction set: neither the thread
//! nor the alignment of the data changes a bit of it. Moreover, a row of C depends on that row of A alone and
//! not on how many others there are, so that a batch may be cut anywhere without changing an output.

pub(super) mod blocks;
mod matrix;
mod narrow;
mod pack;
mod path;
mod portable;
pub(super) mod problem;
pub(super) mod scratch;
mod tile;
mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod transpose;

pub use matrix::Matrix;
pub(super) use path::MicroKernel;
pub use path::Tiled;

use crate::{Cpu, Scalar};
use problem::{Initial, Problem};

/// `C = beta C + alpha A B`, where A is m x k, B is k x n, and C is m x n, row-major and contiguous.
///
/// With `beta` = 0 the old values of C are not read (a NaN there vanishes); with `alpha` = 0 or k = 0, A and B
/// are not read. Sums are accumulated with fused multiply-adds where `cpu` has them. Nothing is allocated
/// after a thread's first call.
///
/// # Panics
/// When the shapes do not agree, when a matrix does not fit in its slice, when `c` does not hold m x n elements,
/// or when this machine lacks `cpu`.
pub fn product<T: Scalar>(cpu: Cpu, alpha: T, a: Matrix<T>, b: Matrix<T>, beta: T, c: &mut [T]) {
    let initial = if beta == T::ZERO { Initial::Zero } else { Initial::Kept };
    if beta != T::ZERO && beta != T::ONE {
        // Rare in this engine, so that a pass of its own does not hurt.
        c.iter_mut().for_each(|c| *c *= beta);
    }
    multiply(cpu, alpha, [a, b], initial, c);
}

/// `C = alpha A B + 1 biasᵀ`: [`product`] with `bias`, of n elements, added to every row. The old values of C are
/// not read.
///
/// # Panics
/// As [`product`], and when `bias` does not hold n elements.
pub fn product_with_bias<T: Scalar>(cpu: Cpu, alpha: T, a: Matrix<T>, b: Matrix<T>, bias: &[T], c: &mut [T]) {
    assert_eq!(
        bias.len(),
        b.cols,
        "product: the bias holds {} elements, B has {} columns",
        bias.len(),
        b.cols
    );
    multiply(cpu, alpha, [a, b], Initial::Row(bias), c);
}

fn multiply<T: Scalar>(cpu: Cpu, alpha: T, [a, b]: [Matrix<T>; 2], initial: Initial<&[T]>, c: &mut [T]) {
    for (name, matrix) in [("A", a), ("B", b)] {
        let Matrix { data, rows, cols, row_stride, col_stride } = matrix;
        assert!(
            matrix.fits(),
            "product: {name}, {rows} x {cols} with strides {row_stride} and {col_stride}, does not fit in its \
             slice of {} elements",
            data.len()
        );
    }
    assert_eq!(
        a.cols, b.rows,
        "product: A is {} x {}, B is {} x {}: the inner dimensions differ",
        a.rows, a.cols, b.rows, b.cols
    );
    assert_eq!(
        Some(c.len()),
        a.rows.checked_mul(b.cols),
        "product: C holds {} elements, A B is {} x {}",
        c.len(),
        a.rows,
        b.cols
    );
    assert!(Cpu::available().contains(&cpu), "product: this machine lacks {}", cpu.name());
    if c.is_empty() {
        return;
    }
    if a.cols == 0 || alpha == T::ZERO {
        // There is nothing to add.
        return match initial {
            Initial::Zero => c.fill(T::ZERO),
            Initial::Kept => {}
            Initial::Row(row) => c.chunks_exact_mut(row.len()).for_each(|c| c.copy_from_slice(row)),
        };
    }
    // SAFETY: as asserted above, the machine has the instructions, A and B lie in their slices, the inner
    // dimensions agree and C holds m x n elements; a bias holds n, as `product_with_bias` asserts; and nothing
    // is empty.
    unsafe { T::multiply(cpu, Problem::new(alpha, a, b, initial, c)) }
}
