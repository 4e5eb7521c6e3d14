//! Against the solvable model, whose phases are known, and against noise.

use super::*;
use crate::theory::scale_invariant::{Training, ratio};
use crate::theory::{Map, ScalarLoss, State as MapState};
use etalon_nn::optim::Sgd;
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};

fn detect(losses: impl IntoIterator<Item = f64>) -> Detector {
    let mut detector = Detector::new(Settings::default());
    for (step, loss) in (0..).zip(losses) {
        detector.push(Point { step, loss, rate: None, curvature: None, norm: None });
    }
    detector
}

/// The losses of the two-layer linear network at `c`.
fn map(c: f64, steps: usize) -> Vec<f64> {
    let map = Map::new(ScalarLoss::Mse { target: 0.0 }, c / 2.0, 1024.0).unwrap();
    let mut state = MapState { f: 1.0, lambda: 2.0 };
    let mut losses = Vec::new();
    for _ in 0..steps {
        losses.push(0.5 * state.f * state.f);
        state = map.step(state);
    }
    losses
}

fn noisy(clean: impl Fn(f64) -> f64, deviation: f64, steps: u32, seed: u64) -> Vec<f64> {
    let mut random = stream(seed, Purpose::Data, 0);
    (0..steps)
        .map(|step| {
            let noise: f64 = StandardNormal.sample(&mut random);
            clean(f64::from(step)) * (deviation * noise).exp()
        })
        .collect()
}

#[test]
fn the_phases_of_the_solvable_model_are_told_apart() {
    let state = |losses: &[f64]| detect(losses.iter().copied()).finding().state;
    assert_eq!(state(&map(1.9, 60)), State::Lazy);
    for c in [2.5, 3.0, 3.5, 3.9] {
        let losses = map(c, 3000);
        let peak = (0..losses.len()).max_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
        // On its way up, and at its top, a catapult is not taken for divergence.
        for length in 4..=peak + 2 {
            let seen = state(&losses[..length]);
            assert!(
                [State::CatapultInProgress, State::Lazy].contains(&seen),
                "c = {c}, {length} losses: {seen}"
            );
        }
        assert_eq!(state(&losses[..=peak + 1]), State::CatapultInProgress, "c = {c}");
        let found = detect(losses.iter().copied()).finding();
        assert_eq!(found.state, State::Catapult, "c = {c}: {}", found.why);
        assert_eq!(found.greatest_rise.unwrap().peak_step, peak as u64);
    }
    let losses = map(4.1, 40);
    let found = losses.iter().position(|&loss| loss > 1e12).unwrap();
    let told = (3..losses.len()).find(|&length| state(&losses[..length]) == State::Diverging).unwrap();
    assert!(told <= found + 1, "told after {told} losses, passed the limit at {found}");
    assert_eq!(state(&losses), State::Diverging);
}

#[test]
fn nothing_that_is_no_number_passes() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let found = detect([2.0, 1.9, bad, 1.0, 0.9]).finding();
        assert_eq!(
            (found.state, found.why.as_str()),
            (State::Diverging, "the loss is no finite number at step 2")
        );
        let at_once = detect([bad, 1.0]).finding();
        assert_eq!(at_once.state, State::Diverging);
        assert!(at_once.advice.unwrap().contains("no rate is to blame"));
        assert!(found.advice.unwrap().starts_with("lower the rate"));
    }
    assert_eq!(detect([1.0, 0.5, -0.5, -1.0]).finding().state, State::Undecided);
    assert_eq!(detect([]).finding().state, State::Undecided);
}

#[test]
fn noise_is_no_rise() {
    for seed in 0..20 {
        let falling = noisy(|step| 2.3 * (1.0 + step / 100.0).powf(-0.7), 0.2, 4000, seed);
        let found = detect(falling).finding();
        assert_eq!(found.state, State::Lazy, "seed {seed}: {}", found.why);
        assert!((found.noise.unwrap() / 0.2 - 1.0).abs() < 0.4, "{:?}", found.noise);
        // A twenty-fold rise within noise, and back.
        let bump =
            |step: f64| 2.3 * (1.0 + 19.0 * (-((step - 200.0) / 15.0).powi(2)).exp()) / (1.0 + step / 100.0);
        let found = detect(noisy(bump, 0.2, 600, seed)).finding();
        assert_eq!(found.state, State::Catapult, "seed {seed}: {}", found.why);
        let rising = detect(noisy(bump, 0.2, 200, seed)).finding();
        assert_eq!(rising.state, State::CatapultInProgress, "seed {seed}: {}", rising.why);
    }
}

