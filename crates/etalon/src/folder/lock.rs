//! Files that one process at a time holds.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A file that is held for as long as this lives, and then taken away. The system lets go of it when the process dies,
/// however it does. On a file system without locks, everybody holds it.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    /// Held open for its lock.
    _file: File,
}

impl Lock {
    /// Takes it; none where another has it.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Lock>> {
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
                Err(TryLockError::Error(error)) => return Err(error),
                // The one who had it before has finished and taken the file away, and another may have made one anew: ours
                // has no name any more.
                Ok(()) if !is_at(&file, path) => continue,
                Ok(()) => {}
            }
            return Ok(Some(Lock { path: path.into(), _file: file }));
        }
    }

    /// As [`Lock::take`], asked for so long.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn within(path: &Path, limit: Duration) -> io::Result<Option<Lock>> {
        let start = Instant::now();
        loop {
            match Lock::take(path)? {
                None if start.elapsed() < limit => sleep(Duration::from_millis(20)),
                found => return Ok(found),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is held, so that nobody takes the file for that of a dead process. One that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether an open file is the one of this name.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (ours.dev(), ours.ino()) == (named.dev(), named.ino())
    }
    #[cfg(not(unix))]
    {
        ours.is_file() && named.is_file()
    }
}

/// Whether an error means that the file system knows no locks.
fn has_no_locks(error: &io::Error) -> bool {
    /// "No locks available", as NFS without its lock daemon says; Rust has no kind for it.
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported
        || cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_what_a_dead_process_left_is_nobodys() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("lock");
        fs::write(&path, "left by a process that died").unwrap();
        let held = Lock::take(&path).unwrap().unwrap();
        assert!(Lock::take(&path).unwrap().is_none());
        assert!(Lock::within(&path, Duration::from_millis(30)).unwrap().is_none());
        drop(held);
        assert!(!path.exists());
        assert!(Lock::take(&path).unwrap().is_some());
    }
}
