//! The record of what was submitted.

use super::Settings;
use crate::sweep::{LaunchError, Store, SweepError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file of a round's record.
const RECORD: &str = "round.json";

/// What the name of a collector ends with.
pub(super) const COLLECTOR: &str = "-collect";

/// One submission of what was still to run: some arrays and a collector. Kept as `slurm/round-N/round.json` in the
/// sweep's folder, beside its scripts and logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Round {
    /// From 1.
    pub(super) number: usize,
    /// What the names of the sweep's jobs begin with. A job of which no answer of sbatch tells the number is found by its
    /// name.
    pub(super) tag: String,
    /// The numbers of its jobs, each as soon as it is known, the collector's last.
    #[serde(default)]
    pub(super) jobs: Vec<u64>,
    /// The number of the collector of the round before, which may be submitting this one.
    #[serde(default)]
    pub(super) before: Option<u64>,
    /// Jobs of these names that were there before it, which are not the sweep's.
    #[serde(default)]
    pub(super) foreign: BTreeSet<u64>,
    /// Arrays, each at most as long as Slurm takes.
    pub(super) arrays: usize,
    /// Into how many parts the sweep was cut.
    pub(super) shards: usize,
    /// Trials with a result when it was submitted.
    pub(super) done: usize,
    /// Trials with an error then.
    pub(super) failed: usize,
    /// Bytes of the probes that unfinished searches had kept then.
    pub(super) probed: u64,
    /// What the user said of its jobs, for the next round.
    pub(super) settings: Settings,
}

impl Round {
    /// What the names of a sweep's jobs begin with: part of its folder's hash.
    pub(super) fn tag(root: &Path) -> String {
        let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
        let hash: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        format!("etalon-{hash}")
    }

    /// The name of an array, from 1.
    pub(super) fn array(&self, index: usize) -> String {
        format!("{}-{}-{index}", self.tag, self.number)
    }

    /// The name of the collector.
    pub(super) fn collector(&self) -> String {
        format!("{}-{}{COLLECTOR}", self.tag, self.number)
    }

    /// The names of all jobs that may still do something for the sweep: its own, and the collector of the round before,
    /// which may be submitting them.
    pub(super) fn names(&self) -> Vec<String> {
        let before = format!("{}-{}{COLLECTOR}", self.tag, self.number.saturating_sub(1));
        (1..=self.arrays).map(|index| self.array(index)).chain([self.collector(), before]).collect()
    }

    /// Whether a job that has one of its names is one of its jobs. As long as it was not submitted to the end, its name is all
    /// that may be known of the next one.
    pub(super) fn has(&self, job: u64) -> bool {
        let is_known = self.jobs.contains(&job) || self.before == Some(job);
        is_known || self.collector_number().is_none() && !self.foreign.contains(&job)
    }

    /// The number of its collector, the last job to be submitted.
    pub(super) fn collector_number(&self) -> Option<u64> {
        self.jobs.get(self.arrays).copied()
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
        let record = |number| Round::folder(store.root(), number).join(RECORD);
        let Ok(entries) = fs::read_dir(store.root().join("slurm")) else { return Ok(None) };
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix("round-")?.parse().ok();
        let numbers = entries.flatten().filter_map(number);
        let Some(number) = numbers.filter(|&number| record(number).exists()).max() else { return Ok(None) };
        let text =
            fs::read_to_string(record(number)).map_err(SweepError::io(&record(number), "read the file"))?;
        let round = serde_json::from_str(&text).map_err(|error| {
            let reason = format!("{}: {error}", record(number).display());
            SweepError::NoSweep { path: store.root().into(), reason }
        })?;
        Ok(Some(round))
    }

    /// Makes the folder of a new round; its number.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn reserve(root: &Path) -> Result<usize, LaunchError> {
        let parent = root.join("slurm");
        fs::create_dir_all(&parent).map_err(SweepError::io(&parent, "create the folder"))?;
        let mut number = 1;
        loop {
            let folder = Round::folder(root, number);
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(number),
                // Of an earlier round, or of one that another process submits now.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(SweepError::io(&folder, "create the folder")(error).into()),
            }
        }
    }

    /// Keeps it in its folder; done before its first job is submitted and after each, so that none is forgotten.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn keep(&self, root: &Path) -> Result<(), LaunchError> {
        let folder = Round::folder(root, self.number);
        // It has no map, and so a form in JSON.
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        let (aside, path) = (folder.join("round.part"), folder.join(RECORD));
        write(&aside, &text)?;
        Ok(fs::rename(&aside, &path).map_err(SweepError::io(&path, "write the file"))?)
    }
}

/// Writes a file that nobody else writes.
pub(super) fn write(path: &Path, text: &str) -> Result<(), LaunchError> {
    Ok(fs::write(path, text).map_err(SweepError::io(path, "write the file"))?)
}
