//! Which phase a training log is in, whatever wrote it: lazy, catapult, edge of stability, norm-driven
//! instability, diverging, stuck.
//!
//! A [`Log`] reads JSON, CSV, plain text or TensorBoard event files as they grow, in constant memory, into [`Point`]s; a
//! [`Detector`] takes them one by one and can be asked at any time. A path may hold several [`runs`].

mod columns;
mod detector;
mod document;
mod events;
mod finding;
mod jsonl;
mod log;
mod norms;
mod plain;
mod printed;
mod ring;
mod runs;
mod table;
mod tail;
mod watched;

pub use columns::Columns;
pub use detector::{Detector, Settings};
pub use events::masked;
pub use finding::{Finding, Rise, State};
pub use log::Log;
pub use runs::runs;
pub use watched::{Curve, Watched, WatchedLog};

use crate::folder::META;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The number of updates before it, as the log counts them.
    pub step: u64,
    /// The training loss; NaN and infinity are values too.
    #[serde(deserialize_with = "crate::units::number")]
    pub loss: f64,
    /// The learning rate, where the log has it.
    pub rate: Option<f64>,
    /// The largest eigenvalue of the loss's Hessian, in the coordinates of the optimiser's preconditioner if it has one,
    /// or of the NTK.
    pub curvature: Option<f64>,
    /// The norm of the weights whose scale does not matter, or its square.
    pub norm: Option<f64>,
}

/// One line of a log with all that it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The number of updates before it, as the log counts them.
    pub step: u64,
    /// The training loss; none where the row has none.
    pub loss: Option<f64>,
    /// The learning rate, where the log has it.
    pub rate: Option<f64>,
    /// The curvature, as a [`Point`]'s.
    pub curvature: Option<f64>,
    /// The norm of the weights, as a [`Point`]'s.
    pub norm: Option<f64>,
    /// The metric that the columns name.
    pub metric: Option<f64>,
}

/// What is read.
const FORMATS: &str = "logs are JSON (lines, or a document with a list of objects), CSV with a header, plain text (`loss: 0.3`), \
                       or TensorBoard event files";

/// What to do where a file cannot be read.
fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "; give the file or folder that a training logs to, or - for stdin",
        _ => "",
    }
}

/// A column as the user calls it.
pub(crate) fn wanted(named: &Option<String>, what: &str) -> String {
    named.as_ref().map_or(format!("for the {what}"), |name| format!("`{name}` for the {what}"))
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}{}", path.display(), remedy(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder without event files.
    #[error(
        "{} is a folder without TensorBoard event files (events.out.tfevents.*), and so are those in it; give a log file \
         or such a folder{}",
        .0.display(),
        if .0.join(META).is_file() { ", or let `etalon report` show what Etalon has left there" } else { "" }
    )]
    NoEvents(PathBuf),
    /// Several runs, and none of them chosen.
    #[error("{} has several runs: {runs}; choose one with --run NAME", path.display())]
    Runs {
        /// The log.
        path: PathBuf,
        /// Their names.
        runs: String,
    },
    /// The run that was chosen is not there.
    #[error("{} has no run {run}: it has {runs}", path.display())]
    NoRun {
        /// The log.
        path: PathBuf,
        /// The run.
        run: String,
        /// Those that are there.
        runs: String,
    },
    /// There is no column of that kind.
    #[error("{} has no column {}: it has {found}; name one with --{what} NAME", path.display(), wanted(named, what))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// `loss`, or a column that was named and is not there.
        what: &'static str,
        /// The name that it was given.
        named: Option<String>,
        /// The columns it has.
        found: String,
    },
    /// No line of the file is what its format says.
    #[error("{} is no log that can be read ({reason}); {FORMATS}", path.display())]
    NoLog {
        /// The file.
        path: PathBuf,
        /// What was wrong with its first line.
        reason: String,
    },
    /// A line without an end.
    #[error("{} has a line of more than {limit} bytes; {FORMATS}", path.display())]
    LongLine {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
}
