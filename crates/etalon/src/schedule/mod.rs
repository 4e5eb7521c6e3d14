//! Learning rates as pure functions of the step, in the log domain.
//!
//! - [`Schedule`]: a shape after a warm-up; the names and end points are PyTorch's where it has the same.
//! - [`RateFile`]: rates that somebody wrote down, one row a change.
//! - [`WithDecay`] and [`WithoutDecay`]: the two schedules under which a scale-invariant network learns the same
//!   functions, one with weight decay, one with a growing rate instead; each from the other.
//! - [`equilibrium`]: what rate and weight decay make of such a network in the long run.
//! - [`export`]: either one for other programs.

pub mod conversion;
pub mod equilibrium;
pub mod export;
mod file;
mod one_cycle;
mod piecewise;

pub(crate) use conversion::momentum_to_convert;
pub use conversion::{Conversion, ConversionError, Correction, WithDecay, WithoutDecay};
pub use file::{FileError, RateFile};
pub use one_cycle::OneCycle;
pub use piecewise::{Interpolation, Piecewise};

/// A schedule: the factor by which the base rate is multiplied at each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Steps over which the rate rises linearly to that of the shape: step `t < warmup` has the factor
    /// `(t + 1) / (warmup + 1)` on top. Cosine and linear shapes begin when the warm-up ends, as in PyTorch's
    /// `SequentialLR`; step, exponential and piecewise ones count from the first step, as in its `ChainedScheduler`: an
    /// exponential one has grown by then.
    pub warmup: u64,
    /// How the rate goes on after the warm-up.
    pub shape: Shape,
    /// The end, if it has a rate of its own.
    pub last: Option<Last>,
}

/// The last steps at a rate that is the same whatever the base rate was, so that runs at several rates can be compared
/// after the noise of each has died down (2003.02218, section 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Last {
    /// How many, after those of the shape.
    pub steps: u64,
    /// The learning rate itself, not a factor.
    pub eta: f64,
}

/// The shape of a schedule after its warm-up. Factors are in units of the base rate.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// 1 throughout.
    Constant,
    /// Multiplied by `factor` at each milestone: the step of that number is the first with the new rate. PyTorch's
    /// `MultiStepLR`.
    Step {
        /// Steps in ascending order.
        milestones: Vec<u64>,
        /// The factor.
        factor: f64,
    },
    /// From 1 down to `end` along half a cosine, reached after the last step. `CosineAnnealingLR`.
    Cosine {
        /// The factor at the end.
        end: f64,
    },
    /// From 1 down to `end` along a line, reached after the last step. `LinearLR`.
    Linear {
        /// The factor at the end.
        end: f64,
    },
    /// Multiplied by `growth` at every step. `ExponentialLR`.
    Exponential {
        /// The factor from a step to the next; above 1 it grows.
        growth: f64,
    },
    /// Up to the base rate and down again. `OneCycleLR`.
    OneCycle(OneCycle),
    /// 1 until the last `decay` steps, then down to `end` along a line, reached after the last step: the
    /// warm-up-stable-decay schedule.
    StableDecay {
        /// Steps of the decay.
        decay: u64,
        /// The factor at the end.
        end: f64,
    },
    /// Through given points.
    Piecewise(Piecewise),
}

impl Schedule {
    /// The natural logarithm of the factor at `step` of `total` steps of the shape; minus infinity for a rate of 0. In
    /// logarithms because an exponential schedule outgrows every floating-point number.
    fn log_factor(&self, step: u64, total: u64) -> f64 {
        let warm = if step < self.warmup { ((step + 1) as f64 / (self.warmup + 1) as f64).ln() } else { 0.0 };
        let left = total.saturating_sub(self.warmup).max(1) as f64;
        let progress = (step.saturating_sub(self.warmup) as f64 / left).min(1.0);
        warm + match &self.shape {
            Shape::Constant => 0.0,
            Shape::Step { milestones, factor } => {
                factor.ln() * milestones.partition_point(|&milestone| milestone <= step) as f64
            }
            Shape::Cosine { end } => {
                (end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).ln()
            }
            Shape::Linear { end } => (1.0 + (end - 1.0) * progress).ln(),
            Shape::Exponential { growth } => growth.ln() * step as f64,
            Shape::OneCycle(cycle) => cycle.log_factor(step, total),
            Shape::StableDecay { decay, end } => {
                let into = step.saturating_sub(total.saturating_sub(*decay)) as f64;
                (1.0 + (end - 1.0) * (into / (*decay).max(1) as f64).min(1.0)).ln()
            }
            Shape::Piecewise(piecewise) => piecewise.log_factor(step),
        }
    }

    /// Steps beyond those of the shape.
    pub fn last_steps(&self) -> u64 {
        self.last.map_or(0, |last| last.steps)
    }

    /// The first of these steps, of `total` in all; none where there are none.
    pub fn last_begin(&self, total: u64) -> Option<u64> {
        self.last.map(|last| total.saturating_sub(last.steps))
    }

