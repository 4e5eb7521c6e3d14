//! Products against a plain triple loop in `f64`.

use rand::Rng;
use rand::RngExt;

use super::{Matrix, product, product_with_bias};
use crate::random::{Purpose, stream};
use crate::{Cpu, Scalar};

fn numbers<T: Scalar>(generator: &mut impl Rng, count: usize) -> Vec<T> {
    (0..count).map(|_| T::from_f64(generator.random_range(-1.0..1.0))).collect()
}

fn at<T: Scalar>(matrix: &Matrix<T>, i: usize, j: usize) -> f64 {
    matrix.data[i * matrix.row_stride + j * matrix.col_stride].to_f64()
}

/// Panics unless `c` is `initial + alpha A B`, within the rounding errors of a sum of k terms in any order:
/// |error| <= (k + 3) eps (|initial| + |alpha| |A| |B|) (Higham, Accuracy and Stability of Numerical Algorithms,
/// section 3.5), to which the reference adds its own.
fn assert_product<T: Scalar>(alpha: T, a: Matrix<T>, b: Matrix<T>, initial: impl Fn(usize) -> f64, c: &[T]) {
    let epsilon = T::EPSILON.to_f64() + f64::EPSILON;
    for i in 0..a.rows {
        for j in 0..b.cols {
            let (mut sum, mut size) = (0.0, 0.0);
            for p in 0..a.cols {
                let term = at(&a, i, p) * at(&b, p, j);
                sum += term;
                size += term.abs();
            }
            let initial = initial(i * b.cols + j);
            let (expected, alpha) = (initial + alpha.to_f64() * sum, alpha.to_f64().abs());
            let bound = (a.cols + 3) as f64 * epsilon * (initial.abs() + alpha * size);
            let found = c[i * b.cols + j].to_f64();
            assert!(
                (found - expected).abs() <= bound,
                "{} ({} x {}) ({} x {}), element ({i}, {j}): {found}, not {expected}",
                T::NAME,
                a.rows,
                a.cols,
                b.rows,
                b.cols
            );
        }
    }
}

/// All four layouts of one shape, with the factors given.
fn check_shape<T: Scalar>(cpu: Cpu, (m, n, k): (usize, usize, usize), alpha: f64, beta: f64) {
    let mut generator = stream(7, Purpose::Data, (m * 10_000 + n * 100 + k) as u64);
    let (a, b) = (numbers::<T>(&mut generator, m * k), numbers::<T>(&mut generator, k * n));
    let old = numbers::<T>(&mut generator, m * n);
    for a in [Matrix::row_major(&a, m, k), Matrix::row_major(&a, k, m).transposed()] {
        for b in [Matrix::row_major(&b, k, n), Matrix::row_major(&b, n, k).transposed()] {
            let mut c = old.clone();
            if beta == 0.0 {
                c.fill(T::from_f64(f64::NAN));
            }
            product(cpu, T::from_f64(alpha), a, b, T::from_f64(beta), &mut c);
            assert_product(
                T::from_f64(alpha),
                a,
                b,
                |at| beta * if beta == 0.0 { 0.0 } else { old[at].to_f64() },
                &c,
            );
        }
    }
}

fn on_every_path(check: impl Fn(Cpu)) {
    Cpu::available().iter().for_each(|&cpu| check(cpu));
}

#[test]
fn small_shapes() {
    // Around the heights and widths of every tile, the empty ones among them.
    let sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 16, 17, 25, 31, 33, 40];
    on_every_path(|cpu| {
        for m in sizes {
            for n in sizes {
                for k in [0, 1, 2, 3, 4, 7, 9, 39] {
                    let beta = [0.0, 1.0, 0.5][(m + n + k) % 3];
                    let alpha = [1.0, -0.75][(m + k) % 2];
                    check_shape::<f32>(cpu, (m, n, k), alpha, beta);
                    check_shape::<f64>(cpu, (m, n, k), alpha, beta);
                }
            }
        }
    });
}

#[test]
fn shapes_that_cross_blocks() {
    // Several blocks of columns and of depth, with remainders; rows on both sides of where packing starts.
    let shapes = [
        ((13, 1037, 261), 1.0, 0.0),
        ((141, 530, 259), 1.0, 1.0),
        ((133, 35, 513), -0.5, 0.25),
        ((1, 517, 300), 1.0, 0.0),
        ((131, 1, 770), 2.0, 1.0),
        ((300, 10, 77), 1.0, 0.0),
    ];
    on_every_path(|cpu| {
        for (shape, alpha, beta) in shapes {
            check_shape::<f32>(cpu, shape, alpha, beta);
            check_shape::<f64>(cpu, shape, alpha, beta);
        }
    });
}

