//! What the files of a data set hold, as one number.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::DataError;
use super::error::io_error;
use super::store::{hexadecimal, sha256_of_file};

/// A file as the system tells it without reading: its path, its length, and when it was written.
pub(super) type Facts = (PathBuf, u64, Option<SystemTime>);

/// The facts of a file.
///
/// # Errors
/// When the system refuses.
pub(super) fn facts(path: &Path) -> Result<Facts, DataError> {
    let found = fs::metadata(path).map_err(io_error(path, "read the file's size"))?;
    Ok((path.into(), found.len(), found.modified().ok()))
}

/// The sha256 of these files' names and contents, in this order, and of the rule by which they become data; the last
/// `depth` parts of a path are the name. Files are hashed once, and again only when their facts have changed.
///
/// # Errors
/// When one cannot be read.
pub(super) fn digest(files: &[PathBuf], depth: usize, rule: &str) -> Result<String, DataError> {
    let mut all = Sha256::new();
    all.update(rule);
    for path in files {
        let parts: Vec<_> = path.components().rev().take(depth).collect();
        for part in parts.into_iter().rev() {
            all.update(part.as_os_str().as_encoded_bytes());
            all.update([0]);
        }
        all.update(of_file(path)?);
    }
    Ok(hexadecimal(&all.finalize()))
}

fn of_file(path: &Path) -> Result<String, DataError> {
    static KNOWN: Mutex<Option<HashMap<Facts, String>>> = Mutex::new(None);
    let facts = facts(path)?;
    // Held while a file is hashed: threads that want the same one wait for it.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(digest) = known.get(&facts) {
        return Ok(digest.clone());
    }
    let digest = sha256_of_file(path)?;
    known.insert(facts, digest.clone());
    Ok(digest)
}
