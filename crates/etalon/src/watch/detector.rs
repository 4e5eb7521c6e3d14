//! Which phase the losses so far speak of, in constant memory.

use super::Point;
use super::ring::Ring;
use crate::units::significant;
use etalon_nn::optim::{Optimizer, Rule};
use serde::Serialize;

/// What a log shows at its present end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Too little to say.
    Undecided,
    /// The loss falls and never rose by more than its noise.
    Lazy,
    /// The loss rose and has not come back yet.
    CatapultInProgress,
    /// The loss rose, came back, and training goes on.
    Catapult,
    /// Curvature hovers about the limit of stability, or the loss alternates as it does there.
    EdgeOfStability,
    /// The loss is no number, passed the limit, or grows faster and faster.
    Diverging,
    /// The loss stays where it is, near its start or where a rise has left it.
    Stuck,
}

/// What the log cannot tell of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// The optimiser, which has its own limit of stability for a curvature.
    pub optimizer: Rule,
}

/// A state with what it was judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The state.
    pub state: State,
    /// The reason in one sentence, with its numbers.
    pub why: String,
    /// Rows with a loss.
    pub rows: u64,
    /// The last step.
    pub step: Option<u64>,
    /// The last loss; none where it is no finite number.
    pub loss: Option<f64>,
    /// The first loss.
    pub first_loss: Option<f64>,
    /// The typical noise of one loss, as a share of it; none of too short a log.
    pub noise: Option<f64>,
    /// The last learning rate.
    pub rate: Option<f64>,
    /// The last rate times curvature over the limit of stability.
    pub over_limit: Option<f64>,
    /// The largest rise that came back.
    pub greatest_rise: Option<Rise>,
    /// How many rises came back.
    pub rises: u64,
}

/// A rise of the loss above the lowest level before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rise {
    /// The step of the level before.
    pub from_step: u64,
    /// That level, a median of five losses.
    pub from: f64,
    /// The step of the peak.
    pub peak_step: u64,
    /// The largest loss.
    pub peak: f64,
    #[serde(skip)]
    from_row: u64,
    /// The last loss that stood out above those before it, and its row: noise on a plateau makes no new crest.
    #[serde(skip)]
    crest: f64,
    #[serde(skip)]
    crest_row: u64,
}

impl Rise {
    fn height(&self) -> f64 {
        (self.peak / self.from).ln()
    }
}

