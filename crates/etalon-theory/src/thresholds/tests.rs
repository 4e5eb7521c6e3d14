//! Every limit against a simulation of the model it is derived from, where there is one.

use super::*;
use crate::{Phase, Range, RunSettings, ScalarLoss, State, boundary};

fn inputs(loss: Loss) -> ThresholdInputs {
    ThresholdInputs {
        loss,
        ntk_top: Some(2.0),
        hessian_max: Some(0.5),
        preconditioned_max: None,
        activation: Activation::Identity,
        hidden_layers: Some(1),
        outputs: 1,
        optimizer: Rule::default(),
        weight_decay: 0.0,
        decayed: None,
        batch: Batch::Full,
        bias: false,
        scale: 0.01,
    }
}

/// The learning rate at which descent on `x^2 / 2` starts to grow, by bisection. `step(eta, x, buffer)`
/// returns the next `x` and buffer.
fn stability_limit(step: impl Fn(f64, f64, f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..50 {
        let eta = 0.5 * (low + high);
        let (mut x, mut buffer) = (1.0f64, 0.0);
        for _ in 0..20_000 {
            (x, buffer) = step(eta, x, buffer);
        }
        if x.abs() <= 1.0 { low = eta } else { high = eta }
    }
    low
}

#[test]
fn momentum_limits_are_those_of_a_quadratic() {
    let b = 0.9;
    let with = |momentum, nesterov| ThresholdInputs {
        ntk_top: Some(1.0),
        optimizer: Rule::Sgd(Sgd { momentum, nesterov }),
        ..inputs(Loss::Mse)
    };
    let (heavy, nesterov) = (thresholds(&with(b, false)), thresholds(&with(b, true)));
    let close = |list: &Thresholds, name: &str, expected: f64, found: f64| {
        let eta = list.eta(name).unwrap();
        assert!((eta - expected).abs() < 1e-4 && (eta / found - 1.0).abs() < 1e-3, "{name}: {eta}, {found}");
    };
    close(&heavy, "lazy-limit", 2.0, stability_limit(|eta, x, _| (x - eta * x, 0.0)));
    let ball = |eta: f64, x: f64, v: f64| (x - eta * (b * v + x), b * v + x);
    close(&heavy, "lazy-limit-heavy-ball", 3.8, stability_limit(ball));
    let ema = |eta: f64, x: f64, v: f64| {
        let v = b * v + (1.0 - b) * x;
        (x - eta * v, v)
    };
    close(&heavy, "lazy-limit-ema", 38.0, stability_limit(ema));
    let ahead = |eta: f64, x: f64, v: f64| {
        let v = b * v + x;
        (x - eta * (x + b * v), v)
    };
    close(&nesterov, "lazy-limit-nesterov", 1.3571, stability_limit(ahead));
    assert_eq!(nesterov.eta("lazy-limit-heavy-ball"), None);
    assert!(heavy.entries[0].assumes.contains("without momentum"));
    // Weight decay bends every direction by as much.
    let decayed = thresholds(&ThresholdInputs { weight_decay: 0.5, ..with(b, false) });
    let ball = |eta: f64, x: f64, v: f64| (x - eta * (b * v + 1.5 * x), b * v + 1.5 * x);
    close(&decayed, "lazy-limit-heavy-ball", 3.8 / 1.5, stability_limit(ball));
    assert_eq!(decayed.entries[0].formula, "2 / (lambda_NTK + weight_decay)");
    let limits = [thresholds(&with(0.0, false)).limit, heavy.limit, nesterov.limit];
    let names = ["lazy-limit", "lazy-limit-heavy-ball", "lazy-limit-nesterov"];
    assert_eq!(limits, names.map(|name| Some(name.to_string())));
    // Another rule, other coordinates: neither NTK nor Hessian limit it, and decay is not the gradient's.
    let adamw = ThresholdInputs {
        optimizer: Rule::AdamW(AdamW { beta1: b, ..AdamW::default() }),
        preconditioned_max: Some(2.0),
        ..with(0.0, false)
    };
    let list = thresholds(&adamw);
    assert_eq!((list.entries.len(), list.limit.as_deref()), (1, Some("lazy-limit-adamw")));
    close(&list, "lazy-limit-adamw", 19.0, stability_limit(ema) / 2.0);
    assert_eq!(list.entries[0].formula, "(2 + 2 b1) / ((1 - b1) lambda_P)");
    assert!(
        list.entries[0].assumes.contains("beta1 0.9") && list.entries[0].assumes.contains("first gradient")
    );
    assert!(list.omitted[0].reason.contains("gradient descent alone"));
    let decoupled = |eta: f64, x: f64, v: f64| {
        let v = b * v + (1.0 - b) * 2.0 * x;
        ((1.0 - 0.5 * eta) * x - eta * v, v)
    };
    let list = thresholds(&ThresholdInputs { weight_decay: 0.5, ..adamw });
    close(&list, "lazy-limit-adamw", 3.8 / (0.1 * 2.0 + 1.9 * 0.5), stability_limit(decoupled));
    assert_eq!(
        list.entries[0].formula,
        "(2 + 2 b1) / ((1 - b1) (lambda_P + (1 + b1) / (1 - b1) weight_decay))"
    );
    let list = thresholds(&ThresholdInputs { preconditioned_max: None, ..adamw });
    assert!(list.entries.is_empty() && list.limit.is_none());
    assert!(list.omitted[0].reason.contains("preconditioned Hessian was not measured"));
    let wrong = thresholds(&with(1.0, false));
    assert_eq!((wrong.limit.as_deref(), wrong.omitted[0].name.as_str()), (None, "lazy-limit-heavy-ball"));
    assert_eq!(wrong.omitted[0].reason, "momentum is 1: it must be in [0, 1)");
}

#[test]
fn where_factors_meet_weight_decay_the_limit_is_that_of_the_whole_operator() {
    let both = ThresholdInputs {
        weight_decay: 0.5,
        decayed: Some(4.0),
        optimizer: Rule::Sgd(Sgd { momentum: 0.9, nesterov: false }),
        ..inputs(Loss::Mse)
    };
    let list = thresholds(&both);
    assert_eq!((list.eta("lazy-limit"), list.eta("lazy-limit-heavy-ball")), (Some(0.5), Some(3.8 / 4.0)));
    assert_eq!(list.entries[0].formula, "2 / lambda_max(R^1/2 (G + weight_decay I) R^1/2)");
    assert!(list.entries[0].assumes.contains("G the Gauss-Newton matrix"), "{}", list.entries[0].assumes);
    // Weight decay bends what the loss does not.
    let flat = ThresholdInputs { hessian_max: Some(-0.1), loss: Loss::CrossEntropy, ..both };
    assert_eq!(thresholds(&flat).entries[0].formula, "2 / lambda_max(R^1/2 (H + weight_decay I) R^1/2)");
    let lost = ThresholdInputs { decayed: Some(f64::NAN), ..both };
    assert!(thresholds(&lost).omitted[0].reason.contains("not finite"));
}

#[test]
fn limits_are_those_of_the_solvable_model() {
    let find = |loss: ScalarLoss, width: f64, near: f64, accept: fn(Phase, usize) -> bool| {
        let range = Range { low: 0.7 * near, high: 1.4 * near, steps: 100, tolerance: 1e-6 };
        let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
        let start = State { f: 1e-2, lambda: 2.0 };
        let run = boundary(loss, width, start, &range, &settings, |r| accept(r.phase, r.peak_step));
        run.unwrap().middle()
    };
    let rises = |_, peak| peak == 0;
    let bounded = |phase, _| phase != Phase::Divergent;
    let close = |a: Option<f64>, b: f64, tolerance: f64| {
        let a = a.unwrap();
        assert!((a / b - 1.0).abs() < tolerance, "{a} against {b}");
    };
    let squared = thresholds(&inputs(Loss::Mse));
    let mse = ScalarLoss::Mse { target: 0.0 };
    close(squared.eta("lazy-limit"), find(mse, 1e8, 1.0, rises), 1e-3);
    close(squared.eta("catapult-limit"), find(mse, 1e4, 2.0, bounded), 1e-5);
    // Balanced logistic at f = 0: the Hessian is a quarter of the NTK, 0.5.
    let logistic = thresholds(&inputs(Loss::Logistic));
    let balanced = ScalarLoss::Logistic { positive: 0.5 };
    let critical = find(balanced, 1e8, 4.0, rises);
    close(logistic.eta("lazy-limit"), critical, 1e-3);
    close(logistic.eta("lazy-limit-lower-bound"), critical, 1e-3);
    let last = logistic.eta("logistic-catapult-limit").unwrap();
    assert!((last - 2.0 * 20_000f64.sqrt()).abs() < 1e-9);
    close(Some(last), find(balanced, 1e4, last, bounded), 0.01);
    // Larger multipliers are a narrower model.
    let scaled = ThresholdInputs { scale: 0.02, ..inputs(Loss::Logistic) };
    let last = thresholds(&scaled).eta("logistic-catapult-limit").unwrap();
    close(Some(last), find(balanced, 2500.0, last, bounded), 0.015);
    let biased = ThresholdInputs { bias: true, ..inputs(Loss::Logistic) };
    assert!(thresholds(&biased).omitted[0].reason.contains("no biases"));
    // Unequal labels bend less at their minimum: 8 / lambda is a lower bound, no more.
    let unequal = ScalarLoss::Logistic { positive: 0.9 };
    assert!(find(unequal, 1e8, 11.0, rises) > 1.5 * logistic.eta("lazy-limit-lower-bound").unwrap());
}

#[test]
fn bounds_on_the_losses_own_curvature_hold() {
    // Softmax: diag(p) - p p^T has eigenvalues of at most 1/2, reached at p = (1/2, 1/2, 0...).
    let top = |p: &[f64]| {
        let n = p.len();
        let entry = |i: usize, j: usize| if i == j { p[i] - p[i] * p[j] } else { -p[i] * p[j] };
        let matrix = (0..n * n).map(|k| entry(k / n, k % n)).collect();
        crate::symmetric::largest_eigenvalue(n, matrix)
    };
    assert!((top(&[0.5, 0.5, 0.0]) - 0.5).abs() < 1e-15);
    for seed in 1..200 {
        let weights: Vec<f64> = (1..6).map(|i| (4.0 * f64::from(seed * i).sin()).exp()).collect();
        let sum: f64 = weights.iter().sum();
        assert!(top(&weights.iter().map(|w| w / sum).collect::<Vec<f64>>()) <= 0.5);
    }
    let logistic = ScalarLoss::Logistic { positive: 0.5 };
    assert!((-50..50).all(|i| logistic.curvature(0.1 * f64::from(i)) <= 0.25));
    assert_eq!(thresholds(&inputs(Loss::CrossEntropy)).eta("lazy-limit-lower-bound"), Some(2.0));
}

#[test]
fn each_loss_is_limited_by_its_own_curvature() {
    let formula = |inputs: &ThresholdInputs| thresholds(inputs).entries[0].formula.clone();
    assert_eq!(formula(&inputs(Loss::Mse)), "2 / lambda_NTK");
    assert_eq!(formula(&ThresholdInputs { ntk_top: None, ..inputs(Loss::Mse) }), "2 / lambda_H");
    for loss in [Loss::CrossEntropy, Loss::Logistic, Loss::Exponential] {
        assert_eq!(formula(&inputs(loss)), "2 / lambda_H");
        assert_eq!(thresholds(&inputs(loss)).eta("lazy-limit"), Some(4.0));
    }
}

#[test]
fn measured_bands_depend_on_activation_and_depth() {
    let c = |activation, hidden_layers| {
        let hidden_layers = Some(hidden_layers);
        let inputs = ThresholdInputs { activation, hidden_layers, ntk_top: Some(1.0), ..inputs(Loss::Mse) };
        let list = thresholds(&inputs);
        (list.eta("empirical-limit-low"), list.eta("empirical-limit-high"), list.eta("empirical-limit-paper"))
    };
    assert_eq!(c(Activation::Relu, 1), (Some(3.3), Some(4.6), None));
    assert_eq!(c(Activation::Relu, 2), (Some(8.0), Some(21.0), None));
    assert_eq!(c(Activation::Relu, 3), (Some(8.0), Some(16.0), Some(12.0)));
    assert_eq!(c(Activation::Identity, 1), (Some(3.8), Some(5.4), None));
    assert_eq!(c(Activation::Tanh, 3), (Some(4.4), Some(5.1), None));
    assert_eq!(c(Activation::Gelu, 3), (None, None, None));
    assert_eq!(c(Activation::Relu, 0), (None, None, None));
}

#[test]
fn what_limits_nothing_is_listed_with_its_reason() {
    let list = thresholds(&ThresholdInputs { hessian_max: Some(-0.5), ..inputs(Loss::Exponential) });
    assert!(list.entries.is_empty());
    assert_eq!(
        list.omitted[0].reason,
        "the largest Hessian eigenvalue is -0.5, not positive: to second order no learning rate is too large at \
         this point"
    );
    let list = thresholds(&ThresholdInputs { ntk_top: Some(f64::NAN), ..inputs(Loss::Mse) });
    assert!(list.entries.is_empty() && list.omitted[0].reason.contains("not finite"));
    let list = thresholds(&ThresholdInputs { hessian_max: None, ..inputs(Loss::CrossEntropy) });
    assert_eq!(list.omitted[0].reason, "the largest Hessian eigenvalue was not measured");
    assert_eq!(list.omitted[0].name, "lazy-limit");
}

#[test]
fn the_batch_and_the_lifetime_are_spelled_out() {
    let full = thresholds(&inputs(Loss::Mse));
    let batches = thresholds(&ThresholdInputs { batch: Batch::Size(64), ..inputs(Loss::Mse) });
    for (full, batches) in full.entries.iter().zip(&batches.entries) {
        assert!(full.assumes.contains("full batch") && batches.assumes.contains("batches of 64"));
        assert!(full.assumes.contains("not its lifetime") && batches.assumes.contains("not its lifetime"));
    }
    let json = serde_json::to_value(&full).unwrap();
    assert_eq!(json["entries"][0]["name"], "lazy-limit");
    assert_eq!(json["entries"][0]["eta"], 1.0);
}
