//! What can stop a report.

use std::io;
use std::path::PathBuf;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Nothing there.
    #[error("{} does not exist; give the folder that --out of a verb has made", _0.display())]
    Missing(PathBuf),
    /// A file.
    #[error("{} is a file; give the folder it lies in, which --out of a verb has made", _0.display())]
    NotAFolder(PathBuf),
    /// A folder with nothing in it.
    #[error("{} is empty; give the folder that --out of a verb has made", _0.display())]
    Empty(PathBuf),
    /// A folder without results.
    #[error(
        "{} holds no result (it has {found}){skipped}; give the folder that --out of a verb has made, after the run has \
         ended",
        path.display()
    )]
    NoResult {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What of it could not be read, and why.
        skipped: String,
    },
    /// Nothing to compare.
    #[error("there is no folder to compare; give those that --out of a verb has made")]
    NoFolder,
    /// Folders that cannot be compared.
    #[error(
        "{} has a page of the kind `{}`, {} of the kind `{}`; give folders that one verb has made, for one job",
        .0[0].0.display(), .0[0].1, .0[1].0.display(), .0[1].1
    )]
    Kinds(Box<[(PathBuf, String); 2]>),
    /// The system refuses.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// A result that this version would not have written.
    #[error("{}: {source}; run the command that made it again", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is amiss.
        source: etalon::record::RecordError,
    },
    /// The job of a sweep cannot be told.
    #[error("{}: {reason}; run the sweep again into the same folder, which says what its trials are", path.display())]
    Job {
        /// The spec's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The list of a sweep's trials cannot be read.
    #[error("{}: {reason}; run the sweep again into the same folder, which writes it anew", path.display())]
    Cells {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
