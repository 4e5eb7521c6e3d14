//! How far a sweep is.

use super::{Store, SweepError};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::SystemTime;

/// How far a sweep is. The numbers of done, failed, running, stuck and waiting trials add up to all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Trials of the grid.
    pub cells: usize,
    /// With a whole result.
    pub done: usize,
    /// With an error and no result; the next run tries them again.
    pub failed: usize,
    /// Under way in some process.
    pub running: usize,
    /// Claimed by a process that died; the next run does them.
    pub stuck: usize,
    /// Neither done, failed, running nor stuck: not begun yet.
    pub waiting: usize,
    /// Those that failed, in grid order.
    pub failures: Vec<Failed>,
    /// Those under way, the oldest first.
    pub working: Vec<Working>,
}

/// A trial that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The hash of its spec, which names its file.
    pub trial: String,
    /// What went wrong, in the words of the trial.
    pub error: String,
}

/// A trial under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Working {
    /// The hash of its spec, which names its file.
    pub trial: String,
    /// Since when, in seconds.
    pub seconds: f64,
}

/// Looks at every trial of a sweep.
///
/// # Errors
/// When its folders cannot be read.
pub fn status(store: &Store) -> Result<Status, SweepError> {
    let results = names(&store.root().join("trials"), ".jsonl")?;
    let errors = names(&store.root().join("failed"), ".json")?;
    let claims = names(&store.root().join("running"), ".lock")?;
    let all: Vec<&str> = store.names().collect();
    let done: Vec<bool> = all.par_iter().map(|&name| results.contains(name) && store.is_done(name)).collect();
    let mut status = Status {
        cells: all.len(),
        done: 0,
        failed: 0,
        running: 0,
        stuck: 0,
        waiting: 0,
        failures: Vec::new(),
        working: Vec::new(),
    };
    for (&name, done) in all.iter().zip(done) {
        let held = if !done && claims.contains(name) { is_held(&store.lock(name)) } else { None };
        match (done, held) {
            (true, _) => status.done += 1,
            (_, Some(true)) => {
                status.running += 1;
                status.working.push(Working { trial: name.into(), seconds: age(&store.lock(name)) });
            }
            (_, Some(false)) => status.stuck += 1,
            _ if errors.contains(name) => {
                status.failed += 1;
                status.failures.push(Failed { trial: name.into(), error: error(store, name) });
            }
            _ => status.waiting += 1,
        }
    }
    status.working.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Ok(status)
}

/// The names of the files with an ending.
fn names(folder: &Path, ending: &str) -> Result<HashSet<String>, SweepError> {
    let entries = fs::read_dir(folder).map_err(SweepError::io(folder, "read the folder"))?;
    let name = |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(ending)?.to_string());
    Ok(entries.flatten().filter_map(name).collect())
}

/// Whether some process holds a claim; none where it was given back meanwhile, or cannot be told.
fn is_held(path: &Path) -> Option<bool> {
    match File::open(path).ok()?.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

/// Since when a claim is held, in seconds.
fn age(path: &Path) -> f64 {
    let since = fs::metadata(path).and_then(|facts| facts.modified()).ok();
    let age = since.and_then(|since| SystemTime::now().duration_since(since).ok());
    age.map_or(0.0, |age| age.as_secs_f64())
}

fn error(store: &Store, name: &str) -> String {
    let text = fs::read_to_string(store.failure(name)).unwrap_or_default();
    let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let error = value.as_ref().and_then(|value| value["error"].as_str());
    error.unwrap_or("its error was not kept whole").into()
}
