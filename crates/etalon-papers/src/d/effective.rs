//! The effective learning rate of weights whose scale does not matter.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use etalon::theory::effective::{Step, next_rate};
use etalon::theory::scale_invariant::{Bursts, Training, classifier, ratio};
use etalon::watch::{Detector, Point, Settings};
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

/// Of the classifier.
const DIMENSION: usize = 20;
const BATCH: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EffectiveRate {
    /// Of a cosine schedule to a hundredth of the first rate.
    steps: u32,
    eta: f64,
    weight_decay: f64,
}

impl EffectiveRate {
    fn at(&self, step: u32) -> Step {
        let way = std::f64::consts::PI * f64::from(step.min(self.steps)) / f64::from(self.steps);
        let eta = self.eta * (0.01 + 0.99 * 0.5 * (1.0 + way.cos()));
        Step { eta, weight_decay: self.weight_decay }
    }
}

fn norm(w: &[f64]) -> f64 {
    w.iter().map(|w| w * w).sum::<f64>().sqrt()
}

/// The update of Adam without epsilon, from its two averages and the number of steps done before.
fn adam(averages: &mut [[f64; 2]], gradient: &[f64], step: u32) -> Vec<f64> {
    let betas = [0.9, 0.999];
    let [first, second] = betas.map(|beta: f64| 1.0 - beta.powi(step as i32 + 1));
    let update = |([mean, square], g): (&mut [f64; 2], &f64)| {
        *mean += (1.0 - betas[0]) * (g - *mean);
        *square += (1.0 - betas[1]) * (g * g - *square);
        (*mean / first) / (*square / second).sqrt()
    };
    averages.iter_mut().zip(gradient).map(update).collect()
}

/// How far effective rates of a normalised classifier are from their exact law, step by step, under gradient descent and Adam.
pub(crate) fn law(parameters: EffectiveRate, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    for (name, nu) in [("sgd", 1.0), ("adam", 0.0)] {
        experiment.at(name)?;
        let mut random = stream(experiment.seed(), Purpose::Data, 0);
        let mut w: Vec<f64> = (0..DIMENSION).map(|_| StandardNormal.sample(&mut random)).collect();
        let mut averages = vec![[0.0; 2]; DIMENSION];
        let (mut worst, mut falls) = (0.0f64, Vec::new());
        for step in 0..parameters.steps {
            let [now, next] = [parameters.at(step), parameters.at(step + 1)];
            let batch: Vec<f64> =
                (0..BATCH * DIMENSION).map(|_| StandardNormal.sample(&mut random)).collect();
            let training = Training { normalized: true, eta: now.eta, weight_decay: now.weight_decay };
            let (mut stepped, mut gradient) = (w.clone(), vec![0.0; DIMENSION]);
            classifier::step(&training, &mut stepped, &batch, &mut gradient);
            let update = if nu == 1.0 { gradient } else { adam(&mut averages, &gradient, step) };
            let length = norm(&w);
            let rate = now.effective_rate(length, nu);
            let drive = now.drive(next, nu);
            let expected = if nu == 1.0 {
                next_rate(rate, drive, rate * norm(&update) * length)
            } else {
                stepped = w.iter().zip(&update).map(|(w, p)| now.shrinkage() * w - now.eta * p).collect();
                let direction: Vec<f64> = w.iter().zip(&update).map(|(w, p)| w / length - rate * p).collect();
                drive * rate / norm(&direction)
            };
            let found = next.effective_rate(norm(&stepped), nu);
            worst = worst.max((expected / found - 1.0).abs());
            if nu == 1.0 && drive <= 1.0 {
                falls.push(found < rate);
            }
            w = stepped;
        }
        experiment.measured(name, Measurement::one(worst));
        if nu == 1.0 {
            experiment.measured("falls", Measurement::share(&falls));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NormDriven {
    steps: u32,
    rates: Vec<f64>,
    weight_decay: f64,
}

/// Whether the loss of x^2/(x^2 + y^2) rises where the effective rate has passed the stability of the circle, and there alone; and
/// whether a log of loss, rate and norm tells so.
pub(crate) fn norm_driven(
    NormDriven { steps, rates, weight_decay }: NormDriven,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut above, mut below, mut bursts, mut rows) = (vec![], vec![], vec![], vec![]);
    let mut explained = Vec::new();
    for eta in rates {
        experiment.go_on()?;
        let step = Step { eta, weight_decay };
        let training = Training { normalized: true, eta, weight_decay };
        let (mut w, mut seen) = ([2.0, 0.3], Bursts::default());
        let mut log = Detector::new(Settings::default());
        for index in 0..steps {
            let loss = ratio::loss(true, w);
            let norm = Some(w[0].hypot(w[1]));
            log.push(Point { step: index.into(), loss, rate: Some(eta), curvature: None, norm });
            // On the circle the loss is sin^2 of the angle, whose curvature at the minimum is 2.
            let product = 2.0 * step.effective_rate(w[0].hypot(w[1]), 1.0);
            let next = ratio::step(&training, w, 0.0);
            // Far from the minimum the circle is no parabola; and what has underflowed can neither rise nor fall.
            if (1e-100..1e-4).contains(&loss) {
                let rises = ratio::loss(true, next) > loss;
                (if product * (1.0 - 2.0 * loss) > 2.0 { &mut above } else { &mut below }).push(rises);
            }
            if index < 1000 {
                rows.push(vec![eta, f64::from(index), loss, product]);
            }
            seen.see(loss);
            w = next;
        }
        bursts.push(seen.count as f64);
        let found = log.finding();
        explained.push(found.norm_driven as f64 / found.rises as f64);
    }
    experiment.measured("above", Measurement::share(&above));
    experiment.measured("below", Measurement::share(&below));
    experiment.measured("bursts", Measurement::least(&bursts));
    experiment.measured("explained", Measurement::least(&explained));
    experiment.curve("steps", &["eta", "step", "loss", "rate_times_curvature"], rows);
    Ok(())
}
