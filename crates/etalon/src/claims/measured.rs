//! Numbers that were measured, and how surely.

use super::judgement::Condition;
use crate::interval::{LEVEL, student};
use crate::units::significant;
use serde::{Deserialize, Serialize};

/// A number that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The name by which conditions refer to it.
    pub name: String,
    /// What it is, in words for a table.
    pub what: String,
    /// Its unit; empty for a plain number.
    pub unit: String,
    /// The number; none where there was none.
    pub value: Option<f64>,
    /// The lowest of those it was taken from.
    pub low: Option<f64>,
    /// The highest.
    pub high: Option<f64>,
    /// How many there were.
    pub count: usize,
    /// Where what it estimates lies; none where the number is about all that was run, and no estimate.
    pub interval: Option<Interval>,
}

/// Where what a number estimates lies, at a level of 95 %, and what it was estimated from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end; none where there are too few samples for one.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// What it was estimated from: its width falls as the root of how many there are.
    pub samples: Vec<Sample>,
}

/// So many independent samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What they are, such as seeds.
    pub of: String,
    /// How many there are.
    pub count: usize,
}

/// What an interval says of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of it meets the condition.
    Meets,
    /// None of it does.
    Fails,
    /// A part of it does.
    Open,
}

impl Measured {
    /// What it says of a condition; none where there is no number.
    pub fn answer(&self, condition: &Condition) -> Option<Answer> {
        let value = self.value?;
        let [low, high] = self.ends(value);
        Some(match (condition.holds(low), condition.holds(high)) {
            (true, true) => Answer::Meets,
            _ if condition.fails_between(low, high) => Answer::Fails,
            _ => Answer::Open,
        })
    }

    /// The ends of its interval; the number itself where it is no estimate.
    fn ends(&self, value: f64) -> [f64; 2] {
        self.interval.as_ref().map_or([value; 2], |interval| {
            [interval.low.unwrap_or(f64::NEG_INFINITY), interval.high.unwrap_or(f64::INFINITY)]
        })
    }

    /// About how many samples, in words, would decide the condition if the number stayed as it is: enough for the interval to
    /// reach to the nearest bound. None for what is no estimate.
    pub fn power(&self, condition: &Condition) -> Option<String> {
        /// Who would take more would take another setting.
        const MOST: usize = 100_000;
        let (value, interval) = (self.value?, self.interval.as_ref()?);
        let first = interval.samples.first()?.count;
        let [low, high] = self.ends(value);
        // How far the interval reaches towards a bound, in units of how far that is.
        let towards =
            |bound: f64| (if bound < value { value - low } else { high - value }) / (value - bound).abs();
        let bounds = [condition.at_least, condition.at_most];
        let reach = match condition.violated(value) {
            Some(bound) => towards(bound),
            None => bounds.into_iter().flatten().map(towards).fold(0.0, f64::max),
        };
        if !reach.is_finite() || first < 2 {
            return Some("too few to tell how many would decide".into());
        }
        let width = |count: usize| student(LEVEL, count - 1) / (count as f64).sqrt();
        let is_enough = |count: &usize| width(*count) * reach <= width(first);
        let Some(enough) = (2..=MOST).find(is_enough) else {
            return Some(format!("more than {MOST} times as many would decide"));
        };
        let part = |sample: &Sample| {
            let count = (sample.count as f64 * enough as f64 / first as f64).ceil();
            format!("{count} {}", sample.of)
        };
        let parts: Vec<String> = interval.samples.iter().map(part).collect();
        Some(format!("about {} decide", parts.join(" with ")))
    }

    /// The number with its interval and its spread: `1.98 (95 %: 1.6 to 2.3; 1.52 to 2.01, of 6)`.
    pub fn text(&self) -> String {
        let number = |value: f64| significant(value, 4);
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        let Some(value) = self.value else { return "-".into() };
        let interval = self.interval.as_ref().map(|interval| {
            let samples: Vec<String> =
                interval.samples.iter().map(|Sample { of, count }| format!("{count} {of}")).collect();
            let from = samples.join(" with ");
            match (interval.low, interval.high) {
                (Some(low), Some(high)) => format!("95 %: {} to {}, {from}", number(low), number(high)),
                _ => format!("no interval, {from}"),
            }
        });
        let spread = match (self.low, self.high) {
            (Some(low), Some(high)) => {
                Some(format!("{} to {}, of {}", number(low), number(high), self.count))
            }
            _ if self.count > 1 && interval.is_none() => Some(format!("of {}", self.count)),
            _ => None,
        };
        let parts: Vec<String> = interval.into_iter().chain(spread).collect();
        let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) };
        format!("{}{unit}{parts}", number(value))
    }
}
