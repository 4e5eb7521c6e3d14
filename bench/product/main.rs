//! How fast products are on this machine, beside the `gemm` crate on one thread.
//!
//!     cargo run --release --manifest-path bench/product/Cargo.toml --target-dir target/product -- \
//!         [seconds per shape [avx512 | avx2 | portable]]
//!
//! The two take turns, so that what else the machine does disturbs both alike; a line gives the medians in GFLOP/s, and their
//! ratio (above 1: faster than `gemm`). `gemm` always takes the best instructions of the machine.

use std::hint::black_box;
use std::time::Instant;

use etalon_nn::kernels::product::{Matrix, product};
use etalon_nn::{Cpu, Scalar};

/// Which operand lies transposed: a layer's output X Wᵀ, its input's gradient dZ W, its weights' gradient dZᵀ X.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pass {
    Forward,
    Input,
    Weight,
}

/// (batch, inputs, outputs) of a dense layer.
const LAYERS: [(usize, usize, usize); 10] = [
    (64, 784, 256),
    (64, 256, 10),
    (256, 784, 512),
    (256, 512, 512),
    (256, 512, 10),
    (512, 64, 64),
    (1024, 784, 256),
    (512, 2, 512),
    (512, 784, 1),
    (2048, 2048, 2048),
];

fn numbers<T: Scalar>(count: usize) -> Vec<T> {
    (0..count).map(|i| T::from_f64(((i * 7919) % 1000) as f64 / 1000.0 - 0.5)).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn measure<T: Scalar>(cpu: Cpu, pass: Pass, (batch, inputs, outputs): (usize, usize, usize), seconds: f64) {
    let (x, w, dz) =
        (numbers::<T>(batch * inputs), numbers::<T>(outputs * inputs), numbers::<T>(batch * outputs));
    let x = Matrix::row_major(&x, batch, inputs);
    let w = Matrix::row_major(&w, outputs, inputs);
    let dz = Matrix::row_major(&dz, batch, outputs);
    let (a, b, beta) = match pass {
        Pass::Forward => (x, w.transposed(), T::ZERO),
        Pass::Input => (dz, w, T::ZERO),
        Pass::Weight => (dz.transposed(), x, T::ONE),
    };
    let (m, n, k) = (a.rows, b.cols, a.cols);
    let operations = 2.0 * (m * n * k) as f64;
    let mut c = vec![T::ZERO; m * n];
    let mut ours = |c: &mut [T]| product(cpu, T::from_f64(1e-3), a, b, beta, c);
    let mut theirs = |c: &mut [T]| {
        // SAFETY: the strides are those of the operands, and C is m x n, row-major.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c.as_mut_ptr(),
                1,
                n as isize,
                beta != T::ZERO,
                a.data.as_ptr(),
                a.col_stride as isize,
                a.row_stride as isize,
                b.data.as_ptr(),
                b.col_stride as isize,
                b.row_stride as isize,
                T::ONE,
                T::from_f64(1e-3),
                false,
                false,
                false,
                gemm::Parallelism::None,
            )
        }
    };
    // A turn lasts about a fifth of a millisecond or one call, whichever is longer.
    let calls = (2e7 / operations).ceil() as usize;
    let time = |run: &mut dyn FnMut(&mut [T]), c: &mut [T]| {
        let start = Instant::now();
        for _ in 0..calls {
            run(black_box(c));
        }
        start.elapsed().as_secs_f64() / calls as f64
    };
    let (mut mine, mut other) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while mine.len() < 7 || start.elapsed().as_secs_f64() < seconds {
        mine.push(time(&mut ours, &mut c));
        other.push(time(&mut theirs, &mut c));
    }
    let (mine, other) = (median(mine), median(other));
    println!(
        "{:8} {} {:>7} {batch:4} x {inputs:4} -> {outputs:4}  {:6.1} GFLOP/s, gemm {:6.1}, ratio {:.2}",
        cpu.name(),
        T::NAME,
        format!("{pass:?}").to_lowercase(),
        operations / mine / 1e9,
        operations / other / 1e9,
        other / mine
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0.3);
    let only = arguments.next().unwrap_or_default();
    for &cpu in Cpu::available().iter().rev().filter(|cpu| cpu.name().starts_with(&only)) {
        for layer in LAYERS {
            for pass in [Pass::Forward, Pass::Input, Pass::Weight] {
                measure::<f32>(cpu, pass, layer, seconds);
                measure::<f64>(cpu, pass, layer, seconds);
            }
        }
    }
}
