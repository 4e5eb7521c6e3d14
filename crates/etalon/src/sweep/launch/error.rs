//! What can stop an engine.

use crate::program::ProgramError;
use crate::sweep::SweepError;
use std::path::PathBuf;

/// Why workers cannot be started or asked after. Finished trials stay.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The sweep itself.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A template that would run no worker.
    #[error(
        "the command `{0}` starts no worker; write {{worker}} where a worker's command line goes, as in \
         'ssh node{{shard}} {{worker}}', or {{workers}} for a file that lists them, as in 'parallel -a {{workers}}'"
    )]
    Template(String),
    /// A path that a shell cannot be given.
    #[error("{}: the name has a line break or a backslash, or is no UTF-8, and cannot stand in a script; take another", _0.display())]
    Path(PathBuf),
    /// A setting that sbatch is not to be given.
    #[error("--slurm {text}: {reason}")]
    Setting {
        /// What was written.
        text: String,
        /// Why not, and what to do instead.
        reason: String,
    },
    /// A program of Slurm gives no answer, or refuses.
    #[error("{program}: {source}; {remedy}")]
    Slurm {
        /// The program.
        program: &'static str,
        /// What happened, with its own words.
        source: ProgramError,
        /// What to do.
        remedy: &'static str,
    },
    /// An answer of Slurm that makes no sense.
    #[error("{program} answers `{answer}`, which is not understood; is it Slurm's own {program}?")]
    Answer {
        /// The program.
        program: &'static str,
        /// What it printed.
        answer: String,
    },
}
