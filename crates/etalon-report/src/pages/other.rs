//! Results of any other shape: their numbers, and lists of records as tables.

use super::content::{Content, Numbers, shown};
use etalon::record::Record;
use serde_json::{Map, Value};

/// What was done, of which nothing is known.
pub(super) const KIND: &str = "Result";
/// Rows at most of a table.
const ROWS: usize = 200;

/// What a record says that has no page of its own.
pub(super) fn record(record: &Record) -> Content {
    // What is written as JSON has a form in it.
    let value = serde_json::to_value(record).unwrap_or_default();
    content(record.file(), &value)
}

/// What a file of JSON says.
pub(super) fn content(name: &str, value: &Value) -> Content {
    let stem = name.strip_suffix(".json").unwrap_or(name).replace('_', " ");
    let mut content = Content { kind: KIND.into(), answer: stem, ..Content::default() };
    let mut plain = Numbers::new("Values", ["name", "value"]);
    flatten("", value, &mut plain, &mut content.tables);
    if !plain.rows.is_empty() {
        content.tables.insert(0, plain);
    }
    content
}

/// The leaves of a value as rows, and its lists of records as tables.
fn flatten(path: &str, value: &Value, plain: &mut Numbers, tables: &mut Vec<Numbers>) {
    let within = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| flatten(&within(name), value, plain, tables))
        }
        Value::Array(items) if items.iter().all(Value::is_object) && !items.is_empty() => {
            tables.push(table(path, items))
        }
        Value::Array(items) => {
            let shown: Vec<String> = items.iter().take(8).map(cell).collect();
            let more =
                if items.len() > 8 { format!(", … ({} values)", items.len()) } else { String::new() };
            plain.row([path.into(), shown.join(", ") + &more]);
        }
        leaf => plain.row([path.into(), cell(leaf)]),
    }
}

fn table(path: &str, items: &[Value]) -> Numbers {
    let records = || items.iter().filter_map(Value::as_object);
    let mut columns: Vec<String> = Vec::new();
    for name in records().flat_map(Map::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let row = |record: &Map<String, Value>| {
        columns.iter().map(|name| record.get(name).map_or("–".into(), cell)).collect()
    };
    let rows = records().take(ROWS).map(row).collect();
    let title = path.replace('_', " ");
    let note =
        if items.len() > ROWS { format!("The first {ROWS} of {}.", items.len()) } else { String::new() };
    Numbers { title, rows, note, columns: columns.iter().map(|name| name.replace('_', " ")).collect() }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => shown(number.as_f64(), 5),
        },
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().take(8).map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{}: {}", name.replace('_', " "), cell(value)))
            .collect::<Vec<_>>()
            .join("; "),
    }
}
