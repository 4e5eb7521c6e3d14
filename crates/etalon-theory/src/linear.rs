//! Two-layer linear networks with many samples, in numbers that do not grow with the width.
//!
//! The network is `f(x) = v . (u x) / sqrt(n d)` with `u` in `R^{n x d}`, `v` in `R^n`; sample `a` has input
//! `x_a` and loss `l_a`, and the loss is their mean. With `G_a = l_a'(f_a)` and `zeta = (1/m) sum_a G_a x_a`,
//! gradient descent is
//!
//! ```text
//! u' = u - kappa v zeta^T,   v' = v - kappa u zeta,   kappa = eta / sqrt(n d)
//! ```
//!
//! so that the outputs follow exactly (for any loss; Theta is the NTK with its factor 1/m)
//!
//! ```text
//! f' = f - eta Theta G + (eta^2 / (n d)) (X zeta) (f . G / m)
//! Theta = [X X^T |v|^2 / (n d) + X u^T u X^T / (n d)] / m
//! ```
//!
//! Source: Lewkowycz, Bahri, Dyer, Sohl-Dickstein and Gur-Ari 2020, the full two-layer linear model. The three
//! products `u^T u / n`, `u^T v / sqrt(n)`, `|v|^2 / n` are closed under the step as well, which makes a step
//! cost `O(m d + d^2)` at any width. Assumes full batch and no momentum. Checked in
//! `condensed_steps_are_steps_on_the_weights`, `outputs_follow_the_exact_error_dynamics` and
//! `one_sample_in_one_dimension_is_the_map`.

use super::symmetric::largest_eigenvalue;
use super::{ScalarLoss, TheoryError};

/// The data and the width.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    width: f64,
    dim: usize,
    inputs: Vec<f64>,
    losses: Vec<ScalarLoss>,
}

/// The weights, as far as outputs and curvature depend on them.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearState {
    /// `u^T u / n`, `d x d`, row-major: near the identity for weights drawn from N(0, 1).
    pub gram: Vec<f64>,
    /// `u^T v / sqrt(n)`, `d` numbers of order one.
    pub cross: Vec<f64>,
    /// `|v|^2 / n`, near one.
    pub readout: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn length(name: &'static str, got: usize, expected: usize) -> Result<(), TheoryError> {
    if got == expected { Ok(()) } else { Err(TheoryError::Length { name, got, expected }) }
}

impl LinearModel {
    /// `inputs` holds one row of `dim` numbers a sample (`m x d`, row-major), `losses` one loss a sample: a
    /// squared loss with the sample's target, a logistic one with `positive` 1 or 0 for the label +1 or -1.
    pub fn new(
        width: f64,
        dim: usize,
        inputs: Vec<f64>,
        losses: Vec<ScalarLoss>,
    ) -> Result<Self, TheoryError> {
        if width.is_nan() || width <= 0.0 {
            return Err(TheoryError::OutOfRange { name: "width", got: width, range: "positive" });
        }
        if dim == 0 || losses.is_empty() {
            let (name, range) = ("inputs", "at least one sample of at least one number");
            return Err(TheoryError::OutOfRange { name, got: 0.0, range });
        }
        length("inputs", inputs.len(), dim * losses.len())?;
        losses.iter().try_for_each(ScalarLoss::check)?;
        Ok(Self { width, dim, inputs, losses })
    }

    /// The state of explicit weights: `u` is `n x d`, row-major, `v` has `n` numbers, `n` the model's width.
    pub fn condense(&self, u: &[f64], v: &[f64]) -> Result<LinearState, TheoryError> {
        let d = self.dim;
        length("u", u.len(), v.len() * d)?;
        if v.len() as f64 != self.width {
            return Err(TheoryError::OutOfRange {
                name: "v",
                got: v.len() as f64,
                range: "as long as the width",
            });
        }
        let mut gram = vec![0.0; d * d];
        let mut cross = vec![0.0; d];
        for (row, &v) in u.chunks_exact(d).zip(v) {
            for i in 0..d {
                cross[i] += row[i] * v / self.width.sqrt();
                (0..d).for_each(|j| gram[i * d + j] += row[i] * row[j] / self.width);
            }
        }
        Ok(LinearState { gram, cross, readout: dot(v, v) / self.width })
    }

    fn samples(&self) -> impl Iterator<Item = (&[f64], &ScalarLoss)> {
        self.inputs.chunks_exact(self.dim).zip(&self.losses)
    }

