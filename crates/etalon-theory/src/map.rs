//! The exact dynamics of a two-layer linear network with one input, as a map of two numbers.
//!
//! The network is `f = v . u / sqrt(n)` with `u`, `v` in `R^n`, its loss `l(f)` with slope `G = dl/df`, its
//! curvature `lambda = (|u|^2 + |v|^2) / n`, which is the NTK and (times `l''`) the Hessian's top eigenvalue at
//! a minimum. Gradient descent `u' = u - eta G v / sqrt(n)`, `v' = v - eta G u / sqrt(n)` closes on these two:
//!
//! ```text
//! f'      = f - eta lambda G + eta^2 G^2 f / n
//! lambda' = lambda - 4 eta G f / n + eta^2 G^2 lambda / n
//! ```
//!
//! Source: Lewkowycz, Bahri, Dyer, Sohl-Dickstein and Gur-Ari 2020 (the catapult mechanism), section 2, for
//! `G = f`; any loss follows by the same algebra. Assumes one input (or all inputs equal), full batch, no
//! momentum; exact at every width. Checked against explicit weights in
//! `the_map_is_the_network_to_rounding`.

use serde::{Deserialize, Serialize};

use super::{ScalarLoss, TheoryError};

/// Output and curvature: all that the dynamics depend on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The output `f`.
    pub f: f64,
    /// The curvature `lambda`: the NTK.
    pub lambda: f64,
}

/// A loss, a learning rate and a width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Map {
    loss: ScalarLoss,
    eta: f64,
    width: f64,
}

impl Map {
    /// A learning rate `eta > 0` and a width `> 0`. The width need not be a whole number, and may be infinite:
    /// then the curvature stands still and the model is a linear predictor.
    pub fn new(loss: ScalarLoss, eta: f64, width: f64) -> Result<Self, TheoryError> {
        loss.check()?;
        if !(eta > 0.0 && eta.is_finite()) {
            return Err(TheoryError::OutOfRange { name: "eta", got: eta, range: "positive and finite" });
        }
        if width.is_nan() || width <= 0.0 {
            return Err(TheoryError::OutOfRange { name: "width", got: width, range: "positive" });
        }
        Ok(Self { loss, eta, width })
    }

    /// The loss of the one output.
    pub fn loss(&self) -> ScalarLoss {
        self.loss
    }

    /// The constant learning rate `eta`.
    pub fn eta(&self) -> f64 {
        self.eta
    }

    /// The number of hidden units `n`; infinite for the linear predictor.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// One step of gradient descent.
    #[inline]
    pub fn step(&self, state: State) -> State {
        let g = self.eta * self.loss.gradient(state.f);
        let small = g / self.width;
        // The two terms in n are taken together: at eta lambda = 4 they cancel exactly for the squared loss.
        State {
            f: state.f - g * state.lambda + small * g * state.f,
            lambda: state.lambda + small * (g * state.lambda - 4.0 * state.f),
        }
    }

    /// The sharpness: the largest eigenvalue of the Hessian of the loss over all weights, residual part included,
    /// `l'' lambda / 2 + sqrt((l'' lambda / 2)^2 + 2 l'' G f / n + G^2 / n)`.
    ///
    /// The Hessian is `l'' grad f grad f^T + G hess f`; in the planes of `u + v` and `u - v`, `hess f` is
    /// `+-1 / sqrt(n)` and `grad f` is that weight over `sqrt(n)`, which leaves a 2 x 2 matrix. Checked in
    /// `the_sharpness_is_that_of_the_weights`.
    pub fn sharpness(&self, state: State) -> f64 {
        let (g, bend) = (self.loss.gradient(state.f), self.loss.curvature(state.f));
        let half = 0.5 * bend * state.lambda;
        // The discriminant of a symmetric matrix: negative by rounding only.
        let inside = half * half + (2.0 * bend * g * state.f + g * g) / self.width;
        half + inside.max(0.0).sqrt()
    }

    /// The states from `start` on, `start` first, without end.
    pub fn states(&self, start: State) -> impl Iterator<Item = State> + use<> {
        let map = *self;
        std::iter::successors(Some(start), move |&state| Some(map.step(state)))
    }

    /// Whether some weights have this output and curvature: `lambda >= 2 |f| / sqrt(n)`, up to rounding.
    pub(super) fn check(&self, start: State) -> Result<(), TheoryError> {
        let State { f, lambda } = start;
        if !f.is_finite() {
            return Err(TheoryError::OutOfRange { name: "f", got: f, range: "finite" });
        }
        if !(lambda >= 0.0 && lambda.is_finite()) {
            return Err(TheoryError::OutOfRange { name: "lambda", got: lambda, range: "finite, at least 0" });
        }
        if lambda * (1.0 + 1e-12) < 2.0 * f.abs() / self.width.sqrt() {
            return Err(TheoryError::Unreachable { width: self.width, f, lambda });
        }
        Ok(())
    }
}