#[test]
fn strided_operands() {
    let mut generator = stream(8, Purpose::Data, 0);
    let data = numbers::<f64>(&mut generator, 40_000);
    let (m, n, k) = (29, 41, 23);
    let strided =
        |rows, cols, row_stride, col_stride| Matrix { data: &data, rows, cols, row_stride, col_stride };
    // Blocks of wider matrices, both strides above one, repeated rows, repeated elements.
    let of_a = [strided(m, k, 50, 1), strided(m, k, 1, 31), strided(m, k, 97, 3), strided(m, k, 0, 1)];
    let of_b = [strided(k, n, 64, 1), strided(k, n, 1, 37), strided(k, n, 2, 101), strided(k, n, 0, 0)];
    on_every_path(|cpu| {
        for a in of_a {
            for b in of_b {
                let mut c = vec![f64::NAN; m * n];
                product(cpu, 1.0, a, b, 0.0, &mut c);
                assert_product(1.0, a, b, |_| 0.0, &c);
            }
        }
    });
}

#[test]
fn bias_is_added_to_every_row() {
    on_every_path(|cpu| {
        let mut generator = stream(9, Purpose::Data, 0);
        for (m, n, k) in [(5, 10, 0), (5, 10, 7), (30, 64, 40), (13, 37, 300), (64, 530, 520)] {
            let (x, w) = (numbers::<f32>(&mut generator, m * k), numbers::<f32>(&mut generator, n * k));
            let bias = numbers::<f32>(&mut generator, n);
            let (x, w) = (Matrix::row_major(&x, m, k), Matrix::row_major(&w, n, k).transposed());
            let mut z = vec![f32::NAN; m * n];
            product_with_bias(cpu, 0.5, x, w, &bias, &mut z);
            assert_product(0.5, x, w, |at| bias[at % n].into(), &z);
        }
    });
}

#[test]
fn alpha_zero_reads_no_operand() {
    let nan = [f64::NAN; 6];
    on_every_path(|cpu| {
        let mut c = [1.0, 2.0, 3.0, 4.0];
        let (a, b) = (Matrix::row_major(&nan, 2, 3), Matrix::row_major(&nan, 3, 2));
        product(cpu, 0.0, a, b, 0.5, &mut c);
        assert_eq!(c, [0.5, 1.0, 1.5, 2.0]);
        product(cpu, 0.0, a, b, 0.0, &mut c);
        assert_eq!(c, [0.0; 4]);
    });
}

#[test]
fn a_nan_reaches_its_row_or_column_and_no_more() {
    let (m, n, k) = (14, 35, 10);
    on_every_path(|cpu| {
        let (mut a, mut b) = (vec![1.0f32; m * k], vec![1.0f32; k * n]);
        a[3 * k + 2] = f32::NAN;
        b[5 * n + 34] = f32::INFINITY;
        let mut c = vec![0.0; m * n];
        product(cpu, 1.0, Matrix::row_major(&a, m, k), Matrix::row_major(&b, k, n), 1.0, &mut c);
        for (at, c) in c.into_iter().enumerate() {
            let (row, column) = (at / n, at % n);
            assert_eq!(c.is_nan(), row == 3, "({row}, {column})");
            assert_eq!(c == f32::INFINITY, row != 3 && column == 34, "({row}, {column})");
        }
    });
}

#[test]
fn bits_depend_on_the_values_alone() {
    let (m, n, k) = (37, 75, 300);
    let mut generator = stream(10, Purpose::Data, 0);
    let (a, b) = (numbers::<f32>(&mut generator, m * k), numbers::<f32>(&mut generator, k * n));
    on_every_path(|cpu| {
        let at_offset = |offset: usize| {
            let shift = |data: &[f32]| [vec![0.0; offset], data.to_vec()].concat();
            let (a, b) = (shift(&a), shift(&b));
            let mut c = vec![-1.0; offset + m * n + 40];
            let (a, b) = (Matrix::row_major(&a[offset..], m, k), Matrix::row_major(&b[offset..], n, k));
            product(cpu, 1.0, a, b.transposed(), 0.0, &mut c[offset..offset + m * n]);
            assert!(c[..offset].iter().chain(&c[offset + m * n..]).all(|&c| c == -1.0), "wrote outside C");
            c[offset..offset + m * n].to_vec()
        };
        let expected = at_offset(0);
        for offset in 1..17 {
            assert_eq!(at_offset(offset), expected, "{} at offset {offset}", cpu.name());
        }
        // Another thread, whose memory still holds NaN from another product.
        let elsewhere = std::thread::scope(|scope| {
            let work = || {
                let nan = vec![f32::NAN; 400 * 400];
                let nan = Matrix::row_major(&nan, 400, 400);
                product(cpu, 1.0, nan, nan.transposed(), 0.0, &mut vec![0.0; 400 * 400]);
                at_offset(3)
            };
            scope.spawn(work).join().expect("the thread above does not panic")
        });
        assert_eq!(elsewhere, expected);
    });
}

