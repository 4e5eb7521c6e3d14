//! `etalon sweep`: many trials, in a folder in which running again is resuming.

mod command;
mod diagram;
mod slurm;

use crate::args::Job;
use crate::context::{Context, Exit, Failure};
use crate::interrupt;
use crate::output::visible;
use etalon::sweep::{Event, Grid, Job as Task, Options, Store, Tally, run};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

pub(super) use slurm::submitted_text;

/// Run every trial of a spec's [grid]; the same command again goes on where it stopped
///
/// The folder of --out keeps one file a trial (trials/) and one row a trial (summary.csv). Ctrl-C finishes the trials
/// under way; a second Ctrl-C drops them. With job = "boundaries" there are phase diagrams (figures/), too. With --on,
/// workers elsewhere run the trials, each a part of the sweep.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    job: Job,

    /// Where the trials run: in this process, by --command, or as jobs of Slurm
    #[arg(long, value_name = "ENGINE", default_value = "local")]
    on: Engine,

    /// With --on command: what starts workers. {worker} stands for a worker's command line, {shard} for its number and
    /// {shards} for how many there are; {workers} for a file with the command lines of all; {dir} for the folder
    #[arg(long, value_name = "TEMPLATE")]
    command: Option<String>,

    /// With --on slurm: an option of sbatch, such as partition=main, time=1:00:00 or mem=4G; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    slurm: Vec<String>,

    /// With --on slurm: how many workers run at a time [default: as many as Slurm lets]
    #[arg(long, value_name = "N")]
    throttle: Option<NonZeroUsize>,

    /// Into how many parts the sweep is cut, one a worker [default: such that each lasts some minutes]
    #[arg(long, value_name = "N")]
    shards: Option<NonZeroUsize>,
}

/// What runs the trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// This process
    Local,
    /// A command that starts workers
    Command,
    /// Job arrays
    Slurm,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Some(out) = &context.out else {
            return Err("a sweep keeps its trials in a folder; give one with --out DIR".into());
        };
        self.check()?;
        let open = || -> Result<(Store, Grid), Failure> {
            let grid = self.job.grid(context.seed)?;
            Ok((Store::open(out, &grid, &context.meta())?, grid))
        };
        // What an engine is told is read before the folder is made.
        match self.on {
            Engine::Local => {
                let (store, grid) = open()?;
                local(context, &store, &grid)
            }
            Engine::Command => {
                let template = command::template(self.command.as_deref())?;
                let (store, grid) = open()?;
                command::run(context, &store, &grid, &template, self.shards)
            }
            Engine::Slurm => {
                let settings = slurm::settings(&self, context)?;
                let (store, grid) = open()?;
                slurm::run(context, &store, &grid, &settings)
            }
        }
    }

    /// Refuses options of another engine than the one that is asked for, before anything is written.
    fn check(&self) -> Result<(), Failure> {
        let on_slurm = self.on == Engine::Slurm;
        let unused = [
            (self.command.is_some() && self.on != Engine::Command, "--command", "--on command"),
            (!self.slurm.is_empty() && !on_slurm, "--slurm", "--on slurm"),
            (self.throttle.is_some() && !on_slurm, "--throttle", "--on slurm"),
            (self.shards.is_some() && self.on == Engine::Local, "--shards", "--on command or --on slurm"),
        ];
        match unused.iter().find(|(unused, ..)| *unused) {
            Some((_, option, engine)) => {
                Err(format!("{option} belongs to {engine}, which is not given").into())
            }
            None => Ok(()),
        }
    }
}

/// Trials in this process.
fn local(context: &Context, store: &Store, grid: &Grid) -> Result<Exit, Failure> {
    let stop = interrupt::listen(&context.progress)?;
    let bar = context.progress.bar("trials", grid.cells().len() as u64);
    let options = Options { threads: rayon::current_num_threads(), stop: &stop };
    let report = run(store, grid, &options, &|event| {
        bar.inc(1);
        if let Event::Failed(error) = event {
            bar.set_message(format!("trials (one failed: {})", visible(error)));
        }
    })?;
    drop(bar);
    advise(context, &report, store.root());
    if grid.job() == Task::Boundaries {
        diagram::draw(context, store)?;
    }
    context.output.tell(&report, || text(&report))?;
    if let Some(why) = report.unfinished() {
        return Err(why.into());
    }
    Ok(if report.failed > 0 { Exit::Negative } else { Exit::Done })
}

fn advise(context: &Context, report: &Tally, out: &Path) {
    // Of a sweep that gave up it is the error.
    if let Some(error) = report.first_failure.as_ref().filter(|_| !report.gave_up || report.left == 0) {
        let text = format!(
            "{} trials failed, the first one with: {error}; `etalon status {}` lists all, the same command tries them again",
            report.failed,
            out.display()
        );
        context.progress.say("warning", &text);
    }
    if report.elsewhere > 0 {
        let text = format!(
            "{} trials are under way in another process; run the same command when it has ended",
            report.elsewhere
        );
        context.progress.say("note", &text);
    }
}

fn text(report: &Tally) -> String {
    let Tally { cells, kept, done, failed, .. } = report;
    format!("{cells} trials: {done} done now, {kept} before, {failed} failed\n")
}

/// This program, which workers are to run.
pub(super) fn program() -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?)
}
