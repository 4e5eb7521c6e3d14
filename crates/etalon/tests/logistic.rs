//! Deep linear networks under logistic loss at large learning rates, trained by the engine: data that no predictor can
//! separate, data that one can, and all inputs alike (Huang, Wang and Liu 2020; the numbers are those of the exact
//! map).

use etalon::curvature::Ends;
use etalon::models::{Alignment, Compass};
use etalon::spec::Spec;
use etalon::theory::{Map, Phase, Range, RunSettings, ScalarLoss, State, first_change};
use etalon::train::{Record, Task, Trajectory, Trial};

fn spec(overrides: &str) -> Spec {
    let base = "loss=logistic precision=f64 network.activation=identity network.parametrization=ntk network.init=lecun \
                network.bias=false data.normalize=none data.test=20 train.batch=full measure.tolerance=1e-8 \
                measure.iterations=200 train.check_every=100000";
    let all: Vec<String> =
        base.split_whitespace().chain(overrides.split_whitespace()).map(String::from).collect();
    Spec::load(None, &all).unwrap()
}

/// Samples that all have the input 1, this share of them positive; the network is `f = v . u / sqrt(n)`.
fn degenerate(share: f64, width: usize, steps: u64) -> Spec {
    spec(&format!(
        "data.name=degenerate data.positive={share} data.train=10 data.test=10 network.depth=1 network.width={width} \
         train.steps={steps}"
    ))
}

/// Random weights whose output is exactly `f`.
fn weights_with_output(task: &Task<f64>, width: usize, f: f64) -> (Vec<f64>, State) {
    let mut weights: Vec<f64> = task.network.layout().initialise(4);
    let (u, v) = weights.split_at_mut(width);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let root = (width as f64).sqrt();
    let change = (f * root - dot(u, v)) / dot(u, u);
    v.iter_mut().zip(u.iter()).for_each(|(v, u)| *v += change * u);
    let lambda = (dot(u, u) + dot(v, v)) / width as f64;
    (weights, State { f, lambda })
}

fn train(spec: &Spec, task: &Task<f64>, start: &[f64], eta: f64) -> (Trajectory, Vec<f64>) {
    let plan = spec.plan(task).unwrap();
    let trial = Trial::from_parameters(task, &plan, eta, 0, start.to_vec(), false).unwrap();
    let mut end = Vec::new();
    let trajectory = trial.run(&mut |state: etalon::train::State<f64>, _: &mut Record| {
        if state.last {
            end = state.parameters.to_vec();
        }
    });
    (trajectory, end)
}

/// The largest eigenvalues of the NTK and of the Hessian.
fn curvature(spec: &Spec, task: &Task<f64>, parameters: &[f64]) -> (f64, f64) {
    let instrument = spec.instrument(task, false).unwrap();
    let mut at = instrument.at(parameters);
    (at.ntk().unwrap().largest[0].value, at.hessian(Ends::Largest, 1).unwrap().largest[0].value)
}

#[test]
fn the_loss_starts_to_rise_where_the_minimum_becomes_unstable() {
    for share in [0.5, 0.7, 0.9] {
        let spec = degenerate(share, 1000, 60);
        let task = spec.task::<f64>().unwrap();
        let minimizer = ScalarLoss::Logistic { positive: share }.minimizer().unwrap();
        let (start, State { lambda, .. }) = weights_with_output(&task, 1000, minimizer + 0.01);
        let expected = 2.0 / (share * (1.0 - share));
        let range = Range { low: 0.8 * expected, high: 1.2 * expected, steps: 20, tolerance: 1e-4 };
        let rises = |c: f64| -> Result<bool, etalon::theory::TheoryError> {
            let (trajectory, _) = train(&spec, &task, &start, c / lambda);
            Ok(trajectory.peak_step > 0)
        };
        let found = first_change(&range, rises).unwrap().middle();
        assert!((found / expected - 1.0).abs() < 0.015, "share {share}: {found} against {expected}");
    }
}

#[test]
fn training_diverges_at_two_roots_of_twice_the_width() {
    for width in [100, 400] {
        let spec = degenerate(0.5, width, 3000);
        let task = spec.task::<f64>().unwrap();
        let (start, _) = weights_with_output(&task, width, 1.0);
        let expected = 2.0 * (2.0 * width as f64).sqrt();
        let range = Range { low: 0.8 * expected, high: 1.3 * expected, steps: 100, tolerance: 1e-4 };
        let diverges = |eta: f64| -> Result<bool, etalon::theory::TheoryError> {
            Ok(train(&spec, &task, &start, eta).0.stop.diverged())
        };
        let found = first_change(&range, diverges).unwrap().middle();
        assert!((found / expected - 1.0).abs() < 0.05, "width {width}: {found} against {expected}");
    }
}

