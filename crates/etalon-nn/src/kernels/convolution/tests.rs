//! Convolutions against their definition, term by term in `f64`.

use super::{Convolution, convolve, convolve_with_bias, input_gradient, weight_gradient};
use crate::kernels::elementwise::Write;
use crate::random::{Purpose, stream};
use crate::{Cpu, Scalar};
use rand::RngExt;

fn numbers<T: Scalar>(count: usize, index: u64) -> Vec<T> {
    let mut generator = stream(12, Purpose::Data, index);
    (0..count).map(|_| T::from_f64(generator.random_range(-1.0..1.0))).collect()
}

/// Calls `term` with the places of (input, weight, output) for every product in the definition of one image.
fn for_each_term(shape: &Convolution, mut term: impl FnMut(usize, usize, usize)) {
    let Convolution { height, width, inputs, outputs, kernel, stride, padding } = *shape;
    for (i, j) in places(shape.output_height(), shape.output_width()) {
        for (row, column) in places(kernel, kernel) {
            let (y, x) = (i * stride + row, j * stride + column);
            if y < padding || x < padding || y - padding >= height || x - padding >= width {
                continue;
            }
            let from = ((y - padding) * width + x - padding) * inputs;
            for (output, input) in places(outputs, inputs) {
                let weight = ((output * inputs + input) * kernel + row) * kernel + column;
                term(from + input, weight, (i * shape.output_width() + j) * outputs + output);
            }
        }
    }
}

