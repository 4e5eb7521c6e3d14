//! Normalisation and weight decay in toys: runs with seeded noise.

use crate::theory::TheoryError;
use crate::theory::scale_invariant::{Bursts, Training, classifier, ratio};
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A scale-invariant problem in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum Toy {
    /// `x^2 / (x^2 + y^2)` from (2, 0.3).
    Ratio {
        /// The deviation of the gradient's noise along the circle.
        noise: f64,
    },
    /// A linear classifier from a normal start.
    Classifier {
        /// Samples a step, each seen once.
        batch: usize,
        /// Numbers of a sample.
        dimension: usize,
    },
}

/// One run. What is not finite is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToyRun {
    /// Whether the loss is the scale-invariant one.
    pub normalized: bool,
    /// The constant learning rate `eta`.
    pub eta: f64,
    /// The coupled weight decay `lambda`.
    pub weight_decay: f64,
    /// The learning rate times the weight decay, `eta lambda`.
    pub intrinsic_rate: f64,
    /// The mean over the last sixth of the steps of the loss (ratio), or of the share of the population that is
    /// misclassified (classifier).
    pub mean: Option<f64>,
    /// The largest of them.
    pub largest: Option<f64>,
    /// How often the loss rose above 1e-2 after having been below 1e-4; of the ratio.
    pub bursts: u64,
    /// The mean of `|w|^2` over the last sixth.
    pub square: Option<f64>,
    /// The rate that the direction of the weights sees: `eta` over that.
    pub effective_rate: Option<f64>,
    /// Loss or error, and `|w|^2`, at every `every`-th step.
    #[serde(skip)]
    pub states: Vec<ToyState>,
}

/// A state that is kept: the step, loss or error, and `|w|^2`.
pub type ToyState = (u64, f64, f64);

/// What a toy did at several trainings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Toys {
    /// The problem that was trained on.
    #[serde(flatten)]
    pub toy: Toy,
    /// Steps of each run.
    pub steps: u64,
    /// The seed of start, samples and noise.
    pub seed: u64,
    /// One for each training, in the order asked.
    pub runs: Vec<ToyRun>,
    /// A part of each run's states, enough to draw them; none where they are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Vec<ToyState>>,
}

/// Runs a toy for so many steps at each training; states are kept at every `every`-th step, or never with 0.
///
/// # Errors
/// When a number is outside of its range.
pub fn toy_runs(
    toy: Toy,
    trainings: &[Training],
    steps: u64,
    seed: u64,
    every: u64,
) -> Result<Vec<ToyRun>, TheoryError> {
    let out_of_range = |name, got, range| Err(TheoryError::OutOfRange { name, got, range });
    match toy {
        Toy::Ratio { noise } if !(noise >= 0.0 && noise.is_finite()) => {
            return out_of_range("the noise", noise, "finite, 0 or above");
        }
        Toy::Classifier { batch, dimension } if batch == 0 || dimension < 2 => {
            let got = batch.min(dimension) as f64;
            return out_of_range("batch and dimension", got, "at least 1 and 2");
        }
        _ => {}
    }
    let trainings = trainings.iter().map(|training| training.checked()).collect::<Result<Vec<_>, _>>()?;
    Ok(trainings.par_iter().map(|training| run(toy, training, steps, seed, every)).collect())
}

