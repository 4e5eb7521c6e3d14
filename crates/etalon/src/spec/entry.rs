//! One `key = value` as it was written, with the place where it stands.

use super::{KEYS, Key, SpecError};
use crate::names::nearest;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What the paths of a grid's entries begin with.
pub(crate) const GRID: &str = "grid.";

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The dotted key, such as `network.width`.
    pub(crate) path: String,
    pub(crate) value: toml::Value,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    File { name: Arc<str>, text: Arc<str>, key: Range<usize>, value: Range<usize> },
    Override(String),
}

impl Entry {
    /// The key's row in the table.
    pub(super) fn key(&self) -> Result<&'static Key, SpecError> {
        if self.is_grid() {
            let help = "run it with `etalon sweep`, or leave the table out";
            return Err(self.key_error("a `[grid]` belongs to a sweep of many trials".into(), help));
        }
        self.lookup(&self.path)
    }

    /// Whether it belongs to the `[grid]` table.
    pub(crate) fn is_grid(&self) -> bool {
        self.path == "grid" || self.path.starts_with(GRID)
    }

    /// The row of the key that this entry of the `[grid]` table runs over.
    pub(crate) fn axis(&self) -> Result<&'static Key, SpecError> {
        self.lookup(self.path.strip_prefix(GRID).unwrap_or(&self.path))
    }

    /// The same place with another key and value: one value of an axis.
    pub(crate) fn standing_for(&self, path: &str, value: toml::Value) -> Entry {
        Entry { path: path.into(), value, origin: self.origin.clone() }
    }

    fn lookup(&self, path: &str) -> Result<&'static Key, SpecError> {
        Key::of(path).ok_or_else(|| self.key_error(format!("unknown key `{path}`"), &suggestion(path)))
    }

    /// A fault of the key.
    fn key_error(&self, message: String, help: &str) -> SpecError {
        match &self.origin {
            Origin::File { name, text, key, .. } => SpecError::at(message, help, name, text, key.clone()),
            Origin::Override(text) => SpecError::plain(format!("{message} in `{text}`"), help),
        }
    }

    /// A fault of the value.
    pub(crate) fn error(&self, message: String, help: &str) -> SpecError {
        match &self.origin {
            Origin::File { name, text, value, .. } => SpecError::at(message, help, name, text, value.clone()),
            Origin::Override(text) => SpecError::plain(format!("{message} in `{text}`"), help),
        }
    }

    /// Whether it says how long to train.
    pub(crate) fn is_budget(&self) -> bool {
        ["train.steps", "train.epochs", "train.physical_time"].contains(&self.path.as_str())
    }
}

/// The nearest known key, or how to see them all.
fn suggestion(path: &str) -> String {
    match nearest(path, KEYS.iter().map(|key| key.path)) {
        Some(path) => format!("did you mean `{path}`?"),
        None => "`etalon spec --keys` lists every key with its default".into(),
    }
}

/// What a file is that should be a spec, where it is a program by its name.
fn program(name: &str) -> Option<SpecError> {
    let run = match name.rsplit_once('.')?.1 {
        "py" => "python",
        "sh" => "sh",
        _ => return None,
    };
    let help = format!(
        "let it take the rate and the seed and write its loss, a line of JSON a step, then search on it: etalon find --trainer \
         '{run} {name} --lr {{eta}} --seed {{seed}} --log {{log}}'; a spec would be TOML, as `etalon spec` prints it"
    );
    Some(SpecError::plain(format!("{name} is a program, and stands where a spec does"), &help))
}

/// The entries of a file's text.
pub(super) fn of_text(name: &str, text: &str) -> Result<Vec<Entry>, SpecError> {
    if let Some(error) = program(name) {
        return Err(error);
    }
    let broken = |error: toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        SpecError::at(format!("not valid TOML: {}", error.message()), "", name, text, span)
    };
    let spans = DeTable::parse(text).map_err(broken)?;
    let values: toml::Table = toml::from_str(text).map_err(broken)?;
    let mut entries = Vec::new();
    collect((&name.into(), &text.into()), "", spans.get_ref(), &values, &mut entries);
    // In the order in which they were written.
    entries.sort_by_key(|entry| match &entry.origin {
        Origin::File { key, .. } => key.start,
        Origin::Override(_) => 0,
    });
    Ok(entries)
}

/// Walks the same table twice over: once for the places, once for the values.
fn collect(
    file: (&Arc<str>, &Arc<str>),
    prefix: &str,
    spans: &DeTable<'_>,
    values: &toml::Table,
    entries: &mut Vec<Entry>,
) {
    for (key, span) in spans.iter() {
        let path = format!("{prefix}{}", key.get_ref());
        let Some(value) = values.get(key.get_ref().as_ref()) else { continue };
        // An axis of a grid is written as the key it runs over.
        let in_grid = path.strip_prefix(GRID);
        let is_range = |table: &toml::Table| table.contains_key("log") || table.contains_key("linear");
        // A trainer's parameters are axes of their own.
        let is_key = in_grid != Some("trainer.parameters")
            && KEYS.iter().any(|key| key.path == in_grid.unwrap_or(&path))
            || in_grid.is_some() && value.as_table().is_some_and(is_range);
        match (span.get_ref(), value) {
            (DeValue::Table(spans), toml::Value::Table(values)) if !is_key => {
                if values.is_empty() && !KEYS.iter().any(|key| key.path.starts_with(&format!("{path}."))) {
                    entries.push(entry(file, path, key.span(), span, value));
                } else {
                    collect(file, &format!("{path}."), spans, values, entries);
                }
            }
            _ => entries.push(entry(file, path, key.span(), span, value)),
        }
    }
}

fn entry(
    (name, text): (&Arc<str>, &Arc<str>),
    path: String,
    key: Range<usize>,
    value_span: &Spanned<DeValue<'_>>,
    value: &toml::Value,
) -> Entry {
    let origin = Origin::File { name: name.clone(), text: text.clone(), key, value: value_span.span() };
    Entry { path, value: value.clone(), origin }
}

/// The entry of an override.
pub(super) fn of_override(text: &str) -> Result<Entry, SpecError> {
    let Some((path, value)) = text.split_once('=') else {
        let help = "an override has the form key=value, such as network.width=512; a spec file must exist";
        return Err(SpecError::plain(format!("`{text}` is neither a file nor an override"), help));
    };
    let (path, value) = (path.trim(), value.trim());
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"));
    let is_word = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "_-./+~ ".contains(c));
    let value = match parsed {
        Some(value) => value,
        None if is_word => toml::Value::String(value.into()),
        None => {
            let help = "the value is read as TOML: numbers, true, \"text\", [1, 2]";
            return Err(SpecError::plain(format!("`{text}` has no readable value"), help));
        }
    };
    Ok(Entry { path: path.into(), value, origin: Origin::Override(text.into()) })
}
