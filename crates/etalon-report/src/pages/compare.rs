//! Folders of one kind beside each other: what each says, their figures in one, then each by itself.

use super::content::{Content, Numbers, Section, count};
use super::error::ReportError;
use super::folder::Folder;
use super::joined::{joined, trials};
use crate::figure::{Colour, Figure, LossKind, Panel, Series};
use std::path::PathBuf;

/// Answers that a headline has at most.
const ANSWERS: usize = 3;

/// What some folders say, the first of each one's contents.
///
/// # Errors
/// When there are none, or not of one kind.
pub(super) fn content(folders: &[Folder], contents: Vec<Content>) -> Result<Content, ReportError> {
    let kind = contents.first().ok_or(ReportError::NoFolder)?.kind.clone();
    if let Some(other) = contents.iter().position(|content| content.kind != kind) {
        let of = |place: usize| -> (PathBuf, String) {
            (folders[place].root.clone(), contents[place].kind.clone())
        };
        return Err(ReportError::Kinds(Box::new([of(0), of(other)])));
    }
    let names: Vec<String> = folders.iter().map(|folder| folder.root.display().to_string()).collect();
    let answers: Vec<&str> = contents.iter().map(|content| content.answer.as_str()).collect();
    let mut all = Content {
        kind: format!("{} beside each other: {}", count(folders.len(), "folder"), kind.to_lowercase()),
        answer: match answers.len() {
            ..=ANSWERS => answers.join("; "),
            number => format!("{}; and {} more", answers[..ANSWERS].join("; "), number - ANSWERS),
        },
        trials: contents.iter().map(|content| content.trials).sum(),
        unfinished: contents.iter().map(|content| content.unfinished).sum(),
        loss: match contents.iter().all(|content| content.loss == contents[0].loss) {
            true => contents[0].loss,
            false => LossKind::Unknown,
        },
        ..Content::default()
    };
    let mut table = Numbers::new("What each folder says", ["folder", "answer", "by", "in doubt"]);
    for (name, content) in names.iter().zip(&contents) {
        let doubts = count(content.doubts.len(), "point");
        table.row([name.clone(), content.answer.clone(), content.interval.clone(), doubts]);
    }
    all.tables.push(table);
    all.tables.extend(facts(&names, &contents));
    let of_trials: Option<Vec<Numbers>> = folders.iter().map(|folder| trials(&folder.root)).collect();
    all.tables.extend(of_trials.and_then(|tables| joined(&names, &tables.iter().collect::<Vec<_>>())));
    all.tables.extend(contents[0].tables.iter().filter_map(|table| {
        let of = |content: &'_ Content| content.tables.iter().position(|other| other.title == table.title);
        let places: Vec<usize> = contents.iter().map(of).collect::<Option<_>>()?;
        let tables: Vec<&Numbers> =
            contents.iter().zip(places).map(|(content, place)| &content.tables[place]).collect();
        joined(&names, &tables)
    }));
    match overlaid(&names, &contents) {
        Some(figure) => all.figures.push(figure),
        None => all.notes.push(
            "The figures of these folders have no axes in common; each is in its own part below.".into(),
        ),
    }
    all.sections = names
        .into_iter()
        .zip(contents)
        .map(|(name, content)| Section {
            title: format!("{name}: {}", content.answer),
            id: name,
            lead: content.interval,
            loss: content.loss,
            facts: content.facts,
            figures: content
                .figures
                .into_iter()
                .chain(content.sections.into_iter().flat_map(|part| part.figures))
                .collect(),
        })
        .collect();
    Ok(all)
}

/// The facts that all have, a row each.
fn facts(names: &[String], contents: &[Content]) -> Option<Numbers> {
    let of = |content: &Content, name: &str| {
        content.facts.iter().find(|fact| fact.0 == name).map(|fact| fact.1.clone())
    };
    let mut table = Numbers::new("Side by side", ["fact"]);
    table.columns.extend(names.iter().cloned());
    for (name, _) in &contents[0].facts {
        let row: Option<Vec<String>> = contents.iter().map(|content| of(content, name)).collect();
        table.rows.extend(row.map(|row| [vec![name.clone()], row].concat()));
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The first figure that all have over the same axes: of each of its panels the first series of each folder.
fn overlaid(names: &[String], contents: &[Content]) -> Option<Figure> {
    contents[0].figures.iter().find_map(|figure| {
        let others = contents[1..].iter().map(|content| {
            content.figures.iter().find(|other| other.name == figure.name && other.x == figure.x)
        });
        let same: Vec<&Figure> = std::iter::once(Some(figure)).chain(others).collect::<Option<_>>()?;
        let panel = |panel: &Panel| {
            let series = same.iter().enumerate().filter_map(|(index, figure)| {
                let other = figure.panels.iter().find(|other| other.y == panel.y)?;
                let first = other.series.first()?;
                Some(Series { name: names[index].clone(), colour: Colour::of(index), ..first.clone() })
            });
            let series: Vec<Series> = series.collect();
            let weight = panel.weight;
            (panel.cells.is_empty() && series.len() > 1).then(|| Panel {
                series,
                weight,
                ..Panel::new(panel.y.clone())
            })
        };
        let panels: Vec<Panel> = figure.panels.iter().filter_map(panel).collect();
        (!panels.is_empty()).then(|| Figure {
            name: format!("{}-compared", figure.name),
            title: format!("{}, one over the other", figure.title),
            note: "Of each panel the first curve of each folder; all of them are in the parts below.".into(),
            x: figure.x.clone(),
            panels,
            details: None,
        })
    })
}