/// The map for the squared loss with target 0, freed of its units: `x = eta f / sqrt(n)`, `k = eta lambda`,
/// `x' = (1 - k + x^2) x`, `k' = k + x^2 (k - 4)`.
///
/// Width and learning rate enter only through the start. From weights, `k >= 2 |x|` always; `k < 4` stays
/// bounded (`|x| < 2`, `k` never grows) at every width, `k = 4` is the chaotic map `x^3 - 3x` on `[-2, 2]`,
/// `k > 4` diverges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Dimensionless {
    /// `eta f / sqrt(n)`.
    pub x: f64,
    /// The learning rate in units of one over the NTK, `eta lambda`.
    pub k: f64,
}

impl Dimensionless {
    /// Of a state of the squared loss with target 0.
    pub fn of(state: State, eta: f64, width: f64) -> Self {
        Self { x: eta * state.f / width.sqrt(), k: eta * state.lambda }
    }

    /// The state after one step of gradient descent.
    #[inline]
    pub fn step(self) -> Self {
        let square = self.x * self.x;
        Self { x: (1.0 - self.k + square) * self.x, k: self.k + square * (self.k - 4.0) }
    }
}

/// The same in modes: `p = eta |u + v|^2 / (2n)`, `q = eta |u - v|^2 / (2n)`, so that `k = p + q`,
/// `x = (p - q) / 2`, `p' = (1 - x)^2 p`, `q' = (1 + x)^2 q`. Neither can become negative, whatever the rounding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Modes {
    /// The mode along `u = v`.
    pub p: f64,
    /// The mode along `u = -v`.
    pub q: f64,
}

impl Modes {
    /// The state after one step of gradient descent.
    #[inline]
    pub fn step(self) -> Self {
        let x = 0.5 * (self.p - self.q);
        Self { p: (1.0 - x).powi(2) * self.p, q: (1.0 + x).powi(2) * self.q }
    }
}

impl From<Dimensionless> for Modes {
    fn from(state: Dimensionless) -> Self {
        Self { p: 0.5 * state.k + state.x, q: 0.5 * state.k - state.x }
    }
}

