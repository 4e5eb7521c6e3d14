//! The folder of `--out`: what ran (`spec.toml`), where and when (`meta.json`), and the result files.

use super::Meta;
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const SPEC: &str = "spec.toml";
const META: &str = "meta.json";

/// Why a run's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// The system refuses to create or write.
    #[error("{}: cannot {action}: {source}; choose a place that can be written to", path.display())]
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
    /// A result has no form in JSON.
    #[error("cannot write {name} as JSON: {source}")]
    Json {
        /// The file.
        name: String,
        /// The reason.
        source: serde_json::Error,
    },
}

/// A folder that belongs to one spec. Each file in it is written aside and renamed: it is whole, or not there.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder where it is missing, and writes `spec.toml` (the resolved text of what runs, if a spec does) and
    /// `meta.json`. The same spec may come again; files of the same name are then replaced. So may another one where the
    /// first left no result, because it was refused or stopped.
    ///
    /// # Errors
    /// When the folder cannot be written to, or holds the run of another spec.
    pub fn open(path: &Path, spec: Option<&str>, meta: &Meta) -> Result<RunFolder, RunFolderError> {
        let file = path.join(SPEC);
        if file.exists() && has_results(path) {
            let there = fs::read(&file).map_err(fault(&file, "read it"))?;
            let there = String::from_utf8_lossy(&there);
            if let Some((there, here)) = first_difference(&there, spec.unwrap_or_default()) {
                return Err(RunFolderError::Occupied { path: path.into(), there, here });
            }
        }
        let folder = RunFolder { path: path.into() };
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

/// Whether a folder holds more than what [`RunFolder::open`] writes. One that cannot be listed might.
fn has_results(path: &Path) -> bool {
    let is_result = |entry: io::Result<fs::DirEntry>| {
        entry.map_or(true, |entry| ![SPEC, META].iter().any(|name| entry.file_name() == *name))
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
    let mut aside = aside_of(target)?;
    aside.write_all(content).map_err(fault(target, "write the file"))?;
    aside.persist(target).map_err(|error| fault(target, "create the file")(error.error))?;
    Ok(())
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
    aside_of(target).map(drop)
}

/// A file beside `target` that vanishes unless it is renamed.
fn aside_of(target: &Path) -> Result<tempfile::NamedTempFile, RunFolderError> {
    if target.file_name().is_none() {
        return Err(RunFolderError::NoFile(target.into()));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fault(folder, "create the folder"))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    // What the user's umask leaves of it, as for any other file; the default of `tempfile` is the owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(fault(folder, "create a file in the folder"))
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
