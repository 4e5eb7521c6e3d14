//! Claims of papers with their verdicts: a folder with a folder for each.

use super::content::{Content, Numbers, Section, count};
use super::error::ReportError;
use super::folder::Folder;
use crate::figure::{Axis, Colour, Figure, Panel, Point, Series, Stroke, symbol, thin};
use etalon::claims::{Judgement, Verdict, id_order};
use etalon::record::Record;
use etalon::sweep::Table;
use std::fs;

/// The file of a claim in its folder.
const FILE: &str = "claim.json";
/// Panels of a claim's figure; points of a series.
const MOST: (usize, usize) = (4, 400);
/// What lies to the right: the first that a table has. The others say the same in other units.
const ACROSS: [&str; 3] = ["step", "c", "eta"];
/// What parts series, and the most of them.
const APART: [&str; 4] = ["width", "network.width", "depth", "schedule"];
const SERIES: usize = 7;

/// The claims that have a folder each; none where there are no such folders.
///
/// # Errors
/// When one of them is no claim of this version.
pub(super) fn folder(folder: &mut Folder) -> Result<Option<Content>, ReportError> {
    let is_claim = |name: &&String| folder.root.join(name).join(FILE).is_file();
    let mut names: Vec<String> = folder.names.iter().filter(is_claim).cloned().collect();
    names.sort_by_key(|name| id_order(name));
    let (mut claims, mut folders) = (Vec::new(), Vec::new());
    for name in &names {
        let file = format!("{name}/{FILE}");
        match folder.record(&file)? {
            Some(Record::Claim(claim)) => {
                claims.push(*claim);
                folders.push(name);
            }
            Some(other) => folder.skip(&file, &format!("it is the record of {other}, not of a claim")),
            None => {}
        }
    }
    if claims.is_empty() {
        return Ok(None);
    }
    let mut content = content(&claims);
    // A claim's folder may have another name than it.
    for (section, name) in content.sections.iter_mut().zip(folders) {
        for (file, table) in tables(folder, name) {
            section.figures.extend(figure(name, &file, &table));
        }
    }
    Ok(Some(content))
}

/// What claims say.
pub(super) fn content(claims: &[Judgement]) -> Content {
    let holds = claims.iter().filter(|claim| claim.verdict == Verdict::Holds).count();
    let mut content = Content {
        kind: format!("{} of papers", count(claims.len(), "claim")),
        answer: format!("{holds} of {} claims hold", claims.len()),
        interval: Verdict::counts(claims),
        ..Content::default()
    };
    for wanted in [Verdict::Refuted, Verdict::Underpowered, Verdict::NotDecided] {
        let ids: Vec<&str> =
            claims.iter().filter(|claim| claim.verdict == wanted).map(|claim| claim.id.as_str()).collect();
        content.fact(&wanted.to_string(), (!ids.is_empty()).then(|| ids.join(", ")));
    }
    let mut table = Numbers::new("Claims", ["claim", "verdict", "what the paper says"]);
    for claim in claims {
        table.row([claim.id.clone(), claim.verdict.to_string(), claim.statement.clone()]);
        content.sections.push(section(claim));
    }
    content.tables.push(table);
    content
}

/// A claim: the verdict first, then what it says, what was measured, and how.
fn section(claim: &Judgement) -> Section {
    let mut facts: Vec<(String, String)> = claim
        .measured
        .iter()
        .map(|measured| {
            let condition = claim.condition(&measured.name);
            let must = condition.map_or(String::new(), |condition| format!("; must be {}", condition.told()));
            (measured.what.clone(), format!("{}{must}", measured.text()))
        })
        .collect();
    let mut fact = |name: &str, text: String| facts.push((name.into(), text));
    if let Some(reason) = &claim.reason {
        fact("reason", reason.clone());
    }
    fact("rule", claim.rule.words.clone());
    fact("setting", claim.setting.clone());
    fact("paper", format!("{}, {}", claim.paper, claim.place));
    fact("command", claim.command.clone());
    Section {
        id: claim.id.clone(),
        title: format!("{} {}", claim.id, claim.verdict),
        lead: claim.statement.clone(),
        facts,
        ..Section::default()
    }
}

