//! The row of a search for the boundaries of early training.

use super::{Row, Rows, columns};
use crate::phase::{Boundaries, Boundary};
use crate::sweep::Grid;

columns! {
    /// The boundaries of early training from one start; none where one lies outside the range.
    pub struct BoundariesRow {
        /// The largest Hessian eigenvalue at the start; none where a trainer's log has none.
        pub sharpness: Option<f64>,
        /// Where the loss starts to rise, in units of one over the sharpness.
        pub c_h_loss: Option<f64>,
        /// Where sharpness starts to rise.
        pub c_h_sharp: Option<f64>,
        /// Where training starts to diverge.
        pub c_h_max: Option<f64>,
        /// The rate at which the loss starts to rise.
        pub eta_loss: Option<f64>,
        /// The rate at which sharpness starts to rise.
        pub eta_sharp: Option<f64>,
        /// The rate at which training starts to diverge.
        pub eta_max: Option<f64>,
    }
}

/// What boundaries are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// `c_h`, the rate times the sharpness at the start.
    Sharpness,
    /// The rate.
    Rate,
}

impl Scale {
    /// That of a sweep: rates where no log of it has a curvature.
    pub fn of(rows: &Rows<BoundariesRow>) -> Scale {
        let is_known = rows.trials.iter().any(|trial| trial.found.sharpness.is_some());
        if is_known || rows.trials.is_empty() { Scale::Sharpness } else { Scale::Rate }
    }

    /// The columns of the boundaries: where the loss, the sharpness rises, where training diverges.
    pub fn columns(self) -> [&'static str; 3] {
        match self {
            Scale::Sharpness => ["c_h_loss", "c_h_sharp", "c_h_max"],
            Scale::Rate => ["eta_loss", "eta_sharp", "eta_max"],
        }
    }

    /// Its letters.
    pub fn symbol(self) -> &'static str {
        match self {
            Scale::Sharpness => "c_h",
            Scale::Rate => "η",
        }
    }

    /// What it is.
    pub fn meaning(self) -> &'static str {
        match self {
            Scale::Sharpness => "c_h = learning rate × sharpness at the start",
            Scale::Rate => "learning rate η",
        }
    }

    /// What a trial has in its columns.
    pub fn values(self, row: &BoundariesRow) -> [Option<f64>; 3] {
        match self {
            Scale::Sharpness => [row.c_h_loss, row.c_h_sharp, row.c_h_max],
            Scale::Rate => [row.eta_loss, row.eta_sharp, row.eta_max],
        }
    }
}

impl Row for BoundariesRow {
    type Record = Boundaries;
    const JOB: &str = "boundaries";

    fn columns(_: &Grid) -> Vec<&'static str> {
        BoundariesRow::COLUMNS.into()
    }
}

impl From<&Boundaries> for BoundariesRow {
    fn from(found: &Boundaries) -> Self {
        let [loss, sharp, max] = found.each().map(Boundary::middle);
        let c_h = |middle: Option<f64>| middle.filter(|_| found.sharpness.is_some());
        let eta = |middle: Option<f64>| Some(middle? / found.sharpness.unwrap_or(1.0));
        BoundariesRow {
            sharpness: found.sharpness,
            c_h_loss: c_h(loss),
            c_h_sharp: c_h(sharp),
            c_h_max: c_h(max),
            eta_loss: eta(loss),
            eta_sharp: eta(sharp),
            eta_max: eta(max),
        }
    }
}