#[test]
fn above_the_critical_rate_curvature_ends_just_below_eight_over_eta() {
    let width = 1000;
    let spec = degenerate(0.5, width, 3000);
    let task = spec.task::<f64>().unwrap();
    let (start, state) = weights_with_output(&task, width, 1.0);
    for (c, low, high) in
        [(4.0, 3.98, 4.0), (7.5, 7.4, 7.5), (9.0, 7.95, 8.0), (20.0, 7.8, 7.9), (100.0, 2.8, 3.4)]
    {
        let eta = c / state.lambda;
        let (trajectory, end) = train(&spec, &task, &start, eta);
        let (ntk, hessian) = curvature(&spec, &task, &end);
        assert!((low..high).contains(&(eta * ntk)), "c = {c} ends at {}", eta * ntk);
        // At the minimum the Hessian is the kernel times l'' = 1/4.
        assert!((4.0 * hessian / ntk - 1.0).abs() < 1e-3, "c = {c}: {ntk} and {hessian}");
        let settings = RunSettings { max_steps: 3000, tolerance: 1e-300, ..RunSettings::default() };
        let map = Map::new(ScalarLoss::Logistic { positive: 0.5 }, eta, width as f64).unwrap();
        let run = map.run(state, &settings).unwrap();
        assert_ne!(run.phase, Phase::Divergent);
        assert!(
            (ntk / run.last.lambda - 1.0).abs() < 1e-9,
            "c = {c}: {ntk} against the map's {}",
            run.last.lambda
        );
        assert!((trajectory.peak_loss / run.peak_loss - 1.0).abs() < 1e-12);
    }
}

#[test]
fn depth_does_not_change_what_overlapping_classes_do() {
    for depth in [1, 2, 3] {
        let spec = spec(&format!(
            "data.name=two-gaussians data.dimension=5 data.margin=-1 data.train=60 network.depth={depth} \
             network.width=64 train.steps=2000"
        ));
        let task = spec.task::<f64>().unwrap();
        let start: Vec<f64> = task.network.layout().initialise(1);
        let (ntk0, _) = curvature(&spec, &task, &start);
        // At the minimum that small rates find, the Hessian says where it becomes unstable.
        let (small, end) = train(&spec, &task, &start, 1.0 / ntk0);
        let (ntk_lazy, hessian_lazy) = curvature(&spec, &task, &end);
        let critical = 2.0 / hessian_lazy;
        assert!((ntk_lazy / ntk0 - 1.0).abs() < 0.15 * depth as f64, "depth {depth}: {ntk0} to {ntk_lazy}");
        for factor in [1.5, 2.5] {
            let eta = factor * critical;
            let (large, end) = train(&spec, &task, &start, eta);
            let (ntk, hessian) = curvature(&spec, &task, &end);
            assert!(!large.stop.diverged());
            assert!(eta * hessian < 2.02, "depth {depth}: eta times the Hessian is {}", eta * hessian);
            assert!(ntk < ntk_lazy, "depth {depth}: {ntk} is not below {ntk_lazy}");
            assert!((large.train.loss - small.train.loss).abs() < 1e-3);
        }
    }
}

#[test]
fn separable_classes_have_no_finite_minimum_and_turn_to_the_largest_margin() {
    for depth in [1, 2, 3] {
        let spec = spec(&format!(
            "data.name=two-gaussians data.dimension=5 data.margin=1 data.train=40 network.depth={depth} \
             network.width=32 train.steps=2000"
        ));
        let task = spec.task::<f64>().unwrap();
        let start: Vec<f64> = task.network.layout().initialise(1);
        let (ntk0, hessian0) = curvature(&spec, &task, &start);
        let mut compass = Compass::new(&task, false).unwrap();
        let largest = compass.largest_margin().unwrap();
        let first: Alignment = compass.at(&start);
        for c in [1.0, 8.0] {
            let (trajectory, end) = train(&spec, &task, &start, c / ntk0);
            let (ntk, hessian) = curvature(&spec, &task, &end);
            let last = compass.at(&end);
            assert!(trajectory.train.loss < 0.1 * trajectory.first_loss);
            assert!(ntk > ntk0 && hessian < hessian0);
            assert!(last.norm > 3.0 * first.norm);
            assert!(last.cosine.unwrap() > 0.95 && last.cosine > first.cosine);
            assert!(last.margin > 0.8 * largest && last.margin < largest * (1.0 + 1e-12));
        }
    }
}
