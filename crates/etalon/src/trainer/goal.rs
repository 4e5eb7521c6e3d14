//! What counts as trained.

/// What a training is judged by, besides its loss being finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goal {
    /// The column of the log that the rate to use is chosen by; none leaves the choice out.
    pub metric: Option<String>,
    /// What it has to come to; none: with a metric a share of what the choice has seen, without one a training loss that ends
    /// lower than it began.
    pub bound: Option<Bound>,
}

/// What a metric has to come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// At most this: a loss.
    Below(f64),
    /// At least this: an accuracy.
    Above(f64),
}

impl Bound {
    /// Whether a value does. Not a number never does.
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Bound::Below(bound) => value <= bound,
            Bound::Above(bound) => value >= bound,
        }
    }

    /// The value.
    pub fn value(self) -> f64 {
        let (Bound::Below(bound) | Bound::Above(bound)) = self;
        bound
    }

    /// The same in words.
    pub(super) fn relation(self) -> &'static str {
        if self.is_higher_better() { "at least" } else { "at most" }
    }

    /// Whether more is better.
    pub fn is_higher_better(self) -> bool {
        matches!(self, Bound::Above(_))
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.relation(), self.value())
    }
}
