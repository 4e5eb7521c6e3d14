//! Logs of several runs: a folder of folders with TensorBoard's event files, an export of Weights & Biases.

use super::WatchError;
use super::columns::Columns;
use super::table::Header;
use super::tail::Tail;
use std::fs::read_dir;
use std::path::{Path, PathBuf};

/// How deep below a folder runs are looked for: `lightning_logs/version_0/` is two.
const DEPTH: usize = 5;
/// The name of a folder's own run, where there are others below it.
const OWN: &str = ".";

/// The runs that a log holds, by name, to be chosen as [`Columns::run`]. None where it is a single one.
///
/// # Errors
/// When a folder or the start of the file cannot be read.
pub fn runs(path: &Path, columns: &Columns) -> Result<Vec<String>, WatchError> {
    if path.is_dir() {
        let mut found = Vec::new();
        below(path, &mut PathBuf::new(), &mut found)?;
        found.sort_unstable();
        return Ok(if found == [OWN] { Vec::new() } else { found });
    }
    // What is read of a pipe is gone.
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut first = None;
    Tail::open(path)?.first_line(|line| first = std::str::from_utf8(line).ok().map(String::from))?;
    // Of JSON and of plain text no name of a run is known.
    let first = first.filter(|line| !line.trim_start().starts_with(['{', '[']));
    Ok(first.map_or_else(Vec::new, |line| {
        let header = Header::parse(&line, columns);
        columns.runs(header.names()).into_iter().map(String::from).collect()
    }))
}

/// The event files of a folder, by their names, which begin with the time at which they were begun.
pub(super) fn event_files(folder: &Path) -> Result<Vec<PathBuf>, WatchError> {
    let read = |source| WatchError::Read { path: folder.into(), source };
    let mut paths = Vec::new();
    for entry in read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if is_event_file(&entry.file_name()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_event_file(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().contains("tfevents")
}

/// Where the run lies that is chosen, or the only one: a folder of event files, or the file itself.
pub(super) fn place(path: &Path, columns: &Columns) -> Result<PathBuf, WatchError> {
    let is_folder = path.is_dir();
    let found = || runs(path, columns);
    match &columns.run {
        Some(run) if is_folder || path.is_file() => match found()? {
            runs if !runs.contains(run) => {
                let runs = if runs.is_empty() { "a single one".into() } else { runs.join(", ") };
                Err(WatchError::NoRun { path: path.into(), run: run.clone(), runs })
            }
            _ => Ok(if is_folder { path.join(run) } else { path.into() }),
        },
        None if is_folder && event_files(path)?.is_empty() => match found()?.as_slice() {
            [] => Err(WatchError::NoEvents(path.into())),
            [run] => Ok(path.join(run)),
            runs => Err(WatchError::Runs { path: path.into(), runs: runs.join(", ") }),
        },
        _ => Ok(path.into()),
    }
}

/// Folders with event files below `root`; those that cannot be read have none. Links are not followed, but for the root.
fn below(root: &Path, inner: &mut PathBuf, found: &mut Vec<String>) -> Result<(), WatchError> {
    let folder = root.join(&*inner);
    let mut has_events = false;
    for entry in
        read_dir(&folder).map_err(|source| WatchError::Read { path: folder.clone(), source })?.flatten()
    {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && inner.components().count() < DEPTH {
            inner.push(entry.file_name());
            let _ = below(root, inner, found);
            inner.pop();
        }
        has_events |= is_event_file(&entry.file_name());
    }
    if has_events {
        let name = inner.to_string_lossy().into_owned();
        found.push(if name.is_empty() { OWN.into() } else { name });
    }
    Ok(())
}
