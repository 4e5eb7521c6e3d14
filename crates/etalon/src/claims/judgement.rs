//! What was measured, and what follows from it.

use super::measured::{Answer, Measured};
use super::size::Size;
use crate::spec::{Spec, SpecError};
use crate::sweep::Grid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every condition is met.
    #[serde(rename = "holds")]
    Holds,
    /// A condition is not met.
    #[serde(rename = "refuted")]
    Refuted,
    /// An interval lies on both sides of a bound: more seeds or images would decide.
    #[serde(rename = "underpowered")]
    Underpowered,
    /// Something that a condition is about was not measured.
    #[serde(rename = "not decided")]
    NotDecided,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 4] =
        [Verdict::Holds, Verdict::Refuted, Verdict::Underpowered, Verdict::NotDecided];

    /// How many of some judgements have each, in words: `3 hold, 1 is refuted, ...`.
    pub fn counts(judgements: &[Judgement]) -> String {
        let part = |verdict: Verdict| {
            let count = judgements.iter().filter(|judgement| judgement.verdict == verdict).count();
            match (verdict, count) {
                (Verdict::Holds, 1) => "1 holds".into(),
                (Verdict::Holds, _) => format!("{count} hold"),
                (_, 1) => format!("1 is {verdict}"),
                _ => format!("{count} are {verdict}"),
            }
        };
        Verdict::ALL.map(part).join(", ")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::Refuted => "refuted",
            Verdict::Underpowered => "underpowered",
            Verdict::NotDecided => "not decided",
        })
    }
}

/// What a number must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The name of the number.
    pub quantity: String,
    /// The least value that meets it; none where there is no lower bound.
    pub at_least: Option<f64>,
    /// The largest value that meets it; none where there is no upper bound.
    pub at_most: Option<f64>,
    /// Where the paper or a theorem sets these bounds; none where they are ours.
    pub source: Option<String>,
}

/// What decides whether a claim holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule as a sentence for people.
    pub words: String,
    /// Every one of these must be met.
    pub conditions: Vec<Condition>,
}

/// A claim, what was measured, and the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The claim's name, such as A-1: the letter is the paper's.
    pub id: String,
    /// The paper's number, such as 2003.02218.
    pub paper: String,
    /// The section, equation or figure that says it.
    pub place: String,
    /// What the paper says there, in one sentence.
    pub statement: String,
    /// How sure it is that it does.
    pub certainty: String,
    /// How large the setting was.
    pub size: Size,
    /// What was run, in words.
    pub setting: String,
    /// The spec that was run, where it was a network.
    pub spec: Option<String>,
    /// The first seed; further runs take those that follow.
    pub seed: u64,
    /// The command that makes this.
    pub command: String,
    /// The program that did: its version and commit.
    pub program: String,
    /// Every number of the rule, and others beside them.
    pub measured: Vec<Measured>,
    /// What the numbers are held against.
    pub rule: Rule,
    /// What the rule says of the numbers.
    pub verdict: Verdict,
    /// Which condition is not met or cannot be told; none where the claim holds.
    pub reason: Option<String>,
    /// How long it took, by the clock on the wall. What it shares with other claims counts, though it is measured once.
    pub seconds: f64,
    /// Seconds of computing, of all threads together; none where that is not known.
    pub cpu_seconds: Option<f64>,
}

impl Condition {
    /// Whether a number meets it. NaN meets nothing.
    pub fn holds(&self, value: f64) -> bool {
        !self.fails_between(value, value)
    }

    /// Whether no number from one to another meets it.
    pub(super) fn fails_between(&self, low: f64, high: f64) -> bool {
        !(self.at_least.is_none_or(|limit| high >= limit) && self.at_most.is_none_or(|limit| low <= limit))
    }

    /// The bound that a number does not keep.
    pub(super) fn violated(&self, value: f64) -> Option<f64> {
        let below = self.at_least.filter(|limit| value < *limit);
        below.or_else(|| self.at_most.filter(|limit| value > *limit))
    }

