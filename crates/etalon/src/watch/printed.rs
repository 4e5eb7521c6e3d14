//! What a program prints: rows of JSON, of CSV or of plain text among lines that are none.

use super::columns::{Columns, Kind};
use super::jsonl::Row as JsonRow;
use super::plain::Plain;
use super::table::Header;

/// Takes line by line.
#[derive(Debug, Default)]
pub(super) struct Printed {
    plain: Plain,
    /// The line before, if it may be the header of a table.
    header: Option<Header>,
    /// Whether a row of JSON had a loss: what else the program tells of it is then for people.
    is_json: bool,
}

/// What a line is.
pub(super) enum Line<'a> {
    Json(JsonRow),
    /// The first row of a table, which all further lines are of.
    Table(Header),
    Plain(&'a mut Plain),
    Other,
}

impl Printed {
    pub(super) fn take(&mut self, line: &str, columns: &Columns) -> Line<'_> {
        if line.trim_start().starts_with('{')
            && let Ok(row) = JsonRow::parse(line)
        {
            let [_, loss, ..] = row.numbers(columns);
            self.is_json |= loss.is_some();
            return Line::Json(row);
        }
        if self.is_json {
            return Line::Other;
        }
        if let Some(header) = self.header.take().filter(|header| header.is_over(line)) {
            return Line::Table(header);
        }
        let header = Header::parse(line, columns);
        self.header = columns.find(Kind::Loss, header.names()).map(|_| header);
        Line::Plain(&mut self.plain)
    }
}
