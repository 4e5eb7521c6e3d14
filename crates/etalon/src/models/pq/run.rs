//! The three algorithms, stopped by losses.

use super::PqSetting;
use super::distribution::{Kind, Part};
use super::network::{Network, Score, Step};
use crate::theory::TheoryError;
use etalon_nn::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Uniform};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Steps between two looks: at the large rate, for the first look at the small rate, and else.
const EVERY: [u64; 3] = [10, 250, 500];

/// The learning rates of a training, and its noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// The large rate until P is fitted, then the small one.
    LargeSmall,
    /// The small rate throughout.
    Small,
    /// The small rate, with noise before the activations until P is fitted.
    SmallNoise,
}

/// What is known at one moment. Lists are by [`Kind::ALL`]: P alone, Q alone, both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// How many steps were done by then.
    pub step: u64,
    /// Whether the loss that was waited for was reached; else the phase ended at its most steps.
    pub reached: bool,
    /// The mean loss over the training set.
    pub train_loss: f64,
    /// The mean training loss of each kind.
    pub train_losses: [f64; 3],
    /// The training error of each kind.
    pub train_errors: [f64; 3],
    /// The test error of each kind.
    pub test_errors: [f64; 3],
    /// The test error in the shares of the training set.
    pub test_error: f64,
}

/// A point of a learning curve: test errors by kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// How many steps were done by then.
    pub step: u64,
    /// The rate of the next step.
    pub eta: f64,
    /// The test error of each kind, by [`Kind::ALL`].
    pub test_errors: [f64; 3],
}

/// One training with what was learnt of each pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PqRun {
    /// The rates, and the noise, that it was trained with.
    pub algorithm: Algorithm,
    /// The seed of data, start and batches.
    pub seed: u64,
    /// The end of the first phase; of the small rate throughout, the look at which Q is fitted.
    pub boundary: Moment,
    /// What is known when the training loss is below `end_below`, or the steps are used up.
    pub end: Moment,
    /// The learning curve, if it was asked for.
    #[serde(skip)]
    pub curve: Vec<Point>,
}

/// Trains with each algorithm and seed, on all of rayon's threads; keeps a point of the learning curve every `every`
/// steps, or none with 0.
///
/// # Errors
/// When a number of the setting is outside of its range.
pub fn pq_runs(
    setting: &PqSetting,
    algorithms: &[Algorithm],
    seeds: &[u64],
    every: u64,
) -> Result<Vec<PqRun>, TheoryError> {
    setting.checked()?;
    let jobs: Vec<(Algorithm, u64)> =
        algorithms.iter().flat_map(|&algorithm| seeds.iter().map(move |&seed| (algorithm, seed))).collect();
    Ok(jobs.into_par_iter().map(|(algorithm, seed)| run(setting, algorithm, seed, every)).collect())
}

fn run(setting: &PqSetting, algorithm: Algorithm, seed: u64, every: u64) -> PqRun {
    let mut trainer = Trainer::new(setting, seed, every);
    let PqSetting { anneal_below, look_below, end_below, large_steps, small_steps, last_steps, .. } =
        *setting;
    let step = |eta, noise| Step { eta, noise, weight_decay: setting.weight_decay, inject: setting.inject };
    let (large, small, noisy) =
        (step(setting.large, 0.0), step(setting.small, 0.0), step(setting.small, setting.noise));
    let (of_p, of_q) = (Watched::Kind(Kind::P), Watched::Kind(Kind::Q));
    let (boundary, end) = match algorithm {
        Algorithm::LargeSmall => (
            trainer.phase(large, EVERY[0], large_steps, of_p, anneal_below),
            trainer.phase(small, EVERY[2], last_steps, Watched::All, end_below),
        ),
        Algorithm::SmallNoise => (
            trainer.phase(noisy, EVERY[2], small_steps, of_p, anneal_below),
            trainer.phase(small, EVERY[2], last_steps, Watched::All, end_below),
        ),
        Algorithm::Small => {
            let boundary = trainer.phase(small, EVERY[1], small_steps, of_q, look_below);
            let left = small_steps - boundary.step;
            (boundary, trainer.phase(small, EVERY[2], left, Watched::All, end_below))
        }
    };
    PqRun { algorithm, seed, boundary, end, curve: trainer.curve }
}

