//! Which phase the losses so far speak of, in constant memory.

use super::Point;
use super::finding::{Finding, Rise, State};
use super::norms::Norms;
use super::ring::Ring;
use crate::phase::judge::{CLEAR, Evidence, FAR, Noise, TRAINED, least_rise, lower, over_limit, raise};
use crate::units::significant;
use etalon_nn::optim::{Optimizer, Rule};

/// What the log cannot tell of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// The optimiser, which has its own limit of stability for a curvature.
    pub optimizer: Rule,
}

/// Losses are compared as ratios; below this share of the first one they count as equal.
const FLOOR: f64 = 1e-12;
/// A loss above this many times the first is divergence, as in training: real catapults peak at about the width.
const LIMIT: f64 = 1e12;
/// Differences from which on the noise is known.
const KNOWN: usize = 16;
/// The noise taken until then.
const PRIOR_NOISE: f64 = 0.1;
/// Without noise, rises below 5 % are none; nor are those of less than a tenth of the first loss.
const LEAST: f64 = 0.05;
const LEAST_OF_FIRST: f64 = 0.1;
/// A level above this share of the first loss is high, where a rise has left it.
const HIGH: f64 = 0.25;
/// Rows without progress that make a log stuck, at least.
const PATIENCE: u64 = 50;
/// Rows that tell where training is.
const LATEST: usize = 16;
/// Rising still at this many times the first loss is divergence, though a few such losses have been seen to come back.
const LOST: f64 = 1e6;
/// Rate times curvature over the limit of stability, at the edge.
const EDGE: std::ops::RangeInclusive<f64> = 0.85..=1.3;
/// The correlation of successive changes of the loss: -1 alternates, -1/2 is noise alone.
const ALTERNATES: f64 = -0.85;

/// Takes a log point by point.
#[derive(Clone, Debug)]
pub struct Detector {
    settings: Settings,
    rows: u64,
    first: Option<Point>,
    last: Option<Point>,
    /// The first loss that was no number or past the limit.
    broken: Option<Point>,
    /// A loss at or below zero, of which no ratio can be taken.
    below_zero: bool,
    losses: Ring<5>,
    /// The noise at the start's level, which a rise above the start is weighed against.
    start_noise: Noise,
    peak: Option<Point>,
    /// Changes of the logarithm of the loss, and changes of those.
    changes: Ring<64>,
    bends: Ring<64>,
    /// The deviation of one loss's logarithm of late, from the bends of its curve: a steady fall or growth has none. None
    /// while there are too few.
    noise: Option<f64>,
    over_limit: Ring<8>,
    /// The first of them.
    start_over_limit: Option<f64>,
    /// Losses of late.
    recent: Ring<64>,
    /// The last row at which their median was not far above the start.
    near_row: u64,
    /// The last row at which the level was well below the start.
    low_row: u64,
    /// The present rise: from the lowest level so far to the highest loss since.
    rise: Option<Rise>,
    /// Rises that came back before the noise was known.
    early: Option<Rise>,
    greatest: Option<Rise>,
    rises: u64,
    norms: Norms,
    /// The best level, and the row at which it was last bettered by a hundredth.
    best: f64,
    best_row: u64,
}

impl Detector {
    /// Nothing seen yet.
    pub fn new(settings: Settings) -> Self {
        Detector {
            settings,
            rows: 0,
            first: None,
            last: None,
            broken: None,
            below_zero: false,
            losses: Ring::new(),
            start_noise: Noise::default(),
            peak: None,
            changes: Ring::new(),
            bends: Ring::new(),
            noise: None,
            over_limit: Ring::new(),
            start_over_limit: None,
            recent: Ring::new(),
            near_row: 0,
            low_row: 0,
            rise: None,
            early: None,
            greatest: None,
            rises: 0,
            norms: Norms::default(),
            best: f64::INFINITY,
            best_row: 0,
        }
    }

    /// Takes a curvature, and the rate at which it was measured.
    pub fn measured(&mut self, rate: f64, curvature: f64) {
        if let Ok(stability) = self.settings.optimizer.stability() {
            let ratio = rate / stability.limit(curvature);
            self.over_limit.push(ratio);
            self.start_over_limit.get_or_insert(ratio);
        }
    }

