//! Eigenvalues by Lanczos against dense eigenvalues that JAX computed in f64 (`eigh` of the whole matrix).

use etalon::curvature::network::{Coordinates, LossCurvature, Ntk, Part};
use etalon::curvature::{Ends, LanczosSettings, Memory, Operator, lanczos};
use etalon::nn::kernels::activation::Activation;
use etalon::nn::layers::{Normalizer, Over};
use etalon::nn::network::{Initialisation, Mlp, Parametrization};
use etalon::nn::{Batch, Linearization, Loss};
use serde_json::Value;

fn numbers(case: &Value, key: &str) -> Vec<f64> {
    case[key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn close(ours: f64, reference: f64, scale: f64) -> bool {
    (ours - reference).abs() <= 1e-9 * scale
}

/// The smallest and the largest eigenvalue.
fn ends(name: &str, operator: &mut dyn Operator<Space = Memory<f64>>) -> (f64, f64) {
    let settings = LanczosSettings {
        ends: Ends::Both,
        tolerance: 1e-10,
        max_iterations: 300,
        verify: true,
        ..Default::default()
    };
    let spectrum = lanczos(operator, &settings, None).unwrap();
    assert!(spectrum.converged(), "{name}: {:?}", spectrum.stop);
    assert!(spectrum.largest[0].residual < 1e-8, "{name}: {:?}", spectrum.largest[0]);
    (spectrum.smallest[0].value, spectrum.largest[0].value)
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
            residual: case["residual"].as_bool().unwrap(),
            normalizer: None,
        }
        .build::<f64>()
        .unwrap();
        let loss = losses.into_iter().find(|loss| loss.name() == text("loss")).unwrap();
        let (parameters, inputs, targets) =
            (numbers(case, "params"), numbers(case, "inputs"), numbers(case, "targets"));
        let batch = Batch { inputs: &inputs, targets: &targets };
        let mut at = Linearization::new(&network, &parameters, batch, loss, false);
        let plain = Coordinates::new(std::iter::empty());
        let (_, top) = ends(text("name"), &mut Ntk::new(&mut at, &plain));
        let reference = case["ntk_top"].as_f64().unwrap();
        assert!(close(top, reference, reference), "{}: kernel {top} against {reference}", text("name"));
        if case["hessian_eigenvalues"].is_null() {
            continue;
        }
        let eigenvalues = numbers(case, "hessian_eigenvalues");
        let (first, last) = (eigenvalues[0], eigenvalues[eigenvalues.len() - 1]);
        let scale = first.abs().max(last.abs());
        let (bottom, top) = ends(text("name"), &mut LossCurvature::new(&mut at, Part::Hessian, &plain));
        assert!(close(top, last, scale), "{}: largest {top} against {last}", text("name"));
        assert!(close(bottom, first, scale), "{}: smallest {bottom} against {first}", text("name"));
        hessians += 1;
        negative += usize::from(first < -1e-3 * scale);
    }
    assert!(hessians > 40 && negative > 10, "{hessians} Hessians, {negative} of them indefinite");
}

#[test]
fn hessian_and_kernel_go_through_the_statistics_of_a_batch() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracles/values/normalization.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut batch_normalised = 0;
    // One position: an MLP.
    let cases = file["cases"].as_array().unwrap();
    for case in cases.iter().filter(|case| case["positions"] == 1 && case["rich"] == false) {
        let text = |key: &str| case[key].as_str().unwrap();
        let whole = |key: &str| case[key].as_u64().unwrap() as usize;
        let activations = [Activation::Identity, Activation::Tanh, Activation::Gelu];
        let over = match text("normalizer") {
            "batch" => Over::Batch,
            "layer" => Over::Layer,
            "group" => Over::Groups(whole("groups")),
            other => panic!("{other} at one position"),
        };
        let network = Mlp {
            inputs: whole("channels"),
            hidden: vec![whole("channels"); 2],
            outputs: whole("output_size"),
            activation: activations.into_iter().find(|a| a.name() == text("activation")).unwrap(),
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::LeCun,
            output_gain: 1.0,
            bias: true,
            residual: false,
            normalizer: Some(Normalizer {
                over,
                affine: case["affine"].as_bool().unwrap(),
                epsilon: case["epsilon"].as_f64().unwrap(),
            }),
        }
        .build::<f64>()
        .unwrap();
        let loss = if text("loss") == "mse" { Loss::Mse } else { Loss::CrossEntropy };
        let (parameters, inputs, targets) =
            (numbers(case, "params"), numbers(case, "inputs"), numbers(case, "targets"));
        let batch = Batch { inputs: &inputs, targets: &targets };
        let mut at = Linearization::new(&network, &parameters, batch, loss, false);
        let plain = Coordinates::new(std::iter::empty());
        let (_, top) = ends(text("name"), &mut Ntk::new(&mut at, &plain));
        let reference = case["ntk_top"].as_f64().unwrap();
        assert!(close(top, reference, reference), "{}: kernel {top} against {reference}", text("name"));
        let (_, top) = ends(text("name"), &mut LossCurvature::new(&mut at, Part::Hessian, &plain));
        let reference = case["hessian_top"].as_f64().unwrap();
        assert!(close(top, reference, reference), "{}: Hessian {top} against {reference}", text("name"));
        batch_normalised += usize::from(over == Over::Batch);
    }
    assert_eq!(batch_normalised, 2, "with and without affine part");
}
