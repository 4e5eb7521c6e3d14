//! How fast convolutions are on this machine, beside its products.
//!
//! `cargo run --release --example convolution [seconds per shape [avx512 | avx2 | portable]]`, on one thread. A line
//! gives the best rate of many calls in GFLOP/s, and its share of the best rate of a product, 512 x 512 x 512, which
//! takes turns with it: the best, so that what else the machine does disturbs neither.

use etalon_nn::kernels::convolution::{Convolution, convolve, input_gradient, weight_gradient};
use etalon_nn::kernels::elementwise::Write;
use etalon_nn::kernels::product::{Matrix, product};
use etalon_nn::{Cpu, Scalar};
use std::hint::black_box;
use std::time::Instant;

/// The layers of a PreResNet for CIFAR, and one of a wide network: (size, inputs, outputs, kernel, stride).
const LAYERS: [(usize, usize, usize, usize, usize); 9] = [
    (32, 3, 16, 3, 1),
    (32, 16, 16, 3, 1),
    (32, 16, 32, 3, 2),
    (16, 32, 32, 3, 1),
    (16, 32, 64, 3, 2),
    (8, 64, 64, 3, 1),
    (32, 16, 32, 1, 2),
    (16, 64, 64, 1, 1),
    (8, 256, 256, 3, 1),
];

/// Images of a call: a slice of a batch.
const IMAGES: usize = 16;

fn numbers<T: Scalar>(count: usize) -> Vec<T> {
    (0..count).map(|i| T::from_f64(((i * 7919) % 1000) as f64 / 1000.0 - 0.5)).collect()
}

fn seconds_of(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn measure<T: Scalar>(
    cpu: Cpu,
    (size, inputs, outputs, kernel, stride): (usize, usize, usize, usize, usize),
    seconds: f64,
) {
    let shape =
        Convolution { height: size, width: size, inputs, outputs, kernel, stride, padding: kernel / 2 };
    let (x, w, dy) = (
        numbers::<T>(IMAGES * shape.input_len()),
        numbers::<T>(shape.weight_len()),
        numbers::<T>(IMAGES * shape.output_len()),
    );
    let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
    let side = 512;
    let (a, b, mut c) = (numbers::<T>(side * side), numbers::<T>(side * side), numbers::<T>(side * side));
    let (a, b) = (Matrix::row_major(&a, side, side), Matrix::row_major(&b, side, side));
    let tiny = T::from_f64(1e-3);
    let mut times = [const { Vec::new() }; 4];
    let start = Instant::now();
    while times[0].len() < 7 || start.elapsed().as_secs_f64() < seconds {
        times[0].push(seconds_of(|| product(cpu, tiny, a, b, T::ZERO, black_box(&mut c))));
        times[1].push(seconds_of(|| convolve(cpu, &shape, tiny, &x, &w, Write::Set, black_box(&mut y))));
        times[2]
            .push(seconds_of(|| input_gradient(cpu, &shape, tiny, &dy, &w, Write::Set, black_box(&mut dx))));
        times[3]
            .push(seconds_of(|| weight_gradient(cpu, &shape, tiny, &x, &dy, Write::Set, black_box(&mut dw))));
    }
    let [products, directions @ ..] = times.map(|times| times.into_iter().fold(f64::INFINITY, f64::min));
    let rate = 2.0 * (side * side * side) as f64 / products / 1e9;
    print!(
        "{:8} {} {size:2}x{size:<2} {inputs:3} -> {outputs:3}, {kernel}x{kernel} /{stride}",
        cpu.name(),
        T::NAME
    );
    for (name, time) in ["forward", "input", "weight"].iter().zip(directions) {
        let own = IMAGES as f64 * shape.operations() / time / 1e9;
        print!("  {name} {own:6.1} ({:3.0} %)", 100.0 * own / rate);
    }
    println!("  of {rate:.0} GFLOP/s");
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0.5);
    let only = arguments.next().unwrap_or_default();
    for &cpu in Cpu::available().iter().rev().filter(|cpu| cpu.name().starts_with(&only)) {
        for layer in LAYERS {
            measure::<f32>(cpu, layer, seconds);
        }
        for layer in LAYERS {
            measure::<f64>(cpu, layer, seconds);
        }
    }
}