    /// Takes the next point.
    pub fn push(&mut self, point: Point) {
        self.rows += 1;
        let first = self.first.get_or_insert(point).loss;
        let before = self.last.replace(point);
        if let Some((rate, curvature)) = point.rate.zip(point.curvature) {
            self.measured(rate, curvature);
        }
        // Written so that NaN cannot pass.
        if !(point.loss.is_finite() && point.loss.abs() <= LIMIT * first.abs()) {
            self.broken.get_or_insert(point);
        }
        if self.broken.is_some() {
            return;
        }
        self.below_zero |= point.loss < 0.0 || first == 0.0;
        if self.below_zero {
            return;
        }
        self.norms.push(point);
        self.start_noise.push(point.loss);
        self.recent.push(point.loss);
        if self.recent.median_of(LATEST) <= FAR * first {
            self.near_row = self.rows;
        }
        if self.level() < TRAINED * first {
            self.low_row = self.rows;
        }
        if self.peak.is_none_or(|peak| peak.loss < point.loss) {
            self.peak = Some(point);
        }
        let floored = |loss: f64| loss.max(FLOOR * first);
        if let Some(before) = before {
            let change = (floored(point.loss) / floored(before.loss)).ln();
            if let Some(previous) = self.changes.last() {
                self.bends.push((change - previous).abs());
                // Now and then is enough of a long log. By the normal law the median of |x| is 0.6745 deviations,
                // and a second difference's deviation 6^(1/2) that of one.
                let due = self.rows < 512 || self.rows.is_multiple_of(16);
                if due && self.bends.len() >= KNOWN {
                    self.noise = Some(self.bends.median() / 0.6745 / 6f64.sqrt());
                }
            }
            self.changes.push(change);
        }
        self.losses.push(floored(point.loss));
        self.follow(point.step, floored(point.loss));
    }

    /// Follows the level of the loss and its rises.
    fn follow(&mut self, step: u64, loss: f64) {
        let level = self.losses.median();
        let row = self.rows;
        if level < 0.99 * self.best {
            (self.best, self.best_row) = (level, row);
        }
        let new = Rise {
            from_step: step,
            from: level,
            peak_step: step,
            peak: level,
            from_row: row,
            onset: self.norms.onset(),
            crest: level,
            crest_row: row,
        };
        let stands_out = 1.1 * (3.0 * self.noise.unwrap_or(0.0)).exp();
        let rise = self.rise.get_or_insert(new);
        if loss > rise.peak {
            (rise.peak, rise.peak_step) = (loss, step);
            self.norms.peak(&mut rise.onset);
        }
        if loss > stands_out * rise.crest {
            (rise.crest, rise.crest_row) = (loss, row);
        }
        let rise = *rise;
        let (height, noise) = (rise.height(), self.noise);
        let back = LEAST.max(2.0 * noise.unwrap_or(PRIOR_NOISE)).max(0.2 * height);
        let is_rise = self.is_rise(&rise);
        // A level follows a single loss late; a rise has come back when both have.
        let now = level.max(loss);
        let first = self.first.map_or(0.0, |first| first.loss);
        let came_back = is_rise
            && ((now / rise.from).ln() < back
                || now - rise.from < LEAST_OF_FIRST * first.min(rise.peak - rise.from));
        if came_back || (!is_rise && level <= rise.from) {
            if noise.is_some() && is_rise {
                self.close(rise);
            } else if noise.is_none() && self.early.is_none_or(|early| early.height() < height) {
                self.early = Some(rise);
            }
            self.rise = Some(new);
        }
        if noise.is_some()
            && let Some(early) = self.early.take().filter(|early| self.is_rise(early))
        {
            self.close(early);
        }
    }

    fn close(&mut self, rise: Rise) {
        self.rises += 1;
        self.norms.came_back(rise.onset);
        if self.greatest.is_none_or(|greatest| greatest.height() < rise.height()) {
            self.greatest = Some(rise);
        }
    }

    /// Whether a rise is one: more than noise of late, and not too small beside the first loss.
    fn is_rise(&self, rise: &Rise) -> bool {
        let noise = least_rise(self.noise.unwrap_or(PRIOR_NOISE), self.rows) - 1.0;
        let first = self.first.map_or(0.0, |first| first.loss);
        rise.height() > LEAST.max(noise) && rise.peak - rise.from > LEAST_OF_FIRST * first
    }

    /// The correlation of successive changes, where there are enough of them and they are more than rounding.
    fn alternation(&self) -> Option<f64> {
        let changes: Vec<f64> = self.changes.latest(64).collect();
        let square: f64 = changes.iter().map(|change| change * change).sum();
        let product: f64 = changes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let scale = (square / changes.len() as f64).sqrt();
        (changes.len() >= 32 && scale > 1e-3).then(|| product / square)
    }

