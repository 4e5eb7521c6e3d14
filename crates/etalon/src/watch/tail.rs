//! The end of a growing file, in whole lines, which end in a line feed or, as bars of progress do, in a carriage return.

use super::WatchError;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A longer line is none.
pub(super) const LONGEST: usize = 1 << 20;
const BLOCK: usize = 1 << 16;

/// Reads a file as far as it goes, and goes on where it stopped when asked again.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: File,
    /// Bytes read so far.
    place: u64,
    /// Read, and not yet handed out.
    pending: Vec<u8>,
}

impl Tail {
    pub(super) fn open(path: &Path) -> Result<Self, WatchError> {
        let read = |source| WatchError::Read { path: path.into(), source };
        let file = File::open(path).map_err(read)?;
        Ok(Tail { path: path.into(), file, place: 0, pending: Vec::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is shorter than what was read of it, or another one has taken its place: its writer has begun anew. Then
    /// so does this.
    ///
    /// A pipe has no length and never begins anew.
    pub(super) fn began_anew(&mut self) -> Result<bool, WatchError> {
        let read = |source| WatchError::Read { path: self.path.clone(), source };
        let facts = self.file.metadata().map_err(read)?;
        if !facts.is_file() {
            return Ok(false);
        }
        // Between a removal and what comes instead there is no file, which is no fault.
        let other = std::fs::metadata(&self.path).ok().filter(|other| !is_same(&facts, other));
        if other.is_some() {
            self.file = File::open(&self.path).map_err(read)?;
        } else if facts.len() >= self.place {
            return Ok(false);
        }
        self.begin_anew()?;
        Ok(true)
    }

    /// Goes back to the start of the file.
    pub(super) fn begin_anew(&mut self) -> Result<(), WatchError> {
        let read = |source| WatchError::Read { path: self.path.clone(), source };
        self.file.seek(SeekFrom::Start(0)).map_err(read)?;
        (self.place, self.pending) = (0, Vec::new());
        Ok(())
    }

    /// Whether there is more than what was read.
    pub(super) fn has_grown(&self) -> bool {
        self.file.metadata().is_ok_and(|facts| facts.is_file() && facts.len() > self.place)
    }

    /// Takes in up to one block more; false at the end of what there is.
    pub(super) fn fill(&mut self) -> Result<bool, WatchError> {
        let start = self.pending.len();
        self.pending.resize(start + BLOCK, 0);
        loop {
            match self.file.read(&mut self.pending[start..]) {
                Ok(count) => {
                    self.pending.truncate(start + count);
                    self.place += count as u64;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    self.pending.truncate(start);
                    return Err(WatchError::Read { path: self.path.clone(), source });
                }
            }
        }
    }

    /// What was read and not yet taken.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Drops the first `count` of those.
    pub(super) fn take(&mut self, count: usize) {
        self.pending.drain(..count);
    }

    /// Shows the first line, as far as it is there, and takes nothing.
    pub(super) fn first_line(&mut self, line: impl FnOnce(&[u8])) -> Result<(), WatchError> {
        while !self.pending.iter().any(ends) && self.pending.len() <= LONGEST && self.fill()? {}
        line(self.pending.split(ends).next().unwrap_or_default());
        Ok(())
    }

    /// Hands out every whole line that there is; with `last`, what follows the last line end too, as its writer has
    /// ended.
    pub(super) fn lines(
        &mut self,
        last: bool,
        mut line: impl FnMut(&[u8]) -> Result<(), WatchError>,
    ) -> Result<(), WatchError> {
        loop {
            let more = self.fill()?;
            let mut taken = 0;
            while let Some(length) = self.pending[taken..].iter().position(ends) {
                line(&self.pending[taken..taken + length])?;
                taken += length + 1;
            }
            self.take(taken);
            if self.pending.len() > LONGEST {
                return Err(WatchError::LongLine { path: self.path.clone(), limit: LONGEST });
            }
            if !more {
                break;
            }
        }
        if last && !self.pending.is_empty() {
            line(&std::mem::take(&mut self.pending))?;
        }
        Ok(())
    }
}

/// Whether these are one file, by what the system numbers it by.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere files have no number that can be asked for.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

fn ends(byte: &u8) -> bool {
    [b'\n', b'\r'].contains(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_goes_on_where_it_stopped_and_begins_anew_with_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut writer = File::create(&path).unwrap();
        let mut tail = Tail::open(&path).unwrap();
        let lines = |tail: &mut Tail, last: bool| {
            let mut found = Vec::new();
            tail.lines(last, |line| {
                found.push(String::from_utf8(line.to_vec()).unwrap());
                Ok(())
            })
            .unwrap();
            found
        };
        writer.write_all(b"one\ntw").unwrap();
        assert_eq!(lines(&mut tail, false), ["one"]);
        assert_eq!(lines(&mut tail, false), [""; 0]);
        writer.write_all(b"o\r\nthree").unwrap();
        assert_eq!(lines(&mut tail, true), ["two", "", "three"]);
        assert!(!tail.began_anew().unwrap());
        File::create(&path).unwrap().write_all(b"new\n").unwrap();
        assert!(tail.began_anew().unwrap());
        assert_eq!(lines(&mut tail, false), ["new"]);
        // A longer file takes its place, as a rename does at once.
        let other = folder.path().join("other");
        std::fs::write(&other, "newer\nlines\n").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(tail.began_anew().unwrap());
        assert_eq!(lines(&mut tail, false), ["newer", "lines"]);
        assert!(!tail.began_anew().unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!tail.began_anew().unwrap());
    }

    #[test]
    fn a_line_without_an_end_is_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, vec![b'x'; 2 * LONGEST]).unwrap();
        let refused = Tail::open(&path).unwrap().lines(true, |_| Ok(()));
        assert!(matches!(refused, Err(WatchError::LongLine { .. })));
    }
}
