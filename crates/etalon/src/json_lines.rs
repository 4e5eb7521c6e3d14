//! Text of JSON, a value a line.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
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

/// Values as the lines of a text.
///
/// # Errors
/// When one has no form in JSON.
pub(crate) fn lines<T: Serialize>(values: &[T]) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, value)?;
        text.push(b'\n');
    }
    Ok(text)
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

/// How a sealed object ends: before its digest, and after.
const SEAL: [&[u8]; 2] = [b",\"sha256\":\"", b"\"}"];
/// Hexadecimal digits of a digest: 64 bits, which no accident meets.
const DIGITS: usize = 16;

/// Why an object is not the one that was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealFault {
    /// It has no seal.
    #[error("it does not end with its checksum")]
    Missing,
    /// It has another one than its own.
    #[error("it has changed since it was written: its checksum is another")]
    Changed,
}

/// The first digits of the SHA-256 of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// An object, a line with one key at least, with its digest as its last key.
pub(crate) fn sealed(object: &[u8]) -> Vec<u8> {
    let open = object.strip_suffix(b"}").unwrap_or(object);
    [open, SEAL[0], digest(object).as_bytes(), SEAL[1]].concat()
}

/// The object that was sealed.
///
/// # Errors
/// When it has no seal, or was changed since.
pub(crate) fn unsealed(line: &[u8]) -> Result<Vec<u8>, SealFault> {
    let line = line.strip_suffix(SEAL[1]).ok_or(SealFault::Missing)?;
    let (line, found) = line.split_at_checked(line.len().wrapping_sub(DIGITS)).ok_or(SealFault::Missing)?;
    let open = line.strip_suffix(SEAL[0]).ok_or(SealFault::Missing)?;
    let object = [open, b"}"].concat();
    if digest(&object).as_bytes() == found { Ok(object) } else { Err(SealFault::Changed) }
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
    fn no_byte_of_a_sealed_line_changes_unseen() {
        let object = br#"{"eta":0.1,"steps":12}"#;
        let line = sealed(object);
        assert!(line.starts_with(br#"{"eta":0.1,"steps":12,"sha256":""#));
        assert_eq!(unsealed(&line).unwrap(), object);
        for place in 0..line.len() {
            let mut changed = line.clone();
            changed[place] ^= 1;
            assert!(unsealed(&changed).is_err(), "byte {place}");
            assert!(unsealed(&line[..place]).is_err(), "{place} bytes");
        }
        assert_eq!(unsealed(object), Err(SealFault::Missing));
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