/// Losses are compared as ratios; below this share of the first one they count as equal.
const FLOOR: f64 = 1e-12;
/// A loss above this many times the first is divergence, as in training: real catapults peak at about the width.
const LIMIT: f64 = 1e12;
/// Differences from which on the noise is known.
const KNOWN: usize = 16;
/// The noise taken until then.
const PRIOR_NOISE: f64 = 0.1;
/// Without noise, rises below 5 % are none.
const LEAST: f64 = 0.05;
/// Rows without progress that make a log stuck, at least.
const PATIENCE: u64 = 50;
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
    /// Changes of the logarithm of the loss, and changes of those.
    changes: Ring<64>,
    bends: Ring<256>,
    /// The deviation of one loss's logarithm, from the bends of its curve: a steady fall or growth has none. None
    /// while there are too few.
    noise: Option<f64>,
    over_limit: Ring<8>,
    /// The present rise: from the lowest level so far to the highest loss since.
    rise: Option<Rise>,
    /// Rises that came back before the noise was known.
    early: Option<Rise>,
    greatest: Option<Rise>,
    rises: u64,
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
            changes: Ring::new(),
            bends: Ring::new(),
            noise: None,
            over_limit: Ring::new(),
            rise: None,
            early: None,
            greatest: None,
            rises: 0,
            best: f64::INFINITY,
            best_row: 0,
        }
    }

    /// Takes a curvature, and the rate at which it was measured.
    pub fn measured(&mut self, rate: f64, curvature: f64) {
        let stability = self.settings.optimizer.stability();
        if let Ok(stability) = stability {
            self.over_limit.push(rate / stability.limit(curvature));
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
            crest: level,
            crest_row: row,
        };
        let stands_out = 1.1 * (3.0 * self.noise.unwrap_or(0.0)).exp();
        let rise = self.rise.get_or_insert(new);
        if loss > rise.peak {
            (rise.peak, rise.peak_step) = (loss, step);
        }
        if loss > stands_out * rise.crest {
            (rise.crest, rise.crest_row) = (loss, row);
        }
        let rise = *rise;
        let (height, noise) = (rise.height(), self.noise);
        let back = LEAST.max(2.0 * noise.unwrap_or(PRIOR_NOISE)).max(0.2 * height);
        let is_rise = height > self.least_rise();
        // A level follows a single loss late; a rise has come back when both have.
        let came_back = is_rise && (level.max(loss) / rise.from).ln() < back;
        if came_back || (!is_rise && level <= rise.from) {
            if noise.is_some() && is_rise {
                self.close(rise);
            } else if noise.is_none() && self.early.is_none_or(|early| early.height() < height) {
                self.early = Some(rise);
            }
            self.rise = Some(new);
        }
        if noise.is_some()
            && let Some(early) = self.early.take().filter(|early| early.height() > self.least_rise())
        {
            self.close(early);
        }
    }

    fn close(&mut self, rise: Rise) {
        self.rises += 1;
        if self.greatest.is_none_or(|greatest| greatest.height() < rise.height()) {
            self.greatest = Some(rise);
        }
    }

    /// The height from which on a rise is one.
    ///
    /// Of `n` losses the largest lies about `(2 ln n)^(1/2)` deviations above the mean, and the lowest level half as
    /// much below; the rest is for a deviation that is itself only an estimate.
    fn least_rise(&self) -> f64 {
        let spread = 2.0 + 2.0 * (2.0 * (self.rows as f64).ln()).sqrt();
        LEAST.max(spread * self.noise.unwrap_or(PRIOR_NOISE))
    }

    /// Whether the loss grows by a larger factor each time: a catapult's growth slows down before its peak.
    fn accelerates(&self) -> bool {
        let mut latest = self.changes.latest(3);
        let (Some(a), Some(b), Some(c)) = (latest.next(), latest.next(), latest.next()) else { return false };
        c > 0.0 && b > 1.3 * c && a > 1.3 * b && a > 2f64.ln()
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
        Finding {
            state,
            why,
            rows: self.rows,
            step: self.last.map(|last| last.step),
            loss: self.last.map(|last| last.loss).filter(|loss| loss.is_finite()),
            first_loss: self.first.map(|first| first.loss).filter(|loss| loss.is_finite()),
            noise: self.noise,
            rate: self.last.and_then(|last| last.rate),
            over_limit: self.over_limit.last(),
            greatest_rise: self.greatest,
            rises: self.rises,
        }
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
        if let Some(rise) = self.rise.filter(|rise| rise.height() > self.least_rise()) {
            return self.judge_rise(rise, last);
        }
        if self.over_limit.len() >= 5 && self.over_limit.latest(8).all(|ratio| EDGE.contains(&ratio)) {
            let ratio = number(self.over_limit.median());
            return (
                State::EdgeOfStability,
                format!("rate times curvature stays at {ratio} of the limit of stability"),
            );
        }
        if let Some(correlation) = self.alternation().filter(|&correlation| correlation < ALTERNATES) {
            let why = format!(
                "the loss alternates from step to step (correlation of its changes {}), as it does where curvature is \
                 at the limit of stability; a column with the curvature would tell",
                number(correlation)
            );
            return (State::EdgeOfStability, why);
        }
        let idle = self.rows - self.best_row;
        let level = self.losses.median();
        let share = number(level / first.loss);
        if idle > PATIENCE.max(self.rows / 2) && level > 0.5 * first.loss {
            return (
                State::Stuck,
                format!("no fall by a hundredth for {idle} rows, at {share} of the first loss"),
            );
        }
        match self.greatest {
            Some(rise) => (
                State::Catapult,
                format!(
                    "the loss rose {}-fold to {} at step {}, then came back, and is {share} of the first",
                    number(rise.peak / rise.from),
                    number(rise.peak),
                    rise.peak_step
                ),
            ),
            None => (
                State::Lazy,
                format!("the loss is {share} of the first and never rose by more than its noise"),
            ),
        }
    }

    /// A rise that has not come back.
    fn judge_rise(&self, rise: Rise, last: Point) -> (State, String) {
        let number = |value: f64| significant(value, 3);
        let fold = number(rise.peak / rise.from);
        let since =
            format!("since step {}, to {} at step {}", rise.from_step, number(rise.peak), rise.peak_step);
        let after = self.rows - rise.crest_row;
        if after == 0 && rise.height() > 1e3f64.ln() && self.accelerates() {
            return (State::Diverging, format!("the loss rose {fold}-fold {since}, faster and faster"));
        }
        if after > (2 * PATIENCE).max(5 * (rise.crest_row - rise.from_row)) {
            let why = format!("the loss rose {fold}-fold {since}, and has not come back in {after} rows");
            return (State::Stuck, why);
        }
        let now = if after == 0 { "rising still".into() } else { format!("{} now", number(last.loss)) };
        (State::CatapultInProgress, format!("the loss rose {fold}-fold {since}, {now}"))
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            State::Undecided => "undecided",
            State::Lazy => "lazy",
            State::CatapultInProgress => "catapult in progress",
            State::Catapult => "catapult",
            State::EdgeOfStability => "edge of stability",
            State::Diverging => "diverging",
            State::Stuck => "stuck",
        })
    }
}

#[cfg(test)]
mod tests;
