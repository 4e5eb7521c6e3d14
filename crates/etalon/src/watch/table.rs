//! CSV: a header, then rows.

use super::columns::{Columns, Kind, Numbers};
use crate::csv_text::fields;

/// Where the columns stand.
#[derive(Clone, Debug)]
pub(super) struct Header {
    delimiter: u8,
    names: Vec<String>,
    places: [Option<usize>; Kind::COUNT],
}

impl Header {
    /// Reads the first line; fields are parted by commas, semicolons or tabs.
    pub(super) fn parse(line: &str, columns: &Columns) -> Header {
        let line = line.trim_start_matches('\u{feff}');
        let count = |delimiter: &u8| line.bytes().filter(|byte| byte == delimiter).count();
        // The last of equals wins: a comma where there is none of them.
        let delimiter = [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',');
        let names: Vec<String> = fields(line, delimiter).iter().map(String::from).collect();
        let places = Kind::ALL.map(|kind| columns.find(kind, names.iter().map(String::as_str)));
        Header { delimiter, names, places }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(String::as_str)
    }

    /// Whether a line is a row below this header: as many fields, all of them numbers or empty.
    pub(super) fn is_over(&self, line: &str) -> bool {
        let fields = fields(line, self.delimiter);
        let number = |field: &str| field.trim().is_empty() || field.trim().parse::<f64>().is_ok();
        fields.len() == self.names.len() && fields.iter().all(number)
    }

    /// A row's numbers in the order of [`Kind::ALL`]; what is no number is none.
    ///
    /// # Errors
    /// When it has another number of fields than the header, or words in place of a loss and nothing else that is of interest.
    pub(super) fn row(&self, line: &str) -> Result<Numbers, String> {
        let mut numbers = [None; Kind::COUNT];
        let fields = fields(line, self.delimiter);
        for (place, field) in fields.iter().enumerate() {
            if let Some(kind) = self.places.iter().position(|&wanted| wanted == Some(place)) {
                numbers[kind] = field.trim().parse().ok();
            }
        }
        if fields.len() != self.names.len() {
            let count = fields.len();
            return Err(format!("a row has {count} fields, the header {}", self.names.len()));
        }
        let [_, loss, _, _, _, metric] = numbers;
        let place = self.places[1].filter(|_| loss.or(metric).is_none());
        match place
            .map(|place| (fields[place].trim(), &self.names[place]))
            .filter(|(field, _)| !field.is_empty())
        {
            Some((field, name)) => Err(format!("`{field}` is no number in the column `{name}`")),
            None => Ok(numbers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_be_parted_otherwise() {
        for line in ["step,loss", "step;loss", "step\tloss", "\u{feff}step,loss"] {
            let header = Header::parse(line, &Columns::default());
            assert_eq!(header.places, [Some(0), Some(1), None, None, None, None], "{line}");
        }
        let header = Header::parse("loss,step,lr", &Columns::default());
        assert_eq!(header.row("1.5,3,").unwrap(), [Some(3.0), Some(1.5), None, None, None, None]);
        assert!(header.row("nan,3,0.1").unwrap()[1].unwrap().is_nan());
        assert!(header.row("1.5,3").is_err());
        assert_eq!(header.row("x,3,").unwrap_err(), "`x` is no number in the column `loss`");
        assert_eq!(header.row(",3,").unwrap()[1], None);
    }
}
