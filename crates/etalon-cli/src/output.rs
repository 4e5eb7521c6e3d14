//! Results on stdout: tables and numbers for people, JSON for programs.

use comfy_table::{ContentArrangement, Table, presets};
use etalon::record::Record;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// Why a result did not reach stdout.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Whoever read it has stopped reading, as `head` does.
    #[error("stdout was closed by its reader")]
    Closed,
    /// It cannot be written.
    #[error("cannot write to stdout: {0}; results can go into a folder with --out DIR")]
    Write(io::Error),
    /// It has no form in JSON.
    #[error("cannot write the result as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => OutputError::Closed,
            _ => OutputError::Write(error),
        }
    }
}

/// The one way to stdout.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// To stdout, as JSON or as text.
    pub(crate) fn new(json: bool) -> Self {
        Output { json }
    }

    /// Prints a result: its text, or the whole of it as JSON with `--json`.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn show(
        &self,
        result: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), OutputError> {
        if self.json { self.print(&json(result)?) } else { self.print(&text()) }
    }

    /// As [`Output::show`] for a text of sentences: on a terminal it is broken at its width, as help is.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn tell(
        &self,
        result: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), OutputError> {
        self.show(result, || broken(&text(), width()))
    }

    /// Prints a record: its text, on a terminal broken at its width, or the record as its file has it with `--json`.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn show_record(
        &self,
        record: &Record,
        text: impl FnOnce() -> String,
    ) -> Result<(), OutputError> {
        if self.json { self.print(&record.to_json()?) } else { self.print(&broken(&text(), width())) }
    }

    /// Prints text, what controls a terminal in it made [`visible`], and a line end unless it has one.
    ///
    /// # Errors
    /// When stdout does not take it.
    pub(crate) fn print(&self, text: &str) -> Result<(), OutputError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(visible(text).as_bytes())?;
        if !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(stdout.flush()?)
    }
}

/// A text without what controls a terminal: columns, keys, paths and errors may have been written by anybody. Such
/// characters, and those that change the direction of writing, are shown as JSON writes them; line feeds and tabs stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let acts = |c: char| match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if acts(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// A value as indented JSON: keys in the order of its struct, numbers that are not finite as `null`.
///
/// # Errors
/// When a map in it has keys that are no strings.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// A table without lines. On a terminal it is fitted to the width; elsewhere every row is one line.
pub(crate) fn table<const COLUMNS: usize>(
    headings: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    table_of_width(width(), headings, rows)
}

/// Columns of a line of help or of a result at most: longer ones are hard to read.
pub(crate) const WIDEST: u16 = 100;

/// Columns of the terminal that results go to, if they do; other programs get whole lines.
fn width() -> Option<u16> {
    console::Term::stdout().size_checked().map(|(_rows, columns)| columns.min(WIDEST))
}

/// Longer lines broken between words, their parts indented as they are.
fn broken(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.into() };
    let mut lines = String::new();
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut length = 0;
        for word in line.split_inclusive(' ') {
            let letters = word.trim_end().chars().count();
            if length > indent.len() && length + letters > width {
                lines.truncate(lines.trim_end_matches(' ').len());
                lines += "\n";
                lines += indent;
                length = indent.len();
            }
            lines += word;
            length += word.chars().count();
        }
        lines += "\n";
    }
    lines
}

fn table_of_width<const COLUMNS: usize>(
    width: Option<u16>,
    headings: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings).add_rows(rows);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lines_unless_there_is_a_width() {
        let row = || [["mnist".to_string(), "handwritten digits of two hands".into()]];
        assert_eq!(
            table_of_width(None, ["name", "what"], row()),
            "name   what\nmnist  handwritten digits of two hands\n"
        );
        let narrow = table_of_width(Some(20), ["name", "what"], row());
        assert!(narrow.lines().count() > 2 && narrow.lines().all(|line| line.len() <= 20), "{narrow}");
    }

    #[test]
    fn long_lines_are_broken_on_a_terminal_only() {
        let text = "short\n  phase: catapult, for the loss rose 2.6-fold\n";
        assert_eq!(broken(text, None), text);
        assert_eq!(broken(text, Some(80)), text);
        let narrow = broken(text, Some(24));
        assert_eq!(narrow, "short\n  phase: catapult, for\n  the loss rose 2.6-fold\n");
    }

    #[test]
    fn what_controls_a_terminal_is_shown_as_its_code() {
        let text = visible("a\u{1b}]0;title\u{7}\tb\r\n\u{9b}2J \u{202e}eta* = \u{3b7}\n");
        assert_eq!(text, "a\\u001b]0;title\\u0007\tb\\u000d\n\\u009b2J \\u202eeta* = \u{3b7}\n");
        assert!(matches!(visible("plain\ntext\t\u{3bb}"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_order_and_writes_null_for_nan() {
        #[derive(Serialize)]
        struct Result {
            value: f64,
            limit: f64,
            also: f64,
        }
        let text = json(&Result { value: 0.1, limit: f64::NAN, also: f64::INFINITY }).unwrap();
        assert_eq!(text, "{\n  \"value\": 0.1,\n  \"limit\": null,\n  \"also\": null\n}\n");
    }
}