    /// The rate of the end, if a step of `total` belongs to it.
    fn last_rate(&self, step: u64, total: u64) -> Option<f64> {
        self.last.filter(|_| self.last_begin(total).is_some_and(|begin| step >= begin)).map(|last| last.eta)
    }

    /// The natural logarithm of the rate at `step` of `total` steps, the last ones among them.
    pub fn log_rate(&self, eta: f64, step: u64, total: u64) -> f64 {
        match self.last_rate(step, total) {
            Some(rate) => rate.ln(),
            None => eta.ln() + self.log_factor(step, total.saturating_sub(self.last_steps())),
        }
    }

    /// The rate at `step` of `total` steps, the last ones among them.
    pub fn rate(&self, eta: f64, step: u64, total: u64) -> f64 {
        if let Some(rate) = self.last_rate(step, total) {
            return rate;
        }
        // A factor of exactly 1 must leave the rate as it was typed.
        match self.log_factor(step, total.saturating_sub(self.last_steps())) {
            0.0 => eta,
            log_factor => (eta.ln() + log_factor).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(warmup: u64, shape: Shape, total: u64) -> Vec<f64> {
        let schedule = Schedule { warmup, shape, last: None };
        (0..total).map(|step| schedule.rate(0.1, step, total)).collect()
    }

    fn near(ours: &[f64], expected: &[f64]) {
        assert_eq!(ours.len(), expected.len());
        for (a, b) in ours.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{ours:?} against {expected:?}");
        }
    }

    #[test]
    fn the_end_has_the_same_rate_for_all() {
        let last = Some(Last { steps: 2, eta: 0.01 });
        let schedule = Schedule { warmup: 0, shape: Shape::Linear { end: 0.2 }, last };
        let rates = |eta| (0..6).map(|step| schedule.rate(eta, step, 6)).collect::<Vec<_>>();
        near(&rates(0.1), &[0.1, 0.08, 0.06, 0.04, 0.01, 0.01]);
        near(&rates(1.0), &[1.0, 0.8, 0.6, 0.4, 0.01, 0.01]);
        assert_eq!(
            (schedule.last_begin(6), Schedule { last: None, ..schedule.clone() }.last_begin(6)),
            (Some(4), None)
        );
        assert!((schedule.log_rate(0.1, 3, 6) - 0.04f64.ln()).abs() < 1e-15);
        assert_eq!(schedule.log_rate(0.1, 4, 6), 0.01f64.ln());
    }

    #[test]
    fn shapes() {
        assert_eq!(rates(0, Shape::Constant, 3), [0.1; 3]);
        near(&rates(3, Shape::Constant, 5), &[0.025, 0.05, 0.075, 0.1, 0.1]);
        let step = Shape::Step { milestones: vec![1, 3], factor: 0.1 };
        near(&rates(0, step, 4), &[0.1, 0.01, 0.01, 0.001]);
        near(&rates(0, Shape::Cosine { end: 0.0 }, 4)[..3], &[0.1, 0.085_355_339_059_327_38, 0.05]);
        near(&rates(0, Shape::Linear { end: 0.2 }, 4), &[0.1, 0.08, 0.06, 0.04]);
        near(&rates(0, Shape::Exponential { growth: 2.0 }, 4), &[0.1, 0.2, 0.4, 0.8]);
        near(&rates(1, Shape::StableDecay { decay: 2, end: 0.0 }, 5), &[0.05, 0.1, 0.1, 0.1, 0.05]);
    }

    #[test]
    fn a_warm_up_multiplies_what_counts_from_the_start_and_delays_what_has_an_end() {
        near(&rates(2, Shape::Exponential { growth: 2.0 }, 4), &[0.1 / 3.0, 0.4 / 3.0, 0.4, 0.8]);
        let step = Shape::Step { milestones: vec![1], factor: 0.3 };
        near(&rates(2, step, 4), &[0.1 / 3.0, 0.02, 0.03, 0.03]);
        near(&rates(2, Shape::Linear { end: 0.0 }, 4), &[0.1 / 3.0, 0.2 / 3.0, 0.1, 0.05]);
    }

    #[test]
    fn growth_beyond_all_numbers_stays_a_number_in_logarithms() {
        let schedule = Schedule { warmup: 0, shape: Shape::Exponential { growth: 1.5 }, last: None };
        assert!((schedule.log_factor(10_000, 20_000) - 10_000.0 * 1.5f64.ln()).abs() < 1e-9);
        let schedule = Schedule { warmup: 0, shape: Shape::Linear { end: 0.0 }, last: None };
        assert_eq!(schedule.rate(0.1, 10, 10), 0.0);
    }

    #[test]
    fn a_decay_longer_than_the_run_begins_at_once() {
        near(&rates(0, Shape::StableDecay { decay: 8, end: 0.0 }, 4), &[0.1, 0.0875, 0.075, 0.0625]);
        assert_eq!(rates(0, Shape::StableDecay { decay: 0, end: 0.0 }, 2), [0.1; 2]);
    }
}
