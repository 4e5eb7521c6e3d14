//! Text of JSON, a value a line.

use serde::de::DeserializeOwned;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_value_is_told_by_its_number() {
        assert_eq!(values::<u32>("1\n2\n"), Ok(vec![1, 2]));
        let fault = values::<u32>("1\n\"two\"\n").unwrap_err();
        assert!(fault.line == 2 && fault.to_string().starts_with("line 2: invalid type"), "{fault}");
    }
}