/// The tables in the folder of a claim, by their names.
fn tables(folder: &mut Folder, name: &str) -> Vec<(String, Table)> {
    let Ok(entries) = fs::read_dir(folder.root.join(name)) else { return Vec::new() };
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut files: Vec<String> = files.filter(|file| file.ends_with(".csv")).collect();
    files.sort_unstable();
    let mut tables = Vec::new();
    for file in files {
        let path = format!("{name}/{file}");
        match folder.text(&path).map(|text| Table::parse(&text)) {
            Some(Ok(table)) => tables.push((file.trim_end_matches(".csv").to_string(), table)),
            Some(Err(reason)) => folder.skip(&path, &reason),
            None => {}
        }
    }
    tables
}

/// The values of a column, each once, in order.
fn distinct(table: &Table, column: usize) -> Vec<&str> {
    let mut values: Vec<&str> = table.rows.iter().map(|row| row[column].as_str()).collect();
    values.sort_by(|a, b| a.parse().unwrap_or(f64::NAN).total_cmp(&b.parse().unwrap_or(f64::NAN)));
    values.dedup();
    values
}

/// What of a table lies to the right, and what parts its series.
fn roles(table: &Table) -> (usize, Option<usize>) {
    let find = |names: &[&str]| names.iter().find_map(|name| table.column(name));
    let across = find(&ACROSS);
    let apart = find(&APART).or_else(|| table.column("c").filter(|c| across != Some(*c)));
    match (across, apart) {
        // Many widths at a few rates: the widths lie to the right.
        (Some(across), Some(apart)) if distinct(table, apart).len() > SERIES => (apart, Some(across)),
        (across, apart) => (across.unwrap_or(0), apart.filter(|apart| *apart != across.unwrap_or(0))),
    }
}

/// A table as a figure: a panel for each of the columns that are measured, a series for each value of what parts them.
fn figure(claim: &str, file: &str, table: &Table) -> Option<Figure> {
    let (x, by) = roles(table);
    let number = |row: &[String], column: usize| row[column].parse::<f64>().unwrap_or(f64::NAN);
    let is_measured = |index: &usize| {
        let name = table.columns[*index].as_str();
        *index != x && Some(*index) != by && name != "seed" && !ACROSS.contains(&name)
    };
    let groups = by.map_or_else(|| vec![""], |by| distinct(table, by));
    let axis = |index: usize| {
        let label = symbol(&table.columns[index]);
        let values = || table.rows.iter().map(|row| number(row, index)).filter(|value| value.is_finite());
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
        if low > 0.0 && high > 10.0 * low && label != "step" { Axis::log(label) } else { Axis::even(label) }
    };
    let panel = |y: usize| {
        let series = groups.iter().enumerate().map(|(index, group)| {
            let rows = table.rows.iter().filter(|row| by.is_none_or(|by| row[by] == *group));
            let mut points: Vec<Point> = rows
                .map(|row| Point { x: number(row, x), y: number(row, y), spread: None, hollow: false })
                .collect();
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            // Several seeds at a step are no line.
            let is_curve = table.columns[x] == "step" && points.windows(2).all(|pair| pair[0].x < pair[1].x);
            let name = by.map_or(String::new(), |by| format!("{} {group}", symbol(&table.columns[by])));
            let stroke = if is_curve { Stroke::Line } else { Stroke::Marks };
            Series { points: thin(&points, MOST.1), ..Series::plain(name, Colour::of(index), stroke, []) }
        });
        Panel { series: series.collect(), ..Panel::new(axis(y)) }
    };
    let mut panels: Vec<Panel> =
        (0..table.columns.len()).filter(is_measured).take(MOST.0).map(panel).collect();
    let has_values = |series: &Series| series.points.iter().any(|point| point.y.is_finite());
    panels.retain(|panel| panel.series.iter().any(has_values));
    (!panels.is_empty()).then(|| Figure {
        name: format!("{claim}-{file}"),
        title: format!("{claim}: {}", file.replace(['_', '-'], " ")),
        note: caption(table, x, by),
        x: axis(x),
        panels,
        details: None,
    })
}

/// What a figure of a table shows.
fn caption(table: &Table, x: usize, by: Option<usize>) -> String {
    let name = |column: usize| symbol(&table.columns[column]);
    let apart = by.map_or(String::new(), |by| format!(", a colour for each {}", name(by)));
    let thinned = match table.rows.len() > MOST.1 {
        true => format!(" Of more than {} points, the ends of each stretch.", MOST.1),
        false => String::new(),
    };
    format!("What was measured against {}{apart}.{thinned}", name(x))
}
