//! The row of a search for the boundaries of early training.

use super::{Row, columns};
use crate::phase::Boundaries;
use crate::sweep::Grid;

columns! {
    /// The boundaries of early training from one start, in units of one over the sharpness there; none where one lies
    /// outside the range.
    pub struct BoundariesRow {
        /// The largest Hessian eigenvalue at the start.
        pub sharpness: f64,
        /// Where the loss starts to rise.
        pub c_h_loss: Option<f64>,
        /// Where sharpness starts to rise.
        pub c_h_sharp: Option<f64>,
        /// Where training starts to diverge.
        pub c_h_max: Option<f64>,
    }
}

impl BoundariesRow {
    /// The boundaries, in the order of [`crate::sweep::BOUNDARIES`].
    pub fn boundaries(&self) -> [Option<f64>; 3] {
        [self.c_h_loss, self.c_h_sharp, self.c_h_max]
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
        BoundariesRow {
            sharpness: found.sharpness,
            c_h_loss: found.c_h_loss.middle(),
            c_h_sharp: found.c_h_sharp.middle(),
            c_h_max: found.c_h_max.middle(),
        }
    }
}
