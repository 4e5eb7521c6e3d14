//! `etalon sweep --on command`.

use super::program;
use crate::context::{Context, Exit, Failure};
use etalon::sweep::{Broken, Grid, Launched, Store, Template, Workers, collect, launch, pending, shards};
use indicatif::ProgressBar;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

/// Between two looks at how many trials have come to an end.
const LOOK: Duration = Duration::from_secs(1);

/// What is printed.
#[derive(Serialize)]
struct Printed {
    /// Trials of the grid.
    cells: usize,
    /// Done before the commands.
    kept: usize,
    /// Done since.
    done: usize,
    /// With an error.
    failed: usize,
    /// With neither result nor error.
    left: usize,
    #[serde(flatten)]
    launched: Launched,
}

/// Commands that failed and are shown.
const SHOWN: usize = 3;

pub(super) fn template(text: Option<&str>) -> Result<Template, Failure> {
    let text =
        text.ok_or("--on command takes what starts workers, as in --command 'parallel -a {workers}'")?;
    Ok(Template::parse(text)?)
}

pub(super) fn run(
    context: &Context,
    store: &Store,
    grid: &Grid,
    template: &Template,
    parts: Option<NonZeroUsize>,
) -> Result<Exit, Failure> {
    let before = pending(store, grid);
    let cells = before.without_result();
    let launched = if cells.is_empty() {
        Launched::default()
    } else {
        let count = parts.map_or_else(|| shards(grid, &cells), usize::from).min(cells.len());
        let threads = context.threads.map(|threads| threads.to_string());
        let workers = Workers::new(store, grid, &cells, count, &program()?, threads)?;
        let name = format!("{} workers", workers.indices().len());
        let bar = context.progress.bar(name, cells.len() as u64);
        watched(store, &bar, || launch(template, &workers))?
    };
    let after = collect(store, grid, None)?;
    let (cells, kept, left) = (after.cells, before.done, after.left);
    let done = after.done.saturating_sub(kept);
    let report = Printed { cells, kept, done, failed: after.failed, left, launched };
    report.launched.broken.iter().take(SHOWN).for_each(|broken| warn(context, broken));
    context.output.tell(&report, || text(&report))?;
    let (folder, broken) = (store.root().display(), report.launched.broken.len());
    if left > 0 && broken > 0 {
        let text = format!(
            "{broken} commands failed, and {left} of {cells} trials are left; the same command goes on, and {folder}/command has all that was printed"
        );
        return Err(text.into());
    }
    if left > 0 {
        let text = format!(
            "the commands have returned, and {left} of {cells} trials have no result yet; `etalon status {folder}` tells how far they are, `etalon worker {folder} --collect` writes the summary, and the same command starts again what is left"
        );
        let nothing = report.done == 0 && report.failed == before.failed.len();
        context.progress.say(if nothing { "warning" } else { "note" }, &text);
        if nothing {
            return Ok(Exit::Negative);
        }
    }
    Ok(if report.failed > 0 { Exit::Negative } else { Exit::Done })
}

/// Runs what waits for workers, with a bar that counts the trials that have come to an end since.
fn watched<T>(store: &Store, bar: &ProgressBar, wait: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    let before = ended(store);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                bar.set_position(ended(store).saturating_sub(before));
                thread::park_timeout(LOOK);
            }
        });
        let found = wait();
        over.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        found
    })
}

/// Trials that have left a result or an error.
fn ended(store: &Store) -> u64 {
    let files = ["trials", "failed"].map(|folder| fs::read_dir(store.root().join(folder)));
    files.into_iter().flatten().map(|files| files.count() as u64).sum()
}

fn warn(context: &Context, broken: &Broken) {
    let what = broken.shard.map_or("the command".into(), |shard| format!("the command of part {shard}"));
    let lines: String = broken.last_lines.iter().map(|line| format!("\n  {line}")).collect();
    let text =
        format!("{what} failed ({}); the last lines of {}:{lines}", broken.status, broken.log.display());
    context.progress.say("warning", &text);
}

fn text(report: &Printed) -> String {
    let Printed { cells, kept, done, failed, left, launched } = report;
    format!(
        "{cells} trials: {done} done now by {} workers, {kept} before, {failed} failed, {left} left\n",
        launched.workers
    )
}
