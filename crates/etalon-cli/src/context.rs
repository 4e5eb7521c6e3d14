//! What every verb is given, and what it gives back.

use crate::args::Flags;
use crate::output::Output;
use crate::progress::Progress;
use etalon::record::{Meta, Record, RunFolder, RunFolderError};
use etalon::spec::Spec;
use etalon_nn::Cpu;
use std::path::PathBuf;
use std::time::SystemTime;

/// Any error, on its way to stderr and exit code 2.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a verb found out; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The work is done: exit code 0.
    Done,
    /// The work is done and its answer is no: exit code 1.
    Negative,
    /// A watched run should be stopped: exit code 3.
    Stop,
}

/// The flags, put into effect.
pub(crate) struct Context {
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--threads`.
    pub threads: Option<u16>,
    /// `--out`.
    pub out: Option<PathBuf>,
    /// `--quiet`.
    pub quiet: bool,
    /// `--json`.
    pub json: bool,
    /// Where results go.
    pub output: Output,
    /// Where progress and advice go.
    pub progress: Progress,
    started: SystemTime,
}

impl Context {
    /// Sets the number of threads and looks at the environment.
    ///
    /// # Errors
    /// When `ETALON_CPU` names what cannot be used, or the threads cannot be had.
    pub(crate) fn new(flags: &Flags) -> Result<Context, Failure> {
        Cpu::from_environment()?;
        if let Some(threads) = flags.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
            pool.build_global().map_err(|error| {
                format!("cannot start {threads} threads: {error}; give --threads a smaller number")
            })?;
        }
        Ok(Context {
            seed: flags.seed,
            threads: flags.threads,
            out: flags.out.clone(),
            quiet: flags.quiet,
            json: flags.json,
            output: Output::new(flags.json),
            progress: Progress::new(flags.quiet, flags.no_progress),
            started: SystemTime::now(),
        })
    }

    /// The facts of this run, as for a `meta.json`.
    pub(crate) fn meta(&self) -> Meta {
        Meta::here(option_env!("ETALON_COMMIT"), self.started)
    }

    /// The folder of `--out`, if it is given, ready for result files. A verb opens it before it starts to work, so
    /// that a folder that cannot be used costs no time. `spec` is what runs; `seeds` are those of its trials.
    ///
    /// # Errors
    /// As [`RunFolder::open`].
    pub(crate) fn run_directory(
        &self,
        spec: Option<&Spec>,
        seeds: &[u64],
    ) -> Result<Option<RunFolder>, RunFolderError> {
        let Some(path) = self.out.as_deref() else { return Ok(None) };
        let meta = Meta { spec: spec.map(Spec::hash), seeds: seeds.into(), ..self.meta() };
        RunFolder::open(path, spec.map(Spec::to_toml).as_deref(), &meta).map(Some)
    }

    /// Leaves what a verb has found: on stdout its text, or its record with `--json`, then that record in the folder, if there
    /// is one: neither a full disk nor a closed pipe loses an answer.
    ///
    /// # Errors
    /// When stdout or the folder does not take it.
    pub(crate) fn leave<T: Clone>(
        &self,
        folder: Option<RunFolder>,
        found: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure>
    where
        Record: From<T>,
    {
        let record = Record::from(found.clone());
        let shown = self.output.show_record(&record, || text(found));
        if let Some(folder) = folder {
            folder.write_record(&record)?;
        }
        Ok(shown?)
    }
}
