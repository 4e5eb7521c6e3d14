//! The Slurm engine: parts as elements of job arrays, and a job that collects the results when they have ended.
//!
//! Nothing has to live where the sweep is submitted. A round is what was still to run at one time: an array of parts
//! (several where Slurm limits their length), and a collector that runs when all of them have ended, however they did
//! (`afterany`). It writes the summary and submits what is left as the next round, as long as rounds come further.

mod call;
mod collect;
mod queue;
mod round;
mod script;
mod settings;
mod submit;

pub use collect::{Collected, collect};
pub use queue::{Queue, queue};
pub use settings::Settings;
pub use submit::{Submission, Submitted, submit};
