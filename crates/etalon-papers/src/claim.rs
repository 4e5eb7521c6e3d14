//! What a paper says, and what would show it.

use super::bench::{Bench, ClaimError};
use etalon::claims::{Condition, Rule, Size};
use std::fmt;

/// A paper.
#[derive(Debug, PartialEq)]
pub struct Paper {
    /// The letter that its claims begin with.
    pub letter: char,
    /// Its title.
    pub title: &'static str,
    /// Its authors and year.
    pub authors: &'static str,
    /// Its number on arXiv.
    pub arxiv: &'static str,
}

/// How sure it is that the paper says this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It was read there.
    Found,
    /// It follows from what was read there, and the derivation was checked numerically.
    Derived,
    /// It is remembered, and was not read again.
    Recalled,
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

/// Something that is measured, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// Its name, in one word.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its unit; empty for a plain number.
    pub unit: &'static str,
    /// The least that the claim allows.
    pub at_least: Option<f64>,
    /// The most.
    pub at_most: Option<f64>,
}

impl Quantity {
    /// One that is told and decides nothing.
    pub const fn new(name: &'static str, what: &'static str) -> Self {
        Quantity { name, what, unit: "", at_least: None, at_most: None }
    }

    /// With a unit.
    pub const fn in_unit(self, unit: &'static str) -> Self {
        Quantity { unit, ..self }
    }

    /// With a lower bound.
    pub const fn at_least(self, limit: f64) -> Self {
        Quantity { at_least: Some(limit), ..self }
    }

    /// With an upper bound.
    pub const fn at_most(self, limit: f64) -> Self {
        Quantity { at_most: Some(limit), ..self }
    }

    /// With both.
    pub const fn between(self, low: f64, high: f64) -> Self {
        self.at_least(low).at_most(high)
    }

    /// What it must be; none where it has no bounds.
    fn condition(&self) -> Option<Condition> {
        let Quantity { name, at_least, at_most, .. } = *self;
        (at_least.is_some() || at_most.is_some()).then(|| Condition {
            quantity: name.into(),
            at_least,
            at_most,
        })
    }
}

/// What is run at a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// In words.
    pub words: String,
    /// The spec, or the grid of specs, where a network is trained.
    pub spec: Option<String>,
    /// About how long it takes on two cores, in seconds.
    pub seconds: f64,
}

impl Setting {
    /// Of a model that is solved.
    pub(super) fn model(seconds: f64, words: String) -> Self {
        Setting { words, spec: None, seconds }
    }

    /// Of a network that is trained.
    pub(super) fn network(seconds: f64, spec: String, words: String) -> Self {
        Setting { words, spec: Some(spec), seconds }
    }
}

/// A claim of a paper.
#[derive(Debug)]
pub struct Claim {
    /// Its name, such as `A-4`: the letter of the paper, and a number or the `T` of a threshold.
    pub id: &'static str,
    /// The paper.
    pub paper: &'static Paper,
    /// Where in it.
    pub place: &'static str,
    /// What the paper says.
    pub statement: &'static str,
    /// How sure it is that it does.
    pub certainty: Certainty,
    /// What is measured. The rule is that each lies within its bounds.
    pub quantities: &'static [Quantity],
    /// What is run at a size, from a seed on.
    pub setting: fn(Size, u64) -> Setting,
    pub(super) measure: fn(&mut Bench<'_>) -> Result<(), ClaimError>,
}

impl Claim {
    /// What decides: that each quantity with a bound lies within it.
    pub fn rule(&self) -> Rule {
        let pairs: Vec<(&Quantity, Condition)> =
            self.quantities.iter().filter_map(|quantity| Some((quantity, quantity.condition()?))).collect();
        let words: Vec<String> = pairs
            .iter()
            .map(|(quantity, condition)| format!("{}: {}", quantity.what, condition.bounds()))
            .collect();
        Rule {
            words: words.join("; "),
            conditions: pairs.into_iter().map(|(_, condition)| condition).collect(),
        }
    }
}