    /// What the log shows so far.
    pub fn finding(&self) -> Finding {
        let (state, why) = self.judge();
        let finite = |loss: f64| loss.is_finite().then_some(loss);
        let first = self.first.and_then(|first| finite(first.loss));
        let peak = self.peak.zip(first);
        Finding {
            state,
            why,
            advice: self.advice(state),
            rows: self.rows,
            step: self.last.map(|last| last.step),
            loss: self.last.and_then(|last| finite(last.loss)),
            first_loss: first,
            noise: self.start_noise.share(),
            peak: peak.map(|(peak, first)| peak.loss / first),
            peak_step: peak.map(|(peak, _)| peak.step),
            rate: self.last.and_then(|last| last.rate),
            over_limit: self.over_limit(),
            greatest_rise: self.greatest,
            rises: self.rises,
            norm_driven: self.norms.driven,
        }
    }

    /// The last rate times curvature over the limit of stability.
    pub fn over_limit(&self) -> Option<f64> {
        self.over_limit.last()
    }

    /// Whether the training has diverged for good: one loss was no number or past the limit, which nothing that follows changes.
    pub fn is_lost(&self) -> bool {
        self.broken.is_some()
    }

    /// Where training is: a mean, as single batches may have losses of 0, over so many rows that one spike does not rule it,
    /// or over fewer, as the loss may have come down meanwhile.
    fn level(&self) -> f64 {
        self.mean(LATEST).min(self.mean(64))
    }

    /// Whether most of the latest losses are far above the start.
    fn is_far(&self) -> bool {
        self.rows > self.near_row
    }

    /// Whether it is long that the level was well below the start.
    fn is_long_high(&self) -> bool {
        self.rows - self.low_row > 2 * PATIENCE
    }

    /// The mean of the latest losses.
    fn mean(&self, count: usize) -> f64 {
        self.recent.latest(count).sum::<f64>() / count.min(self.recent.len()) as f64
    }

    /// Whether the loss no longer comes down.
    fn is_flat(&self) -> bool {
        (self.mean(LATEST) / self.mean(64)).ln().abs() < 0.1
    }

    /// What decides, of what a log has: its start is its yardstick.
    fn evidence(&self) -> Option<Evidence> {
        let (first, peak) = (self.first?.loss, self.peak?.loss);
        let least_rise = least_rise(self.start_noise.share().unwrap_or(PRIOR_NOISE), self.rows).min(CLEAR);
        Some(Evidence { first, peak, least_rise, start: first, end: self.level(), constant: first })
    }

