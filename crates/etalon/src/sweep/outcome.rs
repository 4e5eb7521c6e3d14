//! The file that keeps a trial: lines of JSON, the last one the row of the summary.

use super::{Cell, current_name};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The last line of a result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    /// The trial.
    pub(super) trial: String,
    /// What the summary says of it.
    pub(super) result: Map<String, Value>,
}

/// A result file: its records, then `row`, which must be an object.
pub(super) fn lines(records: &[impl Serialize], cell: &Cell, row: Value) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record)?;
        text.push(b'\n');
    }
    let row = Row { trial: cell.name.clone(), result: serde_json::from_value(row)? };
    serde_json::to_writer(&mut text, &row)?;
    text.push(b'\n');
    Ok(text)
}

/// The row at the end of a result file, given the end of its text; none where the file was cut short.
pub(super) fn row(name: &str, end: &[u8]) -> Option<Row> {
    let whole = end.strip_suffix(b"\n")?;
    let line = whole.rsplit(|&byte| byte == b'\n').next()?;
    let mut row: Row = serde_json::from_slice(line).ok().filter(|row: &Row| row.trial == name)?;
    row.result = row.result.into_iter().map(|(name, value)| (current_name(&name).into(), value)).collect();
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn boundaries_under_their_former_names_are_read_under_those_of_today() {
        let text = b"{\"trial\":\"abc\",\"result\":{\"c_loss\":2.0,\"c_max\":null,\"sharpness\":3.0}}\n";
        let result = row("abc", text).unwrap().result;
        assert_eq!(Value::Object(result), json!({ "c_h_loss": 2.0, "c_h_max": null, "sharpness": 3.0 }));
    }

    #[test]
    fn a_file_cut_anywhere_is_not_done() {
        let cell = Cell::named("abc");
        let text =
            lines(&[json!({ "step": 0 }), json!({ "step": 1 })], &cell, json!({ "loss": 0.5 })).unwrap();
        assert_eq!(row("abc", &text).unwrap().result["loss"], 0.5);
        assert_eq!(row("abd", &text), None);
        for length in 0..text.len() {
            assert_eq!(row("abc", &text[..length]), None, "{length} bytes");
        }
    }
}