/// Every run sees the same noise.
fn run(toy: Toy, training: &Training, steps: u64, seed: u64, every: u64) -> ToyRun {
    let mut start = stream(seed, Purpose::Parameters, 0);
    let mut random = stream(seed, Purpose::Data, 0);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let (mut w, mut batch) = match toy {
        Toy::Ratio { .. } => (vec![2.0, 0.3], Vec::new()),
        Toy::Classifier { batch, dimension } => (
            (0..dimension).map(|_| StandardNormal.sample(&mut start)).collect(),
            vec![0.0; batch * dimension],
        ),
    };
    let mut gradient = vec![0.0; w.len()];
    let square = |w: &[f64]| w.iter().map(|w| w * w).sum::<f64>();
    let look = |w: &[f64]| match toy {
        Toy::Ratio { .. } => ratio::loss(training.normalized, [w[0], w[1]]),
        Toy::Classifier { .. } => classifier::error(w),
    };
    let (mut bursts, mut states) = (Bursts::default(), Vec::new());
    let tail = steps - steps.div_ceil(6);
    let (mut sum, mut largest, mut squares) = (0.0, f64::NEG_INFINITY, 0.0);
    for step in 0..steps {
        let value = look(&w);
        if every > 0 && step.is_multiple_of(every) {
            states.push((step, value, square(&w)));
        }
        if step >= tail {
            sum += value;
            largest = largest.max(value);
            squares += square(&w);
        }
        match toy {
            Toy::Ratio { noise } => {
                bursts.see(value);
                let noise = if noise > 0.0 { noise * normal() } else { 0.0 };
                let next = ratio::step(training, [w[0], w[1]], noise);
                w.copy_from_slice(&next);
            }
            Toy::Classifier { .. } => {
                batch.iter_mut().for_each(|x| *x = normal());
                classifier::step(training, &mut w, &batch, &mut gradient);
            }
        }
    }
    let steps = (steps - tail) as f64;
    let finite = |value: f64| value.is_finite().then_some(value);
    let Training { normalized, eta, weight_decay } = *training;
    ToyRun {
        normalized,
        eta,
        weight_decay,
        intrinsic_rate: eta * weight_decay,
        mean: finite(sum / steps),
        largest: finite(largest),
        bursts: bursts.count,
        square: finite(squares / steps),
        effective_rate: finite(eta * steps / squares),
        states,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(normalized: bool, eta: f64, weight_decay: f64) -> Training {
        Training { normalized, eta, weight_decay }
    }

    #[test]
    fn the_stationary_loss_depends_on_the_product_of_rate_and_decay_alone() {
        let pairs = [(0.1, 0.01), (0.05, 0.02), (0.01, 0.1)];
        let trainings = pairs.map(|(eta, decay)| training(true, eta, decay));
        let runs = toy_runs(Toy::Ratio { noise: 1e-3 }, &trainings, 200_000, 0, 0).unwrap();
        for run in &runs {
            let mean = run.mean.unwrap();
            assert!((mean / 5.0e-4 - 1.0).abs() < 0.1, "{}: {mean}", run.eta);
            // The edge of stability: the unit circle's curvature is 2, and the effective rate 1.
            assert!((run.effective_rate.unwrap() - 1.0).abs() < 0.02, "{run:?}");
        }
    }

    #[test]
    fn a_normalised_classifier_with_weight_decay_keeps_an_error() {
        // Mean population errors of the last sixth of 60000 steps of a run with other random numbers.
        let expected = [
            (training(true, 0.1, 0.0), 0.0081),
            (training(false, 0.1, 0.01), 0.0123),
            (training(true, 0.1, 0.01), 0.0353),
            (training(true, 0.1, 0.1), 0.0685),
            (training(false, 0.1, 0.0), 0.0023),
        ];
        let toy = Toy::Classifier { batch: 16, dimension: 20 };
        let runs = toy_runs(toy, &expected.map(|(training, _)| training), 60_000, 0, 0).unwrap();
        for (run, (training, expected)) in runs.iter().zip(expected) {
            let mean = run.mean.unwrap();
            assert!((mean / expected - 1.0).abs() < 0.15, "{training:?}: {mean}, not {expected}");
        }
    }

    #[test]
    fn states_are_kept_and_nonsense_refused() {
        let toy = Toy::Ratio { noise: 0.0 };
        let runs = toy_runs(toy, &[training(true, 0.1, 0.1)], 10, 0, 4).unwrap();
        let steps: Vec<u64> = runs[0].states.iter().map(|state| state.0).collect();
        assert_eq!(steps, [0, 4, 8]);
        for toy in [Toy::Ratio { noise: -1.0 }, Toy::Classifier { batch: 0, dimension: 3 }] {
            assert!(toy_runs(toy, &[training(true, 0.1, 0.1)], 10, 0, 0).is_err());
        }
        assert!(toy_runs(toy, &[training(true, 0.1, 11.0)], 10, 0, 0).is_err());
    }
}