    /// The output for each sample.
    pub fn outputs(&self, state: &LinearState) -> Vec<f64> {
        let root = (self.dim as f64).sqrt();
        self.samples().map(|(x, _)| dot(x, &state.cross) / root).collect()
    }

    /// The mean loss.
    pub fn loss(&self, state: &LinearState) -> f64 {
        let outputs = self.outputs(state);
        let sum: f64 = self.losses.iter().zip(&outputs).map(|(loss, &f)| loss.value(f)).sum();
        sum / self.losses.len() as f64
    }

    /// The NTK with its factor `1/m`, `m x m`, row-major.
    pub fn ntk(&self, state: &LinearState) -> Vec<f64> {
        let (d, m) = (self.dim, self.losses.len());
        let factor = 1.0 / (m * d) as f64;
        let mut theta = Vec::with_capacity(m * m);
        for (x, _) in self.samples() {
            // (readout 1 + gram) x, the metric in which inputs are compared.
            let image: Vec<f64> =
                (0..d).map(|i| state.readout * x[i] + dot(&state.gram[i * d..(i + 1) * d], x)).collect();
            theta.extend(self.samples().map(|(y, _)| factor * dot(&image, y)));
        }
        theta
    }

    /// The NTK's largest eigenvalue: `lambda` in `2 / lambda` and `4 / lambda`. Dense, `O(m^3)`.
    pub fn curvature(&self, state: &LinearState) -> f64 {
        largest_eigenvalue(self.losses.len(), self.ntk(state))
    }

    /// One step of full-batch gradient descent at learning rate `eta`.
    pub fn step(&self, eta: f64, state: &mut LinearState) {
        let (d, m) = (self.dim, self.losses.len() as f64);
        let mut zeta = vec![0.0; d];
        for ((x, loss), f) in self.samples().zip(self.outputs(state)) {
            let slope = loss.gradient(f) / m;
            zeta.iter_mut().zip(x).for_each(|(z, x)| *z += slope * x);
        }
        // kappa sqrt(n), kappa / sqrt(n) and kappa^2 for the three products as they are scaled.
        let up = eta / (d as f64).sqrt();
        let (down, square) = (up / self.width, up * up / self.width);
        let image: Vec<f64> = (0..d).map(|i| dot(&state.gram[i * d..(i + 1) * d], &zeta)).collect();
        let (along, bend, readout) = (dot(&state.cross, &zeta), dot(&zeta, &image), state.readout);
        for i in 0..d {
            for j in 0..d {
                let mixed = state.cross[i] * zeta[j] + zeta[i] * state.cross[j];
                state.gram[i * d + j] += square * readout * zeta[i] * zeta[j] - down * mixed;
            }
        }
        for i in 0..d {
            state.cross[i] += square * along * zeta[i] - up * (image[i] + readout * zeta[i]);
        }
        state.readout += square * bend - 2.0 * down * along;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Map, State};
    use etalon_nn::random::{Purpose, stream};
    use rand_distr::{Distribution, StandardNormal};

    fn normal(count: usize, index: u64) -> Vec<f64> {
        let mut generator = stream(11, Purpose::Data, index);
        (0..count).map(|_| StandardNormal.sample(&mut generator)).collect()
    }

    fn squared(targets: &[f64]) -> Vec<ScalarLoss> {
        targets.iter().map(|&target| ScalarLoss::Mse { target }).collect()
    }

    /// One step on the weights themselves.
    fn explicit_step(model: &LinearModel, eta: f64, u: &mut [f64], v: &mut [f64]) {
        let (d, n) = (model.dim, v.len());
        let factor = 1.0 / ((n * d) as f64).sqrt();
        let mut zeta = vec![0.0; d];
        for (x, loss) in model.samples() {
            let f: f64 = (0..n).map(|i| factor * v[i] * dot(&u[i * d..(i + 1) * d], x)).sum();
            let slope = loss.gradient(f) / model.losses.len() as f64;
            zeta.iter_mut().zip(x).for_each(|(z, x)| *z += slope * x);
        }
        for i in 0..n {
            let row = &mut u[i * d..(i + 1) * d];
            let change = eta * factor * dot(row, &zeta);
            row.iter_mut().zip(&zeta).for_each(|(u, z)| *u -= eta * factor * v[i] * z);
            v[i] -= change;
        }
    }

