//! Convolutional networks: every derivative against values that JAX computed in f64, and the identities that every
//! Jacobian and Hessian obeys, on every kernel path.

use crate::reference::{Values, cases, named};
use etalon_nn::kernels::activation::Activation;
use etalon_nn::kernels::convolution::Convolution;
use etalon_nn::kernels::pooling::Windows;
use etalon_nn::kernels::subsample::Subsample;
use etalon_nn::layers::{Conv2d, Dense, Kept, Pool2d, Shortcut};
use etalon_nn::network::{NetworkBuilder, Value};
use etalon_nn::{Cpu, Network, Scalar};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    image: [usize; 3],
    layers: Vec<Part>,
    #[serde(flatten)]
    values: Values,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Part {
    Convolution { outputs: usize, kernel: usize, stride: usize, padding: usize, bias: bool, multiplier: f64 },
    Activation { function: String },
    Pooling { kept: String, window: [usize; 2], stride: usize },
    Subsample { outputs: usize, stride: usize },
    Sum { value: usize, shortcut: Option<Box<Part>> },
    Dense { outputs: usize },
}

/// Builds a case's network; values are kept with the shapes of their images.
struct Builder<T> {
    builder: NetworkBuilder<T>,
    values: Vec<(Value, [usize; 3])>,
}

impl<T: Scalar> Builder<T> {
    fn network(case: &Case) -> Network<T> {
        let builder = NetworkBuilder::new(case.image.iter().product()).unwrap();
        let values = vec![(builder.input(), case.image)];
        let mut all = Builder { builder, values };
        for part in &case.layers {
            let last = all.values[all.values.len() - 1];
            let next = all.add(part, last);
            all.values.push(next);
        }
        all.builder.build().unwrap()
    }

    fn add(
        &mut self,
        part: &Part,
        (value, [height, width, channels]): (Value, [usize; 3]),
    ) -> (Value, [usize; 3]) {
        let builder = &mut self.builder;
        match *part {
            Part::Convolution { outputs, kernel, stride, padding, bias, multiplier } => {
                let shape = Convolution { height, width, inputs: channels, outputs, kernel, stride, padding };
                let layer = Conv2d {
                    shape,
                    weight_multiplier: multiplier,
                    weight_deviation: 1.0,
                    bias_multiplier: bias.then_some(1.0),
                };
                let size = [shape.output_height(), shape.output_width(), outputs];
                (builder.convolution(layer, value).unwrap(), size)
            }
            Part::Activation { ref function } => {
                let all = [Activation::Relu, Activation::Tanh, Activation::Gelu];
                let function = named(function, &all, Activation::name);
                (builder.activation(function, value).unwrap(), [height, width, channels])
            }
            Part::Pooling { ref kept, window, stride } => {
                let windows = Windows { height, width, channels, window, stride };
                let kept = if kept == "maximum" { Kept::Maximum } else { Kept::Average };
                let size = [windows.output_height(), windows.output_width(), channels];
                (builder.pool(Pool2d { windows, kept }, value).unwrap(), size)
            }
            Part::Subsample { outputs, stride } => {
                let shape = Subsample { height, width, inputs: channels, outputs, stride };
                let size = [height.div_ceil(stride), width.div_ceil(stride), outputs];
                (builder.shortcut(Shortcut { shape }, value).unwrap(), size)
            }
            Part::Sum { value: skip, ref shortcut } => {
                let mut skipped = self.values[skip];
                if let Some(shortcut) = shortcut {
                    skipped = self.add(shortcut, skipped);
                }
                (self.builder.sum(value, skipped.0).unwrap(), [height, width, channels])
            }
            Part::Dense { outputs } => {
                let layer = Dense {
                    inputs: height * width * channels,
                    outputs,
                    weight_multiplier: 1.0,
                    weight_deviation: 1.0,
                    bias_multiplier: Some(1.0),
                };
                (builder.dense(layer, value).unwrap(), [1, 1, outputs])
            }
        }
    }
}

#[test]
fn all_derivatives_agree_with_dense_automatic_differentiation() {
    let cases: Vec<Case> = cases("convolution.json");
    let differences = cases.iter().map(|case| case.values.check(&case.name, || Builder::network(case)));
    println!("{} cases, largest relative difference {:e}", cases.len(), differences.fold(0.0, f64::max));
    assert_eq!(cases.len(), 10);
}

#[test]
fn jacobian_products_are_adjoint_and_the_hessian_is_symmetric() {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for case in cases::<Case>("convolution.json") {
        for &cpu in Cpu::available() {
            let network = Builder::<f64>::network(&case).on(cpu);
            let (a, b) = (network.layout().initialise::<f64>(1), network.layout().initialise::<f64>(2));
            let mut at = case.values.linearize(&network);
            let u: Vec<f64> = (0..at.outputs_len()).map(|i| (i as f64).sin()).collect();
            let (mut ja, mut jtu) = (vec![0.0; u.len()], vec![0.0; a.len()]);
            at.jvp(&a, &mut ja);
            at.vjp(&u, &mut jtu);
            let scale = (dot(&u, &u) * dot(&ja, &ja)).sqrt();
            assert!((dot(&u, &ja) - dot(&jtu, &a)).abs() < 1e-13 * scale, "{}: adjointness", case.name);
            let (mut ha, mut hb) = (vec![0.0; a.len()], vec![0.0; a.len()]);
            at.hvp(&a, &mut ha);
            at.hvp(&b, &mut hb);
            let scale = (dot(&ha, &ha) * dot(&b, &b)).sqrt();
            assert!((dot(&b, &ha) - dot(&a, &hb)).abs() < 1e-12 * scale, "{}: symmetry", case.name);
        }
    }
}
