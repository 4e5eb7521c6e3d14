//! What a paper says, and what would show it: a file of `claims/`.

use crate::functions::Function;
use crate::paper::{Paper, papers};
use crate::template::{fill, merged, names};
use etalon::claims::{Condition, Rule, Size};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashSet;
use std::fmt;
use toml::{Table, Value};

/// A claim of a paper.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name, such as `A-4`: the letter of the paper, and a number or the `T` of a threshold with one.
    pub id: String,
    /// The paper; its letter in the file.
    #[serde(deserialize_with = "paper")]
    pub paper: &'static Paper,
    /// Where in the paper it stands.
    pub place: String,
    /// What the paper says, in a sentence.
    pub statement: String,
    /// How sure it is that the paper says it.
    pub certainty: Certainty,
    /// What is measured. The rule is that each lies within its bounds.
    pub quantities: Vec<Quantity>,
    /// The function that measures them; its name in the file.
    #[serde(rename = "measure")]
    pub(crate) function: &'static Function,
    /// What is run, in words, with names of values in it.
    setting: String,
    /// The spec, or the grid of specs, where a network is trained, with names of values in it.
    spec: Option<String>,
    /// Values that both texts name, where they are the same at every size.
    #[serde(default)]
    text: Table,
    /// What the function is given, where it is the same at every size.
    #[serde(default)]
    parameters: Table,
    /// What must be alike in two settings of different size for their results to be.
    #[serde(default)]
    scales: Vec<Scale>,
    sizes: Sizes,
}

/// How sure it is that the paper says this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It was read there.
    Found,
    /// It follows from what was read there, and the derivation was checked numerically.
    Derived,
    /// It is remembered, and was not read again.
    Recalled,
}

/// Something that is measured, and what it must be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Its name, which the measuring function knows.
    pub name: String,
    /// What it is, in words.
    pub what: String,
    /// Its unit; empty for a plain number.
    #[serde(default)]
    pub unit: String,
    /// The least that the claim allows; without a bound it is told and decides nothing.
    pub at_least: Option<f64>,
    /// The most that it allows.
    pub at_most: Option<f64>,
    /// What in the paper, or which theorem, sets these bounds; without it they are ours.
    pub source: Option<String>,
}

/// A dimensionless number of a setting.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The number's name, such as `t lambda0`.
    pub what: String,
    /// What it is in the paper, with where that follows from.
    pub paper: String,
    /// What it is here, at the size in question.
    pub here: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    quick: AtSize,
    standard: AtSize,
    paper: AtSize,
}

/// What is particular to a size.
#[derive(Debug, Deserialize)]
struct AtSize {
    seconds: f64,
    #[serde(default)]
    text: Table,
    /// All other keys.
    #[serde(flatten)]
    parameters: Table,
}

/// What is run at a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// What is run, in words.
    pub words: String,
    /// The spec, or the grid of specs, where a network is trained.
    pub spec: Option<String>,
    /// Its dimensionless numbers beside the paper's, where those are known.
    pub scales: Vec<Scale>,
    /// About how long it takes on two cores, in seconds.
    pub seconds: f64,
}

/// Why a text is no claim.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimFileError {
    /// It is not TOML, or a key is missing or unknown.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// The parts do not fit together.
    #[error("{id}: {reason}")]
    Inconsistent {
        /// The claim.
        id: String,
        /// What does not.
        reason: String,
    },
}

impl Claim {
    /// Reads a claim's file.
    ///
    /// # Errors
    /// When it is not TOML; when a key is missing or unknown, one of the function's parameters as well; when a text names
    /// what has no value, or a value is named by no text.
    pub(crate) fn parse(text: &str) -> Result<Claim, ClaimFileError> {
        let claim: Claim = toml::from_str(text)?;
        let fault = |reason| ClaimFileError::Inconsistent { id: claim.id.clone(), reason };
        for size in Size::ALL {
            claim.check(size).map_err(|reason| fault(format!("size {}: {reason}", size.name())))?;
        }
        let mut known = HashSet::new();
        match claim.quantities.iter().find(|quantity| !known.insert(&quantity.name)) {
            Some(twice) => Err(fault(format!("there are two quantities `{}`", twice.name))),
            None => Ok(claim),
        }
    }

