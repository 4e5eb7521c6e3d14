//! `etalon worker`: one part of a sweep, for whatever starts it.

use super::sweep::{program, submitted_text};
use crate::context::{Context, Exit, Failure};
use crate::interrupt;
use etalon::sweep::{Collected, Event, Grid, Options, Shard, Store, Tally, collect, folder_of, run_shard};
use std::ffi::OsString;

/// Run one part of a sweep that `etalon sweep` began; what engines start
///
/// Trials with a result are skipped, so that a part can be started again, and two at once do no harm. SIGTERM, SIGUSR1
/// and Ctrl-C finish the trials under way; a second SIGTERM or Ctrl-C drops them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a sweep
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: OsString,

    /// Which part, such as 3/64, the third of 64 [default: 1/1, all]
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// Run no trial and write the summary; in a job of Slurm, also submit what is left as the next round
    #[arg(long, conflicts_with = "shard")]
    collect: bool,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (store, grid) = Store::existing(&folder_of(&self.folder)?)?;
        if self.collect { collector(context, &store, &grid) } else { self.worker(context, &store, &grid) }
    }

    fn worker(&self, context: &Context, store: &Store, grid: &Grid) -> Result<Exit, Failure> {
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        let stop = interrupt::listen(&context.progress)?;
        let options = Options { threads: rayon::current_num_threads(), stop: &stop };
        let report = run_shard(store, grid, shard, &options, &|event| {
            if let Event::Failed(error) = event {
                context.progress.say("warning", &format!("a trial failed: {error}"));
            }
        })?;
        context.output.tell(&report, || worker_text(shard, &report))?;
        match report.unfinished() {
            Some(why) => Err(why.into()),
            None => Ok(if report.failed > 0 { Exit::Negative } else { Exit::Done }),
        }
    }
}

fn collector(context: &Context, store: &Store, grid: &Grid) -> Result<Exit, Failure> {
    let in_job = std::env::var_os("SLURM_JOB_ID").is_some();
    let program = if in_job { Some(program()?) } else { None };
    let collected = collect(store, grid, program.as_deref())?;
    context.output.tell(&collected, || collector_text(&collected))?;
    Ok(if collected.failed > 0 { Exit::Negative } else { Exit::Done })
}

fn worker_text(shard: Shard, report: &Tally) -> String {
    let Tally { cells, kept, done, failed, elsewhere, .. } = report;
    format!(
        "part {shard}: {cells} trials: {done} done now, {kept} before, {elsewhere} in other processes, {failed} failed\n"
    )
}

fn collector_text(collected: &Collected) -> String {
    let Collected { cells, done, failed, left, next, stopped } = collected;
    let mut text = format!("{cells} trials: {done} done, {failed} failed, {left} left\n");
    if let Some(next) = next {
        text += &format!("{}\n", submitted_text(next));
    }
    if let Some(reason) = stopped {
        text += &format!("nothing submitted: {reason}\n");
    }
    text
}
