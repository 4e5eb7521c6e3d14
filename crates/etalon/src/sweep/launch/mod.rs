//! Engines that start workers elsewhere: by a command of the user's, or by Slurm.
//!
//! An engine only starts `etalon worker` for parts of the sweep; what is done is told by the result files, never by
//! the engine. Starting again is therefore resuming, whatever became of the workers, and a worker that is started
//! twice does no harm.

mod command;
mod error;
mod packing;
mod slurm;
mod workers;

pub use command::{Broken, Launched, Template, launch};
pub use error::LaunchError;
pub use packing::shards;
pub use slurm::{Collected, Queue, Settings, Submission, Submitted, collect, queue, submit};
pub use workers::{Workers, folder_of};
