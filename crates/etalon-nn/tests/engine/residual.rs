//! Residual networks: every derivative against values that JAX computed in f64, on every kernel path.

use crate::reference::{Values, cases, named};
use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::{Normalizer, Over};
use etalon_nn::network::{Family, Fan, Image, Initialisation, Parametrization, ResNet, Skip, Style};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    family: String,
    skip: String,
    normalizer: String,
    activation: String,
    image: [usize; 3],
    channels: usize,
    widen: usize,
    output_size: usize,
    #[serde(flatten)]
    values: Values,
}

fn network(case: &Case) -> ResNet {
    let normalizer = Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 };
    let style = Style {
        normalizer: (case.normalizer == "batch").then_some(normalizer),
        activation: named(&case.activation, &[Activation::Tanh, Activation::Gelu], Activation::name),
        parametrization: Parametrization::Standard,
        initialisation: Initialisation::He,
        fan: Fan::Out,
        output_gain: 1.0,
        bias: true,
    };
    let [height, width, channels] = case.image;
    let wide = case.family == "wide";
    ResNet {
        image: Image { height, width, channels },
        family: if wide { Family::Wide } else { Family::PreResNet },
        depth: if wide { 10 } else { 8 },
        channels: case.channels,
        widen: case.widen,
        skip: if case.skip == "pad" { Skip::Pad } else { Skip::Projection },
        outputs: case.output_size,
        style,
    }
}

#[test]
fn all_derivatives_agree_with_dense_automatic_differentiation() {
    let cases: Vec<Case> = cases("residual.json");
    let differences =
        cases.iter().map(|case| case.values.check(&case.name, || network(case).build().unwrap()));
    println!("{} cases, largest relative difference {:e}", cases.len(), differences.fold(0.0, f64::max));
    assert_eq!(cases.len(), 5);
}