    fn check(&self, size: Size) -> Result<(), String> {
        let values = self.values(size, 0);
        let here = self.scales.iter().map(|scale| &scale.here[..]);
        let texts = [&self.setting[..], self.spec.as_deref().unwrap_or_default()].into_iter().chain(here);
        let named: HashSet<&str> = texts.flat_map(names).collect();
        if let Some(name) = named.iter().find(|name| !values.contains_key(**name)) {
            return Err(format!("`${name}` has no value"));
        }
        let is_used = |name: &str| named.contains(name) || (name == "seeds" && named.contains("seed_list"));
        let text = merged(&self.at(size).text, &self.text);
        if let Some(name) = text.keys().find(|name| !is_used(name)) {
            return Err(format!("`{name}` of `text` is named by neither `setting` nor `spec` nor `scales`"));
        }
        let parameters = self.parameters(size);
        if let Some(name) = text.keys().find(|name| parameters.contains_key(*name)) {
            return Err(format!("`{name}` is a value of `text` and a parameter"));
        }
        (self.function.check)(&parameters).map_err(|error| {
            let Function { name, .. } = self.function;
            format!("the parameters of `{name}`: {}", error.message())
        })
    }

    fn at(&self, size: Size) -> &AtSize {
        match size {
            Size::Quick => &self.sizes.quick,
            Size::Standard => &self.sizes.standard,
            Size::Paper => &self.sizes.paper,
        }
    }

    /// What the measuring function is given at a size.
    pub(crate) fn parameters(&self, size: Size) -> Table {
        merged(&self.at(size).parameters, &self.parameters)
    }

    /// All that a text can name at a size, from a seed on: also `seed`, and `seed_list`, the list of as many as `seeds` says.
    fn values(&self, size: Size, seed: u64) -> Table {
        let text = merged(&self.at(size).text, &self.text);
        let mut values = merged(&text, &self.parameters(size));
        let count = values.get("seeds").and_then(Value::as_integer).unwrap_or(1);
        // Beyond the integers of TOML a seed can still be written down, and the spec says that it is too large.
        values.insert("seed".into(), Value::String(seed.to_string()));
        let list = format!("{:?}", seeds(seed, count.unsigned_abs()));
        values.insert("seed_list".into(), Value::String(list));
        values
    }

    /// A text with the values of a size in it, and others in the place of some.
    pub(crate) fn filled(&self, text: &str, (size, seed): (Size, u64), others: &[(&str, Value)]) -> String {
        let values = self.values(size, seed);
        let other = |name: &str| others.iter().find(|(other, _)| *other == name).map(|(_, value)| value);
        fill(text, |name| other(name).or_else(|| values.get(name)))
    }

    /// Its spec at a size, with other values in the place of some; none where no network is trained.
    pub(crate) fn spec(&self, at: (Size, u64), others: &[(&str, Value)]) -> Option<String> {
        Some(self.filled(self.spec.as_ref()?, at, others))
    }

    /// What is run at a size, from a seed on.
    pub fn setting(&self, size: Size, seed: u64) -> Setting {
        let words = self.filled(&self.setting, (size, seed), &[]);
        let scale =
            |scale: &Scale| Scale { here: self.filled(&scale.here, (size, seed), &[]), ..scale.clone() };
        Setting {
            words,
            spec: self.spec((size, seed), &[]),
            scales: self.scales.iter().map(scale).collect(),
            seconds: self.at(size).seconds,
        }
    }

    /// What decides: that each quantity with a bound lies within it.
    pub fn rule(&self) -> Rule {
        let condition = |quantity: &Quantity| Some((quantity.what.clone(), quantity.condition()?));
        let pairs: Vec<(String, Condition)> = self.quantities.iter().filter_map(condition).collect();
        let words = pairs.iter().map(|(what, condition)| format!("{what}: {}", condition.told()));
        Rule {
            words: words.collect::<Vec<_>>().join("; "),
            conditions: pairs.into_iter().map(|(_, condition)| condition).collect(),
        }
    }
}

impl Quantity {
    /// What it must be; none where it has no bounds.
    fn condition(&self) -> Option<Condition> {
        let Quantity { name, at_least, at_most, source, .. } = self;
        (at_least.is_some() || at_most.is_some()).then(|| Condition {
            quantity: name.clone(),
            at_least: *at_least,
            at_most: *at_most,
            source: source.clone(),
        })
    }
}

