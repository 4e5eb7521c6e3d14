//! The trajectories of a run or sweep in other formats: one tidy table as CSV or Parquet, or TensorBoard event files.

mod csv;
mod error;
#[cfg(feature = "parquet")]
mod parquet;
mod source;
mod target;
mod tensorboard;

pub use error::ExportError;

use serde::Serialize;
use source::Source;
use std::path::{Path, PathBuf};

/// A format for trajectories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One table: a row a recorded step, with its trial and the values of the grid's keys; a value that was not taken is
    /// an empty field.
    Csv,
    /// The same table as Parquet, with nulls.
    Parquet,
    /// A folder with one folder a trial, each with an event file of scalars in single precision.
    Tensorboard,
}

/// How much an export wrote, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The file or folder.
    pub path: PathBuf,
    /// How many trials are in it.
    pub trials: usize,
    /// Recorded steps of all of them.
    pub rows: usize,
    /// Trials of a sweep that are left out, as they have no result yet.
    pub unfinished: usize,
}

impl Format {
    /// What an export is called in a run's folder unless it is told.
    fn file_name(self) -> &'static str {
        match self {
            Format::Csv => "trajectories.csv",
            Format::Parquet => "trajectories.parquet",
            Format::Tensorboard => "tensorboard",
        }
    }
}

/// Writes the trajectories of all finished trials in a folder of `etalon sweep` or `etalon train --out`, in grid order,
/// to `target`, which lies in that folder unless it is told. What is written is whole or not there.
///
/// # Errors
/// When there are no trajectories in it; when `target` is there and not to be replaced (`force`); when a file cannot be
/// read or written.
pub fn export(
    root: &Path,
    format: Format,
    target: Option<&Path>,
    force: bool,
) -> Result<Exported, ExportError> {
    let source = Source::open(root)?;
    let path = target.map_or_else(|| root.join(format.file_name()), Path::to_path_buf);
    if !force && path.exists() {
        return Err(ExportError::Exists(path));
    }
    let rows = match format {
        Format::Csv => target::write_file(&path, force, |file| csv::write(&source, file, &path))?,
        #[cfg(feature = "parquet")]
        Format::Parquet => target::write_file(&path, force, |file| parquet::write(&source, file, &path))?,
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(ExportError::NoParquet),
        Format::Tensorboard => target::write_folder(&path, |folder| tensorboard::write(&source, folder))?,
    };
    Ok(Exported { path, trials: source.len(), rows, unfinished: source.unfinished() })
}

#[cfg(test)]
mod tests;
