//! `etalon sweep --on slurm`.

use super::{Arguments, program};
use crate::context::{Context, Exit, Failure};
use crate::verbs::status::held;
use etalon::sweep::{Grid, Settings, Store, Submission, Submitted, collect, submit};

pub(super) fn settings(arguments: &Arguments, context: &Context) -> Result<Settings, Failure> {
    let mut options = arguments.slurm.clone();
    if let Some(threads) = context.threads {
        // First, so that an explicit option wins.
        options.insert(0, format!("cpus-per-task={threads}"));
    }
    let mut settings = Settings::new(&options)?;
    settings.shards = arguments.shards.map(usize::from);
    settings.throttle = arguments.throttle.map(usize::from);
    Ok(settings)
}

pub(super) fn run(
    context: &Context,
    store: &Store,
    grid: &Grid,
    settings: &Settings,
) -> Result<Exit, Failure> {
    let submission = submit(store, grid, settings, &program()?)?;
    if submission == Submission::Done {
        collect(store, grid, None)?;
    }
    if let Submission::Alive(queue) = &submission
        && let Some(text) = held(queue)
    {
        context.progress.say("warning", &text);
    }
    context.output.tell(&submission, || text(&submission, store))?;
    Ok(Exit::Done)
}

fn text(submission: &Submission, store: &Store) -> String {
    let folder = store.root().display();
    match submission {
        Submission::Submitted(submitted) => {
            format!("{}\n`etalon status {folder}` tells how far they are\n", submitted_text(submitted))
        }
        Submission::Alive(queue) => {
            let jobs: Vec<String> = queue.jobs.iter().map(u64::to_string).collect();
            let jobs = jobs.join(" ");
            format!(
                "nothing submitted: jobs {jobs} of round {} are not over; `etalon status {folder}` tells how far they are, `scancel {jobs}` ends them\n",
                queue.round
            )
        }
        Submission::Done => "nothing to submit: every trial has a result\n".into(),
    }
}

/// What was submitted, in a line.
pub(crate) fn submitted_text(submitted: &Submitted) -> String {
    let Submitted { round, trials, elements, arrays, collector } = submitted;
    let arrays: Vec<String> = arrays.iter().map(u64::to_string).collect();
    format!(
        "round {round}: {trials} trials submitted as {elements} elements of job {}, collected by job {collector}",
        arrays.join(" ")
    )
}
