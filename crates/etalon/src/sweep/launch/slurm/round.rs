//! The record of what was submitted.

use super::Settings;
use crate::sweep::{LaunchError, Store, SweepError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// One submission of what was still to run: some arrays and a collector. Kept as `slurm/round-N/round.json` in the
/// sweep's folder, beside its scripts and logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Round {
    /// From 1.
    pub(super) number: usize,
    /// What the names of its jobs begin with, by which they are found whatever became of the answers of sbatch.
    pub(super) name: String,
    /// Arrays, each at most as long as Slurm takes.
    pub(super) arrays: usize,
    /// Into how many parts the sweep was cut.
    pub(super) shards: usize,
    /// Trials with a result when it was submitted.
    pub(super) done: usize,
    /// Trials with an error then.
    pub(super) failed: usize,
    /// What the user said of its jobs, for the next round.
    pub(super) settings: Settings,
}

impl Round {
    /// The name that the jobs of a round of a sweep have: part of the folder's hash, and the number.
    pub(super) fn name_of(root: &Path, number: usize) -> String {
        let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
        let tag: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        format!("etalon-{tag}-{number}")
    }

    /// The name of an array, from 1.
    pub(super) fn array(&self, index: usize) -> String {
        format!("{}-{index}", self.name)
    }

    /// The name of the collector.
    pub(super) fn collector(&self) -> String {
        format!("{}-collect", self.name)
    }

    /// The names of all jobs.
    pub(super) fn names(&self) -> Vec<String> {
        (1..=self.arrays).map(|index| self.array(index)).chain([self.collector()]).collect()
    }

    /// Its folder.
    pub(super) fn folder(root: &Path, number: usize) -> PathBuf {
        root.join("slurm").join(format!("round-{number}"))
    }

    /// The last one of a sweep; none if nothing was submitted yet.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub(super) fn last(store: &Store) -> Result<Option<Round>, LaunchError> {
        let folder = store.root().join("slurm");
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(None) };
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix("round-")?.parse().ok();
        let Some(number) = entries.flatten().filter_map(number).max() else { return Ok(None) };
        let path = Round::folder(store.root(), number).join("round.json");
        let text = fs::read_to_string(&path).map_err(SweepError::io(&path, "read the file"))?;
        let round = serde_json::from_str(&text).map_err(|error| {
            let reason = format!("slurm/round-{number}/round.json: {error}");
            SweepError::NoSweep { path: store.root().into(), reason }
        })?;
        Ok(Some(round))
    }

    /// Keeps it, before its first job is submitted, so that none is forgotten.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn keep(&self, root: &Path) -> Result<(), LaunchError> {
        let folder = Round::folder(root, self.number);
        fs::create_dir_all(&folder).map_err(SweepError::io(&folder, "create the folder"))?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        write(&folder.join("round.json"), &text)
    }
}

/// Writes a file that nobody else writes.
pub(super) fn write(path: &Path, text: &str) -> Result<(), LaunchError> {
    Ok(fs::write(path, text).map_err(SweepError::io(path, "write the file"))?)
}