#[test]
fn a_row_does_not_depend_on_the_other_rows() {
    let (m, k) = (150, 270);
    on_every_path(|cpu| {
        for n in [2, 45, 300] {
            let mut generator = stream(11, Purpose::Data, n as u64);
            let (x, w) = (numbers::<f32>(&mut generator, m * k), numbers::<f32>(&mut generator, n * k));
            let w = Matrix::row_major(&w, n, k).transposed();
            let mut all = vec![0.0; m * n];
            product(cpu, 1.0, Matrix::row_major(&x, m, k), w, 0.0, &mut all);
            for rows in [1, 5, 64] {
                let mut some = vec![0.0; rows * n];
                product(cpu, 1.0, Matrix::row_major(&x[7 * k..], rows, k), w, 0.0, &mut some);
                assert_eq!(some, all[7 * n..(7 + rows) * n], "{rows} rows, {n} columns");
            }
        }
    });
}

#[test]
fn threads_that_share_a_product_change_no_bit_of_it() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    // The last columns fill no tile; the last shape is too narrow to be shared.
    for (m, n, k) in [(64, 256, 300), (70, 431, 257), (300, 100, 129), (2000, 33, 60), (4000, 3, 100)] {
        let mut generator = stream(12, Purpose::Data, n as u64);
        let (a, b) = (numbers::<f32>(&mut generator, m * k), numbers::<f32>(&mut generator, k * n));
        let bias = numbers::<f32>(&mut generator, n);
        on_every_path(|cpu| {
            let rows = Matrix::row_major(&a, m, k);
            let layouts = [Matrix::row_major(&b, k, n), Matrix::row_major(&b, n, k).transposed()];
            for (b, is_biased) in layouts.into_iter().flat_map(|b| [(b, false), (b, true)]) {
                let compute = || {
                    let mut c = vec![0.25; m * n];
                    match is_biased {
                        true => product_with_bias(cpu, 0.5, rows, b, &bias, &mut c),
                        false => product(cpu, 0.5, rows, b, 1.0, &mut c),
                    }
                    c
                };
                // Outside of a pool nothing is shared.
                assert!(pool.install(compute) == compute(), "{m} x {n} x {k}, {}", cpu.name());
            }
        });
    }
}

#[test]
#[should_panic(expected = "the inner dimensions differ")]
fn inner_dimensions_must_agree() {
    let data = [0.0f32; 12];
    let (a, b) = (Matrix::row_major(&data, 3, 4), Matrix::row_major(&data, 3, 4));
    product(Cpu::Portable, 1.0, a, b, 0.0, &mut [0.0; 12]);
}

#[test]
#[should_panic(expected = "does not fit in its slice of 11 elements")]
fn a_short_slice_is_refused() {
    let data = [0.0f32; 11];
    let (a, b) = (Matrix::row_major(&data, 3, 4), Matrix::row_major(&data, 4, 2));
    product(Cpu::Portable, 1.0, a, b, 0.0, &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "does not fit in its slice")]
fn strides_that_overflow_are_refused() {
    let data = [0.0f32; 12];
    let a = Matrix { data: &data, rows: 3, cols: 2, row_stride: usize::MAX / 2 + 1, col_stride: 1 };
    product(Cpu::Portable, 1.0, a, Matrix::row_major(&data, 2, 2), 0.0, &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "C holds 7 elements, A B is 3 x 2")]
fn c_must_have_the_shape_of_the_product() {
    let data = [0.0f32; 12];
    let (a, b) = (Matrix::row_major(&data, 3, 4), Matrix::row_major(&data, 4, 2));
    product(Cpu::Portable, 1.0, a, b, 0.0, &mut [0.0; 7]);
}

#[test]
#[should_panic(expected = "the bias holds 3 elements, B has 2 columns")]
fn the_bias_must_have_a_number_for_each_column() {
    let data = [0.0f32; 12];
    let (a, b) = (Matrix::row_major(&data, 3, 4), Matrix::row_major(&data, 4, 2));
    product_with_bias(Cpu::Portable, 1.0, a, b, &[0.0; 3], &mut [0.0; 6]);
}
