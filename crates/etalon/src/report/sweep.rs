//! The page of a sweep: what is done, what failed, what is broken, and what its job has found.

use super::content::{Content, Numbers, count};
use super::folder::Folder;
use super::trials::{Step, Trial, taken};
use super::{ReportError, boundaries, laws, phases};
use crate::figure::{Point, thin};
use crate::search::{SeedResult, Stopped};
use crate::sweep::{Store, Table, status};
use rayon::prelude::*;
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// Skipped or failed trials that the page names one by one.
const NAMED: usize = 20;
/// Points that the curves of all trials may have together; each of them at least, where it has any, and at most.
const CURVES: (usize, usize, usize) = (100_000, 24, 160);

/// A finished trial of a sweep.
pub struct Done {
    pub name: String,
    /// Its values of the grid's keys, as text.
    pub values: Vec<String>,
    pub result: Map<String, Value>,
    /// The loss of its steps, thinned.
    pub curve: Vec<(f64, f64)>,
    /// Seeds of its search that did not reach the tolerance, and why.
    pub unconverged: Vec<String>,
}

/// A sweep as far as it is.
pub struct Sweep {
    root: PathBuf,
    /// The grid's keys.
    pub keys: Vec<String>,
    pub done: Vec<Done>,
    /// Trials of the grid.
    pub cells: usize,
}

enum State {
    Done(Box<Done>),
    Broken(String),
    Absent,
}

impl Sweep {
    /// All recorded steps of a trial; none where its file has changed since.
    pub fn steps(&self, trial: &Done) -> Vec<Step> {
        let path = self.root.join("trials").join(format!("{}.jsonl", trial.name));
        Trial::read(&path).map(|trial| trial.steps).unwrap_or_default()
    }

    /// The summary of the trials that are done, whatever `summary.csv` has by now.
    pub fn summary(&self) -> Table {
        let mut columns: Vec<String> = Vec::new();
        for name in self.done.iter().flat_map(|trial| trial.result.keys()) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let field = |value: Option<&Value>| match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let row = |trial: &Done| {
            let results = columns.iter().map(|name| field(trial.result.get(name)));
            std::iter::once(trial.name.clone()).chain(trial.values.iter().cloned()).chain(results).collect()
        };
        let rows = self.done.iter().map(row).collect();
        let keys = self.keys.iter().cloned();
        Table { columns: std::iter::once("trial".into()).chain(keys).chain(columns.clone()).collect(), rows }
    }
}

/// What a sweep says.
pub fn content(folder: &mut Folder) -> Result<Content, ReportError> {
    let path = folder.root.join("cells.csv");
    let fault = |reason: String| ReportError::Cells { path: path.clone(), reason };
    let text = fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
    let cells = Table::parse(&text).map_err(fault)?;
    let budget = (CURVES.0 / cells.rows.len().max(1)).min(CURVES.2);
    let root = folder.root.clone();
    let states: Vec<State> = cells.rows.par_iter().map(|row| state(&root, row, budget)).collect();
    let mut sweep =
        Sweep { root, keys: cells.columns[1..].to_vec(), done: Vec::new(), cells: cells.rows.len() };
    let mut broken: Vec<String> = Vec::new();
    for (row, state) in cells.rows.iter().zip(states) {
        match state {
            State::Done(done) => sweep.done.push(*done),
            State::Broken(reason) => broken.push(format!("trials/{}.jsonl: {reason}", row[0])),
            State::Absent => {}
        }
    }
    let columns = |name: &str| sweep.done.iter().any(|trial| trial.result.contains_key(name));
    let mut content = if columns("eta_star") {
        laws::content(&sweep, folder)
    } else if columns("c_h_loss") {
        boundaries::content(&sweep)
    } else if columns("phase") {
        phases::content(&sweep, folder)
    } else {
        Content { answer: "no trial is finished yet".into(), ..Content::default() }
    };
    content.kind = format!("Sweep of {}", count(sweep.cells, "trial"));
    content.trials = Some(sweep.done.len());
    content.unfinished = sweep.cells - sweep.done.len();
    content.facts.insert(0, ("trials".into(), progress(&sweep, folder, &broken)));
    if content.unfinished > 0 {
        content.doubts.insert(
            0,
            format!(
                "The sweep is not complete: {} of {} are done, and this page shows those alone.",
                sweep.done.len(),
                count(sweep.cells, "trial")
            ),
        );
    }
    content.tables.extend(failures(folder));
    folder.skipped.extend(broken);
    Ok(content)
}

/// How far it is, in words.
fn progress(sweep: &Sweep, folder: &Folder, broken: &[String]) -> String {
    let mut text = format!("{} of {} done", sweep.done.len(), sweep.cells);
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

fn state(root: &Path, row: &[String], points: usize) -> State {
    let path = root.join("trials").join(format!("{}.jsonl", row[0]));
    if !path.exists() {
        return State::Absent;
    }
    match Trial::read(&path) {
        Err(reason) => State::Broken(reason),
        Ok(Trial { result: None, .. }) => State::Broken("it has no result: its last line is missing".into()),
        Ok(Trial { result: Some(result), steps, searches, .. }) => {
            let curve: Vec<_> = taken(&steps)
                .iter()
                .map(|step| Point { x: step.step, y: step.loss, spread: None, hollow: false })
                .collect();
            // With too few points each, none has a curve.
            let curve = if points < CURVES.1 { Vec::new() } else { thin(&curve, points) };
            let curve = curve.iter().map(|point| (point.x, point.y)).collect();
            let unconverged = searches
                .iter()
                .filter_map(|found| found.search.as_ref())
                .flat_map(|search| &search.seeds)
                .filter_map(unconverged);
            State::Done(Box::new(Done {
                name: row[0].clone(),
                values: row[1..].to_vec(),
                result,
                curve,
                unconverged: unconverged.collect(),
            }))
        }
    }
}

/// Why the search of a seed did not end within its tolerance, where it did not.
fn unconverged(SeedResult { seed, stopped, .. }: &SeedResult) -> Option<String> {
    (!matches!(stopped, Stopped::Converged { .. })).then(|| format!("seed {seed}: {stopped}"))
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