/// So many seeds, from one on.
pub(crate) fn seeds(first: u64, count: u64) -> Vec<u64> {
    (0..count).map(|index| first.wrapping_add(index)).collect()
}

fn paper<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Paper, D::Error> {
    let letter = String::deserialize(deserializer)?;
    let unknown = || serde::de::Error::custom(format!("papers.toml has no paper `{letter}`"));
    papers().iter().find(|paper| paper.letter == letter).ok_or_else(unknown)
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Certainty::Found => "found in the text",
            Certainty::Derived => "verified by derivation",
            Certainty::Recalled => "from memory",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        id = "D-9"
        paper = "D"
        place = "section 9"
        statement = "Toys never converge."
        certainty = "recalled"
        measure = "toys"
        setting = "$steps steps of $what"
        quantities = [{ name = "alone", what = "the loss", at_most = 1e-9 }, { name = "same", what = "the ratio" }]
        text.what = "a toy"
        sizes.quick = { seconds = 1, steps = 100 }
        sizes.standard = { seconds = 2, steps = 1000 }
        sizes.paper = { seconds = 3, steps = 10000, text.what = "the same" }
    "#;

    #[test]
    fn a_file_is_a_claim_whose_sizes_differ_where_they_say_so() {
        let claim = Claim::parse(GOOD).unwrap();
        let words = Size::ALL.map(|size| claim.setting(size, 0).words);
        assert_eq!(words, ["100 steps of a toy", "1000 steps of a toy", "10000 steps of the same"]);
        assert_eq!(claim.parameters(Size::Quick), "steps = 100".parse().unwrap());
        assert_eq!(claim.setting(Size::Paper, 0).seconds, 3.0);
        let rule = claim.rule();
        assert_eq!((&rule.words[..], rule.conditions.len()), ("the loss: at most 1e-9 (ours)", 1));
        assert_eq!(claim.paper.authors, "Li and Arora 2020");
    }

    #[test]
    fn seeds_are_those_of_the_run() {
        let text = GOOD.replace("steps of $what", "$steps from $seed, $seed_list of $seeds, $what");
        let claim = Claim::parse(&text.replacen("text.what", "text.seeds = 3\ntext.what", 1)).unwrap();
        assert_eq!(claim.setting(Size::Quick, 7).words, "100 100 from 7, [7, 8, 9] of 3, a toy");
        let last = claim.setting(Size::Quick, u64::MAX).words;
        assert!(last.ends_with(&format!("[{}, 0, 1] of 3, a toy", u64::MAX)), "{last}");
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        for (part, other, fault) in [
            ("\"recalled\"", "\"guessed\"", "unknown variant `guessed`"),
            ("paper = \"D\"", "paper = \"X\"", "papers.toml has no paper `X`"),
            ("\"toys\"", "\"toy\"", "no function measures `toy`; there are map-out-and-back"),
            ("place = ", "source = ", "unknown field `source`"),
            ("what = \"the loss\", at_most", "what = \"the loss\", most", "unknown field `most`"),
            ("\"same\"", "\"alone\"", "D-9: there are two quantities `alone`"),
            ("seconds = 2, steps", "seconds = 2, step", "D-9: size standard: `$steps` has no value"),
            (
                "of $what",
                "of toys",
                "D-9: size quick: `what` of `text` is named by neither `setting` nor `spec` nor `scales`",
            ),
            (
                "text.what",
                "scales = [{ what = \"time\", paper = \"1\", here = \"$none\" }]\n        text.what",
                "`$none` has no value",
            ),
            (
                "seconds = 2,",
                "seconds = 2, width = 3,",
                "D-9: size standard: the parameters of `toys`: unknown field `width`",
            ),
            ("steps = 10000,", "steps = -1,", "D-9: size paper: the parameters of `toys`: invalid value"),
            (
                "text.what = \"a toy\"",
                "text = { what = 1, steps = 2 }",
                "`steps` is a value of `text` and a parameter",
            ),
            ("steps = 100 }", "}", "size quick: `$steps` has no value"),
        ] {
            assert!(GOOD.contains(part), "{part}");
            let error = Claim::parse(&GOOD.replacen(part, other, 1)).unwrap_err().to_string();
            assert!(error.contains(fault), "{other}: {error}");
        }
    }
}
