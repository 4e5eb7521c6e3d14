//! Bytes of a file, raw or gzipped, read without trusting what a header says about their number.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::DataError;
use super::error::{io_error, malformed};
use crate::memory;

/// What deflate can at most make of one byte (zlib's documentation: 1032 to 1), rounded up.
pub(super) const LARGEST_RATIO: u64 = 1040;

/// Below this, memory is not asked for; above, every so many bytes.
const PART: u64 = 1 << 26;

const REPLACE: &str = "replace the file by a complete copy";

/// A stream of bytes and the most it can hold.
pub(super) struct SourceBytes<'a> {
    path: &'a Path,
    reader: Box<dyn Read + 'a>,
    /// Bytes not read yet: exactly for a raw file, at most for a gzipped one.
    left: u64,
    exact: bool,
}

/// Opens a file; gzip is known by its first two bytes, not by the file's name.
pub(super) fn open(path: &Path) -> Result<SourceBytes<'_>, DataError> {
    let file = File::open(path).map_err(io_error(path, "open the file"))?;
    let length = file.metadata().map_err(io_error(path, "read the file's size"))?.len();
    SourceBytes::new(path, BufReader::with_capacity(1 << 16, file), length)
}

impl<'a> SourceBytes<'a> {
    /// Reads from `reader`, which holds `length` bytes; `path` is for messages.
    pub(super) fn new(path: &'a Path, mut reader: impl BufRead + 'a, length: u64) -> Result<Self, DataError> {
        let start = reader.fill_buf().map_err(io_error(path, "read the file"))?;
        Ok(if start.starts_with(&[0x1f, 0x8b]) {
            let left = length.saturating_mul(LARGEST_RATIO);
            SourceBytes { path, reader: Box::new(MultiGzDecoder::new(reader)), left, exact: false }
        } else {
            SourceBytes { path, reader: Box::new(reader), left: length, exact: true }
        })
    }

    /// The next `N` bytes.
    pub(super) fn header<const N: usize>(&mut self, what: &str) -> Result<[u8; N], DataError> {
        let bytes = self.at_most(N as u64)?;
        let found = bytes.len();
        bytes.try_into().map_err(|_| {
            malformed(self.path, format!("{N} bytes of {what}"), format!("only {found} bytes"), REPLACE)
        })
    }

    /// The next `claimed` bytes, a number that a header gave and that may be wrong.
    pub(super) fn exactly(&mut self, claimed: u64, what: &str) -> Result<Vec<u8>, DataError> {
        let expected = || format!("{claimed} bytes of {what}");
        if claimed > self.left {
            let found = match self.exact {
                true => format!("only {} bytes", self.left),
                false => format!("a gzip file that cannot unpack to more than {} bytes", self.left),
            };
            return Err(malformed(self.path, expected(), found, REPLACE));
        }
        let bytes = self.at_most(claimed)?;
        match bytes.len() as u64 {
            read if read < claimed => {
                Err(malformed(self.path, expected(), format!("only {read} bytes"), REPLACE))
            }
            _ => Ok(bytes),
        }
    }

    /// Everything up to the end.
    pub(super) fn rest(&mut self) -> Result<Vec<u8>, DataError> {
        self.at_most(self.left)
    }

    /// Checks that nothing is left.
    pub(super) fn end(mut self, what: &str) -> Result<(), DataError> {
        let after = match self.exact {
            true => self.left,
            false => self.at_most(1)?.len() as u64,
        };
        if after == 0 {
            return Ok(());
        }
        let found = match self.exact {
            true => format!("{after} more bytes"),
            false => "more bytes".to_string(),
        };
        Err(malformed(self.path, format!("the end of the file after {what}"), found, REPLACE))
    }

    /// Passes over the next `number` bytes, without keeping them.
    pub(super) fn skip(&mut self, mut number: u64, what: &str) -> Result<(), DataError> {
        while number > 0 {
            let part = number.min(1 << 20);
            self.exactly(part, what)?;
            number -= part;
        }
        Ok(())
    }

    /// Refuses to take so many bytes more where memory has no room for them.
    fn check_room(&self, bytes: u64) -> Result<(), DataError> {
        if bytes < PART {
            return Ok(());
        }
        let advice = "take fewer samples with data.train and data.test, or a smaller file";
        memory::check("reading this file", bytes, advice)
            .map_err(|source| DataError::Memory { path: self.path.into(), source })
    }

    /// The next `number` bytes, or fewer where the file ends before.
    pub(super) fn at_most(&mut self, number: u64) -> Result<Vec<u8>, DataError> {
        // The vector grows with what really comes, so that no header can make it large.
        let mut bytes = Vec::new();
        let number = number.min(self.left);
        if self.exact {
            self.check_room(number)?;
            bytes.reserve_exact(number as usize);
        }
        let action = if self.exact { "read the file" } else { "unpack the gzip file" };
        // How much comes out of a gzip file is known at its end alone.
        while (bytes.len() as u64) < number {
            let part = (number - bytes.len() as u64).min(PART);
            if !self.exact && part == PART {
                // Growing moves what is there.
                self.check_room(bytes.len() as u64 + part)?;
            }
            let read = self.reader.by_ref().take(part).read_to_end(&mut bytes);
            if (read.map_err(io_error(self.path, action))? as u64) < part {
                break;
            }
        }
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Ok(bytes)
    }
}
