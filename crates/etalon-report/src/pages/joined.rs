//! Tables of several folders as one: a row for what they name alike, a column for each folder.

use super::content::Numbers;
use etalon::sweep::Store;
use etalon::units::significant;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Rows that are shown.
const ROWS: usize = 200;
/// Columns that are compared, of those in which something differs.
const COLUMNS: usize = 3;
/// Longer text is no value to compare.
const LONGEST: usize = 40;
/// What a trial came to, of the columns of a summary.
const FOUND: [&str; 10] = [
    "phase",
    "metric",
    "train_loss",
    "test_accuracy",
    "eta_star",
    "recommended",
    "c_h_loss",
    "c_h_max",
    "eta_loss",
    "eta_max",
];

/// Tables of the same columns as one; none where they have others, or all say the same. As many of the first columns as tell
/// rows apart name them.
pub(super) fn joined(names: &[String], tables: &[&Numbers]) -> Option<Numbers> {
    let first = tables.first()?;
    if tables.iter().any(|table| table.columns != first.columns) {
        return None;
    }
    let tell_apart = |&count: &usize| {
        tables.iter().all(|table| {
            let mut seen = HashSet::new();
            table.rows.iter().all(|row| seen.insert(&row[..count]))
        })
    };
    let count = (1..first.columns.len()).find(tell_apart)?;
    let found: Vec<HashMap<&[String], &Vec<String>>> =
        tables.iter().map(|table| table.rows.iter().map(|row| (&row[..count], row)).collect()).collect();
    let mut seen = HashSet::new();
    let rows = tables.iter().flat_map(|table| &table.rows).map(|row| &row[..count]);
    let keys: Vec<&[String]> = rows.filter(|key| seen.insert(*key)).collect();
    let at = |folder: usize, key: &[String], column: usize| {
        found[folder].get(key).map_or("–", |row| row[column].as_str())
    };
    let differs = |&column: &usize| {
        keys.iter().any(|key| (1..tables.len()).any(|folder| at(folder, key, column) != at(0, key, column)))
    };
    let is_value = |&column: &usize| {
        tables.iter().flat_map(|table| &table.rows).all(|row| row[column].chars().count() <= LONGEST)
    };
    let columns: Vec<usize> =
        (count..first.columns.len()).filter(is_value).filter(differs).take(COLUMNS).collect();
    let heading =
        |&column: &usize| names.iter().map(move |name| format!("{}: {name}", first.columns[column]));
    let row = |key: &&[String]| {
        let values = columns.iter().flat_map(|&column| (0..tables.len()).map(move |folder| (folder, column)));
        let values = values.map(|(folder, column)| at(folder, key, column).to_string());
        key.iter().cloned().chain(values).collect()
    };
    let rows: Vec<Vec<String>> = keys.iter().take(ROWS).map(row).collect();
    let note = if keys.len() > ROWS { format!("The first {ROWS} of {}.", keys.len()) } else { String::new() };
    (!columns.is_empty()).then(|| Numbers {
        title: format!("{}, side by side", first.title),
        columns: first.columns[..count].iter().cloned().chain(columns.iter().flat_map(heading)).collect(),
        rows,
        note,
    })
}

/// What the finished trials of a sweep came to; none where the folder is no sweep's.
pub(super) fn trials(root: &Path) -> Option<Numbers> {
    let store = Store::read_only(root).ok()?;
    let summary = store.summary().ok()?;
    let keys = 1..store.cells().columns.len();
    let found = FOUND.iter().filter_map(|name| summary.column(name)).filter(|place| !keys.contains(place));
    let places: Vec<usize> = keys.clone().chain(found).collect();
    let text = |row: &Vec<String>, place: usize| match row[place].parse::<f64>() {
        Ok(number) if !keys.contains(&place) => significant(number, 4),
        _ => row[place].clone(),
    };
    let mut table = Numbers::new("Trial by trial", []);
    table.columns = places.iter().map(|&place| summary.columns[place].clone()).collect();
    table.rows =
        summary.rows.iter().map(|row| places.iter().map(|&place| text(row, place)).collect()).collect();
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 4]]) -> Numbers {
        let mut table = Numbers::new("Runs", ["width", "c", "phase", "steps"]);
        rows.iter().for_each(|row| table.row(row.map(String::from)));
        table
    }

    #[test]
    fn rows_meet_by_what_names_them_and_what_differs_stands_beside_each_other() {
        let names = ["a", "b"].map(String::from);
        let (a, b) = (
            table(&[["8", "1", "lazy", "9"], ["8", "3", "catapult", "9"]]),
            table(&[["8", "3", "stuck", "9"], ["16", "3", "lazy", "9"]]),
        );
        let found = joined(&names, &[&a, &b]).unwrap();
        assert_eq!(found.columns, ["width", "c", "phase: a", "phase: b", "steps: a", "steps: b"]);
        assert_eq!(found.rows[0], ["8", "1", "lazy", "–", "9", "–"]);
        assert_eq!(found.rows[1], ["8", "3", "catapult", "stuck", "9", "9"]);
        assert_eq!(found.rows[2], ["16", "3", "–", "lazy", "–", "9"]);
        // What is the same is not repeated.
        let c = table(&[["8", "1", "stuck", "9"], ["8", "3", "catapult", "9"]]);
        assert_eq!(joined(&names, &[&a, &c]).unwrap().columns, ["width", "c", "phase: a", "phase: b"]);
        assert_eq!(joined(&names, &[&a, &a]), None);
        assert_eq!(joined(&names, &[&a, &Numbers::new("Runs", ["width"])]), None);
    }
}
