//! Eigenvalues by Lanczos against dense eigenvalues that JAX computed in f64 (`eigh` of the whole matrix).

use etalon::curvature::network::{Coordinates, LossCurvature, Ntk, Part};
use etalon::curvature::{Ends, LanczosSettings, Spectrum, lanczos};
use etalon::nn::kernels::activation::Activation;
use etalon::nn::network::{Initialisation, Mlp, Parametrization};
use etalon::nn::{Batch, Linearization, Loss};
use serde_json::Value;

fn numbers(case: &Value, key: &str) -> Vec<f64> {
    case[key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn close(ours: f64, reference: f64, scale: f64) -> bool {
    (ours - reference).abs() <= 1e-9 * scale
}

#[test]
fn the_ends_of_hessian_and_kernel_are_those_of_the_dense_matrices() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracles/values/mlp.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut hessians, mut negative) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let activations = [Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Gelu];
        let parametrizations = [Parametrization::Standard, Parametrization::Ntk, Parametrization::Mup];
        let losses = [Loss::Mse, Loss::CrossEntropy, Loss::Logistic, Loss::Exponential];
        let network = Mlp {
            inputs: case["input_size"].as_u64().unwrap() as usize,
            hidden: numbers(case, "hidden").iter().map(|&width| width as usize).collect(),
            outputs: case["output_size"].as_u64().unwrap() as usize,
            activation: activations.into_iter().find(|a| a.name() == text("activation")).unwrap(),
            parametrization: parametrizations
                .into_iter()
                .find(|p| p.name() == text("parametrization"))
                .unwrap(),
            initialisation: Initialisation::LeCun,
            output_gain: 1.0,
            bias: case["bias"].as_bool().unwrap(),
            normalizer: None,
            residual: case["residual"].as_bool().unwrap(),
        }
        .build::<f64>()
        .unwrap();
        let loss = losses.into_iter().find(|loss| loss.name() == text("loss")).unwrap();
        let (parameters, inputs, targets) =
            (numbers(case, "params"), numbers(case, "inputs"), numbers(case, "targets"));
        let batch = Batch { inputs: &inputs, targets: &targets };
        let mut at = Linearization::new(&network, &parameters, batch, loss, false);
        let plain = Coordinates::new(std::iter::empty());
        let settings =
            LanczosSettings { ends: Ends::Both, tolerance: 1e-10, verify: true, ..Default::default() };
        let checked = |spectrum: Spectrum| {
            assert!(spectrum.converged(), "{}: {:?}", text("name"), spectrum.stop);
            assert!(spectrum.largest[0].residual < 1e-8, "{}: {:?}", text("name"), spectrum.largest[0]);
            (spectrum.smallest[0].value, spectrum.largest[0].value)
        };
        let (_, top) = checked(lanczos(&mut Ntk::new(&mut at, &plain), &settings, None).unwrap());
        let reference = case["ntk_top"].as_f64().unwrap();
        assert!(close(top, reference, reference), "{}: kernel {top} against {reference}", text("name"));
        if case["hessian_eigenvalues"].is_null() {
            continue;
        }
        let eigenvalues = numbers(case, "hessian_eigenvalues");
        let (first, last) = (eigenvalues[0], eigenvalues[eigenvalues.len() - 1]);
        let scale = first.abs().max(last.abs());
        let mut hessian = LossCurvature::new(&mut at, Part::Hessian, &plain);
        let (bottom, top) = checked(lanczos(&mut hessian, &settings, None).unwrap());
        assert!(close(top, last, scale), "{}: largest {top} against {last}", text("name"));
        assert!(close(bottom, first, scale), "{}: smallest {bottom} against {first}", text("name"));
        hessians += 1;
        negative += usize::from(first < -1e-3 * scale);
    }
    assert!(hessians > 40 && negative > 10, "{hessians} Hessians, {negative} of them indefinite");
}
