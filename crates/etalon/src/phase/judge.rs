//! What decides the phase of losses, whoever has them: a trial, which knows much, or a log, which knows little.

use crate::statistics::median_in;
use etalon_nn::optim::{Optimizer, Rule};

/// Losses of a segment, within which noise is taken for the same.
const SEGMENT: usize = 32;
/// Second differences from which on noise is known.
const KNOWN: usize = 14;
/// The noise of the start, as a share of its loss, where losses leave its level before they show any, at least.
const PRIOR: f64 = 0.03;
/// Shares of the first loss from which on a segment is near the start, or not yet near the end.
const HIGH: f64 = 0.25;
const LATER: f64 = 0.01;
/// As a share of the loss the noise of the start is at most so many times that of later: it grows in training, if anything.
const GROWS: f64 = 3.0;
/// The least rise: where every batch is the whole set, only rounding makes the loss rise below the threshold.
pub(super) const LEAST: f64 = 0.001;
/// Above this many times the first, a loss has risen whatever the noise that was seen.
pub(crate) const CLEAR: f64 = 2.0;
/// A final loss below this share of the best constant predictor's counts as trained.
pub(crate) const TRAINED: f64 = 0.9;
/// A loss that stays above this many times its start has diverged, though it is a number still.
pub(crate) const FAR: f64 = 100.0;

/// The noise of single losses, segment by segment: it grows with training where it is a share of the loss, and shrinks
/// where it is not. A rise above the start is weighed against the noise at the start's level.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    first: Option<f64>,
    losses: Vec<f64>,
    /// The deviation of the first segment, whatever its level.
    start: Option<f64>,
    /// The deviations of the segments, as shares of their level, where that is a quarter of the first loss or more.
    segments: Vec<f64>,
    /// The same where it is a hundredth or more.
    later: Vec<f64>,
}

impl Noise {
    /// Takes the next loss, a finite number.
    pub fn push(&mut self, loss: f64) {
        self.first.get_or_insert(loss);
        self.losses.push(loss);
        if self.losses.len() == SEGMENT {
            self.start = self.start.or(self.deviation());
            let shares = [HIGH, LATER].map(|least| self.share_above(least));
            for (kept, share) in [&mut self.segments, &mut self.later].into_iter().zip(shares) {
                kept.extend(share.filter(|_| kept.len() < SEGMENT));
            }
            // The next segment's second differences begin with the last two losses of this one.
            self.losses.drain(..SEGMENT - 2);
        }
    }

    /// The deviation of one loss at the level of the start, as a share of the first loss; none of too few losses.
    pub fn share(&self) -> Option<f64> {
        let mut segments = self.segments.clone();
        if segments.is_empty() {
            segments.extend(self.share_above(HIGH));
        }
        let share = match lower_median(segments) {
            Some(share) => share,
            // It fell at once: what is seen further down is the least it was.
            None => (self.start.or_else(|| self.deviation())? / self.first?).max(PRIOR),
        };
        // Where the loss of batches is smooth later, as that of whole sets is, the wiggles of the start were no noise either.
        Some(lower_median(self.later.clone()).map_or(share, |later| share.min(GROWS * later)))
    }

    /// The deviation of the present segment as a share of its level, where that is at least such a share of the first loss.
    fn share_above(&self, least: f64) -> Option<f64> {
        let level = median_in(&mut self.losses.clone());
        (level >= least * self.first?).then_some(self.deviation()? / level)
    }

    /// That of the present segment.
    ///
    /// By the normal law a quarter of all |x| are below 0.3186 deviations (a lower share than half, as a rise of up to three
    /// quarters of a segment is no noise), and a second difference's deviation 6^(1/2) that of one
    /// loss; a steady fall has none.
    fn deviation(&self) -> Option<f64> {
        let mut bends: Vec<f64> =
            self.losses.windows(3).map(|of| (of[2] - 2.0 * of[1] + of[0]).abs()).collect();
        bends.sort_by(f64::total_cmp);
        (bends.len() >= KNOWN).then(|| bends[bends.len() / 4] / 0.3186 / 6f64.sqrt())
    }
}

/// The lower one of two medians: a catapult makes its segment look noisier than it is.
fn lower_median(mut shares: Vec<f64>) -> Option<f64> {
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len().saturating_sub(1) / 2).copied()
}

/// From which share of the first loss on a loss above it is a rise, `noise` being that of one loss as a share of the first.
///
/// Of `count` losses the largest lies about `(2 ln count)^(1/2)` deviations above their mean; twice that, as losses have
/// heavier tails than the normal law, and two more for the first loss and for a deviation that is only an estimate.
pub(crate) fn least_rise(noise: f64, count: u64) -> f64 {
    let spread = 2.0 + 1.5 * (2.0 * (count.max(1) as f64).ln()).sqrt();
    1.0 + LEAST.max(spread * noise)
}

/// The losses that decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evidence {
    /// What the peak is compared with.
    pub(crate) first: f64,
    /// The largest loss.
    pub(crate) peak: f64,
    /// From which share of the first on a peak is a rise.
    pub(crate) least_rise: f64,
    /// Where training started: what the end is compared with.
    pub(crate) start: f64,
    /// Where it ended.
    pub(crate) end: f64,
    /// The loss of a predictor that ignores its input, or the first loss where that is not known.
    pub(crate) constant: f64,
}