    fn judge(&self) -> (State, String) {
        let number = |value: f64| significant(value, 3);
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return (State::Undecided, "no loss yet".into());
        };
        if let Some(broken) = self.broken {
            let loss = if broken.loss.is_finite() {
                format!("{}, above {} times the first", number(broken.loss), number(LIMIT))
            } else {
                "no finite number".into()
            };
            return (State::Diverging, format!("the loss is {loss} at step {}", broken.step));
        }
        if self.below_zero {
            let why = "the loss is not positive, so that no ratio can be taken; log one that is";
            return (State::Undecided, why.into());
        }
        if self.rows < 3 {
            return (State::Undecided, format!("{} of 3 losses so far", self.rows));
        }
        let far = self.rows - self.near_row;
        if far > (2 * PATIENCE).max(self.rows / 2) {
            let why = format!("the loss has been above {FAR} times the first for {far} rows");
            return (State::Diverging, why);
        }
        let rising = self.rise.filter(|rise| self.is_rise(rise)).and_then(|rise| self.judge_rise(rise, last));
        if let Some(found) =
            rising.filter(|(state, _)| !self.is_norm_driven() || *state != State::CatapultInProgress)
        {
            return found;
        }
        if self.is_norm_driven() {
            let why = format!(
                "{} of {} rises of the loss came when the norm of the weights had shrunk, down to {} of what it was, and \
                 lengthened them again",
                self.norms.driven,
                self.rises,
                number(self.norms.shortest)
            );
            return (State::NormDriven, why);
        }
        let level = self.level() / first.loss;
        let share = number(level);
        if let Some((evidence, peak)) = self.evidence().zip(self.peak).filter(|(evidence, _)| evidence.rose())
        {
            let rise = format!(
                "the loss rose {}-fold to {} at step {}",
                number(peak.loss / first.loss),
                number(peak.loss),
                peak.step
            );
            // A start far above a constant prediction, as under MSE, is no yardstick: what stays high is stuck too.
            let stays = evidence.is_stuck() || (level > HIGH && self.is_flat());
            return match stays && (self.idle() > PATIENCE || self.is_long_high()) {
                true if self.is_far() => {
                    (State::Diverging, format!("{rise}, and stays at {share} of the first"))
                }
                true => (State::Stuck, format!("{rise}, and stays at {share} of the first")),
                false => (State::Catapult, format!("{rise}, then came back, and is {share} of the first")),
            };
        }
        if self.over_limit.len() >= 5 && self.over_limit.latest(5).all(|ratio| EDGE.contains(&ratio)) {
            let ratio = number(self.over_limit.median());
            let why = format!("rate times curvature stays at {ratio} of the limit of stability");
            return (State::EdgeOfStability, why);
        }
        if let Some(correlation) = self.alternation().filter(|&correlation| correlation < ALTERNATES) {
            let why = format!(
                "the loss alternates from step to step (correlation of its changes {}), as it does where curvature is \
                 at the limit of stability; a column with the curvature would tell",
                number(correlation)
            );
            return (State::EdgeOfStability, why);
        }
        let spikes = match self.greatest {
            Some(rise) => format!(
                "; of {} rises that came back the largest reached {} of it at step {}",
                self.rises,
                number(rise.peak / first.loss),
                rise.peak_step
            ),
            None => String::new(),
        };
        let why = format!(
            "the loss is {share} of the first and never rose above it by more than its noise{spikes}"
        );
        (State::Lazy, why)
    }

    /// Whether the norm of the weights drives most rises, and more than one.
    fn is_norm_driven(&self) -> bool {
        self.norms.driven > 1 && 2 * self.norms.driven > self.rises
    }

    /// Rows since the level was last bettered by a hundredth.
    fn idle(&self) -> u64 {
        self.rows - self.best_row
    }

    /// A rise that has not come back; none where it is past, and left training no worse than at its start.
    fn judge_rise(&self, rise: Rise, last: Point) -> Option<(State, String)> {
        let number = |value: f64| significant(value, 3);
        let fold = number(rise.peak / rise.from);
        let since =
            format!("since step {}, to {} at step {}", rise.from_step, number(rise.peak), rise.peak_step);
        let after = self.rows - rise.crest_row;
        let first = self.first?.loss;
        if after == 0 && rise.peak > LOST * first {
            return Some((State::Diverging, format!("the loss rose {fold}-fold {since}, rising still")));
        }
        let long = after > (2 * PATIENCE).max(5 * (rise.crest_row - rise.from_row));
        if long || (after > PATIENCE && self.is_flat()) {
            let why = format!("the loss rose {fold}-fold {since}, and has not come back in {after} rows");
            return match self.is_far() {
                true => Some((State::Diverging, why)),
                false => self.evidence()?.is_stuck().then_some((State::Stuck, why)),
            };
        }
        // One that stays below the start is no catapult, but a spike; so may one be that has just begun, where others came back.
        let is_new = self.rises > 0 && self.rows - rise.from_row < LATEST as u64;
        if rise.peak <= first || is_new || (self.is_long_high() && self.evidence()?.is_stuck()) {
            return None;
        }
        let now = if after == 0 { "rising still".into() } else { format!("{} now", number(last.loss)) };
        Some((State::CatapultInProgress, format!("the loss rose {fold}-fold {since}, {now}")))
    }

    /// What to do in a state.
    fn advice(&self, state: State) -> Option<String> {
        let rate = self.first.and_then(|first| first.rate);
        // Above the limit by the curvature at the start, or else by how fast the loss grew from its start.
        let ratio = self.start_over_limit.or_else(|| {
            let (first, peak) = (self.first?, self.peak?);
            over_limit(self.settings.optimizer, peak.loss / first.loss, peak.step.saturating_sub(first.step))
        });
        if self.first.is_some_and(|first| !first.loss.is_finite()) {
            let advice = "the first loss is no number already: if that is before the first step, no rate is to blame, but the \
                          data, the loss or the initial weights";
            return Some(advice.into());
        }
        match state {
            State::Diverging | State::Stuck => {
                Some(lower(rate, ratio) + "; `etalon find` tells the largest that trains")
            }
            State::CatapultInProgress => {
                Some("do not stop it yet: a catapult's loss comes back, to a flatter minimum".into())
            }
            State::NormDriven => Some(
                "rate x weight decay is by how much the weights shrink in a step: lower either, or the rate over time; \
                 `etalon schedule show` tells by B what a schedule does to their effective rate"
                    .into(),
            ),
            State::Lazy => {
                let slow = self.idle().max(self.rows / 2) > PATIENCE
                    && self.evidence().is_some_and(|evidence| !evidence.trained());
                slow.then(|| {
                    raise(rate, self.over_limit.last()) + "; if that moves nothing, the network is dead"
                })
            }
            State::Undecided | State::Catapult | State::EdgeOfStability => None,
        }
    }
}

#[cfg(test)]
mod tests;
