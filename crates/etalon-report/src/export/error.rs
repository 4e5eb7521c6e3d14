//! What can stop an export.

use etalon::sweep::SweepError;
use std::io;
use std::path::{Path, PathBuf};

/// Why nothing is exported. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The sweep cannot be read.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// The system refuses.
    #[error("{}: cannot {action}: {source}; make room, or choose another place with --to", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// Nothing to export.
    #[error(
        "{} has no finished trial; give a folder of `etalon sweep --out` or `etalon train --out`",
        _0.display()
    )]
    NoTrials(PathBuf),
    /// A sweep of searches or the like.
    #[error(
        "{} holds no trajectory, as its trials are no training runs; the results of searches are in summary.csv",
        _0.display()
    )]
    NoTrajectory(PathBuf),
    /// A trial that cannot be read.
    #[error("{}: {reason}; run again without this file", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        reason: String,
    },
    /// Something is there already.
    #[error("{} exists; replace it with --force, or choose another place with --to", _0.display())]
    Exists(PathBuf),
    /// The table has no form in Parquet.
    #[error("cannot write Parquet: {0}; CSV holds the same table")]
    Parquet(String),
    /// The program was built without.
    #[error(
        "this program was built without Parquet; install it with `--features parquet`, or export csv, the same table"
    )]
    NoParquet,
}

impl ExportError {
    /// From the system's words on a path.
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> ExportError {
        let path = path.to_path_buf();
        move |source| ExportError::Io { path, action, source }
    }
}