    #[test]
    fn condensed_steps_are_steps_on_the_weights() {
        let (m, d, n) = (8, 5, 200);
        let logistic = (0..m).map(|a| ScalarLoss::Logistic { positive: (a % 2) as f64 }).collect();
        for losses in [squared(&normal(m, 1)), logistic] {
            let model = LinearModel::new(n as f64, d, normal(m * d, 0), losses).unwrap();
            let (mut u, mut v) = (normal(n * d, 2), normal(n, 3));
            let mut state = model.condense(&u, &v).unwrap();
            let eta = 1.5 / model.curvature(&state);
            for _ in 0..200 {
                model.step(eta, &mut state);
                explicit_step(&model, eta, &mut u, &mut v);
            }
            let explicit = model.condense(&u, &v).unwrap();
            let pairs = state.gram.iter().zip(&explicit.gram).chain(state.cross.iter().zip(&explicit.cross));
            for (a, b) in pairs.chain([(&state.readout, &explicit.readout)]) {
                assert!((a - b).abs() < 1e-12, "{a} against {b}");
            }
        }
    }

    #[test]
    fn outputs_follow_the_exact_error_dynamics() {
        let (m, d, n) = (8, 5, 60.0);
        let x = normal(m * d, 0);
        let y = normal(m, 1);
        let model = LinearModel::new(n, d, x.clone(), squared(&y)).unwrap();
        let mut state = model.condense(&normal(60 * d, 2), &normal(60, 3)).unwrap();
        let eta = 2.5 / model.curvature(&state);
        for _ in 0..20 {
            let f = model.outputs(&state);
            let theta = model.ntk(&state);
            let e: Vec<f64> = f.iter().zip(&y).map(|(f, y)| f - y).collect();
            let zeta: Vec<f64> =
                (0..d).map(|i| (0..m).map(|a| e[a] * x[a * d + i]).sum::<f64>() / m as f64).collect();
            let common = eta * eta / (n * d as f64) * dot(&f, &e) / m as f64;
            let size = 1.0 + f.iter().fold(0.0, |a: f64, f| a.max(f.abs()));
            model.step(eta, &mut state);
            for (a, got) in model.outputs(&state).iter().enumerate() {
                let row = &theta[a * m..(a + 1) * m];
                let expected = f[a] - eta * dot(row, &e) + common * dot(&x[a * d..(a + 1) * d], &zeta);
                assert!((got - expected).abs() < 1e-13 * size, "{got} against {expected}");
            }
        }
    }

    #[test]
    fn one_sample_in_one_dimension_is_the_map() {
        let loss = ScalarLoss::Mse { target: 0.4 };
        let model = LinearModel::new(50.0, 1, vec![1.0], vec![loss]).unwrap();
        let mut state = model.condense(&normal(50, 2), &normal(50, 3)).unwrap();
        let map = Map::new(loss, 1.2, 50.0).unwrap();
        for _ in 0..50 {
            let here = State { f: model.outputs(&state)[0], lambda: model.curvature(&state) };
            let next = map.step(here);
            model.step(1.2, &mut state);
            assert!((model.outputs(&state)[0] - next.f).abs() < 1e-14 * (1.0 + next.f.abs()));
            assert!((model.curvature(&state) / next.lambda - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn many_samples_catapult_between_two_and_four() {
        let (m, d, n) = (8, 5, 2000);
        let targets: Vec<f64> = normal(m * d, 0).chunks(d).map(|x| x[0] - 0.5 * x[1]).collect();
        let model = LinearModel::new(n as f64, d, normal(m * d, 0), squared(&targets)).unwrap();
        let begin = model.condense(&normal(n * d, 2), &normal(n, 3)).unwrap();
        let lambda = model.curvature(&begin);
        let run = |c: f64| {
            let mut state = begin.clone();
            let mut peak = model.loss(&state);
            for _ in 0..3000 {
                model.step(c / lambda, &mut state);
                peak = peak.max(model.loss(&state));
            }
            (peak / model.loss(&begin), model.loss(&state), model.curvature(&state) / lambda * c)
        };
        let (peak, last, c) = run(1.8);
        assert!(peak == 1.0 && last < 1e-6 && (c - 1.8).abs() < 0.05);
        let (peak, last, c) = run(3.0);
        assert!(peak > 5.0 && last < 1e-6 && c < 2.0);
        assert!(!run(5.5).1.is_finite());
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        let error = LinearModel::new(10.0, 3, vec![0.0; 7], squared(&[0.0, 1.0])).unwrap_err();
        assert_eq!(error.to_string(), "inputs has 7 elements, expected 6");
        assert!(LinearModel::new(10.0, 3, Vec::new(), Vec::new()).is_err());
        let model = LinearModel::new(10.0, 1, vec![1.0], squared(&[0.0])).unwrap();
        assert!(model.condense(&[1.0; 9], &[1.0; 9]).is_err());
    }
}
