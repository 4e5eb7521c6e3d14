//! The rules against PyTorch's form, written out number by number, and their limits against the rules themselves.

use super::*;
use crate::Network;
use crate::layers::Dense;
use crate::network::NetworkBuilder;

/// Three segments of one weight, or of many.
fn network(widths: [usize; 4]) -> Network<f64> {
    let mut builder = NetworkBuilder::new(widths[0]).unwrap();
    let mut value = builder.input();
    for pair in widths.windows(2) {
        let layer = Dense {
            inputs: pair[0],
            outputs: pair[1],
            weight_multiplier: 1.0,
            weight_deviation: 1.0,
            bias_multiplier: None,
        };
        value = builder.dense(layer, value).unwrap();
    }
    builder.build().unwrap()
}

/// The same rate for all segments but those whose factor is another.
fn rates(eta: f64, weight_decay: f64, factors: [f64; 3]) -> impl Fn(usize) -> Option<Rate> {
    move |segment| {
        let factor = factors[segment];
        (factor != 0.0).then_some(Rate { eta: eta * factor, weight_decay })
    }
}

#[test]
fn each_segment_has_a_rate_and_a_decay_of_its_own() {
    let rule = Sgd::default();
    let rate = |segment: usize| {
        let rates = [(0.5, 0.5), (0.25, 0.0), (0.5, 0.0)];
        Some(Rate { eta: rates[segment].0, weight_decay: rates[segment].1 })
    };
    let (mut w, mut memory) = (vec![1.0, 1.0, 1.0], Buffers::new(&rule, 3));
    step(&rule, &network([1; 4]), rate, &[1.0, 1.0, 1.0], &mut memory, &mut w, false);
    assert_eq!(w, [0.25, 0.75, 0.5]);
}

#[test]
fn gradient_descent_follows_pytorchs_rule_segment_by_segment() {
    let (network, factors) = (network([1; 4]), [1.0, 1.0, 0.5]);
    for nesterov in [false, true] {
        let rule = Sgd { momentum: 0.9, nesterov };
        let (mut w, mut memory) = (vec![1.0, -2.0, 3.0], Buffers::new(&rule, 3));
        let (mut expected, mut buffer) = (w.clone(), vec![0.0; 3]);
        for _ in 0..3 {
            let gradient: Vec<f64> = w.iter().map(|w: &f64| w * w).collect();
            for i in 0..3 {
                let g = gradient[i] + 0.1 * expected[i];
                buffer[i] = 0.9 * buffer[i] + g;
                let direction: f64 = if nesterov { g + 0.9 * buffer[i] } else { buffer[i] };
                expected[i] -= 0.01 * factors[i] * direction;
            }
            step(&rule, &network, rates(0.01, 0.1, factors), &gradient, &mut memory, &mut w, false);
        }
        for (ours, expected) in w.iter().zip(&expected) {
            assert!((ours - expected).abs() < 1e-15);
        }
    }
    let plain = Sgd::default();
    let (mut w, mut memory) = (vec![1.0, 1.0, 1.0], Buffers::new(&plain, 3));
    step(&plain, &network, rates(0.5, 0.0, [0.0, 1.0, 1.0]), &[1.0, 1.0, 2.0], &mut memory, &mut w, true);
    assert_eq!(w, [1.0, 0.5, 0.0]);
}

#[test]
fn a_frozen_segment_stays_whatever_its_gradient() {
    for rule in rules() {
        let (mut w, mut memory) = (vec![1.0, 1.0, 1.0], Buffers::new(&rule, 3));
        let gradient = [0.0, f64::INFINITY, 0.0];
        step(
            &rule,
            &network([1; 4]),
            rates(0.5, 0.5, [1.0, 0.0, 1.0]),
            &gradient,
            &mut memory,
            &mut w,
            false,
        );
        assert!(w[1] == 1.0 && w[0] < 1.0 && w[2] == w[0], "{rule:?}: {w:?}");
        assert!(memory.buffers.iter().flatten().all(|number| number.is_finite()), "{rule:?}");
    }
}

/// One of each.
fn rules() -> Vec<Rule> {
    vec![
        Rule::default(),
        Rule::Sgd(Sgd { momentum: 0.9, nesterov: false }),
        Rule::Sgd(Sgd { momentum: 0.9, nesterov: true }),
        Rule::Sgd(Sgd { momentum: 0.3, nesterov: true }),
    ]
}

#[test]
fn threads_and_kernels_leave_the_bits_alone() {
    for rule in rules() {
        let mut ends = Vec::new();
        for cpu in Cpu::available() {
            for parallel in [false, true] {
                // More than two chunks, and no multiple of a register.
                let network = network([257, 301, 7, 1]).on(*cpu);
                let mut w: Vec<f64> = network.layout().initialise(1);
                let mut memory = Buffers::new(&rule, w.len());
                for _ in 0..3 {
                    let gradient: Vec<f64> = w.iter().map(|w| w * w - 0.1).collect();
                    step(
                        &rule,
                        &network,
                        rates(0.01, 0.1, [1.0, 1.0, 0.5]),
                        &gradient,
                        &mut memory,
                        &mut w,
                        parallel,
                    );
                }
                ends.push((w, memory));
            }
        }
        assert!(ends.iter().all(|end| *end == ends[0]), "{rule:?}");
    }
}

/// How much larger a weight on `curvature w^2 / 2` is after many steps of the rule itself.
fn growth(rule: Rule, curvature: f64, rate: Rate) -> f64 {
    let network = network([1; 4]);
    let (mut w, mut memory) = (vec![1.0; 3], Buffers::new(&rule, 3));
    for _ in 0..4000 {
        let gradient: Vec<f64> = w.iter().map(|w| curvature * w).collect();
        step(&rule, &network, |_| Some(rate), &gradient, &mut memory, &mut w, false);
    }
    w[0].abs()
}

#[test]
fn limits_are_where_the_rules_themselves_begin_to_grow() {
    for rule in rules() {
        let stability = rule.stability().unwrap();
        for (curvature, weight_decay) in [(1.0, 0.0), (7.0, 0.0), (3.0, 0.5)] {
            let limit = stability.limit(curvature + stability.bend(weight_decay));
            let at = |share: f64| growth(rule, curvature, Rate { eta: share * limit, weight_decay });
            assert!(at(0.99) < 1e-3, "{rule:?} at {curvature}: {} below its limit", at(0.99));
            assert!(!(at(1.01) <= 1e3), "{rule:?} at {curvature}: {} above its limit", at(1.01));
        }
        assert_eq!(stability.limit(0.0), f64::INFINITY);
        assert!(stability.limit(f64::NAN).is_nan());
    }
}

#[test]
fn limits_are_those_of_the_literature() {
    let limit = |momentum, nesterov| {
        let stability = Sgd { momentum, nesterov }.stability().unwrap();
        (stability.limit(2.0), stability.formula("lambda"))
    };
    assert_eq!(limit(0.0, false), (1.0, "2 / lambda".into()));
    assert_eq!(limit(0.9, false), (1.9, "(2 + 2b) / lambda".into()));
    assert_eq!(limit(0.5, true), (0.75, "(2 + 2b) / ((1 + 2b) lambda)".into()));
}

#[test]
fn constants_out_of_range_are_named() {
    for momentum in [1.0, -0.1, f64::NAN] {
        let error = Sgd { momentum, nesterov: false }.stability().unwrap_err().to_string();
        assert_eq!(error, format!("momentum is {momentum}: it must be in [0, 1)"));
    }
}
