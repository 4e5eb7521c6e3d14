//! Every derivative against values that JAX computed in f64 by dense automatic differentiation, for every
//! activation, loss and parametrisation, on every kernel path.

use etalon_nn::kernels::activation::Activation;
use etalon_nn::network::{Initialisation, Mlp, Parametrization};
use etalon_nn::{Batch, Cpu, Linearization, Loss, Network, Workspace};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input_size: usize,
    hidden: Vec<usize>,
    output_size: usize,
    activation: String,
    loss: String,
    parametrization: String,
    bias: bool,
    residual: bool,
    params: Vec<f64>,
    inputs: Vec<f64>,
    targets: Vec<f64>,
    v: Vec<f64>,
    u: Vec<f64>,
    outputs: Vec<f64>,
    loss_value: f64,
    gradient: Vec<f64>,
    jvp: Vec<f64>,
    vjp: Vec<f64>,
    hvp: Vec<f64>,
    gauss_newton: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracles/values/mlp.json");
    let text = std::fs::read_to_string(path).expect("the reference values are part of the repository");
    serde_json::from_str::<File>(&text)
        .expect("the reference values have the form that this test reads")
        .cases
}

fn named<T: Copy>(name: &str, all: &[T], name_of: impl Fn(T) -> &'static str) -> T {
    *all.iter().find(|&&one| name_of(one) == name).unwrap_or_else(|| panic!("unknown name {name}"))
}

fn network(case: &Case) -> (Network<f64>, Loss) {
    use {Activation::*, Loss::*, Parametrization::*};
    let mlp = Mlp {
        inputs: case.input_size,
        hidden: case.hidden.clone(),
        outputs: case.output_size,
        activation: named(&case.activation, &[Identity, Relu, Tanh, Gelu], Activation::name),
        parametrization: named(&case.parametrization, &[Standard, Ntk, Mup], Parametrization::name),
        initialisation: Initialisation::LeCun,
        output_gain: 1.0,
        bias: case.bias,
        residual: case.residual,
        normalizer: None,
    };
    let loss = named(&case.loss, &[Mse, CrossEntropy, Logistic, Exponential], Loss::name);
    (mlp.build().unwrap(), loss)
}

/// The largest difference in units of the largest reference value.
fn difference(ours: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(ours.len(), reference.len());
    let scale = reference.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    ours.iter().zip(reference).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f64::max)
}

#[test]
fn all_derivatives_agree_with_dense_automatic_differentiation() {
    let cases = cases();
    let mut worst = 0.0f64;
    for cpu in Cpu::available() {
        for case in &cases {
            let (network, loss) = network(case);
            let network = network.on(*cpu);
            assert_eq!(network.parameters(), case.params.len(), "{}", case.name);
            let batch = Batch { inputs: &case.inputs, targets: &case.targets };
            let mut at = Linearization::new(&network, &case.params, batch, loss, false);
            let mut check = |what: &str, reference: &[f64], fill: &mut dyn FnMut(&mut [f64])| {
                let mut ours = vec![f64::NAN; reference.len()];
                fill(&mut ours);
                let error = difference(&ours, reference);
                assert!(error < 1e-10, "{} on {}: {what} differs by {error:e}", case.name, cpu.name());
                worst = worst.max(error);
            };
            check("outputs", &case.outputs, &mut |out| at.outputs(out));
            check("loss", &[case.loss_value], &mut |out| out[0] = at.value());
            check("gradient", &case.gradient, &mut |out| at.gradient(out));
            check("jvp", &case.jvp, &mut |out| at.jvp(&case.v, out));
            check("vjp", &case.vjp, &mut |out| at.vjp(&case.u, out));
            check("hvp", &case.hvp, &mut |out| at.hvp(&case.v, out));
            check("gauss_newton", &case.gauss_newton, &mut |out| at.gauss_newton(&case.v, out));
            let mut workspace = Workspace::new(&network, case.inputs.len() / case.input_size, false);
            let value = network.gradient(&case.params, batch, loss, &mut workspace);
            check("workspace loss", &[case.loss_value], &mut |out| out[0] = value);
            check("workspace gradient", &case.gradient, &mut |out| out.copy_from_slice(workspace.gradient()));
        }
    }
    println!("{} cases, largest relative difference {worst:e}", cases.len());
    assert!(cases.len() >= 48, "every activation x loss x parametrisation");
}
