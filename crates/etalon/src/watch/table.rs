//! CSV: a header, then rows.

use super::columns::{Columns, Kind};

/// Where the columns stand.
#[derive(Clone, Debug)]
pub(super) struct Header {
    delimiter: char,
    names: Vec<String>,
    places: [Option<usize>; 4],
}

impl Header {
    /// Reads the first line; fields are parted by commas, semicolons or tabs.
    pub(super) fn parse(line: &str, columns: &Columns) -> Header {
        let line = line.trim_start_matches('\u{feff}');
        let count = |delimiter: &char| line.matches(*delimiter).count();
        // The last of equals wins: a comma where there is none of them.
        let delimiter = ['\t', ';', ','].into_iter().max_by_key(count).unwrap_or(',');
        let names: Vec<String> = fields(line, delimiter).collect();
        let places = Kind::ALL.map(|kind| columns.find(kind, names.iter().map(String::as_str)));
        Header { delimiter, names, places }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// A row's numbers in the order of [`Kind::ALL`]; what is no number is none.
    ///
    /// # Errors
    /// When it has another number of fields than the header.
    pub(super) fn row(&self, line: &str) -> Result<[Option<f64>; 4], String> {
        let mut numbers = [None; 4];
        let mut count = 0;
        for (place, field) in fields(line, self.delimiter).enumerate() {
            count += 1;
            if let Some(kind) = self.places.iter().position(|&wanted| wanted == Some(place)) {
                numbers[kind] = field.trim().parse().ok();
            }
        }
        if count == self.names.len() {
            Ok(numbers)
        } else {
            Err(format!("a row has {count} fields, the header {}", self.names.len()))
        }
    }
}

/// The fields of a line; in quotes, a delimiter is text and two quotes are one.
fn fields(line: &str, delimiter: char) -> impl Iterator<Item = String> {
    let mut rest = Some(line.trim_end_matches('\r').chars());
    std::iter::from_fn(move || {
        let chars = rest.as_mut()?;
        let (mut field, mut quoted) = (String::new(), false);
        loop {
            match chars.next() {
                None => {
                    rest = None;
                    break;
                }
                Some('"') if quoted && chars.as_str().starts_with('"') => {
                    chars.next();
                    field.push('"');
                }
                Some('"') => quoted = !quoted,
                Some(c) if c == delimiter && !quoted => break,
                Some(c) => field.push(c),
            }
        }
        Some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted_and_parted_otherwise() {
        let parts = |line: &str, delimiter| fields(line, delimiter).collect::<Vec<_>>();
        assert_eq!(parts("a,\"b,c\",\"d\"\"e\",\r", ','), ["a", "b,c", "d\"e", ""]);
        for line in ["step,loss", "step;loss", "step\tloss", "\u{feff}step,loss"] {
            let header = Header::parse(line, &Columns::default());
            assert_eq!(header.places, [Some(0), Some(1), None, None], "{line}");
        }
        let header = Header::parse("loss,step,lr", &Columns::default());
        assert_eq!(header.row("1.5,3,").unwrap(), [Some(3.0), Some(1.5), None, None]);
        assert!(header.row("nan,3,0.1").unwrap()[1].unwrap().is_nan());
        assert!(header.row("1.5,3").is_err());
    }
}