fn places(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// What the definition gives with the sizes of the terms, from which a bound on rounding errors follows.
struct Expected {
    value: Vec<f64>,
    size: Vec<f64>,
    terms: Vec<f64>,
}

impl Expected {
    fn new(len: usize) -> Self {
        Expected { value: vec![0.0; len], size: vec![0.0; len], terms: vec![0.0; len] }
    }

    fn add(&mut self, at: usize, a: impl Scalar, b: impl Scalar) {
        let term = a.to_f64() * b.to_f64();
        self.value[at] += term;
        self.size[at] += term.abs();
        self.terms[at] += 1.0;
    }

    /// |error| <= (terms + passes) eps sum |term|, whatever the order (Higham, Accuracy and Stability of Numerical
    /// Algorithms, section 3.5); the passes add at most as many roundings as there are terms.
    fn check<T: Scalar>(&self, alpha: f64, initial: impl Fn(usize) -> f64, found: &[T], what: &str) {
        assert_eq!(found.len(), self.value.len());
        for (at, &found) in found.iter().enumerate() {
            let expected = initial(at) + alpha * self.value[at];
            let bound = (2.0 * self.terms[at] + 4.0)
                * T::EPSILON.to_f64()
                * (initial(at).abs() + alpha.abs() * self.size[at]);
            let found = found.to_f64();
            assert!((found - expected).abs() <= bound, "{what}, element {at}: {found}, not {expected}");
        }
    }
}

fn check_shape<T: Scalar>(cpu: Cpu, shape: &Convolution, images: usize) {
    let alpha = -0.75;
    let scale = T::from_f64(alpha);
    let x = numbers::<T>(images * shape.input_len(), 1);
    let weight = numbers::<T>(shape.weight_len(), 2);
    let dy = numbers::<T>(images * shape.output_len(), 3);
    let bias = numbers::<T>(shape.outputs, 4);
    let [mut y, mut dx, mut dw] = [dy.len(), x.len(), weight.len()].map(Expected::new);
    for image in 0..images {
        let (from, to) = (image * shape.input_len(), image * shape.output_len());
        for_each_term(shape, |input, place, output| {
            let (input, output) = (from + input, to + output);
            y.add(output, x[input], weight[place]);
            dx.add(input, weight[place], dy[output]);
            dw.add(place, x[input], dy[output]);
        });
    }
    let name = |what: &str| format!("{what} of {} {images} x {shape:?} on {}", T::NAME, cpu.name());
    // Replacing must not read what was there.
    let nan = |len: usize| vec![T::from_f64(f64::NAN); len];
    for write in [Write::Set, Write::Add] {
        let old = |len: usize| if write == Write::Set { nan(len) } else { numbers::<T>(len, 5) };
        let initial = |old: &[T], at: usize| if write == Write::Set { 0.0 } else { old[at].to_f64() };
        let before = old(dy.len());
        let mut found = before.clone();
        convolve(cpu, shape, scale, &x, &weight, write, &mut found);
        y.check(alpha, |at| initial(&before, at), &found, &name("output"));
        let before = old(x.len());
        let mut found = before.clone();
        input_gradient(cpu, shape, scale, &dy, &weight, write, &mut found);
        dx.check(alpha, |at| initial(&before, at), &found, &name("input gradient"));
        let before = old(weight.len());
        let mut found = before.clone();
        weight_gradient(cpu, shape, scale, &x, &dy, write, &mut found);
        dw.check(alpha, |at| initial(&before, at), &found, &name("weight gradient"));
    }
    let mut found = nan(dy.len());
    convolve_with_bias(cpu, shape, scale, &x, &weight, &bias, &mut found);
    y.check(alpha, |at| bias[at % shape.outputs].to_f64(), &found, &name("output with bias"));
}

fn shape(
    [height, width]: [usize; 2],
    [inputs, outputs]: [usize; 2],
    [kernel, stride, padding]: [usize; 3],
) -> Convolution {
    Convolution { height, width, inputs, outputs, kernel, stride, padding }
}

#[test]
fn small_shapes() {
    let sizes = [[1, 1], [3, 4], [5, 5], [8, 13], [2, 33]];
    let channels = [[1, 1], [3, 5], [2, 16], [17, 3], [4, 33]];
    let kernels = [
        [1, 1, 0],
        [1, 2, 0],
        [1, 3, 1],
        [3, 1, 1],
        [3, 2, 1],
        [3, 1, 0],
        [5, 1, 2],
        [5, 3, 2],
        [2, 2, 0],
        [4, 3, 3],
    ];
    for &cpu in Cpu::available() {
        for size in sizes {
            for channels in channels {
                for kernel in kernels {
                    let shape = shape(size, channels, kernel);
                    if shape.is_sound() {
                        check_shape::<f64>(cpu, &shape, 2);
                        check_shape::<f32>(cpu, &shape, 3);
                    }
                }
            }
        }
    }
}

#[test]
fn shapes_that_take_several_passes() {
    // Weights too deep for one pass; more pixels than one pass of the weights' gradient adds, in one image and in many.
    let shapes = [
        (shape([4, 5], [400, 37], [3, 1, 1]), 1),
        (shape([33, 19], [2, 3], [3, 2, 1]), 2),
        (shape([4, 4], [3, 6], [3, 1, 1]), 37),
    ];
    for &cpu in Cpu::available() {
        for (shape, images) in &shapes {
            check_shape::<f32>(cpu, shape, *images);
            check_shape::<f64>(cpu, shape, *images);
        }
    }
}

#[test]
fn an_image_does_not_depend_on_the_others() {
    for &cpu in Cpu::available() {
        for shape in [shape([9, 7], [3, 20], [3, 1, 1]), shape([9, 7], [16, 20], [1, 1, 0])] {
            let x = numbers::<f32>(5 * shape.input_len(), 1);
            let weight = numbers::<f32>(shape.weight_len(), 2);
            let mut all = vec![0.0; 5 * shape.output_len()];
            convolve(cpu, &shape, 1.0, &x, &weight, Write::Set, &mut all);
            let mut one = vec![0.0; shape.output_len()];
            let (from, to) = (3 * shape.input_len(), 3 * shape.output_len());
            convolve(cpu, &shape, 1.0, &x[from..][..shape.input_len()], &weight, Write::Set, &mut one);
            assert_eq!(one, all[to..][..one.len()], "{}", cpu.name());
        }
    }
}

#[test]
fn a_nan_reaches_what_sees_it_and_no_more() {
    let shape = shape([6, 6], [3, 5], [3, 1, 1]);
    for &cpu in Cpu::available() {
        let mut x = vec![1.0f32; shape.input_len()];
        x[(2 * 6 + 4) * 3 + 1] = f32::NAN;
        let mut y = vec![0.0; shape.output_len()];
        convolve(cpu, &shape, 1.0, &x, &vec![1.0; shape.weight_len()], Write::Set, &mut y);
        for (at, y) in y.into_iter().enumerate() {
            let (row, column) = (at / 5 / 6, at / 5 % 6);
            assert_eq!(y.is_nan(), (1..=3).contains(&row) && (3..=5).contains(&column), "({row}, {column})");
        }
    }
}

#[test]
fn shapes_without_output_are_not_sound() {
    assert!(shape([3, 3], [1, 1], [3, 1, 0]).is_sound());
    assert!(!shape([2, 3], [1, 1], [3, 1, 0]).is_sound());
    assert!(!shape([3, 3], [1, 0], [3, 1, 1]).is_sound());
    assert!(!shape([3, 3], [1, 1], [3, 0, 1]).is_sound());
    assert!(!shape([99, 99], [1, 1], [33, 1, 0]).is_sound());
    assert!(!shape([usize::MAX, 3], [1, 1], [3, 1, 1]).is_sound());
}

#[test]
#[should_panic(expected = "are not whole images")]
fn other_lengths_are_refused() {
    let shape = shape([4, 4], [1, 1], [3, 1, 1]);
    convolve(Cpu::Portable, &shape, 1.0f32, &[0.0; 16], &[0.0; 9], Write::Set, &mut [0.0; 15]);
}