impl From<Modes> for Dimensionless {
    fn from(modes: Modes) -> Self {
        Self { x: 0.5 * (modes.p - modes.q), k: modes.p + modes.q }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed_cases;
    use crate::symmetric::largest_eigenvalue;
    use etalon_nn::random::{Purpose, stream};
    use proptest::prelude::*;
    use rand_distr::{Distribution, StandardNormal};

    const MSE: ScalarLoss = ScalarLoss::Mse { target: 0.0 };

    /// Gradient descent on the weights themselves.
    struct Network {
        u: Vec<f64>,
        v: Vec<f64>,
    }

    impl Network {
        fn random(n: usize, seed: u64) -> Self {
            let mut generator = stream(seed, Purpose::Parameters, 0);
            let mut draw = || (0..n).map(|_| StandardNormal.sample(&mut generator)).collect();
            Self { u: draw(), v: draw() }
        }

        fn state(&self) -> State {
            let n = self.u.len() as f64;
            let squares = |w: &[f64]| w.iter().map(|x| x * x).sum::<f64>();
            let f = self.u.iter().zip(&self.v).map(|(u, v)| u * v).sum::<f64>() / n.sqrt();
            State { f, lambda: (squares(&self.u) + squares(&self.v)) / n }
        }

        fn step(&mut self, loss: ScalarLoss, eta: f64) {
            let factor = eta * loss.gradient(self.state().f) / (self.u.len() as f64).sqrt();
            for (u, v) in self.u.iter_mut().zip(&mut self.v) {
                (*u, *v) = (*u - factor * *v, *v - factor * *u);
            }
        }
    }

    #[test]
    fn the_map_is_the_network_to_rounding() {
        for loss in [
            MSE,
            ScalarLoss::Mse { target: 1.5 },
            ScalarLoss::Logistic { positive: 0.3 },
            ScalarLoss::Exponential { positive: 0.5 },
        ] {
            let mut network = Network::random(1024, 3);
            let map = Map::new(loss, 0.7, 1024.0).unwrap();
            let mut state = network.state();
            let size = state.f.abs().max(1.0);
            for step in 0..200 {
                state = map.step(state);
                network.step(loss, 0.7);
                let explicit = network.state();
                assert!((state.f - explicit.f).abs() < 1e-13 * size, "{loss:?}, f at {step}");
                assert!((state.lambda / explicit.lambda - 1.0).abs() < 1e-13, "{loss:?}, lambda at {step}");
            }
        }
        // One step at a time where the transient is chaotic and errors grow of themselves.
        let mut network = Network::random(1024, 4);
        let map = Map::new(MSE, 1.6, 1024.0).unwrap();
        for _ in 0..200 {
            let expected = map.step(network.state());
            network.step(MSE, 1.6);
            let got = network.state();
            assert!((got.f - expected.f).abs() < 1e-13 * (1.0 + expected.f.abs()));
            assert!((got.lambda / expected.lambda - 1.0).abs() < 1e-13);
        }
    }

    #[test]
    fn the_sharpness_is_that_of_the_weights() {
        for (loss, n) in [
            (MSE, 3),
            (ScalarLoss::Mse { target: 2.0 }, 5),
            (ScalarLoss::Logistic { positive: 0.3 }, 4),
            (ScalarLoss::Exponential { positive: 0.5 }, 2),
        ] {
            let network = Network::random(n, 5);
            let state = network.state();
            let (g, bend, root) = (loss.gradient(state.f), loss.curvature(state.f), (n as f64).sqrt());
            let slope: Vec<f64> = network.v.iter().chain(&network.u).map(|w| w / root).collect();
            let entry = |i: usize, j: usize| {
                let mixed = if i.abs_diff(j) == n { g / root } else { 0.0 };
                bend * slope[i] * slope[j] + mixed
            };
            let size = 2 * n;
            let dense = (0..size * size).map(|at| entry(at / size, at % size)).collect();
            let top = largest_eigenvalue(size, dense);
            let map = Map::new(loss, 1.0, n as f64).unwrap();
            assert!((map.sharpness(state) / top - 1.0).abs() < 1e-11, "{loss:?}: {top}");
        }
    }

    #[test]
    fn at_exactly_four_the_map_is_chebyshevs_and_stays_bounded() {
        let mut state = Dimensionless { x: 0.1, k: 4.0 };
        for _ in 0..10_000 {
            let cubic = state.x.powi(3) - 3.0 * state.x;
            state = state.step();
            assert_eq!(state.k, 4.0);
            assert!((state.x - cubic).abs() < 1e-14 && state.x.abs() <= 2.0);
        }
        // x = 2 cos t goes to 2 cos 3t: the angle triples, and so does a difference of angles.
        let t = 0.3f64;
        let next = Dimensionless { x: 2.0 * t.cos(), k: 4.0 }.step();
        assert!((next.x - 2.0 * (3.0 * t).cos()).abs() < 1e-14);
    }

    #[test]
    fn bad_numbers_are_named() {
        let text = |result: Result<Map, TheoryError>| result.unwrap_err().to_string();
        assert_eq!(text(Map::new(MSE, -1.0, 10.0)), "eta = -1: it must be positive and finite");
        assert_eq!(text(Map::new(MSE, 1.0, f64::NAN)), "width = NaN: it must be positive");
        let share = ScalarLoss::Logistic { positive: 1.1 };
        assert_eq!(text(Map::new(share, 1.0, 10.0)), "positive = 1.1: it must be a share between 0 and 1");
        let map = Map::new(MSE, 1.0, 4.0).unwrap();
        assert_eq!(
            map.check(State { f: 3.0, lambda: 2.0 }).unwrap_err().to_string(),
            "no network of width 4 has output 3 with curvature 2: lambda is at least 2 |f| / sqrt(width), here 3"
        );
    }

    proptest! {
        #![proptest_config(fixed_cases(256))]
        #[test]
        fn below_four_everything_stays_bounded(k in 0.01..3.999f64, share in -1.0..1.0f64) {
            let mut modes = Modes::from(Dimensionless { x: 0.5 * k * share, k });
            let mut direct = Dimensionless::from(modes);
            for _ in 0..200 {
                let before = Dimensionless::from(modes);
                modes = modes.step();
                let after = Dimensionless::from(modes);
                prop_assert!(modes.p >= 0.0 && modes.q >= 0.0);
                prop_assert!(after.x.abs() < 2.0);
                prop_assert!(after.k <= before.k * (1.0 + 1e-14));
                // One step of both forms from the same place agrees.
                let step = before.step();
                prop_assert!((step.x - after.x).abs() < 1e-13 && (step.k - after.k).abs() < 1e-13);
                direct = direct.step();
                prop_assert!(direct.k >= 2.0 * direct.x.abs() - 1e-12);
            }
        }

        #[test]
        fn below_two_the_loss_never_rises(k in 0.01..2.0f64, share in -1.0..1.0f64) {
            let mut state = Dimensionless { x: 0.5 * k * share, k };
            for _ in 0..200 {
                let next = state.step();
                prop_assert!(next.x.abs() <= state.x.abs());
                state = next;
            }
        }

        #[test]
        fn units_do_not_matter(eta in 0.1..1.9f64, f in -3.0..3.0f64, log_n in 2.0..12.0f64) {
            let width = 10f64.powf(log_n);
            let map = Map::new(MSE, eta, width).unwrap();
            let mut state = State { f, lambda: 2.0 };
            for _ in 0..100 {
                let free = Dimensionless::of(state, eta, width).step();
                state = map.step(state);
                let here = Dimensionless::of(state, eta, width);
                prop_assert!((here.x - free.x).abs() <= 1e-14 * (1.0 + free.x.abs()));
                prop_assert!((here.k - free.k).abs() <= 1e-14 * (1.0 + free.k.abs()));
            }
        }
    }
}
