//! What can stop a sweep.

use crate::spec::SpecError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a sweep cannot start or go on. What was finished before stays.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The spec or its grid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The system refuses to read or write.
    #[error(
        "{}: cannot {action}: {source}; finished trials are kept: make room or give rights, and run the same command again",
        path.display()
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// The folder belongs to another spec.
    #[error(
        "{} holds the sweep of another spec (its spec.toml has `{there}` where this one has `{here}`); give --out another folder, or go on with the old spec: etalon sweep {}/spec.toml",
        path.display(),
        path.display()
    )]
    OtherSpec {
        /// The folder.
        path: PathBuf,
        /// The first line that differs, as it is there.
        there: String,
        /// And here.
        here: String,
    },
    /// The folder was made by another version, whose numbers may differ.
    #[error(
        "{} was made by Etalon {there}, and this is {here}; give --out another folder, or use Etalon {there}",
        path.display()
    )]
    OtherVersion {
        /// The folder.
        path: PathBuf,
        /// The version that made it.
        there: String,
        /// This version.
        here: String,
    },
    /// The folder's trials have other bits.
    #[error(
        "{} holds trials of the {there} kernels, and the {here} ones have other bits; set ETALON_CPU={there}, or give --out another folder",
        path.display()
    )]
    OtherKernels {
        /// The folder.
        path: PathBuf,
        /// The kernels of what is there.
        there: String,
        /// Those of this process.
        here: String,
    },
    /// Another verb writes into the folder.
    #[error("{} is in use by another run; wait until it has ended, or give --out another folder", _0.display())]
    InUse(PathBuf),
    /// The row of a trial does not fit.
    #[error("{}: {reason}; move the file away and run the sweep again, which makes it anew", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Of which job it is no row, and why.
        reason: String,
    },
    /// The folder has no sweep in it.
    #[error("{} holds no sweep: {reason}; give the folder that `etalon sweep --out` made", path.display())]
    NoSweep {
        /// The folder.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
}

impl SweepError {
    /// From the system's words on a path.
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> SweepError {
        let path = path.to_path_buf();
        move |source| SweepError::Io { path, action, source }
    }
}
