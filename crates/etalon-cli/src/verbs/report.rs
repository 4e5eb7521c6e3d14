//! `etalon report`: one page for a run directory, or for several.

use crate::context::{Context, Exit, Failure};
use etalon::record::{check_writable, write_whole};
use etalon::sweep::{Store, status};
use etalon::units::{self, counted};
use etalon_report::{Summary, compare, report};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use std::{fs, io};

/// Broken files that are named on stderr; the page names more.
const NAMED: usize = 5;
/// Between two looks at a folder in which something is about to begin.
const LOOK: Duration = Duration::from_millis(300);
/// What a run or a sweep has in its folder before any result.
const BEFORE: [&str; 6] = ["meta.json", "spec.toml", "cells.csv", "trials", "failed", "running"];
/// Where a sweep has what it works on and has come to.
const TRIALS: [&str; 3] = ["trials", "failed", "running"];

/// Make one HTML page of a run directory: the verdict, figures, numbers and where they came from
///
/// For any folder that --out has made, finished or not. The page needs no network and no other file; beside it,
/// figures/ gets each figure as a picture (SVG) and its numbers (CSV). With --out FILE.html it is written there.
/// Several folders of one kind are compared on one page: compared.html, unless --out says otherwise.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that --out of another verb has made; several to compare them
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath, required = true)]
    folders: Vec<PathBuf>,

    /// Write the page again every so many seconds until the sweep is done or nothing of it runs; an open page shows it anew; it waits for the first result
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", value_parser = clap::value_parser!(u64).range(1..))]
    follow: Option<u64>,
}

/// What was written, as JSON has it.
#[derive(Serialize)]
struct Written {
    #[serde(flatten)]
    summary: Summary,
    page: PathBuf,
    bytes: usize,
    figures: Vec<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (page, figures) = match (self.folders.as_slice(), context.out.as_deref()) {
            ([folder], out) => places(folder, out),
            (_, None) => places(Path::new("."), Some(Path::new("compared.html"))),
            (_, out) => places(Path::new("."), out),
        };
        if let Some(seconds) = self.follow {
            let spinner = context.progress.spinner(format!("writing {} every {seconds} s", page.display()));
            if let Some(folder) = self.folders.iter().find(|folder| is_to_come(folder)) {
                let text = format!("waiting for the first result in {}", folder.display());
                context.progress.say("note", &(text + &whether_mistyped(folder)?));
            }
            while self.folders.iter().any(|folder| is_to_come(folder)) {
                sleep(LOOK);
            }
            while self.is_under_way()? {
                let written = self.write(&page, &figures, Some(seconds))?;
                let done = written.summary.trials.unwrap_or(0);
                let all = done + written.summary.unfinished;
                spinner.set_message(format!("{}: {done} of {all} trials are done", page.display()));
                sleep(Duration::from_secs(seconds));
            }
        }
        let written = self.write(&page, &figures, None)?;
        let skipped = &written.summary.skipped;
        for fault in skipped.iter().take(NAMED) {
            context.progress.say("warning", &format!("left out: {fault}"));
        }
        if skipped.len() > NAMED {
            context.progress.say("warning", &format!("{} more files are left out", skipped.len() - NAMED));
        }
        if written.summary.unfinished > 0 {
            let done = written.summary.trials.unwrap_or(0);
            let all = done + written.summary.unfinished;
            context.progress.say("note", &format!("{done} of {all} trials are done; the page shows those"));
        }
        context.output.tell(&written, || text(&written))?;
        Ok(Exit::Done)
    }

    /// Whether some process works on a sweep; between two trials it may seem so for a moment that none does.
    fn is_under_way(&self) -> Result<bool, Failure> {
        for folder in self.folders.iter().filter(|folder| folder.join("cells.csv").is_file()) {
            let store = Store::read_only(folder)?;
            for look in 0..3 {
                let status = status(&store)?;
                if status.running > 0 {
                    return Ok(true);
                }
                if status.done == status.cells || look == 2 {
                    break;
                }
                sleep(LOOK);
            }
        }
        Ok(false)
    }

    /// Writes the page and its figures; `again` is after how many seconds a browser loads it again.
    fn write(&self, page: &Path, figures: &Path, again: Option<u64>) -> Result<Written, Failure> {
        let folder = figures.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let files = format!("{folder}/");
        let made = match self.folders.as_slice() {
            [folder] => report(folder, &files)?,
            folders => compare(folders, &files)?,
        };
        check_writable(page)?;
        let html = again.map_or_else(|| made.html.clone(), |seconds| made.again(seconds));
        let mut written =
            Written { summary: made.summary, page: page.into(), bytes: html.len(), figures: Vec::new() };
        for figure in &made.figures {
            for (ending, content) in [("svg", &figure.svg), ("csv", &figure.csv)] {
                let path = figures.join(format!("{}.{ending}", figure.name));
                write_whole(&path, content.as_bytes())?;
                written.figures.push(path);
            }
        }
        // Last, so that a page has its files.
        write_whole(page, html.as_bytes())?;
        Ok(written)
    }
}

/// Whether a folder is not there yet, or no more than what a run or a sweep has before its first result or trial begins.
fn is_to_come(folder: &Path) -> bool {
    let names = |folder: &Path| -> io::Result<Vec<_>> {
        Ok(fs::read_dir(folder)?.flatten().map(|entry| entry.file_name()).collect())
    };
    let is_before = |name: &str| name.starts_with('.') || BEFORE.contains(&name);
    match names(folder) {
        Ok(all) if all.iter().all(|name| name.to_str().is_some_and(is_before)) => {
            TRIALS.iter().all(|trials| names(&folder.join(trials)).map_or(true, |all| all.is_empty()))
        }
        Ok(_) => false,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// What is to be said of a folder that is waited for: that it is not there, and which runs lie beside it.
///
/// # Errors
/// When it can never be there, since the folder that it would lie in is none.
fn whether_mistyped(folder: &Path) -> Result<String, Failure> {
    if folder.exists() {
        return Ok(String::new());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = fs::read_dir(parent).map_err(|error| {
        format!(
            "nothing can appear in {}: {}: {error}; mind the spelling",
            folder.display(),
            parent.display()
        )
    })?;
    let runs = beside.flatten().filter(|entry| entry.path().join("meta.json").is_file());
    let mut names: Vec<String> = runs.map(|run| run.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.truncate(NAMED);
    let beside =
        if names.is_empty() { String::new() } else { format!("; beside it are {}", names.join(", ")) };
    Ok(format!(", which does not exist yet{beside}"))
}

/// Where the page goes, and the folder of its figures.
fn places(folder: &Path, out: Option<&Path>) -> (PathBuf, PathBuf) {
    let page = match out {
        None => folder.join("report.html"),
        Some(out) if out.is_dir() => out.join("report.html"),
        Some(out) => out.to_path_buf(),
    };
    // Beside a page with a name of its own, its files have that name too.
    let figures = match page.file_stem().and_then(|stem| stem.to_str()) {
        None | Some("report") => "figures".into(),
        Some(stem) => format!("{stem}-figures"),
    };
    let beside = page.with_file_name(figures);
    (page, beside)
}

fn text(written: &Written) -> String {
    let Written { summary, page, bytes, figures } = written;
    format!(
        "{}\n{}: {}, {}\n",
        summary.answer,
        page.display(),
        units::bytes(*bytes as u64),
        counted(figures.len() / 2, "figure")
    )
}
