//! The files of a zip archive, stored or deflated, as NumPy's `savez` writes them (PKWARE's APPNOTE 6.3.10, sections 4.3 and
//! 4.5.3).

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;

use super::DataError;
use super::bytes::{LARGEST_RATIO, SourceBytes};
use super::error::{io_error, malformed};

const REPLACE: &str = "replace the file by a complete copy, or save it again with numpy.savez";
/// The record at an archive's end has 22 bytes and a comment.
const LARGEST_END: u64 = 22 + 65535;
/// What a table of contents may take.
const LARGEST_CONTENTS: u64 = 1 << 24;

/// An archive that is open.
pub(super) struct Archive {
    path: PathBuf,
    file: File,
    pub(super) entries: Vec<Entry>,
}

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    method: u16,
    packed: u64,
    bytes: u64,
    place: u64,
}

impl Archive {
    /// Reads the table of contents.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Malformed`] for what is no archive.
    pub(super) fn open(path: &Path) -> Result<Archive, DataError> {
        let fault = |found: &str| malformed(path, "a zip archive, as numpy.savez writes it", found, REPLACE);
        let read = || io_error(path, "read the file");
        let mut file = File::open(path).map_err(io_error(path, "open the file"))?;
        let length = file.metadata().map_err(read())?.len();
        let tail = at(&mut file, length.saturating_sub(LARGEST_END), LARGEST_END).map_err(read())?;
        let end = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").map(|place| &tail[place..]);
        let end = end.ok_or_else(|| fault("no end of one"))?;
        let (Some(size), Some(place), Some(_)) = (u32_at(end, 12), u32_at(end, 16), u16_at(end, 20)) else {
            return Err(fault("an end that is cut off"));
        };
        if u64::from(size) > LARGEST_CONTENTS {
            return Err(fault("a table of contents of more than 16 MiB"));
        }
        let contents = at(&mut file, place.into(), size.into()).map_err(read())?;
        let (mut rest, mut entries) = (contents.as_slice(), Vec::new());
        while rest.starts_with(b"PK\x01\x02") {
            let (entry, length) = Entry::read(rest).ok_or_else(|| fault("an entry that is cut off"))?;
            entries.push(entry);
            rest = &rest[length..];
        }
        Ok(Archive { path: path.into(), file, entries })
    }

    /// The content of a file, whose path for messages is `shown`.
    ///
    /// # Errors
    /// As [`Archive::open`]; for files packed otherwise than stored or deflated, too.
    pub(super) fn content<'a>(
        &mut self,
        entry: &Entry,
        shown: &'a Path,
    ) -> Result<SourceBytes<'a>, DataError> {
        let fault = |found: String| malformed(shown, "a file that is stored or deflated", found, REPLACE);
        let read = || io_error(&self.path, "read the file");
        let head = at(&mut self.file, entry.place, 30).map_err(read())?;
        let (true, Some(name), Some(extra)) =
            (head.starts_with(b"PK\x03\x04"), u16_at(&head, 26), u16_at(&head, 28))
        else {
            return Err(fault("nothing at its place".into()));
        };
        let start = entry.place.saturating_add(30 + u64::from(name) + u64::from(extra));
        self.file.seek(SeekFrom::Start(start)).map_err(read())?;
        let file = self.file.try_clone().map_err(read())?;
        let packed = BufReader::new(file.take(entry.packed));
        match entry.method {
            0 => SourceBytes::new(shown, packed, entry.packed),
            8 => {
                let most = entry.bytes.min(entry.packed.saturating_mul(LARGEST_RATIO));
                SourceBytes::new(shown, BufReader::new(DeflateDecoder::new(packed)), most)
            }
            method => Err(fault(format!("method {method}"))),
        }
    }
}

