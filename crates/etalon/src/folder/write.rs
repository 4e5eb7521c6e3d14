//! The folder of `--out`: what ran (`spec.toml`), where and when (`meta.json`), and the result files.

use super::{Lock, Meta, disk};
use etalon_nn::Cpu;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const SPEC: &str = "spec.toml";
pub(crate) const META: &str = "meta.json";
/// Held by the process that writes into a folder.
pub(crate) const LOCK: &str = ".lock";
/// What the name of a file begins and ends with that is not whole yet.
const ASIDE: [&str; 2] = [".unfinished-", ""];

/// Why a run's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// The system refuses to create or write.
    #[error("{}: cannot {action}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// A path of a file ends in none.
    #[error("{} names no file; give the file's name too, such as runs.csv", _0.display())]
    NoFile(PathBuf),
    /// Results of something else are in it.
    #[error(
        "{} holds the run of another spec (there `{there}`, here `{here}`); give another folder, or empty this one",
        path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// The first line of its spec that differs.
        there: String,
        /// The line that was to be written.
        here: String,
    },
    /// Another process writes into it.
    #[error("{} is in use by another run; wait until it has ended, or give another folder", _0.display())]
    InUse(PathBuf),
    /// Results with other bits are in it.
    #[error(
        "{} holds the run of the {there} kernels, and the {here} ones have other bits; set ETALON_CPU={there}, or give another folder",
        path.display()
    )]
    OtherKernels {
        /// The folder.
        path: PathBuf,
        /// The kernels of what is there.
        there: String,
        /// Those of this process.
        here: String,
    },
    /// A result has no form in JSON.
    #[error("cannot write {name} as JSON: {source}")]
    Json {
        /// The file.
        name: String,
        /// The reason.
        source: serde_json::Error,
    },
}

fn remedy(source: &io::Error) -> &'static str {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match source.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => "make room, or choose another place",
        _ => "choose a place that can be written to",
    }
}

/// A folder that belongs to one spec, and to one process as long as this lives. Each file in it is written aside and
/// renamed: it is whole, or not there.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: Lock,
}

impl RunFolder {
    /// Makes the folder where it is missing, and writes `spec.toml` (the resolved text of what runs, if a spec does) and
    /// `meta.json`. The same spec may come again; files of the same name are then replaced. So may another one where the
    /// first left no result, because it was refused or stopped.
    ///
    /// # Errors
    /// When the folder cannot be written to, is in use by another process, or holds the run of another spec or of other
    /// kernels.
    pub fn open(path: &Path, spec: Option<&str>, meta: &Meta) -> Result<RunFolder, RunFolderError> {
        disk::make_folder(path).map_err(fault(path, "create the folder"))?;
        let lock = Lock::take(&path.join(LOCK)).map_err(fault(path, "create a file in the folder"))?;
        let Some(lock) = lock else { return Err(RunFolderError::InUse(path.into())) };
        let file = path.join(SPEC);
        if file.exists() && has_results(path) {
            let there = fs::read(&file).map_err(fault(&file, "read it"))?;
            let there = String::from_utf8_lossy(&there);
            if let Some((there, here)) = first_difference(&there, spec.unwrap_or_default()) {
                return Err(RunFolderError::Occupied { path: path.into(), there, here });
            }
            if let Some([there, here]) = other_kernels(&path.join(META)) {
                return Err(RunFolderError::OtherKernels { path: path.into(), there, here });
            }
        }
        let folder = RunFolder { path: path.into(), _lock: lock };
        if let Some(spec) = spec {
            folder.write(SPEC, spec.as_bytes())?;
        }
        folder.write(META, meta.to_json().as_bytes())?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a result file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), RunFolderError> {
        write_whole(&self.path.join(name), content)
    }

    /// Writes a file of indented JSON.
    ///
    /// # Errors
    /// When the system refuses, or a map in the value has keys that are no strings.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunFolderError> {
        let text = serde_json::to_string_pretty(value);
        let text = text.map_err(|source| RunFolderError::Json { name: name.into(), source })?;
        self.write(name, (text + "\n").as_bytes())
    }
}

/// The first line in which two specs differ.
fn first_difference(there: &str, here: &str) -> Option<(String, String)> {
    let (mut there, mut here) = (there.lines(), here.lines());
    loop {
        match (there.next(), here.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => return Some((a.unwrap_or("nothing").into(), b.unwrap_or("nothing").into())),
        }
    }
}

/// The kernels of a `meta.json` and of this process, where they differ and the first are known.
pub(crate) fn other_kernels(meta: &Path) -> Option<[String; 2]> {
    let meta: Meta = serde_json::from_slice(&disk::read(meta).ok()?).ok()?;
    let (there, here) = (meta.machine?.kernels, Cpu::current().name());
    (there != here).then(|| [there, here.into()])
}

/// Whether a folder holds more than what [`RunFolder::open`] writes. One that cannot be listed might.
fn has_results(path: &Path) -> bool {
    let is_result = |entry: io::Result<fs::DirEntry>| {
        entry.map_or(true, |entry| ![SPEC, META, LOCK].iter().any(|name| entry.file_name() == *name))
    };
    fs::read_dir(path).map_or(true, |mut entries| entries.any(is_result))
}

