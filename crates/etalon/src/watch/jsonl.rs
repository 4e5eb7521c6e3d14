//! JSON lines: one object a row, columns by name.

use super::columns::{Columns, Kind, Numbers, sums_up};
use serde_json::{Map, Value};

/// Bytes of a dotted name; what stands deeper is left out.
const LONGEST_NAME: usize = 256;

/// A row of named numbers; what is no number is none.
pub(super) struct Row {
    own: Map<String, Value>,
    /// What stands in objects, by dotted names as `train.loss`: for kinds of which the row has nothing of its own.
    nested: Map<String, Value>,
}

impl Row {
    /// Reads a line.
    ///
    /// Python writes `NaN` and `Infinity` as bare words, which JSON does not know.
    pub(super) fn parse(line: &str) -> Result<Row, String> {
        let value = serde_json::from_str(line).or_else(|error| {
            let quoted = quote_bare_words(line);
            if quoted == line { Err(error) } else { serde_json::from_str(&quoted) }
        });
        match value {
            Ok(Value::Object(own)) => {
                let mut nested = Map::new();
                for (name, value) in &own {
                    flatten(name, value, &mut nested);
                }
                Ok(Row { own, nested })
            }
            Ok(_) => Err("a line of JSON is no object".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.own.keys().chain(self.nested.keys()).map(String::as_str)
    }

    /// Its numbers in the order of [`Kind::ALL`]; none of a row that sums up a run.
    pub(super) fn numbers(&self, columns: &Columns) -> Numbers {
        if self.names().any(sums_up) {
            [None; Kind::COUNT]
        } else {
            Kind::ALL.map(|kind| self.number(columns, kind))
        }
    }

    /// The number in the column that serves best.
    fn number(&self, columns: &Columns, kind: Kind) -> Option<f64> {
        let has_own = self.own.keys().any(|name| columns.rank(kind, name).is_some());
        let row = if has_own { &self.own } else { &self.nested };
        let ranked = row.iter().filter_map(|(name, value)| Some((columns.rank(kind, name)?, number(value)?)));
        ranked.min_by_key(|&(rank, _)| rank).map(|(_, number)| number)
    }
}

/// Gives what stands in an object dotted names.
fn flatten(prefix: &str, value: &Value, flat: &mut Map<String, Value>) {
    let Value::Object(inner) = value else { return };
    for (name, value) in inner {
        if prefix.len() + name.len() < LONGEST_NAME {
            let name = format!("{prefix}.{name}");
            flatten(&name, value, flat);
            if !value.is_object() {
                flat.insert(name, value.clone());
            }
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        // Also "NaN" and "inf", and numbers that their writer has put in quotes.
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `NaN`, `Infinity` and `-Infinity` outside of strings, put into quotes.
fn quote_bare_words(line: &str) -> String {
    let mut quoted = String::with_capacity(line.len() + 8);
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if !in_string
            && let Some(word) =
                ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| rest.starts_with(word))
        {
            quoted.extend(["\"", word, "\""]);
            rest = &rest[word.len()..];
            continue;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        quoted.push(c);
        rest = &rest[c.len_utf8()..];
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_many_guises() {
        let columns = Columns::default();
        let loss = |line: &str| Row::parse(line).unwrap().number(&columns, Kind::Loss);
        assert_eq!(loss(r#"{"step": 1, "loss": 2.5}"#), Some(2.5));
        assert_eq!(loss(r#"{"loss": "2.5", "note": "NaN and \"Infinity\""}"#), Some(2.5));
        assert!(loss(r#"{"loss": NaN}"#).unwrap().is_nan());
        assert_eq!(loss(r#"{"loss": -Infinity, "note": "a \" NaN"}"#), Some(f64::NEG_INFINITY));
        assert_eq!(loss(r#"{"loss": null}"#), None);
        assert_eq!(loss(r#"{"eval_loss": 1.0}"#), None);
        assert_eq!(loss(r#"{"val": {"loss": 1.0}, "train": {"loss": 2.0, "n": {"lr": 1}}}"#), Some(2.0));
        // A trajectory of Etalon has the loss of the batch, and that of evaluation where it was looked at.
        assert_eq!(loss(r#"{"loss": 1.0, "train": {"loss": 2.0}}"#), Some(1.0));
        assert_eq!(loss(r#"{"loss": null, "train": {"loss": 2.0}}"#), None);
        assert!(Row::parse("[1]").is_err() && Row::parse(r#"{"loss": 1"#).is_err());
    }

    #[test]
    fn a_row_that_sums_up_a_run_is_none_of_it() {
        let row = Row::parse(r#"{"train_runtime": 9, "train_loss": 0.5, "step": 7}"#).unwrap();
        assert_eq!(row.numbers(&Columns::default()), [None; Kind::COUNT]);
    }

    #[test]
    fn names_of_any_depth_take_little_memory() {
        let long = "x".repeat(100_000);
        let leaves: Vec<String> = (0..10_000).map(|leaf| format!("\"{leaf}\":1")).collect();
        let row = Row::parse(&format!("{{\"loss\":1,\"{long}\":{{{}}}}}", leaves.join(","))).unwrap();
        assert!(row.nested.is_empty() && row.own.len() == 2);
    }
}
