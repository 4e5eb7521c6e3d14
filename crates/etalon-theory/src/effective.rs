//! The exact law of the effective learning rate of weights whose scale does not matter.
//!
//! Weights `w` of length `r` that a loss sees up to their length only have gradients `g` across them, of length `gbar / r`.
//! A step at the rate `eta` with weight decay `lambda` is `w' = a w - eta g` with `a = 1 - eta lambda`, hence
//! `r'^2 = r^2 a^2 (1 + Phi^2 gbar^2)` with the effective rate `Phi = eta / (a r^2)`: the angle of the step is
//! `arctan(Phi gbar)`. From one step to the next
//!
//! `Phi' = B Phi / (1 + Phi^2 gbar^2)`, `B = eta' / (eta a a')`.
//!
//! The schedule acts through `B` alone. Where `B <= 1` the effective rate falls whatever the gradient; where `B > 1` it
//! settles where `Phi gbar = sqrt(B - 1)`. An optimiser whose update `p` goes as `r^-nu` in the length of all weights before
//! has `Psi = eta / (a r^(1 + nu))` in the place of it, `Psi' = B Psi / |u - Psi pbar|^(1 + nu)` with `u = w / r`,
//! `pbar = r^nu p` and `B = (eta' / eta) / (a^nu a')`: gradient descent, with or without momentum, has `nu = 1`, Adam without
//! `epsilon` has `nu = 0`. The identities follow from the step by one line of algebra each; the tests check them to rounding.

/// A step of a schedule: the rate and the coupled weight decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The learning rate `eta` of the step.
    pub eta: f64,
    /// The weight decay `lambda`.
    pub weight_decay: f64,
}

impl Step {
    /// `a = 1 - eta lambda`, by which weight decay shortens the weights.
    pub fn shrinkage(self) -> f64 {
        1.0 - self.eta * self.weight_decay
    }

    /// The effective rate of weights of a length, for an update that goes as its power `-nu`: `eta / (a r^(1 + nu))`.
    pub fn effective_rate(self, length: f64, nu: f64) -> f64 {
        self.eta / (self.shrinkage() * length.powf(1.0 + nu))
    }

    /// The drive `B` of the effective rate from this step to the next.
    pub fn drive(self, next: Step, nu: f64) -> f64 {
        next.eta / self.eta / (self.shrinkage().powf(nu) * next.shrinkage())
    }
}

/// The next effective rate from the drive and from `Phi gbar`, the tangent of the step's angle, for gradient descent.
pub fn next_rate(rate: f64, drive: f64, tangent: f64) -> f64 {
    drive * rate / (1.0 + tangent * tangent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale_invariant::{Training, ratio};

    /// On the loss x^2 / (x^2 + y^2) with noise and a schedule, against the rates by their definition.
    #[test]
    fn the_effective_rate_follows_its_law_to_rounding() {
        let step = |t: u32| Step { eta: 0.2 + 0.15 * (0.01 * f64::from(t)).cos(), weight_decay: 0.05 };
        let (mut w, mut worst, mut highest) = ([2.0f64, 0.3], 0.0f64, 0.0f64);
        for t in 0..2000 {
            let [now, next] = [step(t), step(t + 1)];
            let training = Training { normalized: true, eta: now.eta, weight_decay: now.weight_decay };
            let noise = if t % 3 == 0 { 0.4 } else { -0.2 };
            let length = w[0].hypot(w[1]);
            let to = ratio::step(&training, w, noise);
            // The gradient, of length gbar / r, lies across the weights.
            let gradient = (2.0 * w[0] * w[1] / (length * length) + noise) / length;
            let rate = now.effective_rate(length, 1.0);
            let tangent = rate * gradient * length;
            let expected = next.effective_rate(to[0].hypot(to[1]), 1.0);
            worst = worst.max((next_rate(rate, now.drive(next, 1.0), tangent) / expected - 1.0).abs());
            highest = highest.max(tangent.abs());
            w = to;
        }
        // A handful of roundings; and the law was tried where the angle is large.
        assert!(worst < 20.0 * f64::EPSILON && highest > 0.2, "{worst} {highest}");
    }

    #[test]
    fn a_constant_rate_with_weight_decay_drives_upwards() {
        let step = Step { eta: 0.1, weight_decay: 0.5 };
        assert!((step.drive(step, 1.0) - 1.0 / (0.95 * 0.95)).abs() < 1e-15);
        assert!((step.drive(step, 0.0) - 1.0 / 0.95).abs() < 1e-15);
        assert_eq!(Step { weight_decay: 0.0, ..step }.drive(Step { weight_decay: 0.0, ..step }, 1.0), 1.0);
        // At the equilibrium the rate stays.
        let drive: f64 = 1.1;
        assert!((next_rate(0.3, drive, (drive - 1.0).sqrt()) - 0.3).abs() < 1e-15);
    }
}
