//! Tables as comma-separated values (RFC 4180, lines ending in a line feed).

use crate::csv_text::written;
use crate::names::nearest;
use csv::ReaderBuilder;

/// A heading and rows, all of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The fields, as text; an empty one is a value that is not there.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The table as a file.
    pub fn to_csv(&self) -> String {
        written(std::iter::once(&self.columns).chain(&self.rows))
    }

    /// The table in a file's text. Empty lines are no rows.
    ///
    /// # Errors
    /// What is wrong, and in which line and row.
    pub fn parse(text: &str) -> Result<Table, String> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut table = Table { columns: Vec::new(), rows: Vec::new() };
        let mut start = 0;
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(|error| error.to_string())?;
            start = record.position().map_or(0, |position| position.byte() as usize);
            let fields: Vec<String> = record.iter().map(String::from).collect();
            if index == 0 {
                table.columns = fields;
            } else if fields.len() == table.columns.len() {
                table.rows.push(fields);
            } else {
                closed(text, start)?;
                let (found, wanted) = (fields.len(), table.columns.len());
                let line = line(text, start);
                return Err(format!(
                    "line {line}: row {index} has {found} fields, and the heading has {wanted}"
                ));
            }
        }
        closed(text, start)?;
        if table.columns.is_empty() { Err("the file is empty".into()) } else { Ok(table) }
    }

    /// The number of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The number of a column that must be there.
    ///
    /// # Errors
    /// When it is not, with the names of those that are.
    pub fn need(&self, name: &str) -> Result<usize, NoColumn> {
        self.column(name).ok_or_else(|| NoColumn::among(name, &self.columns))
    }
}

/// A column that a table has not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no column `{name}`{}; there are {known}",
    .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct NoColumn {
    /// The column that was asked for.
    pub name: String,
    /// The column nearest to it, if any is near.
    pub near: Option<String>,
    /// The names of all columns.
    pub known: String,
}

impl NoColumn {
    pub(super) fn among(name: &str, columns: &[String]) -> NoColumn {
        let near = nearest(name, columns.iter().map(String::as_str)).map(Into::into);
        NoColumn { name: name.into(), near, known: columns.join(", ") }
    }
}

/// Refuses a row, from its first byte on, with a quotation mark that is not closed: it takes all that follows for its
/// own, a row behind the end of the file as well.
fn closed(text: &str, start: usize) -> Result<(), String> {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let longer = [rest, b"\n\"x"].concat();
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&longer[..]);
    let rows = reader.into_records().take(2).count();
    if rows == 1 && rest.contains(&b'"') {
        return Err(format!("line {}: a quotation mark is not closed", line(text, start)));
    }
    Ok(())
}

/// The line, from 1, of the first row from a byte on.
fn line(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let empty = bytes.iter().skip(start).take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    1 + bytes.iter().take(start + empty).filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        let table = Table {
            columns: vec!["a".into(), "b,c".into()],
            rows: vec![vec!["".into(), "say \"no\"".into()], vec!["[1, 2]".into(), "two\nlines".into()]],
        };
        assert_eq!(Table::parse(&table.to_csv()).unwrap(), table);
        assert_eq!(table.to_csv().lines().next(), Some("a,\"b,c\""));
        assert_eq!(Table::parse("a,b\r\n1,2").unwrap().rows, [["1", "2"]]);
    }

    #[test]
    fn broken_tables_are_refused() {
        assert_eq!(Table::parse("").unwrap_err(), "the file is empty");
        assert_eq!(
            Table::parse("a,b\n1\n").unwrap_err(),
            "line 2: row 1 has 1 fields, and the heading has 2"
        );
        let fault = |text: &str| Table::parse(text).unwrap_err();
        assert_eq!(fault("a,b\n\"1\n\",2\n\n\n3\n"), "line 6: row 2 has 1 fields, and the heading has 2");
        for text in ["a\n\"1\n", "a\n\"1", "a,b\n\"1,2\n3,4\n"] {
            assert_eq!(fault(text), "line 2: a quotation mark is not closed", "{text}");
        }
        assert_eq!(fault("\"a"), "line 1: a quotation mark is not closed");
    }
}
