//! `etalon status`: how far a sweep is.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::sweep::{Queue, Status, Store, queue, status};
use etalon::units::significant;
use serde::Serialize;
use std::path::PathBuf;

/// Most failures that the text lists; JSON has all.
const LISTED: usize = 10;

/// Say how far a sweep is: done, running, failed, stuck
///
/// Stuck are trials whose process died; running the sweep again does them. Of a sweep on Slurm, the jobs of its last
/// round are told too.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a sweep
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

/// What is printed.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    status: Status,
    /// Of a sweep on Slurm, if Slurm answers.
    slurm: Option<Queue>,
    /// Why it is not known what Slurm does.
    slurm_error: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let store = Store::read_only(&self.folder)?;
        let spinner = context.progress.spinner("looking");
        let (slurm, slurm_error) = match queue(&store) {
            Ok(queue) => (queue, None),
            Err(error) => (None, Some(error.to_string())),
        };
        drop(spinner);
        let report = Printed { status: status(&store)?, slurm, slurm_error };
        advise(context, &report, &store);
        context.output.tell(&report, || text(&report))?;
        Ok(Exit::Done)
    }
}

fn advise(context: &Context, report: &Printed, store: &Store) {
    if let Some(error) = &report.slurm_error {
        context.progress.say("warning", error);
    }
    let Some(queue) = &report.slurm else { return };
    if let Some(text) = held(queue) {
        context.progress.say("warning", &text);
    }
    let Status { cells, done, .. } = report.status;
    if !queue.is_alive() && done < cells {
        let folder = store.root().display();
        let text = format!(
            "Slurm has no job of this sweep any more, and {} trials have no result; `etalon sweep {folder}/spec.toml --out {folder} --on slurm` submits them, with the options of before",
            cells - done
        );
        context.progress.say("note", &text);
    }
}

/// Elements that Slurm will not start, and what frees them; none if there are none.
pub(super) fn held(queue: &Queue) -> Option<String> {
    let (first, reason) = queue.held.first_key_value()?;
    let elements: Vec<&str> = queue.held.keys().map(String::as_str).collect();
    Some(format!(
        "Slurm holds {} elements and will not start them by itself ({first}: {reason}); free them with: scontrol release {}",
        elements.len(),
        elements.join(" ")
    ))
}

fn text(report: &Printed) -> String {
    let Status { cells, done, failed, running, stuck, waiting, failures, working } = &report.status;
    let numbers =
        [("done", done), ("failed", failed), ("running", running), ("stuck", stuck), ("waiting", waiting)];
    let rows = numbers.map(|(name, number)| [name.to_string(), number.to_string()]);
    let mut text = table([&cells.to_string(), "trials"], rows);
    if let Some(oldest) = working.first() {
        text += &format!(
            "\nthe oldest running, {}, began {} s ago\n",
            oldest.trial,
            significant(oldest.seconds, 3)
        );
    }
    if let Some(queue) = &report.slurm {
        text += &format!("\n{}", queue_text(queue));
    }
    if !failures.is_empty() {
        let rows = failures.iter().take(LISTED).map(|failed| [failed.trial.clone(), failed.error.clone()]);
        text += &format!("\n{}", table(["failed", "error"], rows));
        if failures.len() > LISTED {
            text += &format!("and {} more; --json lists all\n", failures.len() - LISTED);
        }
    }
    text
}

fn queue_text(queue: &Queue) -> String {
    let Queue { round, running, waiting, held, jobs, .. } = queue;
    let reasons: Vec<String> = waiting.iter().map(|(reason, number)| format!("{reason} {number}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let jobs: Vec<String> = jobs.iter().map(u64::to_string).collect();
    let jobs = if jobs.is_empty() { "no jobs".into() } else { format!("jobs {}", jobs.join(" ")) };
    let waiting: usize = waiting.values().sum();
    format!(
        "Slurm, round {round}: {running} elements running, {waiting} waiting{reasons}, {} held; {jobs}\n",
        held.len()
    )
}
