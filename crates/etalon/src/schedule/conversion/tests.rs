use super::*;
use crate::schedule::{Schedule, Shape};
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};

const SIZE: usize = 12;

/// Mini-batches of a least-squares problem in the direction of the weights: `1/2 |B_t w / |w| - y_t|^2`, of no use but
/// scale-invariant.
struct Batches(Vec<(Vec<f64>, f64)>);

impl Batches {
    fn new(steps: usize) -> Self {
        let mut random = stream(3, Purpose::Data, 0);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        Batches((0..steps).map(|_| ((0..SIZE).map(|_| normal()).collect(), normal())).collect())
    }

    fn gradient(&self, step: usize, w: &[f64]) -> Vec<f64> {
        let (row, y) = &self.0[step];
        let norm = norm(w);
        let residual = dot(row, w) / norm - y;
        // (I - w w^T / |w|^2) row / |w|, times the residual.
        let along = dot(row, w) / (norm * norm);
        row.iter().zip(w).map(|(x, w)| residual * (x - along * w) / norm).collect()
    }

    fn start() -> Vec<f64> {
        let mut random = stream(4, Purpose::Parameters, 0);
        (0..SIZE).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    /// The weights before every step and after the last, under weight decay.
    fn with_decay(&self, schedule: &WithDecay) -> Vec<Vec<f64>> {
        let (mut w, mut v) = (Self::start(), vec![0.0; SIZE]);
        let mut path = vec![w.clone()];
        for (step, (log_eta, decay)) in schedule.log_eta.iter().zip(&schedule.weight_decay).enumerate() {
            let gradient = self.gradient(step, &w);
            for i in 0..SIZE {
                v[i] = schedule.momentum * v[i] + gradient[i] + decay * w[i];
            }
            w.iter_mut().zip(&v).for_each(|(w, v)| *w -= log_eta.exp() * v);
            path.push(w.clone());
        }
        path
    }

    /// The same under a growing rate; the weights are kept near their first length by the exact rescaling, and come
    /// with the logarithm of what was taken out.
    fn without_decay(&self, schedule: &WithoutDecay) -> Vec<(Vec<f64>, f64)> {
        let (mut w, mut v, mut taken) = (Self::start(), vec![0.0; SIZE], 0.0);
        let mut path = vec![(w.clone(), 0.0)];
        for (step, log_eta) in schedule.log_eta.iter().enumerate() {
            let log_scale = schedule.log_scale[step] - taken;
            for correction in schedule.corrections.iter().filter(|correction| correction.step == step) {
                let per_weight = correction.per_weight * (-2.0 * log_scale).exp();
                v.iter_mut().zip(&w).for_each(|(v, w)| *v -= per_weight * w);
            }
            let gradient = self.gradient(step, &w);
            let eta = (log_eta - 2.0 * taken).exp();
            for i in 0..SIZE {
                v[i] = schedule.momentum * v[i] + gradient[i];
                w[i] -= eta * v[i];
            }
            if log_scale > 3.0 {
                w.iter_mut().for_each(|w| *w /= 16.0);
                v.iter_mut().for_each(|v| *v *= 16.0);
                taken += 16f64.ln();
            }
            path.push((w.clone(), taken));
        }
        path
    }

    /// The largest distance between directions, and between the logarithms of the norms and what the scale predicts.
    fn distance(&self, with: &WithDecay, without: &WithoutDecay) -> (f64, f64) {
        let pairs = self.with_decay(with).into_iter().zip(self.without_decay(without));
        pairs.zip(&without.log_scale).fold(
            (0.0, 0.0),
            |(angle, length), ((plain, (grown, taken)), log_scale)| {
                let (a, b) = (norm(&plain), norm(&grown));
                let apart =
                    plain.iter().zip(&grown).map(|(x, y)| (x / a - y / b).powi(2)).sum::<f64>().sqrt();
                let off = ((b / a).ln() + taken - log_scale).abs();
                (f64::max(angle, apart), f64::max(length, off))
            },
        )
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(w: &[f64]) -> f64 {
    dot(w, w).sqrt()
}

fn rates(eta: f64, steps: u64, warmup: u64, shape: Shape) -> Vec<f64> {
    let schedule = Schedule { warmup, shape, last: None };
    (0..steps).map(|step| schedule.log_rate(eta, step, steps)).collect()
}

fn three_phases() -> Shape {
    Shape::Step { milestones: vec![200, 400], factor: 0.1 }
}

#[test]
fn the_exact_conversion_trains_the_same_functions_under_every_schedule() {
    let batches = Batches::new(600);
    for (warmup, shape) in [
        (0, Shape::Constant),
        (0, three_phases()),
        (0, Shape::Cosine { end: 0.0 }),
        (50, Shape::Cosine { end: 0.0 }),
        (0, Shape::Exponential { growth: 0.997 }),
    ] {
        for momentum in [0.0, 0.9] {
            for decay in [5e-4, 1e-2] {
                let with = WithDecay::constant(rates(0.1, 600, warmup, shape.clone()), decay, momentum);
                let (angle, length) = batches.distance(&with, &with.exact().unwrap());
                assert!(angle < 1e-11 && length < 1e-11, "{shape:?} {momentum} {decay}: {angle} {length}");
            }
        }
    }
}

#[test]
fn a_rate_of_zero_and_decay_that_changes_are_covered() {
    let batches = Batches::new(300);
    let mut log_eta = rates(0.1, 300, 0, Shape::Constant);
    log_eta[100..150].fill(f64::NEG_INFINITY);
    let weight_decay = (0..300).map(|step| if step < 50 { 0.0 } else { 1e-5 * f64::from(step) }).collect();
    let with = WithDecay { log_eta, weight_decay, momentum: 0.9 };
    let (angle, length) = batches.distance(&with, &with.exact().unwrap());
    assert!(angle < 1e-11 && length < 1e-11, "{angle} {length}");
    let (angle, length) = batches.distance(&with, &with.by_phases().unwrap());
    assert!(angle < 1e-11 && length < 1e-11, "{angle} {length}");
}

#[test]
fn the_closed_form_is_exact_with_its_corrections_and_nearly_so_without() {
    let batches = Batches::new(600);
    for momentum in [0.0, 0.9] {
        let with = WithDecay::constant(rates(0.1, 600, 0, three_phases()), 5e-4, momentum);
        let mut without = with.by_phases().unwrap();
        assert_eq!(without.corrections.len(), if momentum > 0.0 { 3 } else { 0 });
        let (angle, _) = batches.distance(&with, &without);
        assert!(angle < 1e-11, "{momentum}: {angle}");
        // The first correction stands for a buffer that starts at zero; the others are negligible in practice.
        without.corrections.truncate(1);
        let (angle, _) = batches.distance(&with, &without);
        assert!(if momentum > 0.0 { angle > 1e-8 && angle < 1e-3 } else { angle < 1e-11 }, "{angle}");
        without.corrections.clear();
        let (angle, _) = batches.distance(&with, &without);
        assert!(if momentum > 0.0 { angle > 1e-3 } else { angle < 1e-11 }, "{angle}");
        // Without the instant decay it is another training.
        let (angle, _) = batches.distance(&with, &with.growth_only().unwrap());
        assert!(angle > 1e-2, "{angle}");
    }
}

#[test]
fn without_momentum_the_growth_is_one_over_the_shrinkage_squared() {
    let with = WithDecay::constant(vec![0.1f64.ln(); 50], 0.05, 0.0);
    let without = with.exact().unwrap();
    for (step, log_eta) in without.log_eta.iter().enumerate() {
        let expected = 0.1f64.ln() - (2 * step + 1) as f64 * (1.0f64 - 0.05 * 0.1).ln();
        assert!((log_eta - expected).abs() < 1e-13);
    }
    let closed = with.by_phases().unwrap();
    assert!(closed.log_eta.iter().zip(&without.log_eta).all(|(a, b)| (a - b).abs() < 1e-14));
}

#[test]
fn the_papers_rates_grow_by_1481_thousandths_an_epoch() {
    for (eta, expected) in [(0.1, 1.4812), (0.01, 1.0399), (0.001, 1.0039)] {
        let growth = (391.0 * log_growth(eta, 5e-4, 0.9).unwrap()).exp();
        assert!((growth - expected).abs() < 5e-5, "{eta}: {growth}");
    }
    assert!((log_growth(0.1, 5e-4, 0.9).unwrap().exp() - 1.001_005_3).abs() < 5e-8);
    // The recursion comes to the closed form.
    let without = WithDecay::constant(vec![0.1f64.ln(); 600], 5e-4, 0.9).exact().unwrap();
    let last = without.log_growths().last().unwrap();
    assert!((last - log_growth(0.1, 5e-4, 0.9).unwrap()).abs() < 1e-15, "{last}");
}

#[test]
fn growth_and_intrinsic_rate_are_each_others_inverse() {
    for momentum in [0.0, 0.5, 0.9, 0.99] {
        for share in [1e-12, 1e-3, 0.5, 0.999] {
            let intrinsic = share * largest_intrinsic_rate(momentum);
            let growth = log_growth(intrinsic, 1.0, momentum).unwrap();
            let back = intrinsic_rate_of_growth(growth, momentum).unwrap();
            assert!((back / intrinsic - 1.0).abs() < 1e-12, "{momentum} {share}: {back} of {intrinsic}");
        }
    }
    assert_eq!(intrinsic_rate_of_growth(0.0, 0.9).unwrap(), 0.0);
    for growth in [-0.1, 0.11, f64::NAN] {
        let error = intrinsic_rate_of_growth(growth, 0.9).unwrap_err().to_string();
        assert!(error.contains("at most 1 / momentum"), "{error}");
    }
}

#[test]
fn there_and_back_again() {
    let cosine = rates(0.1, 600, 20, Shape::Cosine { end: 0.0 });
    for momentum in [0.0, 0.9] {
        let with = WithDecay::constant(cosine.clone(), 1e-2, momentum);
        let without = with.exact().unwrap();
        let back = WithoutDecay::undo(&without.log_eta, with.weight_decay.clone(), momentum).unwrap();
        for (ours, given) in back.log_eta.iter().zip(&with.log_eta) {
            assert!((ours - given).abs() < 1e-11, "{ours} of {given}");
        }
    }
    // Whatever the rate, there is a way back: here from one that grows beyond all numbers.
    let growing: Vec<f64> = (0..2000).map(f64::from).collect();
    let back = WithoutDecay::undo(&growing, vec![1e-3; 2000], 0.0).unwrap();
    let again = back.exact().unwrap();
    assert!(again.log_eta.iter().zip(&growing).all(|(ours, given)| (ours - given).abs() < 1e-9));
}

#[test]
fn what_has_no_equivalent_is_refused_with_the_limit() {
    let constant = |eta: f64, decay: f64, momentum| WithDecay::constant(vec![eta.ln(); 500], decay, momentum);
    let error = constant(1.0, 0.01, 0.9).by_phases().unwrap_err();
    assert!(matches!(error, ConversionError::Complex { step: 0, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("0.01000 is above (1 - sqrt(momentum))^2 = 0.002633"), "{text}");
    let error = constant(1.0, 0.01, 0.9).exact().unwrap_err();
    assert!(
        matches!(error, ConversionError::NotPositive { step: 10.., factor, .. } if factor <= 0.0),
        "{error:?}"
    );
    assert!(matches!(constant(10.0, 0.2, 0.0).exact(), Err(ConversionError::NotPositive { step: 0, .. })));
    for (with, text) in [
        (constant(0.1, -1.0, 0.9), "the weight decay is -1"),
        (constant(0.1, f64::NAN, 0.9), "the weight decay is NaN"),
        (constant(0.1, 0.1, 1.0), "momentum is 1; it must be 0 or above, and below 1"),
        (constant(f64::INFINITY, 0.1, 0.5), "a logarithm of a rate is inf"),
        (WithDecay { weight_decay: vec![], ..constant(0.1, 0.1, 0.5) }, "500 rates and 0 weight decays"),
    ] {
        for error in [with.exact().unwrap_err(), with.by_phases().unwrap_err()] {
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
