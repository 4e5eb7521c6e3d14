//! What was measured, and what follows from it.

use super::size::Size;
use crate::spec::{Spec, SpecError};
use crate::sweep::Grid;
use crate::units::significant;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every condition is met.
    #[serde(rename = "holds")]
    Holds,
    /// A condition is not met.
    #[serde(rename = "does not hold")]
    DoesNotHold,
    /// Something that a condition is about was not measured.
    #[serde(rename = "not decided")]
    NotDecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::DoesNotHold => "does not hold",
            Verdict::NotDecided => "not decided",
        })
    }
}

/// A number that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Its unit; empty for a plain number.
    pub unit: String,
    /// The number; none where there was none.
    pub value: Option<f64>,
    /// The lowest of those it was taken from, or the lower end of its interval.
    pub low: Option<f64>,
    /// The highest.
    pub high: Option<f64>,
    /// How many there were.
    pub count: usize,
}

/// What a number must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The name of the number.
    pub quantity: String,
    /// The least.
    pub at_least: Option<f64>,
    /// The most.
    pub at_most: Option<f64>,
}

/// What decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// In words.
    pub words: String,
    /// Every one of these must be met.
    pub conditions: Vec<Condition>,
}

/// A claim, what was measured, and the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The claim's name.
    pub id: String,
    /// The paper.
    pub paper: String,
    /// Where in it.
    pub place: String,
    /// What it says.
    pub statement: String,
    /// How sure it is that it does.
    pub certainty: String,
    /// How large the setting was.
    pub size: Size,
    /// What was run, in words.
    pub setting: String,
    /// The spec that was run, where it was a network.
    pub spec: Option<String>,
    /// The first seed.
    pub seed: u64,
    /// The command that makes this.
    pub command: String,
    /// What was measured.
    pub measured: Vec<Measured>,
    /// What decides.
    pub rule: Rule,
    /// What follows.
    pub verdict: Verdict,
    /// Which condition is not met or cannot be told; none where the claim holds.
    pub reason: Option<String>,
    /// How long it took. What it shares with other claims counts, though it is measured once.
    pub seconds: f64,
}

impl Measured {
    /// The number with its spread: `1.98 (1.52 to 2.01, of 6)`.
    pub fn text(&self) -> String {
        let number = |value: f64| significant(value, 4);
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        let Some(value) = self.value else { return "-".into() };
        let spread = match (self.low, self.high) {
            (Some(low), Some(high)) => format!(" ({} to {}, of {})", number(low), number(high), self.count),
            _ if self.count > 1 => format!(" (of {})", self.count),
            _ => String::new(),
        };
        format!("{}{unit}{spread}", number(value))
    }
}

impl Condition {
    /// Whether a number meets it. NaN meets nothing.
    pub fn holds(&self, value: f64) -> bool {
        self.at_least.is_none_or(|limit| value >= limit) && self.at_most.is_none_or(|limit| value <= limit)
    }

    /// What the number must be, in words.
    pub fn bounds(&self) -> String {
        let number = |value: f64| {
            if value.abs() < 1e-3 && value != 0.0 { format!("{value:e}") } else { value.to_string() }
        };
        match (self.at_least, self.at_most) {
            (Some(low), Some(high)) if low == high => format!("exactly {}", number(low)),
            (Some(low), Some(high)) => format!("from {} to {}", number(low), number(high)),
            (Some(low), None) => format!("at least {}", number(low)),
            (None, Some(high)) => format!("at most {}", number(high)),
            (None, None) => "anything".into(),
        }
    }
}

/// The verdict of conditions on what was measured, and the reason where it is not that they hold: a condition that is not
/// met decides, one that cannot be told leaves it open.
pub fn verdict(conditions: &[Condition], measured: &[Measured]) -> (Verdict, Option<String>) {
    let mut open = None;
    for condition in conditions {
        let found = measured.iter().find(|measured| measured.name == condition.quantity);
        match found.and_then(|found| Some((found, found.value?))) {
            None => {
                let what = found.map_or(&condition.quantity, |found| &found.what);
                open.get_or_insert_with(|| format!("{what}: there is no number for it"));
            }
            Some((found, value)) if !condition.holds(value) => {
                let text = format!("{}: {}, not {}", found.what, significant(value, 4), condition.bounds());
                return (Verdict::DoesNotHold, Some(text));
            }
            Some(_) => {}
        }
    }
    if open.is_some() { (Verdict::NotDecided, open) } else { (Verdict::Holds, None) }
}

impl Judgement {
    /// The spec or grid with every key spelled out, where there is one.
    ///
    /// # Errors
    /// When it is none that this version reads.
    pub fn resolved_spec(&self) -> Result<Option<String>, SpecError> {
        let resolved = |text: &str| {
            if text.contains("[grid]") {
                Grid::parse(text)?.to_toml()
            } else {
                Ok(Spec::parse(text)?.to_toml())
            }
        };
        self.spec.as_deref().map(resolved).transpose()
    }

    /// The condition on a number, if there is one.
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.rule.conditions.iter().find(|condition| condition.quantity == name)
    }
}

/// Where a claim stands among others by its name: paper by paper, claims by their numbers, thresholds (`A-T1`) last. A name
/// of another form stands behind them all.
pub fn id_order(id: &str) -> impl Ord + use<> {
    let place = || {
        let (paper, rest) = id.split_once('-')?;
        let number = rest.strip_prefix('T').unwrap_or(rest);
        Some((paper.to_string(), rest.starts_with('T'), number.parse::<u32>().ok()?))
    };
    let place = place();
    (place.is_none(), place, id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_stand_by_their_numbers() {
        let mut ids = ["notes", "B-1", "A-T1", "A-10", "A-2", "A-x"];
        ids.sort_by_key(|id| id_order(id));
        assert_eq!(ids, ["A-2", "A-10", "A-T1", "B-1", "A-x", "notes"]);
    }

    fn measured(name: &str, value: Option<f64>) -> Measured {
        Measured {
            name: name.into(),
            what: format!("the {name}"),
            unit: String::new(),
            value,
            low: None,
            high: None,
            count: 1,
        }
    }

    fn condition(quantity: &str, at_least: Option<f64>, at_most: Option<f64>) -> Condition {
        Condition { quantity: quantity.into(), at_least, at_most }
    }

    #[test]
    fn a_verdict_follows_from_the_numbers() {
        let rule = [condition("peak", Some(2.0), None), condition("end", Some(0.0), Some(1.0))];
        let judge = |peak, end| verdict(&rule, &[measured("peak", peak), measured("end", end)]);
        assert_eq!(judge(Some(2.0), Some(1.0)), (Verdict::Holds, None));
        assert_eq!(
            judge(Some(1.9), Some(1.0)),
            (Verdict::DoesNotHold, Some("the peak: 1.900, not at least 2".into()))
        );
        assert_eq!(
            judge(Some(3.0), Some(1.5)),
            (Verdict::DoesNotHold, Some("the end: 1.500, not from 0 to 1".into()))
        );
        assert_eq!(judge(Some(3.0), Some(f64::NAN)).0, Verdict::DoesNotHold);
        assert_eq!(
            judge(None, Some(1.0)),
            (Verdict::NotDecided, Some("the peak: there is no number for it".into()))
        );
        // What is not met decides, even if something else was not measured.
        assert_eq!(judge(None, Some(2.0)).0, Verdict::DoesNotHold);
        assert_eq!(verdict(&rule, &[]).0, Verdict::NotDecided);
    }
}
