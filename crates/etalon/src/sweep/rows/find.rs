//! The row of a search.

use super::{Row, columns};
use crate::phase::Phase;
use crate::search::{EtaStarSummary, Found};
use crate::sweep::Grid;

columns! {
    /// What a search for the maximal initial learning rate came to.
    pub struct FindRow {
        /// Its median over seeds; none where it lies beyond the range.
        pub eta_star: Option<f64>,
        /// The lower end of the interval for the median.
        pub eta_star_low: Option<f64>,
        /// The upper end of that interval; none where it lies beyond the range.
        pub eta_star_high: Option<f64>,
        /// Seeds that were searched; 0 where eta* was not asked for.
        pub seeds: usize,
        /// How many of them trained up to the end of the range.
        pub censored: usize,
        /// How many trained at no rate.
        pub undefined: usize,
        /// The median over seeds of the largest eigenvalue at the start.
        pub lambda: Option<f64>,
        /// The median over seeds of eta* in units of 2 / lambda.
        pub eta_star_over_2_lambda: Option<f64>,
        /// What training does just below eta*.
        pub phase: Option<Phase>,
        /// The rate to use.
        pub recommended: Option<f64>,
        /// All gradient steps spent.
        pub gradient_steps: u64,
    }
}

impl Row for FindRow {
    type Record = Found;
    const JOB: &str = "find";

    fn columns(_: &Grid) -> Vec<&'static str> {
        FindRow::COLUMNS.into()
    }
}

impl From<&Found> for FindRow {
    fn from(found: &Found) -> Self {
        let star = found.eta_star.as_ref();
        let count = |of: fn(&EtaStarSummary) -> usize| star.map_or(0, of);
        FindRow {
            eta_star: star.and_then(|star| star.median),
            eta_star_low: star.and_then(|star| star.low),
            eta_star_high: star.and_then(|star| star.high),
            seeds: count(|star| star.seeds),
            censored: count(|star| star.censored),
            undefined: count(|star| star.undefined),
            lambda: found.lambda.as_ref().and_then(|lambda| lambda.median),
            eta_star_over_2_lambda: found.eta_star_over_2_lambda,
            phase: found.phase,
            recommended: found.recommended.as_ref().and_then(|choice| choice.eta),
            gradient_steps: found.gradient_steps,
        }
    }
}
