//! Many trials: a grid over any keys of a spec, kept in a folder in which running again is resuming.
//!
//! A trial's name is the hash of its resolved spec, seed included; its result is one file, `trials/<name>.jsonl`,
//! written aside and renamed, so that it is whole or not there. A file that was cut short counts as not done. What
//! failed leaves its error in `failed/<name>.json` and is tried again the next time. `summary.csv` has one row a
//! finished trial, in grid order, and follows from those files alone; nothing in it depends on when, where or on how
//! many threads they were made.
//!
//! A cell may be a search, which looks for its boundary instead of scanning the axis. Its probes are kept in
//! `probes/<name>.jsonl` while it is under way, so that a search that was killed makes none of them twice.
//!
//! Two processes may work on one folder. Each trial is claimed by a lock of the operating system on
//! `running/<name>.lock`, which ends with its process however that dies, so that no claim can go stale. Where a file
//! system knows no locks, two processes may do the same work twice; as a trial is a pure function of its spec and
//! renaming is atomic, the result is the same (on machines with the same instruction set).
//!
//! Any number of workers may share a sweep, each a [`Shard`] of it by [`run_shard`]; what starts them is an engine.
//! The local one is [`run`], in this process; others are [`launch`] by a command of the user's and [`submit`] by Slurm.
//! An engine asks [`pending`] what is still to run, starts workers for that, and knows nothing else of the trials.

mod constraint;
mod diagram;
mod engine;
mod error;
mod grid;
mod jobs;
mod launch;
mod ledger;
mod outcome;
mod pending;
mod points;
mod rows;
mod shard;
mod status;
mod store;
mod table;
mod tasks;

pub use constraint::Constraint;
pub use diagram::{Diagram, Place, diagrams};
pub use engine::{Event, Options, Tally, run, run_shard};
pub use error::SweepError;
pub use grid::{Axis, Cell, Grid, Job, MAX_CELLS};
pub use launch::{
    Broken, Collected, LaunchError, Launched, Queue, Settings, Submission, Submitted, Template, Workers,
    collect, folder_of, launch, queue, shards, submit,
};
pub use outcome::{Trial, read};
pub use pending::{Pending, pending};
pub use points::{Measured, Selection, points, points_of};
pub use rows::{
    Annealing, BoundariesRow, Curvature, FindRow, Finished, GroupScores, MetricScore, Row, Rows, Scale,
    TrainRow, TrainScores,
};
pub use shard::Shard;
pub use status::{Failed, Status, Working, status};
pub use store::Store;
pub use table::{NoColumn, Table};

#[cfg(test)]
mod tests;
