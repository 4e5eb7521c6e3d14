//! What can go wrong with a trainer.

use crate::search::SearchError;
use crate::theory::TheoryError;
use crate::watch::{WatchError, wanted};
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a search on a trainer cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainerError {
    /// Nothing to run.
    #[error(
        "the trainer's command is empty; give one such as 'python train.py --lr {{eta}} --seed {{seed}} --log {{log}}'"
    )]
    Empty,
    /// Quotes that do not end.
    #[error("the trainer's command `{0}` has a quote that is not closed")]
    Quotes(String),
    /// A name in braces that stands for nothing.
    #[error("`{{{name}}}` in the trainer's command stands for nothing; it may have {known}")]
    Placeholder {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The rate is not told to it.
    #[error("neither the trainer's command nor its env has {{eta}}: put it where the learning rate belongs")]
    NoEta,
    /// All seeds would be the same training.
    #[error(
        "neither the trainer's command nor its env has {{seed}}: put it where the seed belongs, or search one seed alone"
    )]
    NoSeed,
    /// A parameter that the trainer never hears of.
    #[error(
        "the parameter `{0}` stands neither in the trainer's command nor in its env, so that no training would differ by it: put \
         {{{0}}} where it belongs, or remove it"
    )]
    Unused(String),
    /// `{steps}` without a number.
    #[error("the trainer's command has {{steps}}, and how many is not given")]
    NoSteps,
    /// Neither eta* nor the rate to use.
    #[error(
        "without a metric there is no choice of the rate to use, and eta* is not asked for: name a metric"
    )]
    Nothing,
    /// Not on this system.
    #[error("trainers are run on Unix alone, where a training can be ended with all its processes")]
    System,
    /// A folder or a thread that cannot be had.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was being done.
        action: String,
        /// Why.
        source: io::Error,
    },
    /// A training gave no answer.
    #[error(
        "the training at the rate {eta:?} with seed {seed} gave no answer{}: {fault}",
        if *tries > 1 { format!(" in {tries} tries") } else { String::new() }
    )]
    Training {
        /// The rate.
        eta: f64,
        /// The seed.
        seed: u64,
        /// How often it was tried.
        tries: usize,
        /// Why.
        fault: Fault,
    },
    /// No rate to begin with.
    #[error(
        "{tries} trainings at rates from {highest:?} down to {lowest:?} diverged before they had a value of `{metric}`: give a \
         lower rate to start from, or log the metric before the first step"
    )]
    NoStart {
        /// How many.
        tries: usize,
        /// The first rate.
        highest: f64,
        /// The last one.
        lowest: f64,
        /// The metric.
        metric: String,
    },
    /// The search itself.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The range of a search.
    #[error(transparent)]
    Theory(#[from] TheoryError),
}

/// Why a training gave no answer. None of these says anything of its rate.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be started.
    #[error(
        "`{command}` cannot be started: {source}; its first word must be a program of the PATH, or a path to one that may be run"
    )]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// It failed.
    #[error("it ended with {status}{}{}", quoted(.complaint), kept(.stderr))]
    Crashed {
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its stderr.
        complaint: Vec<String>,
        /// All of it, where it is kept.
        stderr: Option<PathBuf>,
    },
    /// It ended well, and there is no row in its log.
    #[error(
        "it ended well and left no row with a loss ({reason}); let it write to {{log}}, or print, or name its log with \
         trainer.log{}",
        kept(.stderr)
    )]
    Silent {
        /// What there is instead.
        reason: String,
        /// Its complaints, where they are kept.
        stderr: Option<PathBuf>,
    },
    /// It did not end.
    #[error("it had no answer after {} s and was ended", _0.as_secs_f64())]
    Hung(Duration),
    /// Its log cannot be understood.
    #[error("{}", unread(.0))]
    Log(WatchError),
    /// The system refuses.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl Fault {
    /// Whether it may go well another time.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Fault::Crashed { .. } | Fault::Silent { .. } | Fault::Hung(_))
    }
}

/// What is wrong with a log, and the key that tells how to read it.
fn unread(error: &WatchError) -> String {
    match error {
        WatchError::NoColumn { path, what: "metric", named, found } => {
            format!("{} has no column {}: it has {found}", path.display(), wanted(named, "metric"))
        }
        WatchError::NoColumn { path, what, named, found } => format!(
            "{} has no column {}: it has {found}; name one with 'trainer.columns={{{what}=\"NAME\"}}'",
            path.display(),
            wanted(named, what)
        ),
        other => other.to_string(),
    }
}

fn quoted(lines: &[String]) -> String {
    if lines.is_empty() { ", without a word on stderr".into() } else { format!(": {}", lines.join(" | ")) }
}

fn kept(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or(String::new(), |path| format!("; all of its stderr is in {}", path.display()))
}
