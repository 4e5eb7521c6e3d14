//! What can go wrong between a name and a data set.

use crate::memory::MemoryError;
use std::io;
use std::path::{Path, PathBuf};

/// Every failure of the data layer. Each text names the place, what was met and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The operating system refused a read, a write or a rename.
    #[error("{path}: cannot {action}: {source}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as in "cannot open the file".
        action: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// A file's content is not what its format promises.
    #[error("{path}: expected {expected}, found {found}; {remedy}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the format asks for at this place.
        expected: String,
        /// What stands there.
        found: String,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The name is neither a known data set nor a path.
    #[error("unknown data set `{name}`{}; known: {known}, or a path to data of your own: .csv, .npz, .npy, .parquet, idx, CIFAR .bin, or folders of images",
        .nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownName {
        /// What was asked for.
        name: String,
        /// The known name nearest to it, if any is near.
        nearest: Option<&'static str>,
        /// All known names.
        known: String,
    },
    /// A known data set whose files are not in the data directory.
    #[error("{name} is not installed under {root}: run `etalon data fetch {name}`", root = .root.display())]
    NotInstalled {
        /// The data set.
        name: &'static str,
        /// The data directory that was looked at.
        root: PathBuf,
    },
    /// More samples were asked for than there are.
    #[error("{name} has {there} samples here, {asked} were asked for: ask for between 1 and {there}")]
    TooFew {
        /// The data set (and its part).
        name: String,
        /// How many there are.
        there: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// All inputs are equal, so that no deviation can scale them.
    #[error("{name}: all training inputs are equal, their deviation is 0: use normalize = \"none\"")]
    Constant {
        /// The data set.
        name: String,
    },
    /// An option that the data set does not take, or a value it cannot use.
    #[error("{name}: `{option}` {problem}")]
    Option {
        /// The data set.
        name: String,
        /// The option's name.
        option: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The parts of a data set do not fit together.
    #[error("{name}: {problem}")]
    Inconsistent {
        /// The data set.
        name: String,
        /// What contradicts what, and what to do.
        problem: String,
    },
    /// A program that fetching needs is missing, failed or hung.
    #[error("{program}: {problem}; {remedy}")]
    Program {
        /// The program and its arguments.
        program: String,
        /// What happened.
        problem: String,
        /// What the user can do.
        remedy: String,
    },
    /// A file is complete but not the one that was published.
    #[error("{path}: sha256 is {found}, not {expected}: {remedy}", path = .path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The published sum.
        expected: &'static str,
        /// The sum of the file as it is.
        found: String,
        /// What the user can do.
        remedy: String,
    },
    /// A file holds more than memory does.
    #[error("{path}: {source}", path = .path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// How much it takes, how much is free, and what to do.
        source: MemoryError,
    },
    /// The system names no home for data.
    #[error("no data directory: this system names none for the user; set ETALON_DATA to a folder")]
    NoDataDirectory,
}

/// Wraps an I/O error with the path and what was being done.
pub(super) fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_path_buf();
    move |source| DataError::Io { path, action, source }
}

/// Shorthand for [`DataError::Malformed`].
pub(super) fn malformed(
    path: &Path,
    expected: impl Into<String>,
    found: impl Into<String>,
    remedy: &'static str,
) -> DataError {
    DataError::Malformed { path: path.to_path_buf(), expected: expected.into(), found: found.into(), remedy }
}
