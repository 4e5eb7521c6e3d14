//! Learning-rate factors and weight decay together, against dense matrices and against training.

use super::super::*;
use crate::spec::{MeasureOptions, Spec};
use crate::theory::symmetric::largest_eigenvalue;
use crate::train::Trial;

fn spec(overrides: &str) -> Spec {
    let base = "precision=f64 data.test=10 train.batch=full measure.tolerance=1e-9 measure.iterations=200";
    let all: Vec<String> =
        base.split_whitespace().chain(overrides.split_whitespace()).map(String::from).collect();
    Spec::load(None, &all).unwrap()
}

/// The largest eigenvalue of `R^1/2 (A + d I) R^1/2` by the whole matrix.
fn dense(task: &Task<f64>, parameters: &[f64], samples: usize, factors: &[f64], decay: f64) -> f64 {
    let batch = task.train.first(samples);
    let mut at = Linearization::new(&task.network, parameters, batch, task.loss, false);
    let n = parameters.len();
    let segments = task.network.layout().segments().iter().zip(factors);
    let r: Vec<f64> = segments.flat_map(|(segment, &factor)| vec![factor; segment.range.len()]).collect();
    let mut matrix = Vec::new();
    for row in 0..n {
        let (mut unit, mut product) = (vec![0.0; n], vec![0.0; n]);
        unit[row] = 1.0;
        if task.loss == Loss::Mse {
            at.gauss_newton(&unit, &mut product);
        } else {
            at.hvp(&unit, &mut product);
        }
        product[row] += decay;
        matrix.extend(product.iter().zip(&r).map(|(entry, column)| (r[row] * column).sqrt() * entry));
    }
    largest_eigenvalue(n, matrix)
}

#[test]
fn with_factors_and_weight_decay_it_is_the_top_of_the_whole_matrix() {
    for (data, network) in [
        ("loss=mse data.name=teacher data.dimension=5 data.train=30", "network.activation=tanh"),
        (
            "loss=cross_entropy data.name=two-gaussians data.dimension=4 data.train=40",
            "network.activation=gelu",
        ),
        // The biases before the normalisation bend nothing; weight decay alone does.
        ("loss=mse data.name=teacher data.dimension=5 data.train=30", "network.normalizer=batch"),
    ] {
        for factors in ["{\"layers.0.bias\"=9.0,\"layers.1.weight\"=0.0}", "{\"layers.1.weight\"=5.0}"] {
            let spec = spec(&format!(
                "{data} {network} network.depth=1 network.width=4 optimizer.weight_decay=0.7 \
                 optimizer.input_factor=3 optimizer.factors={factors}"
            ));
            let task = spec.task::<f64>().unwrap();
            let instrument = spec.instrument(&task, false).unwrap();
            let parameters: Vec<f64> = task.network.layout().initialise(3);
            let expected = dense(&task, &parameters, instrument.samples(), &instrument.factors, 0.7);
            let found = instrument.at(&parameters).decayed().unwrap().unwrap().largest[0].value;
            assert!((found / expected - 1.0).abs() < 1e-8, "{data} {network} {factors}: {found}, {expected}");
            let apart = dense(&task, &parameters, instrument.samples(), &instrument.factors, 0.0) + 0.7;
            assert!((apart / expected - 1.0).abs() > 0.02, "the sum of both is something else: {apart}");
        }
    }
}

#[test]
fn without_factors_or_weight_decay_there_is_nothing_more_to_measure() {
    for overrides in ["optimizer.weight_decay=0.7", "optimizer.input_factor=3"] {
        let spec = spec(&format!("data.name=teacher loss=mse network.width=4 {overrides}"));
        let task = spec.task::<f64>().unwrap();
        let parameters: Vec<f64> = task.network.layout().initialise(3);
        let instrument = spec.instrument(&task, false).unwrap();
        assert!(instrument.at(&parameters).decayed().unwrap().is_none(), "{overrides}");
    }
}

#[test]
fn a_linear_model_with_factors_and_weight_decay_diverges_just_above_the_limit_and_not_below() {
    for momentum in [0.0, 0.9] {
        let spec = spec(&format!(
            "data.name=teacher loss=mse data.train=200 measure.samples=200 network.depth=0 train.steps=4000 \
             optimizer.weight_decay=1 optimizer.factors={{\"layers.0.weight\"=4.0}} optimizer.momentum={momentum}"
        ));
        let measured = spec.measure(&MeasureOptions::default()).unwrap();
        let name = if momentum > 0.0 { "lazy-limit-heavy-ball" } else { "lazy-limit" };
        let limit = measured.thresholds.iter().find(|threshold| threshold.name == name).unwrap().eta;
        let task = spec.task::<f64>().unwrap();
        let plan = spec.plan(&task).unwrap();
        let diverges = |eta: f64| {
            let trial = Trial::new(&task, &plan, eta, 0, false).unwrap();
            trial.run(&mut |_, _| {}).stop.diverged()
        };
        assert!(!diverges(0.995 * limit) && diverges(1.005 * limit), "momentum {momentum}: {limit}");
        // The sum of both curvatures would promise more.
        let apart = (2.0 + 2.0 * momentum) / (measured.ntk.unwrap().value.unwrap() + 1.0);
        assert!(apart > 1.2 * limit && diverges(apart), "momentum {momentum}: {apart}, {limit}");
    }
}
