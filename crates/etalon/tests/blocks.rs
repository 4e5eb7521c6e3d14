//! Blocks of the Hessian against their dense matrices.

use etalon::curvature::Ends;
use etalon::nn::{Linearization, Scalar};
use etalon::spec::Spec;
use etalon::train::Task;

/// A saturated tanh network whose outputs are far too large: the residuals times the negative second derivative of tanh
/// outweigh the Gauss-Newton part, so that the input layer's block is negative definite.
fn spec(more: &str) -> Spec {
    let base = "loss=mse data.name=two-gaussians data.dimension=2 data.train=20 data.test=4 network.depth=1 \
                network.width=5 network.activation=tanh measure.samples=20 measure.iterations=200 \
                measure.tolerance=1e-6";
    let all: Vec<String> = base.split_whitespace().chain(more.split_whitespace()).map(String::from).collect();
    Spec::load(None, &all).unwrap()
}

/// Weights of 0.1 and less behind biases of about 1.5, and output weights of about 3.
fn parameters<T: Scalar>(task: &Task<T>) -> Vec<T> {
    let mut parameters = task.network.layout().initialise::<T>(1);
    for segment in task.network.layout().segments() {
        for (i, value) in parameters[segment.range.clone()].iter_mut().enumerate() {
            let wave = (i as f64 * 1.7).sin();
            *value = T::from_f64(match segment.name.as_str() {
                "layers.0.weight" => 0.1 * wave,
                "layers.0.bias" => 1.5 + 0.1 * wave,
                _ => 3.0 + 0.2 * wave,
            });
        }
    }
    parameters
}

/// All eigenvalues of the Hessian's block of the parameters whose names begin so, ascending, by Jacobi rotations.
fn dense(task: &Task<f64>, parameters: &[f64], layer: &str) -> Vec<f64> {
    let segments = task.network.layout().segments().iter().filter(|segment| segment.name.starts_with(layer));
    let indices: Vec<usize> = segments.flat_map(|segment| segment.range.clone()).collect();
    let batch = task.train.batch();
    let mut at = Linearization::new(&task.network, parameters, batch, task.loss, false);
    let mut column = vec![0.0; parameters.len()];
    let mut a: Vec<Vec<f64>> = Vec::new();
    for &j in &indices {
        let mut unit = vec![0.0; parameters.len()];
        unit[j] = 1.0;
        at.hvp(&unit, &mut column);
        a.push(indices.iter().map(|&i| column[i]).collect());
    }
    let n = indices.len();
    for _ in 0..40 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let (c, s) = (1.0 / t.hypot(1.0), t / t.hypot(1.0));
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (above, below) = a.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
    }
    let mut values: Vec<f64> = (0..n).map(|i| a[i][i]).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn a_block_without_positive_eigenvalues_has_a_negative_largest_one() {
    let spec = spec("precision=f64");
    let task = spec.task::<f64>().unwrap();
    let parameters = parameters(&task);
    let expected = dense(&task, &parameters, "layers.0.");
    let top = expected[expected.len() - 1];
    assert!(top < -1e-4, "{expected:?}");
    let instrument = spec.instrument(&task, false).unwrap();
    let layers = instrument.at(&parameters).layers().unwrap();
    assert_eq!(layers[0].0, "layers.0");
    assert!((layers[0].1.value / top - 1.0).abs() < 1e-8, "{:?} against {top}", layers[0].1);
    assert!(layers[0].1.converged, "{:?}", layers[0].1);
    let others = dense(&task, &parameters, "layers.1.");
    assert!(
        (layers[1].1.value / others[others.len() - 1] - 1.0).abs() < 1e-8,
        "{layers:?} against {others:?}"
    );
}

#[test]
fn what_is_frozen_has_no_eigenvalues() {
    // In f32 too, where the reported zero was one of rounding.
    let task = spec("precision=f64").task::<f64>().unwrap();
    let expected = dense(&task, &parameters(&task), "layers.0.");
    let (bottom, top) = (expected[0], expected[expected.len() - 1]);
    let mut spec = spec("precision=f32");
    for name in ["layers.1.weight", "layers.1.bias"] {
        spec.optimizer.factors.insert(name.into(), 0.0);
    }
    let task = spec.task::<f32>().unwrap();
    let parameters = parameters(&task);
    let instrument = spec.instrument(&task, false).unwrap();
    let spectrum = instrument.at(&parameters).hessian(Ends::Both, 1).unwrap();
    let (largest, smallest) = (spectrum.largest[0].value, spectrum.smallest[0].value);
    // Single precision leaves 1e-7 of the largest magnitude, with some room for the sums.
    assert!((largest - top).abs() < 1e-5 * bottom.abs(), "{largest} against {top} of {expected:?}");
    assert!((smallest - bottom).abs() < 1e-5 * bottom.abs(), "{smallest} against {bottom}");
    // The gradient's start and the factors of the others: half the rate, half the curvature.
    let mut halved = spec.clone();
    for name in ["layers.0.weight", "layers.0.bias"] {
        halved.optimizer.factors.insert(name.into(), 0.5);
    }
    let instrument = halved.instrument(&task, false).unwrap();
    let half = instrument.at(&parameters).hessian(Ends::Largest, 1).unwrap().largest[0].value;
    assert!((half - 0.5 * top).abs() < 1e-5 * bottom.abs(), "{half} against half of {top}");
}
