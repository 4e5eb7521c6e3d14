//! Every derivative of multi-layer perceptrons against values that JAX computed in f64 by dense automatic
//! differentiation, for every activation, loss and parametrisation, on every kernel path.

use crate::reference::{Values, cases, named};
use etalon_nn::kernels::activation::Activation;
use etalon_nn::network::{Initialisation, Mlp, Parametrization};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    input_size: usize,
    hidden: Vec<usize>,
    output_size: usize,
    activation: String,
    parametrization: String,
    bias: bool,
    residual: bool,
    #[serde(flatten)]
    values: Values,
}

fn mlp(case: &Case) -> Mlp {
    use Parametrization::*;
    Mlp {
        inputs: case.input_size,
        hidden: case.hidden.clone(),
        outputs: case.output_size,
        activation: named(&case.activation, &Activation::ALL, Activation::name),
        parametrization: named(&case.parametrization, &[Standard, Ntk, Mup], Parametrization::name),
        initialisation: Initialisation::LeCun,
        output_gain: 1.0,
        bias: case.bias,
        residual: case.residual,
        normalizer: None,
    }
}

#[test]
fn all_derivatives_agree_with_dense_automatic_differentiation() {
    let cases: Vec<Case> = cases("mlp.json");
    let differences = cases.iter().map(|case| case.values.check(&case.name, || mlp(case).build().unwrap()));
    println!("{} cases, largest relative difference {:e}", cases.len(), differences.fold(0.0, f64::max));
    assert!(cases.len() >= 48, "every activation x loss x parametrisation");
}
