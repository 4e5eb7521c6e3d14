//! The search on a trainer that is not Etalon's: any program that takes a learning rate and writes a log.
//!
//! The searches are those of [`search`](crate::search), which decide what is trained: at which rate, with which seed, for how
//! long. Here a training is a process and its answer what its log shows, by the one judge of logs, [`watch`](crate::watch).
//! A training that has reached its goal or diverges is ended at once; a catapult is let live. What a training is found to be
//! follows from the rows of its log alone, never from when they were looked at, so that a result does not depend on how many
//! trainings ran side by side.
//!
//! A program that ends without such an answer has failed, which says nothing of the rate: it is tried again, then the search
//! ends and says why. No process outlives the search, however that ends: see `process` and `guard`.

mod boundaries;
mod command;
mod course;
mod error;
mod find;
mod goal;
mod guard;
mod probes;
mod process;
mod runner;
mod train;

pub use boundaries::boundaries;
pub use command::{CommandLine, Place};
pub use error::{Fault, TrainerError};
pub use find::find;
pub use goal::{Bound, Goal};
pub use train::train;

use crate::watch::Columns;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A program that trains, and how to read it.
#[derive(Clone, Debug)]
pub struct Trainer {
    /// What is run; has the placeholders of [`Place`].
    pub command: CommandLine,
    /// Variables of its environment, with the same placeholders.
    pub env: BTreeMap<String, CommandLine>,
    /// Where its log is; none where that is among what it prints.
    pub log: Option<CommandLine>,
    /// The log's columns.
    pub columns: Columns,
    /// What counts as trained, and by what the rate to use is chosen.
    pub goal: Goal,
    /// How many steps a whole training has, as its log counts them; none takes those of the first.
    pub steps: Option<u64>,
    /// The rate of the first training.
    pub start: f64,
    /// How long a training may run; none sets no limit.
    pub limit: Option<Duration>,
    /// How often a training that failed is tried again. The first of a search is not.
    pub retries: usize,
    /// Trainings side by side.
    pub slots: usize,
    /// The number of the first of its slots.
    pub slot: usize,
    /// Where trainings leave their files, a folder each; none takes one that is removed in the end.
    pub folder: Option<PathBuf>,
}

impl Trainer {
    /// Whether a placeholder stands in its command or its environment.
    fn has(&self, name: &str) -> bool {
        self.command.has(name) || self.env.values().any(|value| value.has(name))
    }

    /// Refuses what cannot train at given rates with so many seeds before anything is started.
    fn check(&self, seeds: usize) -> Result<(), TrainerError> {
        if !self.has("eta") {
            return Err(TrainerError::NoEta);
        }
        if !self.has("seed") && seeds > 1 {
            return Err(TrainerError::NoSeed);
        }
        if self.has("steps") && self.steps.is_none() {
            return Err(TrainerError::NoSteps);
        }
        if cfg!(unix) { Ok(()) } else { Err(TrainerError::System) }
    }
}
