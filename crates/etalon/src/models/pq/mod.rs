//! Two patterns in one sample, and the order in which a two-layer network learns them.
//!
//! Li, Wei and Ma 2019 (1907.04595, section 3). Pattern P is linearly separable but noisy: easy to fit, and to generalise
//! from it takes many samples. Pattern Q is clustered without being linearly separable: hard to fit, easy to generalise
//! from. Few samples have P alone. A small learning rate fits Q first; samples with both patterns are then explained, and
//! P is memorised from the few that have nothing else. A large rate cannot settle on Q and learns P from all samples;
//! annealed, it learns Q too.
//!
//! [`PqSetting::default`] is a setting in which both the order and the gap at the end are seen. It is not the paper's:
//! `a` in `x2 = a z` has either sign, `z` has length 10, the two groups of neurons differ in size, and no noise is
//! injected unless that is asked for; the page on this experiment says what else comes of it.

mod distribution;
mod network;
mod run;

pub use distribution::{Distribution, Kind};
pub use network::Neurons;
pub use run::{Algorithm, Moment, Point, PqRun, pq_runs};

use crate::theory::TheoryError;
use serde::{Deserialize, Serialize};

/// A distribution, a network, and how they are trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PqSetting {
    /// What samples are drawn from.
    pub distribution: Distribution,
    /// How many units see each half of an input, and how they start.
    pub neurons: Neurons,
    /// Samples a step, drawn with replacement.
    pub batch: usize,
    /// `lambda` of the penalty `lambda / 2 |W|^2`, which the losses told do not contain.
    pub weight_decay: f64,
    /// Whether normal noise is added to the gradient, of the variance that keeps the part of the weights that is noise at
    /// its initial variance: `(1 - eta lambda)^2 tau^2 + eta^2 tau_xi^2 = tau^2`.
    pub inject: bool,
    /// The large learning rate, of the first phase.
    pub large: f64,
    /// The small learning rate, after it or throughout.
    pub small: f64,
    /// The deviation of the noise before activations, of the algorithm that has it.
    pub noise: f64,
    /// The loss on training samples with P alone that ends the first phase.
    pub anneal_below: f64,
    /// The loss on training samples with Q alone at which the small rate is looked at.
    pub look_below: f64,
    /// The training loss that ends training.
    pub end_below: f64,
    /// Most steps of the first phase at the large rate.
    pub large_steps: u64,
    /// Most steps of training at the small rate alone, and of the phase with noise.
    pub small_steps: u64,
    /// Most steps of a second phase.
    pub last_steps: u64,
}

/// What the algorithms have learnt of the two patterns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patterns {
    /// The distribution, the network and how it was trained.
    #[serde(flatten)]
    pub setting: PqSetting,
    /// Each algorithm with each seed.
    pub runs: Vec<PqRun>,
}

impl Default for PqSetting {
    fn default() -> Self {
        PqSetting {
            distribution: Distribution {
                dimension: 500,
                train: 5000,
                test: 5000,
                p_only: 0.02,
                q_only: 0.2,
                gap: 0.5,
                norm: 10.0,
                separation: 0.2,
                least: 0.8,
                one_sided: false,
            },
            neurons: Neurons { u: 40, v: 600, deviation: 0.3 },
            batch: 64,
            weight_decay: 1e-5,
            inject: false,
            large: 15.0,
            small: 0.1,
            noise: 30.0,
            anneal_below: 0.3,
            look_below: 0.1,
            end_below: 0.03,
            large_steps: 600,
            small_steps: 45_000,
            last_steps: 20_000,
        }
    }
}

impl PqSetting {
    /// Every number within its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn checked(&self) -> Result<(), TheoryError> {
        let Distribution { dimension, train, test, p_only, q_only, gap, norm, separation, least, .. } =
            self.distribution;
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let above = |x: f64| x > 0.0 && x.is_finite();
        let from = |x: f64| x >= 0.0 && x.is_finite();
        let size = |n: usize| (1..=1_000_000).contains(&n);
        let (p, q) = ((p_only * train as f64).round(), (q_only * train as f64).round());
        let rules = [
            ("the dimension", dimension as f64, (2..=1_000_000).contains(&dimension), "2 to 1e6"),
            ("the number of training samples", train as f64, size(train), "1 to 1e6"),
            ("the number of test samples", test as f64, size(test), "1 to 1e6"),
            (
                "the share of samples with P alone",
                p_only,
                share(p_only) && p >= 1.0,
                "one sample at least, up to 1",
            ),
            (
                "the share of samples with Q alone",
                q_only,
                share(q_only) && q >= 1.0,
                "one sample at least, up to 1",
            ),
            (
                "the two shares together",
                p_only + q_only,
                p + q < train as f64,
                "below 1, so that samples have both",
            ),
            ("the gap of P", gap, from(gap), "finite, 0 or above"),
            ("the length of z", norm, above(norm), "finite, above 0"),
            ("the separation of Q", separation, above(separation), "finite, above 0"),
            ("the least of |a|", least, (0.0..1.0).contains(&least), "0 to below 1"),
            ("the neurons of P", self.neurons.u as f64, size(self.neurons.u), "1 to 1e6"),
            ("the neurons of Q", self.neurons.v as f64, size(self.neurons.v), "1 to 1e6"),
            (
                "the initial deviation",
                self.neurons.deviation,
                from(self.neurons.deviation),
                "finite, 0 or above",
            ),
            ("the batch", self.batch as f64, size(self.batch), "1 to 1e6"),
            ("the large rate", self.large, above(self.large), "finite, above 0"),
            ("the small rate", self.small, above(self.small), "finite, above 0"),
            (
                "the weight decay",
                self.weight_decay,
                from(self.weight_decay) && self.weight_decay * self.large.max(self.small) <= 1.0,
                "0 or above, and at most 1 times the rate",
            ),
            ("the noise", self.noise, from(self.noise), "finite, 0 or above"),
            ("the loss to anneal at", self.anneal_below, above(self.anneal_below), "finite, above 0"),
            ("the loss to look at", self.look_below, above(self.look_below), "finite, above 0"),
            ("the loss to end at", self.end_below, above(self.end_below), "finite, above 0"),
        ];
        match rules.into_iter().find(|&(_, _, sound, _)| !sound) {
            Some((name, got, _, range)) => Err(TheoryError::OutOfRange { name, got, range }),
            None => Ok(()),
        }
    }
}
