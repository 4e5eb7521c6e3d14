//! Which phase a training log is in, whatever wrote it: lazy, catapult, edge of stability, diverging, stuck.
//!
//! A [`Log`] reads JSON lines, CSV or TensorBoard event files as they grow, in constant memory, into [`Point`]s; a
//! [`Detector`] takes them one by one and can be asked at any time.

mod columns;
mod detector;
mod events;
mod finding;
mod jsonl;
mod log;
mod ring;
mod table;
mod tail;

pub use columns::Columns;
pub use detector::{Detector, Settings};
pub use events::masked;
pub use finding::{Finding, Rise, State};
pub use log::Log;

use std::path::PathBuf;

/// One line of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The step.
    pub step: u64,
    /// The training loss; NaN and infinity are values too.
    pub loss: f64,
    /// The learning rate.
    pub rate: Option<f64>,
    /// The largest eigenvalue of the loss's Hessian, in the coordinates of the optimiser's preconditioner if it has one,
    /// or of the NTK.
    pub curvature: Option<f64>,
}

/// One line of a log with all that it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The step.
    pub step: u64,
    /// The training loss.
    pub loss: Option<f64>,
    /// The learning rate.
    pub rate: Option<f64>,
    /// The curvature, as a [`Point`]'s.
    pub curvature: Option<f64>,
    /// The metric that the columns name.
    pub metric: Option<f64>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder without event files.
    #[error(
        "{} is a folder without TensorBoard event files (events.out.tfevents.*); give a log file or such a folder",
        .0.display()
    )]
    NoEvents(PathBuf),
    /// There is no column of that kind.
    #[error("{} has no column for the {what}: it has {found}; name one with --{what} NAME", path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// `loss`, or a column that was named and is not there.
        what: &'static str,
        /// The columns it has.
        found: String,
    },
    /// No line of the file is what its format says.
    #[error(
        "{} is no log that can be read ({reason}); logs are JSON lines, CSV with a header, or TensorBoard event files",
        path.display()
    )]
    NoLog {
        /// The file.
        path: PathBuf,
        /// What was wrong with its first line.
        reason: String,
    },
    /// A line without an end.
    #[error("{} has a line of more than {limit} bytes; logs are JSON lines, CSV with a header, or TensorBoard event files", path.display())]
    LongLine {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
}
