//! Tables as comma-separated values (RFC 4180, lines ending in a line feed).

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
        let mut text = String::new();
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            csv_line(&mut text, row.iter().map(String::as_str));
        }
        text
    }

    /// The table in a file's text.
    ///
    /// # Errors
    /// What is wrong, and in which row.
    pub fn parse(text: &str) -> Result<Table, String> {
        let mut rows = rows(text)?.into_iter();
        let columns = rows.next().ok_or("the file is empty")?;
        let rows: Vec<Vec<String>> = rows.collect();
        match rows.iter().position(|row| row.len() != columns.len()) {
            Some(index) => Err(format!(
                "row {} has {} fields, and the heading has {}",
                index + 1,
                rows[index].len(),
                columns.len()
            )),
            None => Ok(Table { columns, rows }),
        }
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
        self.column(name).ok_or_else(|| NoColumn { name: name.into(), known: self.columns.join(", ") })
    }
}

/// A column that a table has not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no column `{name}`; there are {known}")]
pub struct NoColumn {
    /// Its name.
    pub name: String,
    /// The names of all columns.
    pub known: String,
}

/// Adds a row to the text of a table.
pub(crate) fn csv_line<'a>(text: &mut String, fields: impl Iterator<Item = &'a str>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            text.push_str(&format!("\"{}\"", field.replace('"', "\"\"")));
        } else {
            text.push_str(field);
        }
    }
    text.push('\n');
}

fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            character => field.push(character),
        }
    }
    if quoted {
        return Err("a quotation mark is not closed".into());
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
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
        assert_eq!(Table::parse("a,b\n1\n").unwrap_err(), "row 1 has 1 fields, and the heading has 2");
        assert!(Table::parse("a\n\"1\n").unwrap_err().contains("not closed"));
    }
}