impl Evidence {
    /// Whether the loss rose above its start by more than noise.
    pub(crate) fn rose(&self) -> bool {
        self.peak > self.least_rise * self.first
    }

    /// Whether the end is better than ignoring the input.
    pub(crate) fn trained(&self) -> bool {
        // Where one value fits all samples, the constant predictor is no yardstick.
        let yardstick = if self.constant <= 1e-12 * self.start { self.start } else { self.constant };
        self.end < TRAINED * yardstick
    }

    /// Whether it rose, or ended above its start, and has learnt nothing.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.trained() && (self.rose() || self.end > (1.0 + LEAST) * self.start)
    }
}

/// How far above its limit of stability an optimiser is whose loss grows `fold`-fold in `steps` steps.
///
/// Near a minimum an error along an eigenvector is multiplied by a root `-g` of the optimiser's polynomial each step, and
/// the loss by `g^2`. With `h = eta lambda` heavy ball has `g^2 - (h - 1 - b) g + b = 0`, so `h = 1 + b + g + b / g`, Nesterov's
/// `h = (g + 1)(g + b) / ((1 + b) g + b)`; both are their limit of stability at `g = 1`. None for Adam, which divides growth
/// away, and without growth.
pub fn over_limit(optimizer: Rule, fold: f64, steps: u64) -> Option<f64> {
    let Rule::Sgd(rule) = optimizer else { return None };
    let g = fold.powf(0.5 / steps as f64);
    let b = rule.momentum;
    let h = if rule.nesterov { (g + 1.0) * (g + b) / ((1.0 + b) * g + b) } else { 1.0 + b + g + b / g };
    let limit = optimizer.stability().ok()?.limit(1.0);
    (steps > 0 && g > 1.0).then(|| h / limit).filter(|ratio| ratio.is_finite())
}

/// To which rate to go, in words: of one that is too high, by what is known of the limit.
pub fn lower(rate: Option<f64>, over_limit: Option<f64>) -> String {
    let number = |rate: f64| crate::units::significant(rate, 2);
    match (rate, over_limit.filter(|&ratio| ratio > 1.0)) {
        (Some(rate), Some(ratio)) => format!(
            "lower the rate to about {}: it is {} times the limit of stability",
            number(rate / ratio),
            number(ratio)
        ),
        (Some(rate), None) => format!("lower the rate, to about {} first", number(rate / 4.0)),
        (None, Some(ratio)) => format!("lower the rate by a factor of about {}", number(ratio)),
        (None, None) => "lower the rate, to a quarter first".into(),
    }
}

/// The same of one that is too low.
pub fn raise(rate: Option<f64>, over_limit: Option<f64>) -> String {
    let number = |rate: f64| crate::units::significant(rate, 2);
    match (rate, over_limit) {
        (Some(rate), Some(ratio)) if ratio < 1.0 => format!(
            "raise the rate, to about {}: it is {} of the limit of stability",
            number((rate / ratio).min(10.0 * rate)),
            number(ratio)
        ),
        (Some(rate), _) => format!("raise the rate, to about {} first", number(10.0 * rate)),
        _ => "raise the rate, tenfold first".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon_nn::optim::Sgd;

    #[test]
    fn growth_tells_how_far_above_its_limit_an_optimiser_is() {
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true), (0.5, true)] {
            let rule = Rule::Sgd(Sgd { momentum, nesterov });
            let limit = rule.stability().unwrap().limit(1.0);
            for ratio in [1.1, 1.5, 3.0] {
                // A quadratic of curvature 1.
                let (eta, mut w, mut v) = (ratio * limit, 1.0f64, 0.0);
                let mut at = |steps: u32| {
                    for _ in 0..steps {
                        v = momentum * v + w;
                        w -= eta * if nesterov { w + momentum * v } else { v };
                    }
                    w * w
                };
                let (before, after) = (at(100), at(20));
                let found = over_limit(rule, after / before, 20).unwrap();
                assert!((found / ratio - 1.0).abs() < 1e-3, "{momentum} {nesterov}: {found} for {ratio}");
            }
            assert_eq!(over_limit(rule, 0.9, 3), None);
        }
        assert_eq!(
            lower(Some(0.3), Some(3.0)),
            "lower the rate to about 0.10: it is 3.0 times the limit of stability"
        );
    }

    #[test]
    fn noise_is_that_of_the_start_and_not_of_what_comes_later() {
        let mut noise = Noise::default();
        assert_eq!(noise.share(), None);
        // Alternating by 1 % about 2, for which a second difference is four times the amplitude; then by half about 0.01.
        for step in 0..400 {
            let sign = if step % 2 == 0 { 1.0 } else { -1.0 };
            noise.push(if step < 100 { 2.0 + 0.02 * sign } else { 0.01 + 0.005 * sign });
        }
        let expected = 0.08 / 0.3186 / 6f64.sqrt() / 2.0;
        // A segment's level is 2, or one of the two values.
        assert!((noise.share().unwrap() / expected - 1.0).abs() <= 0.0102);
        assert!(least_rise(0.0, 500) == 1.001 && least_rise(0.01, 500) > 1.05);
    }
}
