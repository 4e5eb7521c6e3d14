//! Two groups of hidden neurons with fixed signs, one for each half of an input.

use super::distribution::Part;
use etalon_nn::Cpu;
use etalon_nn::kernels::product::{Matrix, product};
use etalon_nn::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use serde::{Deserialize, Serialize};

/// `f(x) = sum_j s_j relu(U_j . x1) / sqrt(u) + sum_k s_k relu(V_k . x2) / sqrt(v)` with alternating signs `s`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neurons {
    /// How many see `x1`.
    pub u: usize,
    /// How many see `x2`.
    pub v: usize,
    /// The deviation `tau` of every weight at the start.
    pub deviation: f64,
}

/// Samples whose outputs are taken at once.
const CHUNK: usize = 256;

/// The network with room for a step.
#[derive(Debug)]
pub(super) struct Network {
    neurons: Neurons,
    dimension: usize,
    cpu: Cpu,
    /// `u` x `d`.
    u: Vec<f64>,
    /// Of each row of V the coordinates along `z` and `zeta`: the others meet zeros.
    v: Vec<[f64; 2]>,
    inputs: Vec<f64>,
    hidden: Vec<f64>,
    gradient: Vec<[f64; 2]>,
    seen: Vec<bool>,
}

/// What a step does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) eta: f64,
    pub(super) weight_decay: f64,
    /// The deviation of the noise before activations.
    pub(super) noise: f64,
    /// Whether noise is added to the gradient.
    pub(super) inject: bool,
}

/// How a set is predicted: the mean of `log(1 + exp(-y f))`, and the share with `y f <= 0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    pub(super) loss: f64,
    pub(super) error: f64,
}

fn sign(index: usize) -> f64 {
    if index.is_multiple_of(2) { 1.0 } else { -1.0 }
}

fn normal(generator: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(generator)
}

impl Network {
    pub(super) fn new(neurons: Neurons, dimension: usize, batch: usize, seed: u64) -> Self {
        let mut generator = stream(seed, Purpose::Parameters, 0);
        let mut weight = || neurons.deviation * normal(&mut generator);
        let u = (0..neurons.u * dimension).map(|_| weight()).collect();
        let v = (0..neurons.v).map(|_| [weight(), weight()]).collect();
        let rows = batch.max(CHUNK);
        Network {
            neurons,
            dimension,
            cpu: Cpu::current(),
            u,
            v,
            inputs: vec![0.0; rows * dimension],
            hidden: vec![0.0; rows * neurons.u],
            gradient: vec![[0.0; 2]; neurons.v],
            seen: vec![false; neurons.v],
        }
    }

    /// `U x1` of the first so many rows of `inputs`.
    fn multiply(&mut self, x1: Option<&[f64]>, rows: usize) {
        let Network { neurons, dimension, u, inputs, hidden, .. } = self;
        let x1 = x1.unwrap_or(&inputs[..rows * *dimension]);
        let weights = Matrix::row_major(u, neurons.u, *dimension).transposed();
        let inputs = Matrix::row_major(x1, rows, *dimension);
        product(self.cpu, 1.0, inputs, weights, 0.0, &mut hidden[..rows * neurons.u]);
    }