#[test]
fn what_does_not_move_is_lazy_and_to_be_raised_and_what_rose_and_stays_is_to_be_lowered() {
    for still in [vec![2.303; 200], noisy(|_| 2.303, 0.05, 2000, 0)] {
        let found = detect(still).finding();
        assert_eq!(found.state, State::Lazy);
        assert!(found.advice.unwrap().starts_with("raise the rate"));
    }
    // Up, and never back: the network has died, or worse.
    for (height, state) in [(2.5, State::Stuck), (40.0, State::Stuck), (2.3e7, State::Diverging)] {
        let dead = |step: f64| if step < 50.0 { 2.3 - step / 50.0 } else { height };
        let found = detect(noisy(dead, 0.01, 400, 0)).finding();
        assert_eq!(found.state, state, "{height}: {}", found.why);
        assert!(found.advice.unwrap().starts_with("lower the rate"));
    }
    // A wiggle of 0.08 % of the first loss is no catapult, though everything else is smooth.
    let wiggle = |step: u32| 2.0 / f64::from(1 + step) + if step == 1 { 1.0016 } else { 0.0 };
    assert_eq!(detect((0..300).map(wiggle)).finding().state, State::Lazy);
    // A trained network that has settled is not stuck.
    assert_eq!(
        detect((0..400).map(|step| 0.1 + 2.0 * (-0.1 * f64::from(step)).exp())).finding().state,
        State::Lazy
    );
}

#[test]
fn the_edge_of_stability_is_told_by_curvature_or_alternation() {
    let at = |momentum, nesterov, curvature| {
        let optimizer = Rule::Sgd(Sgd { momentum, nesterov });
        let mut detector = Detector::new(Settings { optimizer });
        for step in 0..50 {
            let loss = 1.0 / (step + 1) as f64;
            detector.push(Point { step, loss, rate: Some(0.1), curvature: Some(curvature), norm: None });
        }
        detector.finding()
    };
    // Each optimiser has its own edge, and what is one's edge is far from the other's.
    for (momentum, nesterov, edge) in [(0.0, false, 20.0), (0.9, false, 38.0), (0.9, true, 38.0 / 2.8)] {
        let found = at(momentum, nesterov, edge);
        assert_eq!(found.state, State::EdgeOfStability, "momentum {momentum}, Nesterov {nesterov}");
        assert!((found.over_limit.unwrap() - 1.0).abs() < 1e-12);
    }
    assert_eq!(at(0.9, false, 38.0 / 2.8).state, State::Lazy);
    assert!((at(0.9, true, 38.0).over_limit.unwrap() - 2.8).abs() < 1e-12);
    assert_eq!(at(1.5, false, 38.0).over_limit, None);
    let alternating =
        (0..100).map(|step| (2.0 - 0.01 * f64::from(step)) * (1.0 + 0.1 * f64::from(1 - 2 * (step % 2))));
    let found = detect(alternating).finding();
    assert_eq!(found.state, State::EdgeOfStability, "{}", found.why);
}

/// The losses of x^2 / (x^2 + y^2), with squared norms from the plane or `norm` in their place.
fn circle(eta: f64, weight_decay: f64, norm: impl Fn(u64, f64) -> f64) -> Detector {
    let training = Training { normalized: true, eta, weight_decay };
    let (mut detector, mut w) = (Detector::new(Settings::default()), [2.0, 0.3]);
    for step in 0..5000 {
        let square = w[0] * w[0] + w[1] * w[1];
        let norm = Some(norm(step, square));
        detector.push(Point { step, loss: ratio::loss(true, w), rate: Some(eta), curvature: None, norm });
        w = ratio::step(&training, w, 0.0);
    }
    detector
}

#[test]
fn bursts_that_come_when_the_norm_has_shrunk_are_the_norms() {
    for (eta, weight_decay) in [(0.1, 0.1), (0.1, 0.03), (0.05, 0.1), (0.02, 0.1)] {
        for power in [0.5, 1.0] {
            let found = circle(eta, weight_decay, |_, square: f64| square.powf(power)).finding();
            assert_eq!(found.state, State::NormDriven, "{eta} {weight_decay}: {}", found.why);
            assert!(found.norm_driven + 1 >= found.rises && found.advice.is_some(), "{found:?}");
        }
    }
    // Without weight decay there is no burst; and the same bursts under a norm that stays, or only shrinks, are not its doing.
    assert_eq!(circle(0.1, 0.0, |_, square| square).finding().state, State::Lazy);
    for norm in [|_, _| 1.0, |step, _| (-1e-3 * step as f64).exp()] {
        let found = circle(0.1, 0.1, norm).finding();
        assert!(
            found.rises > 2 && found.norm_driven == 0 && found.state != State::NormDriven,
            "{}",
            found.why
        );
    }
}

/// A rate that goes up and down, under a norm that moves little.
#[test]
fn rises_that_the_rate_brings_are_not_the_norms() {
    let mut detector = Detector::new(Settings::default());
    for step in 0..4000u64 {
        let phase = std::f64::consts::TAU * step as f64 / 400.0;
        let loss = (-0.001 * step as f64 + 3.0 * phase.sin()).exp();
        let (rate, norm) = (Some(0.1 * (3.0 * phase.sin()).exp()), Some(1.0 + 0.2 * phase.sin()));
        detector.push(Point { step, loss, rate, curvature: None, norm });
    }
    let found = detector.finding();
    assert!(found.rises > 2 && found.norm_driven == 0, "{found:?}");
}
