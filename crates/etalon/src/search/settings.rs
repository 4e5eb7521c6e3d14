//! What a user can choose about a search.

use super::SearchError;
use super::error::{check_range, check_rate};
use serde::{Deserialize, Serialize};

/// How to search for eta*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The bracket's ratio (high / low) is at most 1 + tolerance in the end. Seeds differ by about 10 %, and so do brackets unless it
    /// is given: narrower ones cost more and tell hardly more of the median.
    pub tolerance: f64,
    /// The bracket grows by this factor, upwards and downwards.
    pub factor: f64,
    /// Interior points asked at once while the bracket shrinks: 1 is bisection, more trades gradient steps
    /// for time when probes run side by side.
    pub sections: usize,
    /// The lowest and the highest rate that may be probed. Without it: 2^-10 to 2^12 times the start.
    pub range: Option<[f64; 2]>,
    /// Rates below the boundary that are probed to see whether it sits on a lucky island: 3/16, 1, 2, 4, ...
    /// octaves below, but none within the bracket. If one fails, the boundary moves below it.
    pub guard: usize,
    /// Rates above the boundary that are probed to learn of islands: 1/2, 1, 2, ... octaves above. They never
    /// raise eta*.
    pub guard_above: usize,
    /// A seed's search stops after this many probes, and says so. An ordinary one needs about a dozen.
    pub max_probes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tolerance: 0.1,
            factor: 2.0,
            sections: 1,
            range: None,
            guard: 2,
            guard_above: 2,
            max_probes: 100,
        }
    }
}

impl Settings {
    /// Refuses settings with which no search can end, each with its own [`SearchError`]. NaN never passes.
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if !(self.tolerance > 0.0 && self.tolerance <= 1.0) {
            return Err(SearchError::Tolerance(self.tolerance));
        }
        if !(self.factor > 1.0 && self.factor.is_finite()) {
            return Err(SearchError::Factor(self.factor));
        }
        if self.sections == 0 {
            return Err(SearchError::Sections);
        }
        if self.max_probes == 0 {
            return Err(SearchError::MaxProbes);
        }
        check_range(self.range)
    }

    /// The lowest and the highest rate to probe in a search from `start`.
    pub(super) fn bounds(&self, start: f64) -> Result<[f64; 2], SearchError> {
        check_rate("the start of a search", start)?;
        Ok(self.range.unwrap_or([(start / 1024.0).max(f64::MIN_POSITIVE), (start * 4096.0).min(f64::MAX)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_sense_are_refused() {
        let ok = Settings::default();
        assert_eq!(ok.validate(), Ok(()));
        for tolerance in [0.0, -0.1, 1.5, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                Settings { tolerance, ..ok.clone() }.validate(),
                Err(SearchError::Tolerance(_))
            ));
        }
        for factor in [1.0, 0.5, -2.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Settings { factor, ..ok.clone() }.validate(), Err(SearchError::Factor(_))));
        }
        let ranges = [[1.0, 1.0], [2.0, 1.0], [0.0, 1.0], [-1.0, 1.0], [f64::NAN, 1.0], [1.0, f64::NAN]];
        for range in ranges.into_iter().chain([[1.0, f64::INFINITY], [1e-310, 1.0]]) {
            let range = Some(range);
            assert!(matches!(Settings { range, ..ok.clone() }.validate(), Err(SearchError::Range(..))));
        }
        assert_eq!(Settings { sections: 0, ..ok.clone() }.validate(), Err(SearchError::Sections));
        assert_eq!(Settings { max_probes: 0, ..ok }.validate(), Err(SearchError::MaxProbes));
    }

    #[test]
    fn bounds_of_extreme_starts_stay_normal() {
        let bounds = |start| Settings::default().bounds(start);
        assert_eq!(bounds(1.0), Ok([1.0 / 1024.0, 4096.0]));
        assert_eq!(bounds(f64::MIN_POSITIVE).unwrap()[0], f64::MIN_POSITIVE);
        assert_eq!(bounds(f64::MAX).unwrap()[1], f64::MAX);
        for start in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-310] {
            assert!(matches!(bounds(start), Err(SearchError::Rate { .. })));
        }
    }
}