    /// One step on samples of the training set, each given by its kind and its number.
    pub(super) fn step(
        &mut self,
        set: &[Part; 3],
        picks: &[(usize, usize)],
        step: Step,
        random: &mut ChaCha8Rng,
    ) {
        let (d, batch) = (self.dimension, picks.len());
        for (row, &(kind, index)) in self.inputs.chunks_exact_mut(d).zip(picks) {
            match set[kind].x1.get(index * d..(index + 1) * d) {
                Some(x1) => row.copy_from_slice(x1),
                None => row.fill(0.0),
            }
        }
        self.multiply(None, batch);
        self.gradient.fill([0.0; 2]);
        let Neurons { u, v, .. } = self.neurons;
        let seen = &mut self.seen;
        let (of_u, of_v) = (1.0 / (u as f64).sqrt(), 1.0 / (v as f64).sqrt());
        let fresh =
            |random: &mut ChaCha8Rng| if step.noise > 0.0 { step.noise * normal(random) } else { 0.0 };
        for (hidden, &(kind, index)) in self.hidden.chunks_exact_mut(u).zip(picks) {
            let (x2, y) = (set[kind].x2[index], set[kind].y[index]);
            let mut f = 0.0;
            for (j, p) in hidden.iter_mut().enumerate() {
                *p += fresh(random);
                f += of_u * sign(j) * p.max(0.0);
            }
            for (k, (v, seen)) in self.v.iter().zip(seen.iter_mut()).enumerate() {
                let p = v[0] * x2[0] + v[1] * x2[1] + fresh(random);
                f += of_v * sign(k) * p.max(0.0);
                *seen = p > 0.0;
            }
            let slope = -y / (1.0 + (y * f).exp()) / batch as f64;
            for (j, p) in hidden.iter_mut().enumerate() {
                *p = if *p > 0.0 { slope * of_u * sign(j) } else { 0.0 };
            }
            for (k, (gradient, &mut seen)) in self.gradient.iter_mut().zip(seen.iter_mut()).enumerate() {
                if seen {
                    let slope = slope * of_v * sign(k);
                    gradient[0] += slope * x2[0];
                    gradient[1] += slope * x2[1];
                }
            }
        }
        let keep = 1.0 - step.eta * step.weight_decay;
        let slopes = Matrix::row_major(&self.hidden[..batch * u], batch, u).transposed();
        let inputs = Matrix::row_major(&self.inputs[..batch * d], batch, d);
        product(self.cpu, -step.eta, slopes, inputs, keep, &mut self.u);
        for (v, gradient) in self.v.iter_mut().zip(&self.gradient) {
            *v = [keep * v[0] - step.eta * gradient[0], keep * v[1] - step.eta * gradient[1]];
        }
        if step.inject {
            // eta tau_xi, from the equation of the setting.
            let deviation = self.neurons.deviation * (1.0 - keep * keep).max(0.0).sqrt();
            self.u.iter_mut().chain(self.v.as_flattened_mut()).for_each(|w| *w += deviation * normal(random));
        }
    }

