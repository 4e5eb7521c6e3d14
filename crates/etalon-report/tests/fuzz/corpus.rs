//! Inputs that once gave an answer of their own, kept in `fuzz/corpus`: a file for each reader, an input a line.

use std::fs;
use std::path::{Path, PathBuf};

/// A reader keeps so many bytes, the shortest inputs first.
const ROOM: usize = 20_000;

/// Of the file in which a reader's are.
pub(crate) fn file_name(reader: &str) -> String {
    reader.to_lowercase().replace(|character: char| !character.is_ascii_alphanumeric(), "-")
}

fn file(reader: &str) -> PathBuf {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("fuzz/corpus").is_dir());
    root.expect("a folder with fuzz/corpus").join("fuzz/corpus").join(file_name(reader))
}

/// The inputs of a reader.
pub(crate) fn kept(name: &str) -> Vec<Vec<u8>> {
    fs::read_to_string(file(name)).unwrap_or_default().lines().map(unescaped).collect()
}

/// Leaves these in the place of those that are there.
pub(crate) fn keep(name: &str, inputs: Vec<Vec<u8>>) {
    let mut lines: Vec<String> = inputs.iter().map(|input| input.escape_ascii().to_string() + "\n").collect();
    lines.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let mut length = 0;
    let fits = |line: &String| {
        length += line.len();
        length <= ROOM
    };
    let lines: String = lines.into_iter().take_while(fits).collect();
    if !lines.is_empty() {
        fs::write(file(name), lines).unwrap();
    }
}

/// The bytes that `escape_ascii` has written so.
fn unescaped(line: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), line.bytes());
    while let Some(byte) = rest.next() {
        let escaped = if byte == b'\\' { rest.next() } else { None };
        bytes.push(match escaped {
            None => byte,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap()
            }
            Some(other) => other,
        });
    }
    bytes
}

#[test]
fn every_byte_comes_back_from_a_line() {
    let all: Vec<u8> = (0..=255).chain(*b"\\x41\\").collect();
    let line = all.escape_ascii().to_string();
    assert_eq!(line.lines().count(), 1);
    assert_eq!(unescaped(&line), all);
}
