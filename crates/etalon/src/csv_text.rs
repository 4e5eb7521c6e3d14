//! Text of comma-separated values (RFC 4180, lines ending in a line feed).

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

/// Rows as text.
pub(crate) fn written<Row>(rows: impl IntoIterator<Item = Row>) -> String
where
    Row: IntoIterator,
    Row::Item: AsRef<str>,
{
    let mut text = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        let record: StringRecord = row.into_iter().collect();
        text.write_record(&record).expect("memory takes rows of any length");
    }
    let bytes = text.into_inner().expect("memory takes all that is written");
    String::from_utf8(bytes).expect("what is put together from text is text")
}

/// The fields of one line; in quotes, a delimiter is text and two quotes are one.
pub(crate) fn fields(line: &str, delimiter: u8) -> StringRecord {
    let line = line.trim_end_matches(['\r', '\n']);
    // Most lines have no quotes, and a reader costs more than all of such a line's fields.
    if !line.is_empty() && !line.contains(['"', '\r', '\n']) && delimiter.is_ascii() {
        return line.split(char::from(delimiter)).collect();
    }
    let mut reader =
        ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line.as_bytes());
    // What is text can be read; a line without any has no fields.
    reader.records().next().and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_quotes_has_them() {
        let rows = [["a", "b,c"], ["", "say \"no\""], ["[1 2]", "two\nlines"], [" x ", "y\r"]];
        assert_eq!(written(rows), "a,\"b,c\"\n,\"say \"\"no\"\"\"\n[1 2],\"two\nlines\"\n x ,\"y\r\"\n");
    }

    #[test]
    fn fields_may_be_quoted_and_parted_otherwise() {
        let parts =
            |line: &str, delimiter| fields(line, delimiter).iter().map(String::from).collect::<Vec<_>>();
        assert_eq!(parts("a,\"b,c\",\"d\"\"e\",\r", b','), ["a", "b,c", "d\"e", ""]);
        assert_eq!(parts("a;b,c\r\n", b';'), ["a", "b,c"]);
        assert_eq!(parts(" a ,,é,", b','), [" a ", "", "é", ""]);
        assert_eq!(parts("\"\",a", b','), parts(",a", b','));
        assert_eq!(parts("a,b\rc", b','), ["a", "b"]);
        assert_eq!(parts("", b','), [""; 0]);
    }
}