    /// How samples of one kind are predicted, without noise.
    pub(super) fn score(&mut self, part: &Part) -> Score {
        let (d, u) = (self.dimension, self.neurons.u);
        let (of_u, of_v) = (1.0 / (u as f64).sqrt(), 1.0 / (self.neurons.v as f64).sqrt());
        let (mut loss, mut wrong) = (0.0, 0usize);
        for first in (0..part.y.len()).step_by(CHUNK) {
            let rows = first..(first + CHUNK).min(part.y.len());
            match part.x1.get(rows.start * d..rows.end * d) {
                Some(x1) => self.multiply(Some(x1), rows.len()),
                None => self.hidden.fill(0.0),
            }
            for (index, hidden) in rows.zip(self.hidden.chunks_exact(u)) {
                let (x2, y) = (part.x2[index], part.y[index]);
                let from_u: f64 = hidden.iter().enumerate().map(|(j, p)| sign(j) * p.max(0.0)).sum();
                let from_v = |(k, v): (usize, &[f64; 2])| sign(k) * (v[0] * x2[0] + v[1] * x2[1]).max(0.0);
                let from_v: f64 = self.v.iter().enumerate().map(from_v).sum();
                let margin = y * (of_u * from_u + of_v * from_v);
                // log(1 + exp(-m)) without overflow.
                loss += (-margin).max(0.0) + (-margin.abs()).exp().ln_1p();
                wrong += usize::from(!(margin > 0.0));
            }
        }
        let share = 1.0 / part.y.len() as f64;
        Score { loss: loss * share, error: wrong as f64 * share }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PqSetting;
    use super::super::distribution::Distribution;
    use super::*;

    fn small() -> (Distribution, Network, [Part; 3]) {
        let distribution =
            Distribution { dimension: 6, train: 40, p_only: 0.2, ..PqSetting::default().distribution };
        let network = Network::new(Neurons { u: 4, v: 6, deviation: 0.3 }, 6, 40, 1);
        (distribution, network, distribution.training_set(1))
    }

    /// The mean loss over some samples, from the scores of single ones.
    fn loss(network: &mut Network, set: &[Part; 3], picks: &[(usize, usize)]) -> f64 {
        let mut one = |&(kind, index): &(usize, usize)| {
            let part = &set[kind];
            let x1 = part.x1.get(index * 6..(index + 1) * 6).unwrap_or_default().to_vec();
            network.score(&Part { x1, x2: vec![part.x2[index]], y: vec![part.y[index]] }).loss
        };
        picks.iter().map(&mut one).sum::<f64>() / picks.len() as f64
    }

    #[test]
    fn a_step_follows_the_gradient_of_the_penalised_loss() {
        let (_, mut network, set) = small();
        let picks: Vec<(usize, usize)> = vec![(0, 0), (1, 2), (2, 5), (2, 7), (0, 3)];
        let mut random = stream(0, Purpose::Noise, 0);
        let (eta, weight_decay, h) = (1e-3, 0.5, 1e-6);
        let (u, v) = (network.u.clone(), network.v.clone());
        let step = Step { eta, weight_decay, noise: 0.0, inject: false };
        network.step(&set, &picks, step, &mut random);
        let moved = (network.u.clone(), network.v.clone());
        for index in [0, 7, 23] {
            let mut slope = 0.0;
            for by in [h, -h] {
                (network.u, network.v) = (u.clone(), v.clone());
                network.u[index] += by;
                slope += loss(&mut network, &set, &picks) / (2.0 * by);
            }
            let expected = u[index] - eta * (slope + weight_decay * u[index]);
            assert!((moved.0[index] - expected).abs() < 1e-10, "{index}");
        }
        for (index, axis) in [(0, 0), (3, 1), (5, 0)] {
            let mut slope = 0.0;
            for by in [h, -h] {
                (network.u, network.v) = (u.clone(), v.clone());
                network.v[index][axis] += by;
                slope += loss(&mut network, &set, &picks) / (2.0 * by);
            }
            let expected = v[index][axis] - eta * (slope + weight_decay * v[index][axis]);
            assert!((moved.1[index][axis] - expected).abs() < 1e-9, "{index} {axis}");
        }
    }

    #[test]
    fn injected_noise_keeps_the_variance_of_the_weights() {
        let (distribution, _, set) = small();
        let mut network =
            Network::new(Neurons { u: 4, v: 3000, deviation: 0.3 }, distribution.dimension, 40, 1);
        let mut random = stream(0, Purpose::Noise, 0);
        // Samples with P alone have no gradient in V: what is left is decay and noise.
        let step = Step { eta: 0.1, weight_decay: 0.2, noise: 0.0, inject: true };
        (0..300).for_each(|_| network.step(&set, &[(0, 0), (0, 1)], step, &mut random));
        let variance = network.v.as_flattened().iter().map(|v| v * v).sum::<f64>() / 6000.0;
        // Four deviations of the mean of 6000 squares.
        assert!((variance / 0.09 - 1.0).abs() < 4.0 * (2.0f64 / 6000.0).sqrt(), "{variance}");
    }

    #[test]
    fn noise_before_activations_changes_a_step_and_no_score() {
        let (_, mut network, set) = small();
        let before = network.score(&set[2]);
        assert_eq!(before, network.score(&set[2]));
        let step = |noise| Step { eta: 0.1, weight_decay: 0.0, noise, inject: false };
        let mut random = stream(0, Purpose::Noise, 0);
        let start = network.u.clone();
        network.step(&set, &[(2, 0)], step(0.0), &mut random);
        let plain = std::mem::replace(&mut network.u, start);
        network.step(&set, &[(2, 0)], step(30.0), &mut random);
        assert_ne!(plain, network.u);
    }
}