impl Entry {
    /// The entry that a table of contents begins with, and its length there.
    fn read(bytes: &[u8]) -> Option<(Entry, usize)> {
        let lengths = [28, 30, 32].map(|place| u16_at(bytes, place).map(usize::from));
        let [Some(name), Some(extra), Some(comment)] = lengths else { return None };
        let length = 46 + name + extra + comment;
        let (name, extra) = bytes.get(46..length)?.split_at(name);
        let mut sizes = [u32_at(bytes, 24)?, u32_at(bytes, 20)?, u32_at(bytes, 42)?].map(u64::from);
        // What 32 bits cannot hold stands in a field of its own, in this order.
        let mut wide = wide(extra);
        for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
            let (eight, rest) = wide.split_first_chunk()?;
            (*size, wide) = (u64::from_le_bytes(*eight), rest);
        }
        let [bytes_of, packed, place] = sizes;
        let name = String::from_utf8_lossy(name).into_owned();
        Some((Entry { name, method: u16_at(bytes, 10)?, packed, bytes: bytes_of, place }, length))
    }
}

/// The field of 64-bit sizes; empty where there is none.
fn wide(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some((field, rest)) = extra[4..].split_at_checked(length.into()) else { break };
        if id == 1 {
            return field;
        }
        extra = rest;
    }
    &[]
}

fn u16_at(bytes: &[u8], place: usize) -> Option<u16> {
    bytes.get(place..)?.first_chunk().map(|two| u16::from_le_bytes(*two))
}

fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    bytes.get(place..)?.first_chunk().map(|four| u32::from_le_bytes(*four))
}

/// Up to `length` bytes from `place` on.
fn at(file: &mut File, place: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(place))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Write;

    /// An archive of these files, deflated where so told, with sizes in fields of 64 bits as NumPy forces them in heads.
    pub(in crate::data) fn archive(files: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
        let (mut bytes, mut contents) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let packed = if deflated {
                let mut encoder =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            } else {
                content.to_vec()
            };
            let sizes = [packed.len() as u32, content.len() as u32].map(u32::to_le_bytes).concat();
            let place = bytes.len() as u32;
            let method = if deflated { 8u8 } else { 0 };
            let head = [&[45, 0, 0, 0, method, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sizes].concat();
            let lengths = [name.len() as u16, 20].map(u16::to_le_bytes).concat();
            let extra = [&[1, 0, 16, 0][..], &[0; 16]].concat();
            bytes.extend([b"PK\x03\x04", &head[..], &lengths, name.as_bytes(), &extra, &packed].concat());
            let lengths = [name.len() as u16, 0, 0, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
            contents.extend(
                [b"PK\x01\x02\x14\0", &head[..], &lengths, &place.to_le_bytes(), name.as_bytes()].concat(),
            );
        }
        let (place, size) = (bytes.len() as u32, contents.len() as u32);
        bytes.extend(contents);
        bytes.extend(
            [b"PK\x05\x06", &[0; 8][..], &size.to_le_bytes(), &place.to_le_bytes(), &[0, 0]].concat(),
        );
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        std::fs::write(&path, bytes).unwrap();
        let mut archive = Archive::open(&path)?;
        let entries = archive.entries.clone();
        entries.iter().map(|entry| Ok((entry.name.clone(), archive.content(entry, &path)?.rest()?))).collect()
    }

    #[test]
    fn stored_and_deflated_files_come_out_as_they_went_in() {
        let content = [7; 5000];
        let expected = [("x.npy".to_string(), content.to_vec()), ("y".to_string(), b"abc".to_vec())];
        for deflated in [false, true] {
            assert_eq!(read(&archive(&[("x.npy", &content), ("y", b"abc")], deflated)).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_archive_is_refused_wherever_it_is_cut() {
        let whole = archive(&[("x.npy", b"some bytes"), ("y.npy", b"more")], true);
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        let text = read(b"PK").unwrap_err().to_string();
        assert!(text.contains("expected a zip archive") && text.contains("no end of one"), "{text}");
    }
}