/// Writes a file aside and renames it; its folder is made where it is missing. A link stays, and what it names is
/// replaced; a pipe or a device is written to as it is.
///
/// # Errors
/// When the system refuses; a file that was there before is then as it was.
pub fn write_whole(target: &Path, content: &[u8]) -> Result<(), RunFolderError> {
    if is_stream(target) {
        let stream = fs::OpenOptions::new().write(true).open(target).map_err(fault(target, "open it"));
        return stream?.write_all(content).map_err(fault(target, "write to it"));
    }
    let linked = target.is_symlink().then(|| fs::canonicalize(target).ok()).flatten();
    let target = linked.as_deref().unwrap_or(target);
    disk::put(folder_of(target)?, ASIDE, target, content).map_err(fault(target, "write the file"))
}

/// Whether it is something that takes bytes and no file that could be replaced: a named pipe, `/dev/stdout`.
fn is_stream(target: &Path) -> bool {
    let of_system = ["/dev", "/proc"].iter().any(|folder| target.starts_with(folder));
    fs::metadata(target).is_ok_and(|facts| !facts.is_dir() && (of_system || !facts.is_file()))
}

/// Whether a file can be written there, asked before the work whose result it is to hold.
///
/// # Errors
/// When the system refuses.
pub fn check_writable(target: &Path) -> Result<(), RunFolderError> {
    if target.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
        return Err(fault(target, "create the file")(source));
    }
    if is_stream(target) {
        // Opening a pipe would wait for its reader.
        return Ok(());
    }
    let folder = folder_of(target)?;
    disk::make(folder, ASIDE).map(drop).map_err(fault(folder, "create a file in the folder"))
}

/// The folder of a file, made where it is missing.
fn folder_of(target: &Path) -> Result<&Path, RunFolderError> {
    if target.file_name().is_none() {
        return Err(RunFolderError::NoFile(target.into()));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    disk::make_folder(folder).map_err(fault(folder, "create the folder"))?;
    Ok(folder)
}

fn fault(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> RunFolderError {
    let path = path.to_path_buf();
    move |source| RunFolderError::Io { path, action, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn open(path: &Path, spec: Option<&str>) -> Result<RunFolder, RunFolderError> {
        RunFolder::open(path, spec, &Meta::here(None, SystemTime::UNIX_EPOCH))
    }

    #[test]
    fn what_ran_and_where_is_written() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        open(&path, Some("seed = 0\n")).unwrap().write("curve.csv", b"eta\n").unwrap();
        assert_eq!(fs::read_to_string(path.join("spec.toml")).unwrap(), "seed = 0\n");
        let meta: Meta = serde_json::from_slice(&fs::read(path.join("meta.json")).unwrap()).unwrap();
        assert_eq!(meta.started.as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(meta.machine.unwrap().threads, rayon::current_num_threads());
        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["curve.csv", "meta.json", "spec.toml"], "nothing is left aside");
    }

    #[test]
    fn another_spec_is_refused_and_the_same_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        let (spec, other) = ("seed = 0\ndepth = 2\n", "seed = 1\ndepth = 2\n");
        // Until there is a result, the folder is nobody's.
        open(root.path(), Some(other)).unwrap();
        open(root.path(), Some(spec)).unwrap().write("curve.csv", b"eta\n").unwrap();
        open(root.path(), Some(spec)).unwrap();
        for refused in [Some(other), None] {
            let text = open(root.path(), refused).unwrap_err().to_string();
            assert!(text.contains("seed = 0") && text.contains("another folder"), "{text}");
        }
        assert_eq!(fs::read_to_string(root.path().join("spec.toml")).unwrap(), spec);
    }

    #[test]
    fn a_folder_is_one_processs_and_of_one_kind_of_kernels() {
        let root = tempfile::tempdir().unwrap();
        let held = open(root.path(), Some("seed = 0")).unwrap();
        let text = open(root.path(), Some("seed = 0")).unwrap_err().to_string();
        assert!(text.contains("is in use by another run; wait"), "{text}");
        held.write("found.json", b"{}").unwrap();
        drop(held);
        open(root.path(), Some("seed = 0")).unwrap();
        let mut meta = Meta::here(None, SystemTime::UNIX_EPOCH);
        meta.machine.as_mut().unwrap().kernels = "slow".into();
        fs::write(root.path().join(META), meta.to_json()).unwrap();
        let text = open(root.path(), Some("seed = 0")).unwrap_err().to_string();
        assert!(
            text.contains("the run of the slow kernels") && text.contains("set ETALON_CPU=slow"),
            "{text}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_pipe_a_pipe() {
        let root = tempfile::tempdir().unwrap();
        let (real, link, pipe) =
            (root.path().join("real"), root.path().join("link"), root.path().join("pipe"));
        fs::write(&real, "before").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_whole(&link, b"after").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"after");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        check_writable(&pipe).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_whole(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        write_whole(Path::new("/dev/null"), b"gone").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn files_can_be_read_by_whom_the_umask_lets() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        write_whole(&root.path().join("ours"), b"").unwrap();
        fs::write(root.path().join("plain"), b"").unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("plain"));
    }
}
