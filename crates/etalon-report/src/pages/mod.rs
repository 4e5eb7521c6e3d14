//! One page for a run directory: the verdict first, then figures, numerics and where it came from.
//!
//! The page is a single file that asks no network for anything. It is made from what the folder holds, whichever verb
//! made that: results of `find`, `measure`, `train`, `theory`, `schedule` and `fit`, claims with their verdicts, sweeps of any job (finished or
//! not), and any other folder with results as JSON. What cannot be read is named on the page and left out.

mod boundaries;
mod claims;
mod compare;
mod content;
mod curves;
mod doubts;
mod error;
mod find;
mod fit;
mod folder;
mod joined;
mod laws;
mod map;
mod map_boundaries;
mod measure;
mod other;
mod page;
mod patterns;
mod phases;
mod schedule;
mod sweep;
mod toys;
mod train;
mod trials;
mod watch;

pub use error::ReportError;

use crate::figure::{Figure, LossKind};
use content::Content;
use etalon::record::Record;
use folder::{Folder, Found};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A page and the files beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The page as one file of HTML, which asks for no other.
    pub html: String,
    /// Each figure's name, picture (SVG) and numbers (CSV).
    pub figures: Vec<Drawn>,
    /// What it is about.
    pub summary: Summary,
}

impl Page {
    /// The page as a browser loads it again every so many seconds, for as long as what it is about goes on.
    pub fn again(&self, seconds: u64) -> String {
        let tag = format!("<head><meta http-equiv=\"refresh\" content=\"{seconds}\">");
        self.html.replacen("<head>", &tag, 1)
    }
}

/// A figure's files.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Their name without an ending.
    pub name: String,
    /// The picture, which stands by itself.
    pub svg: String,
    /// Its numbers, as [`crate::figure::Figure::table`] has them.
    pub csv: String,
}

/// What a report is about, in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The answer, as the page has it on top.
    pub answer: String,
    /// Trials whose results it shows; none where it is about a single result.
    pub trials: Option<usize>,
    /// Trials that are not finished.
    pub unfinished: usize,
    /// What could not be read and is left out.
    pub skipped: Vec<String>,
}

/// Makes the report of a run directory. `files` is where the page will find its figures' files: the path of a folder
/// from the page, with a slash at its end.
///
/// # Errors
/// When `root` is no run directory, or holds no result that can be read.
pub fn report(root: &Path, files: &str) -> Result<Page, ReportError> {
    let mut folder = Folder::open(root)?;
    let contents = contents(&mut folder)?;
    Ok(drawn(&[folder], contents, files))
}

/// Makes one page of several run directories of one kind, each as [`report`] has it, with the figures that they have in common
/// laid one over the other.
///
/// # Errors
/// As [`report`]; when there are none, or not of one kind.
pub fn compare(roots: &[PathBuf], files: &str) -> Result<Page, ReportError> {
    let (mut folders, mut firsts) = (Vec::new(), Vec::new());
    for root in roots {
        let mut folder = Folder::open(root)?;
        firsts.extend(contents(&mut folder)?.into_iter().next());
        folders.push(folder);
    }
    let content = compare::content(&folders, firsts)?;
    Ok(drawn(&folders, vec![content], files))
}

/// What a folder says, at least one thing.
fn contents(folder: &mut Folder) -> Result<Vec<Content>, ReportError> {
    let mut contents: Vec<Content> = match folder.has("cells.csv") {
        true => vec![sweep::content(folder)?],
        false => {
            let results = folder.results()?;
            results.into_iter().map(|result| single(&result, folder)).collect()
        }
    };
    contents.iter_mut().for_each(|content| {
        if content.loss == LossKind::Unknown {
            content.loss = folder.loss_kind();
        }
    });
    contents.extend(claims::folder(folder)?);
    // What a file of another program calls something stays.
    contents.iter_mut().filter(|content| content.kind != other::KIND).for_each(Content::set_in_symbols);
    if contents.is_empty() {
        return Err(ReportError::NoResult {
            path: folder.root.clone(),
            found: folder.names.join(", "),
            skipped: folder.skipped.iter().map(|fault| format!("; {fault}")).collect(),
        });
    }
    Ok(contents)
}

/// The page of what some folders say.
fn drawn(folders: &[Folder], mut contents: Vec<Content>, files: &str) -> Page {
    number_names(&mut contents);
    let mut figures = Vec::new();
    let mut draw = |figure: &Figure, loss: LossKind| {
        // What has nothing to draw is no figure; its numbers are in the tables.
        let (Ok(svg), Ok(html)) = (figure.svg(), figure.html(Some(files), loss)) else { return None };
        figures.push(Drawn { name: figure.name.clone(), svg, csv: figure.table().to_csv() });
        Some(html)
    };
    let mut all =
        |figures: &[Figure], loss| figures.iter().filter_map(|figure| draw(figure, loss)).collect::<Vec<_>>();
    let parts = contents.iter().flat_map(|content| all(&content.figures, content.loss)).collect::<Vec<_>>();
    let sections = contents.iter().flat_map(|content| &content.sections);
    let sections: Vec<_> = sections.map(|section| (section, all(&section.figures, section.loss))).collect();
    let summary = Summary {
        answer: contents[0].answer.clone(),
        trials: contents[0].trials,
        unfinished: contents[0].unfinished,
        skipped: folders.iter().flat_map(|folder| folder.skipped.clone()).collect(),
    };
    let html = page::page(folders, &contents, &parts, &sections);
    Page { html, figures, summary }
}

/// What a result says.
fn single(result: &Found, folder: &mut Folder) -> Content {
    match result {
        Found::Record(Record::Find(found)) => find::content(found, folder),
        Found::Record(Record::Measure(measured)) => measure::content(measured, folder),
        Found::Record(Record::Train(trial)) => train::content(trial, folder),
        Found::Record(Record::Watch(watched)) => watch::content(watched),
        Found::Record(Record::Claim(claim)) => claims::content(std::slice::from_ref(claim)),
        Found::Record(Record::Map(found)) => map::content(found),
        Found::Record(Record::Boundaries(found)) => map_boundaries::content(found),
        Found::Record(Record::Linear(found)) => map::linear(found),
        Found::Record(Record::Patterns(patterns)) => patterns::content(patterns),
        Found::Record(record @ Record::Separability(_)) => other::record(record),
        Found::Record(Record::Toys(toys)) => toys::content(toys),
        Found::Record(Record::Fit(fitted)) => fit::content(fitted),
        Found::Record(Record::Schedule(rates)) => schedule::shown_alone(rates),
        Found::Record(Record::Converted(converted)) => schedule::converted(converted),
        Found::Record(Record::Undone(undone)) => schedule::undone(undone),
        Found::Record(Record::Equivalence(found)) => schedule::equivalence(found),
        Found::Other(result) => other::content(&result.name, &result.value),
    }
}

/// Gives figures of one name a number.
fn number_names(contents: &mut [Content]) {
    let mut seen: Vec<String> = Vec::new();
    for figure in contents.iter_mut().flat_map(Content::figures_mut) {
        let plain = figure.name.clone();
        for number in 2.. {
            if !seen.contains(&figure.name) {
                break;
            }
            figure.name = format!("{plain}-{number}");
        }
        seen.push(figure.name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_folder_there_is_nothing_to_compare() {
        assert!(matches!(compare(&[], ""), Err(ReportError::NoFolder)));
    }
}
