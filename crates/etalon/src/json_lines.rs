//! Text of JSON, a value a line.

use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// A line that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(crate) struct Fault {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// The values of a text's lines.
pub(crate) fn values<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Fault> {
    let value = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| Fault { line: index + 1, reason: error.to_string() })
    };
    text.lines().enumerate().map(value).collect()
}

/// The values of a file whose last line is whole.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is no text".to_string())?;
    let values = values(text).map_err(|fault| fault.to_string())?;
    if text.is_empty() || text.ends_with('\n') { Ok(values) } else { Err("it ends within a line".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Record;

    #[test]
    fn a_line_that_is_no_value_is_told_by_its_number() {
        assert_eq!(values::<u32>("1\n2\n"), Ok(vec![1, 2]));
        let fault = values::<u32>("1\n\"two\"\n").unwrap_err();
        assert!(fault.line == 2 && fault.to_string().starts_with("line 2: invalid type"), "{fault}");
    }

    #[test]
    fn what_is_broken_says_where() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, expected) in [
            (&b"{\"step\":0,\"eta\":1}\n{\"st"[..], "line 2"),
            (b"{\"step\":0,\"eta\":1}", "ends within a line"),
            (b"[1]\n", "line 1: invalid length"),
            (b"{\"step\":\"two\"}\n", "line 1: invalid type: string \"two\""),
            (b"{\"step\":0}\n", "line 1: missing field `eta`"),
            (b"\xff\xfe\n", "it is no text"),
        ] {
            fs::write(file.path(), text).unwrap();
            let error = read::<Record>(file.path()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
