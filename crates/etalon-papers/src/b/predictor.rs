//! A linear predictor under logistic loss, on samples of different sizes.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, exponent, law};
use etalon::theory::Predictor;
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

/// Steps after which what has not settled counts as not settling.
const STEPS: usize = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cycles {
    /// The samples with a cycle, each the input times its label, and their weights.
    samples: Vec<f64>,
    weights: Vec<f64>,
    eta: f64,
    start: f64,
    /// How many sets of samples are drawn, with four starts each.
    data_sets: u64,
    /// In units of the critical rate `2 / L''`, for inputs of equal size.
    equal_rates: Vec<f64>,
}

/// A stable cycle below the critical rate, and whether there is none at half of it or where inputs are of equal size.
pub(crate) fn cycles(
    Cycles { samples, weights, eta, start, data_sets, equal_rates }: Cycles,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let predictor = Predictor::on_a_line(&samples, &weights)?;
    let minimum = predictor.minimizer().unwrap_or(f64::NAN);
    let mut w = [start];
    (0..STEPS).for_each(|_| predictor.step(eta, &mut w));
    let first = w;
    predictor.step(eta, &mut w);
    let second = w;
    predictor.step(eta, &mut w);
    let slopes = [first, second].map(|w| 1.0 - eta * predictor.curvature(&w));
    let nearest = (first[0] - minimum).abs().min((second[0] - minimum).abs());
    experiment.measured("rate", Measurement::one(eta * predictor.curvature(&[minimum])));
    experiment.measured("returns", Measurement::one((w[0] - first[0]).abs()));
    experiment.measured("away", Measurement::one(nearest));
    experiment.measured("multiplier", Measurement::one((slopes[0] * slopes[1]).abs()));
    experiment.at("other samples")?;
    let (mut safe, mut equal, mut above) = (vec![], vec![], vec![]);
    for seed in experiment.seeds(data_sets) {
        experiment.go_on()?;
        let mut random = stream(seed, Purpose::Data, 0);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        // Sizes over some decades, of both signs: whatever the draw, the samples cannot be separated.
        let samples = [1.0, 1.0, -1.0, -1.0].map(|sign| sign * (1.5 * normal()).exp());
        let weights = [(); 4].map(|()| normal().exp());
        let starts = [(); 4].map(|()| 5.0 * normal());
        let share = [weights[0] + weights[1], weights[2] + weights[3]]
            .map(|weight| weight / weights.iter().sum::<f64>());
        let drawn = Predictor::on_a_line(&samples, &weights)?;
        let alike = Predictor::on_a_line(&[1.0, -1.0], &share)?;
        for start in starts {
            safe.push(settles(&drawn, 0.5, start));
            above.push(settles(&drawn, 0.9, start));
            equal.extend(equal_rates.iter().map(|&rate| settles(&alike, rate, start)));
        }
    }
    experiment.measured("safe", Measurement::share(&safe));
    experiment.measured("equal", Measurement::share(&equal));
    experiment.measured("above", Measurement::share(&above));
    Ok(())
}

/// Whether gradient descent in one dimension comes to the minimum at a rate in units of the critical one.
fn settles(predictor: &Predictor, rate: f64, start: f64) -> bool {
    let Some(minimum) = predictor.minimizer() else { return false };
    let eta = rate * 2.0 / predictor.curvature(&[minimum]);
    let mut w = [start];
    (0..STEPS).any(|_| {
        predictor.step(eta, &mut w);
        (w[0] - minimum).abs() <= 1e-6 * (1.0 + minimum.abs())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConstantRates {
    /// The margin of the samples, whose largest has length 1 or less.
    margin: f64,
    /// The samples' other coordinate.
    across: Vec<f64>,
    rates: Vec<f64>,
    /// How often the time 1 / margin^2.
    times: f64,
}

/// When large constant rates on separable data leave their oscillation, and how the loss falls after it.
pub(crate) fn constant_rates(
    ConstantRates { margin, across, rates, times }: ConstantRates,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let count = across.len() as f64;
    let samples: Vec<Vec<f64>> = across.iter().map(|&across| vec![margin, across]).collect();
    let predictor = Predictor::new(samples, vec![1.0 / count; across.len()])?;
    let square = margin * margin;
    let steps = (times / square) as usize;
    let losses = |eta: f64, steps: usize| {
        let mut w = vec![0.0; 2];
        (0..=steps)
            .map(|_| {
                let loss = predictor.loss(&w);
                predictor.step(eta, &mut w);
                loss
            })
            .collect::<Vec<f64>>()
    };
    let (mut leaves, mut rises, mut scaled, mut exponents, mut rows) =
        (vec![], vec![], vec![], vec![], vec![]);
    for &eta in &rates {
        experiment.at(&format!("rate {eta}"))?;
        let losses = losses(eta, steps);
        // The first step from which on the loss is below 1/eta and never rises: the oscillation is over.
        let last = (1..losses.len()).rev().find(|&t| losses[t] > losses[t - 1] || losses[t] >= 1.0 / eta);
        let left = last.map_or(0, |t| t + 1);
        leaves.push(left as f64 * square / eta.max(count));
        rises.push(losses.windows(2).any(|pair| pair[1] > pair[0]));
        // What has underflowed keeps every bound and has no power.
        let after = |t: &usize| *t >= left.max(1) && losses[*t] > 1e-250;
        scaled.extend((1..losses.len()).filter(after).map(|t| losses[t] * eta * t as f64 * square));
        let late =
            (0..20).map(|at| (steps as f64 * 0.1f64.powf(f64::from(at) / 20.0)) as usize).filter(after);
        if !rises.last().copied().unwrap_or_default() {
            exponents.push(exponent(&law("t", late.map(|t| (t as f64, losses[t])))?));
        }
        rows.push(vec![eta, left as f64, losses[steps]]);
    }
    let mut horizons = Vec::new();
    for factor in [1.0, 2.0, 4.0, 8.0] {
        experiment.go_on()?;
        let steps = (factor * 2.0 / square) as usize;
        let eta = steps as f64;
        horizons.push(losses(eta, steps)[steps] * eta * eta * square);
    }
    experiment.measured("oscillates", Measurement::share(&rises));
    experiment.measured("leaves", Measurement::most(&leaves));
    experiment.measured("scaled", Measurement::most(&scaled));
    experiment.measured("exponent", Measurement::farthest(&exponents, -1.0));
    experiment.measured("horizon", Measurement::most(&horizons));
    experiment.curve("rates", &["eta", "left", "loss"], rows);
    Ok(())
}
