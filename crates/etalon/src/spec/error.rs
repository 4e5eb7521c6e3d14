//! What is wrong with a spec, and where.

use super::KEYS;
use std::ops::Range;
use std::path::Path;

/// A fault in a spec. Its text shows the line, marks the place, and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    message: String,
    help: String,
    place: Option<Box<Place>>,
    /// Faults beside it.
    others: Vec<SpecError>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    length: usize,
    text: String,
}

impl SpecError {
    pub(crate) fn plain(message: String, help: &str) -> Self {
        SpecError { message, help: help.into(), place: None, others: Vec::new() }
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot read the spec {}: {error}", path.display());
        let key = KEYS.iter().map(|key| key.path).find(|key| Path::new(key) == path);
        let help = key.map_or("give a TOML file, or leave it out and use key=value".into(), |key| {
            format!("a key and its value are one word, without spaces: {key}=VALUE")
        });
        SpecError::plain(message, &help)
    }

    /// A fault at the bytes `span` of the file's `text`.
    pub(super) fn at(message: String, help: &str, file: &str, text: &str, span: Range<usize>) -> Self {
        let start = span.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = text[line_start..].lines().next().unwrap_or("");
        let column = text[line_start..start].chars().count();
        let end = span.end.min(line_start + line_text.len()).max(start);
        let place = Place {
            file: file.into(),
            line: text[..start].matches('\n').count() + 1,
            column,
            length: text.get(start..end).map_or(1, |marked| marked.chars().count()).max(1),
            text: line_text.into(),
        };
        SpecError { message, help: help.into(), place: Some(Box::new(place)), others: Vec::new() }
    }

    /// Several faults as one; none of none.
    pub(super) fn all(faults: Vec<SpecError>) -> Option<SpecError> {
        let mut faults = faults.into_iter();
        let first = faults.next()?;
        Some(SpecError { others: faults.collect(), ..first })
    }

    /// The line of the file that the fault is in, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }
}

impl std::error::Error for SpecError {}

impl std::fmt::Display for SpecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(Place { file, line, column, length, text }) = self.place.as_deref() {
            let margin = " ".repeat(line.to_string().len());
            write!(f, "\n{margin}--> {file}:{line}:{}", column + 1)?;
            write!(f, "\n{margin} |\n{line} | {text}\n{margin} | ")?;
            write!(f, "{}{}", " ".repeat(*column), "^".repeat(*length))?;
        }
        if !self.help.is_empty() {
            write!(f, "\nhelp: {}", self.help)?;
        }
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))?;
        Ok(())
    }
}
