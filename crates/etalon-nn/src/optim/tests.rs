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
        // So large an epsilon is all of the preconditioner that small gradients see.
        Rule::AdamW(AdamW { epsilon: 1.0, ..AdamW::default() }),
        Rule::AdamW(AdamW { beta1: 0.0, epsilon: 1.0, ..AdamW::default() }),
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

/// A weight that only decays would stay at the smallest number there is, and its buffers beside it: a third of that rounds
/// to 0.
#[test]
fn what_decays_becomes_zero_and_is_never_subnormal() {
    for (rule, &cpu) in rules().iter().flat_map(|rule| Cpu::available().iter().map(move |cpu| (rule, cpu))) {
        let mut memory = Buffers::<f32>::new(rule, 40);
        let mut w: Vec<f32> = (0..40).map(|k| (k - 20) as f32 * f32::MIN_POSITIVE).collect();
        memory.buffers.iter_mut().flatten().for_each(|number| *number = 3.0 * f32::MIN_POSITIVE);
        for step in 0..3000 {
            let rate = Rate { eta: 0.1, weight_decay: 3.0 };
            let buffers = memory.buffers.each_mut().map(Vec::as_mut_slice);
            rule.update(cpu, rate, step, &[0.0; 40], buffers, &mut w);
            let mut numbers = w.iter().chain(memory.buffers.iter().flatten());
            assert!(!numbers.any(|number| number.is_subnormal()), "{rule:?} {cpu:?} step {step}");
        }
        assert_eq!(w, [0.0; 40], "{rule:?} {cpu:?}");
    }
}

/// How much larger a weight on `curvature w^2 / 2` is after many steps of the rule itself.
fn growth(rule: Rule, curvature: f64, rate: Rate) -> f64 {
    let network = network([1; 4]);
    const START: f64 = 1e-100;
    let (mut w, mut memory) = (vec![START; 3], Buffers::new(&rule, 3));
    for _ in 0..4000 {
        let gradient: Vec<f64> = w.iter().map(|w| curvature * w).collect();
        step(&rule, &network, |_| Some(rate), &gradient, &mut memory, &mut w, false);
    }
    w[0].abs() / START
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
    let adam = AdamW { beta1: 0.5, ..AdamW::default() }.stability().unwrap();
    assert_eq!((adam.limit(2.0), adam.bend(2.0)), (3.0, 6.0));
    assert_eq!(adam.formula("lambda"), "(2 + 2 b1) / ((1 - b1) lambda)");
}

#[test]
fn adamw_follows_pytorch_over_hundreds_of_steps() {
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../../oracles/values/adamw.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let list = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        let rule = AdamW { beta1: number("beta1"), beta2: number("beta2"), epsilon: number("epsilon") };
        let rate = Rate { eta: number("eta"), weight_decay: number("weight_decay") };
        let (mut w, curvature, slope) =
            (list(&case["start"]), list(&case["curvature"]), list(&case["slope"]));
        let mut memory = Buffers::new(&rule, w.len());
        for expected in case["states"].as_array().unwrap() {
            while memory.steps < expected["step"].as_u64().unwrap() {
                let sign = if memory.steps.is_multiple_of(2) { 1.0 } else { -0.5 };
                let gradient: Vec<f64> =
                    (0..w.len()).map(|i| curvature[i] * w[i] + sign * slope[i]).collect();
                step(
                    &rule,
                    &network([1, w.len(), 1, 1]),
                    |segment| (segment == 0).then_some(rate),
                    &gradient,
                    &mut memory,
                    &mut w,
                    false,
                );
            }
            let found = [&w, &memory.buffers[0], &memory.buffers[1]];
            for (name, found) in ["parameters", "mean", "square"].into_iter().zip(found) {
                for (ours, expected) in found.iter().zip(list(&expected[name])) {
                    let close = (ours - expected).abs() <= 1e-12 * expected.abs();
                    assert!(close, "{} {name}: {ours}, not {expected}", case["name"]);
                }
            }
        }
    }
}

#[test]
fn the_preconditioner_is_the_gradient_after_the_first_and_its_mean_square_later() {
    let rule = AdamW { beta2: 0.5, epsilon: 0.25, ..AdamW::default() };
    let is = |memory: &Buffers<f64>, expected: [f64; 3]| {
        let found = rule.preconditioner(memory).unwrap();
        assert!(
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-14),
            "{found:?}"
        );
    };
    is(&Buffers::after_first(&rule, Cpu::Portable, &[3.0, -4.0, 0.0]), [3.25, 4.25, 0.25]);
    let (mut w, mut memory) = (vec![1.0; 3], Buffers::new(&rule, 3));
    assert_eq!(rule.preconditioner(&memory), None);
    for gradient in [[3.0, -4.0, 0.0], [0.0, -4.0, 0.0]] {
        step(&rule, &network([1; 4]), rates(0.1, 0.0, [1.0; 3]), &gradient, &mut memory, &mut w, false);
    }
    // (9/4 + 0) / (1 - 1/4) = 3, (16/4 + 16/2) / (3/4) = 16.
    is(&memory, [3f64.sqrt() + 0.25, 4.25, 0.25]);
    assert_eq!(Sgd { momentum: 0.9, nesterov: false }.preconditioner(&memory), None);
}

#[test]
fn constants_out_of_range_are_named() {
    for (rule, complaint) in [
        (AdamW { beta1: 1.0, ..AdamW::default() }, "beta1 is 1: it must be in [0, 1)"),
        (AdamW { beta2: -1.0, ..AdamW::default() }, "beta2 is -1: it must be in [0, 1)"),
        (AdamW { epsilon: 0.0, ..AdamW::default() }, "epsilon is 0: it must be a finite number above 0"),
    ] {
        assert_eq!(rule.stability().unwrap_err().to_string(), complaint);
    }
    for momentum in [1.0, -0.1, f64::NAN] {
        let error = Sgd { momentum, nesterov: false }.stability().unwrap_err().to_string();
        assert_eq!(error, format!("momentum is {momentum}: it must be in [0, 1)"));
    }
}