/// The loss that ends a phase.
#[derive(Clone, Copy)]
enum Watched {
    Kind(Kind),
    All,
}

struct Trainer<'a> {
    setting: &'a PqSetting,
    network: Network,
    train: [Part; 3],
    test: [Part; 3],
    picks: Vec<(usize, usize)>,
    batches: ChaCha8Rng,
    noise: ChaCha8Rng,
    step: u64,
    every: u64,
    curve: Vec<Point>,
}

impl<'a> Trainer<'a> {
    fn new(setting: &'a PqSetting, seed: u64, every: u64) -> Self {
        let distribution = setting.distribution;
        Trainer {
            setting,
            network: Network::new(setting.neurons, distribution.dimension, setting.batch, seed),
            train: distribution.training_set(seed),
            test: distribution.test_set(seed),
            picks: Vec::with_capacity(setting.batch),
            batches: stream(seed, Purpose::BatchOrder, 0),
            noise: stream(seed, Purpose::Noise, 0),
            step: 0,
            every,
            curve: Vec::new(),
        }
    }

    /// Trains until the watched loss is at or below `threshold`, looked at every `every` steps, or `most` steps are done.
    fn phase(&mut self, step: Step, every: u64, most: u64, watched: Watched, threshold: f64) -> Moment {
        let last = self.step.saturating_add(most);
        loop {
            let is_new = self.curve.last().is_none_or(|point| point.step < self.step);
            if self.every > 0 && self.step.is_multiple_of(self.every) && is_new {
                let test_errors = self.scores(false).map(|score| score.error);
                self.curve.push(Point { step: self.step, eta: step.eta, test_errors });
            }
            let looks = self.step.is_multiple_of(every) && self.watch(watched) <= threshold;
            if looks || self.step >= last {
                return self.moment(looks);
            }
            self.update(step);
        }
    }

    fn update(&mut self, step: Step) {
        let [p, q, both] = self.setting.distribution.counts();
        let number = Uniform::new(0, p + q + both).expect("a checked setting has samples");
        self.picks.clear();
        for _ in 0..self.setting.batch {
            let index = number.sample(&mut self.batches);
            self.picks.push(match index {
                index if index < p => (0, index),
                index if index < p + q => (1, index - p),
                index => (2, index - p - q),
            });
        }
        self.network.step(&self.train, &self.picks, step, &mut self.noise);
        self.step += 1;
    }

    fn watch(&mut self, watched: Watched) -> f64 {
        match watched {
            Watched::Kind(kind) => self.network.score(&self.train[kind as usize]).loss,
            Watched::All => {
                let losses = self.scores(true).map(|score| score.loss);
                self.mean(losses)
            }
        }
    }

    fn scores(&mut self, train: bool) -> [Score; 3] {
        let set = if train { &self.train } else { &self.test };
        [0, 1, 2].map(|kind| self.network.score(&set[kind]))
    }

    /// The mean over the training set of a number by kind.
    fn mean(&self, by_kind: [f64; 3]) -> f64 {
        let counts = self.setting.distribution.counts();
        let sum: f64 = by_kind.iter().zip(counts).map(|(number, count)| number * count as f64).sum();
        sum / self.setting.distribution.train as f64
    }

    fn moment(&mut self, reached: bool) -> Moment {
        let (train, test) = (self.scores(true), self.scores(false));
        let (train_losses, test_errors) = (train.map(|score| score.loss), test.map(|score| score.error));
        Moment {
            step: self.step,
            reached,
            train_loss: self.mean(train_losses),
            train_losses,
            train_errors: train.map(|score| score.error),
            test_errors,
            test_error: self.mean(test_errors),
        }
    }
}