    /// What the number must be, in words, and who says so.
    pub fn told(&self) -> String {
        format!("{} ({})", self.bounds(), self.source.as_deref().unwrap_or("ours"))
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

/// The verdict of conditions on what was measured, and the reason where it is not that they hold. A condition that is not
/// met decides; after that one that cannot be told, and then one of which an interval lies on both sides.
pub fn verdict(conditions: &[Condition], measured: &[Measured]) -> (Verdict, Option<String>) {
    let (mut open, mut weak) = (None, None);
    for condition in conditions {
        let found = measured.iter().find(|measured| measured.name == condition.quantity);
        let Some((found, answer)) = found.and_then(|found| Some((found, found.answer(condition)?))) else {
            let what = found.map_or(&condition.quantity, |found| &found.what);
            open.get_or_insert_with(|| format!("{what}: there is no number for it"));
            continue;
        };
        let told = || format!("{}: {}, not {}", found.what, found.text(), condition.bounds());
        match answer {
            Answer::Meets => {}
            Answer::Fails => return (Verdict::Refuted, Some(told())),
            Answer::Open => {
                let power = found.power(condition).unwrap_or_default();
                weak.get_or_insert_with(|| format!("{}: {}; {power}", found.what, found.text()));
            }
        }
    }
    match (open, weak) {
        (Some(open), _) => (Verdict::NotDecided, Some(open)),
        (None, Some(weak)) => (Verdict::Underpowered, Some(weak)),
        (None, None) => (Verdict::Holds, None),
    }
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
    use super::super::measured::{Interval, Sample};
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
            interval: None,
        }
    }

    fn condition(quantity: &str, at_least: Option<f64>, at_most: Option<f64>) -> Condition {
        Condition { quantity: quantity.into(), at_least, at_most, source: None }
    }

    #[test]
    fn a_verdict_follows_from_the_numbers() {
        let rule = [condition("peak", Some(2.0), None), condition("end", Some(0.0), Some(1.0))];
        let judge = |peak, end| verdict(&rule, &[measured("peak", peak), measured("end", end)]);
        assert_eq!(judge(Some(2.0), Some(1.0)), (Verdict::Holds, None));
        assert_eq!(
            judge(Some(1.9), Some(1.0)),
            (Verdict::Refuted, Some("the peak: 1.900, not at least 2".into()))
        );
        assert_eq!(
            judge(Some(3.0), Some(1.5)),
            (Verdict::Refuted, Some("the end: 1.500, not from 0 to 1".into()))
        );
        assert_eq!(judge(Some(3.0), Some(f64::NAN)).0, Verdict::Refuted);
        assert_eq!(
            judge(None, Some(1.0)),
            (Verdict::NotDecided, Some("the peak: there is no number for it".into()))
        );
        // What is not met decides, even if something else was not measured.
        assert_eq!(judge(None, Some(2.0)).0, Verdict::Refuted);
        assert_eq!(verdict(&rule, &[]).0, Verdict::NotDecided);
    }

    #[test]
    fn an_estimate_decides_by_its_interval() {
        let rule = [condition("gap", Some(0.01), None)];
        let judge = |value: f64, reach: Option<f64>| {
            let [low, high] = [-1.0, 1.0].map(|sign| reach.map(|reach| value + sign * reach));
            let samples =
                vec![Sample { of: "seeds".into(), count: 4 }, Sample { of: "images".into(), count: 100 }];
            let interval = Some(Interval { low, high, samples });
            verdict(&rule, &[Measured { interval, ..measured("gap", Some(value)) }])
        };
        assert_eq!(judge(0.05, Some(0.03)), (Verdict::Holds, None));
        assert_eq!(judge(-0.05, Some(0.03)).0, Verdict::Refuted);
        let (found, reason) = judge(0.03, Some(0.04));
        assert_eq!(found, Verdict::Underpowered);
        // Twice the distance to the bound: t(n - 1) / sqrt(n) = t(3) / sqrt(4) / 2 = 0.796 at 9 (0.769), not at 8 (0.836).
        let reason = reason.unwrap();
        assert!(reason.ends_with("; about 9 seeds with 225 images decide"), "{reason}");
        let (found, reason) = judge(0.03, None);
        assert_eq!(found, Verdict::Underpowered);
        assert!(reason.unwrap().ends_with("; too few to tell how many would decide"));
        // Between two bounds the nearer one needs the more.
        let both = [condition("gap", Some(0.0), Some(1.0))];
        let interval = |low, high| Interval { low: Some(low), high: Some(high), samples: vec![] };
        let wide = Measured { interval: Some(interval(-0.5, 1.5)), ..measured("gap", Some(0.5)) };
        assert_eq!(verdict(&both, &[wide]).0, Verdict::Underpowered);
    }

    #[test]
    fn verdicts_are_counted_in_words() {
        assert_eq!(Verdict::counts(&[]), "0 hold, 0 are refuted, 0 are underpowered, 0 are not decided");
    }
}
