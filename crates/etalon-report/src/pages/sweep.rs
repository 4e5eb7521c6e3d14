//! The page of a sweep: what is done, what failed, what is broken, and what its job has found.

use super::content::{Content, Numbers, count};
use super::error::ReportError;
use super::folder::Folder;
use super::laws::Searched;
use super::phases::Trained;
use super::trials::{Cells, Swept};
use super::{boundaries, laws, phases};
use etalon::sweep::{BoundariesRow, FindRow, Job, Rows, Store, TrainRow, Trial, status};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// Skipped or failed trials that the page names one by one.
const NAMED: usize = 20;

/// What a sweep says.
pub(super) fn content(folder: &mut Folder) -> Result<Content, ReportError> {
    let cells = Cells::open(&folder.root)?;
    let fault = |reason: String| ReportError::Job { path: folder.root.join("spec.toml"), reason };
    let text = folder.spec_text.as_deref().ok_or_else(|| fault("it is missing".into()))?;
    let job = Job::of_text(text).map_err(|error| fault(error.to_string()))?;
    let (done, broken, mut content) = match job {
        Job::Train { .. } => {
            let swept = cells.read(|trial: Trial<TrainRow>| Trained::new(trial, cells.len()));
            finish(swept, |rows| phases::content(rows, folder))
        }
        Job::Find => {
            let swept = cells.read(|trial: Trial<FindRow>| Searched::new(&trial));
            finish(swept, |rows| laws::content(rows, folder))
        }
        Job::Boundaries => {
            let swept = cells.read(|trial: Trial<BoundariesRow>| trial.row);
            finish(swept, boundaries::content)
        }
    };
    content.kind = match job {
        Job::Train { .. } => "Sweep of trainings".into(),
        Job::Find => "Sweep of searches".into(),
        Job::Boundaries => "Sweep of boundaries".into(),
    };
    content.trials = Some(done);
    content.unfinished = cells.len() - done;
    content.facts.insert(0, ("trials".into(), progress(done, cells.len(), folder, &broken)));
    if content.unfinished > 0 {
        content.doubts.insert(
            0,
            format!(
                "The sweep is not complete: {done} of {} are done, and this page shows those alone.",
                count(cells.len(), "trial")
            ),
        );
    }
    content.tables.extend(failures(folder));
    folder.skipped.extend(broken);
    Ok(content)
}

/// How many trials are done, which are broken, and what is said of the former.
fn finish<T>(
    Swept { rows, broken }: Swept<T>,
    say: impl FnOnce(&Rows<T>) -> Content,
) -> (usize, Vec<String>, Content) {
    let none = || Content { answer: "no trial is finished yet".into(), ..Content::default() };
    let content = if rows.trials.is_empty() { none() } else { say(&rows) };
    (rows.trials.len(), broken, content)
}

/// How far it is, in words.
fn progress(done: usize, cells: usize, folder: &Folder, broken: &[String]) -> String {
    let mut text = format!("{done} of {cells} done");
    if !broken.is_empty() {
        text += &format!(", {} broken and left out", broken.len());
    }
    // Where the folder is of another version, its claims cannot be read.
    if let Ok(status) = Store::read_only(&folder.root).and_then(|store| status(&store)) {
        for (number, what) in
            [(status.running, "running now"), (status.failed, "failed"), (status.stuck, "interrupted")]
        {
            if number > 0 {
                text += &format!(", {number} {what}");
            }
        }
    }
    text
}

/// The trials that failed.
fn failures(folder: &Folder) -> Option<Numbers> {
    let mut table = Numbers::new("Trials that failed", ["trial", "why"]);
    let entries = fs::read_dir(folder.root.join("failed")).ok()?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    for path in paths.iter().take(NAMED) {
        let value: Option<Value> = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let why = value.as_ref().and_then(|value| value["error"].as_str());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        table.row([name, why.unwrap_or("its error was not kept whole").into()]);
    }
    if paths.len() > NAMED {
        table.note = format!("The first {NAMED} of {}.", paths.len());
    }
    (!paths.is_empty()).then_some(table)
}
