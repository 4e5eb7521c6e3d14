//! The folder of `--out`: what ran (`spec.toml`), where and when (`meta.json`), and the result files.

use crate::machine::{COMMIT, Machine};
use crate::output::json;
use etalon::spec::{Spec, SpecError};
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const SPEC: &str = "spec.toml";
const META: &str = "meta.json";

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
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
        "{} holds the run of another spec ({there}, not {here}); give --out another folder, or empty this one",
        path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        there: String,
        /// What was to be written.
        here: String,
    },
    /// Nobody can tell what is in it.
    #[error("{} holds a {SPEC} that cannot be read; give --out another folder, or empty this one", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What is wrong with its spec.
        source: Box<SpecError>,
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
pub struct RunDirectory {
    path: PathBuf,
}

/// `meta.json`.
#[derive(Serialize)]
struct Meta<'a> {
    etalon: &'static str,
    commit: Option<&'static str>,
    /// The hash of `spec.toml`.
    spec: Option<String>,
    seeds: &'a [u64],
    /// The arguments, the program's name first.
    command: Vec<String>,
    /// RFC 3339, UTC.
    started: String,
    machine: Machine,
}

impl<'a> Meta<'a> {
    fn new(spec: Option<String>, seeds: &'a [u64], started: SystemTime) -> Self {
        let command = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        Meta {
            etalon: env!("CARGO_PKG_VERSION"),
            commit: COMMIT,
            spec,
            seeds,
            command: command.collect(),
            started: humantime::format_rfc3339_seconds(started).to_string(),
            machine: Machine::here(),
        }
    }
}

/// The facts of a run as `meta.json` has them, for a folder that is not a [`RunDirectory`].
///
/// # Errors
/// None that occurs: every field has a form in JSON.
pub fn facts(started: SystemTime) -> serde_json::Result<serde_json::Map<String, serde_json::Value>> {
    let mut facts: serde_json::Map<_, _> =
        serde_json::from_value(serde_json::to_value(Meta::new(None, &[], started))?)?;
    // Those of a single spec.
    facts.retain(|name, _| name != "spec" && name != "seeds");
    Ok(facts)
}

impl RunDirectory {
    /// Makes the folder where it is missing, and writes `spec.toml` (if a spec runs) and `meta.json`. The same spec may
    /// come again; files of the same name are then replaced. So may another one where the first left no result, because
    /// it was refused or stopped.
    ///
    /// # Errors
    /// When the folder cannot be written to, or holds the run of another spec.
    pub fn open(
        path: &Path,
        spec: Option<&Spec>,
        seeds: &[u64],
        started: SystemTime,
    ) -> Result<RunDirectory, RunDirectoryError> {
        let here = spec.map(Spec::hash);
        let file = path.join(SPEC);
        if file.exists() && has_results(path) {
            let there = Spec::load(Some(&file), &[])
                .map_err(|source| RunDirectoryError::Unreadable {
                    path: path.into(),
                    source: Box::new(source),
                })?
                .hash();
            if here.as_ref() != Some(&there) {
                let here = here.unwrap_or_else(|| "none".into());
                return Err(RunDirectoryError::Occupied { path: path.into(), there, here });
            }
        }
        let directory = RunDirectory { path: path.into() };
        let meta = Meta::new(here, seeds, started);
        if let Some(spec) = spec {
            directory.write(SPEC, spec.to_toml().as_bytes())?;
        }
        directory.write_json(META, &meta)?;
        Ok(directory)
    }

    /// Writes a result file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), RunDirectoryError> {
        write_whole(&self.path.join(name), content)
    }

    /// Writes a result file as [`json`].
    ///
    /// # Errors
    /// When the system refuses, or a map in the value has keys that are no strings.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunDirectoryError> {
        let text = json(value).map_err(|source| RunDirectoryError::Json { name: name.into(), source })?;
        self.write(name, text.as_bytes())
    }
}

/// Whether a folder holds more than what [`RunDirectory::open`] writes. One that cannot be listed might.
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
pub fn write_whole(target: &Path, content: &[u8]) -> Result<(), RunDirectoryError> {
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
pub fn check_writable(target: &Path) -> Result<(), RunDirectoryError> {
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
fn aside_of(target: &Path) -> Result<tempfile::NamedTempFile, RunDirectoryError> {
    if target.file_name().is_none() {
        return Err(RunDirectoryError::NoFile(target.into()));
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

fn fault(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> RunDirectoryError {
    let path = path.to_path_buf();
    move |source| RunDirectoryError::Io { path, action, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, spec: Option<&Spec>) -> Result<RunDirectory, RunDirectoryError> {
        RunDirectory::open(path, spec, &[0], SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn what_ran_and_where_is_written() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let spec = Spec::default();
        let directory = open(&path, Some(&spec)).unwrap();
        directory.write("curve.csv", b"eta\n").unwrap();
        assert_eq!(Spec::load(Some(&path.join("spec.toml")), &[]).unwrap(), spec);
        let meta: serde_json::Value =
            serde_json::from_slice(&fs::read(path.join("meta.json")).unwrap()).unwrap();
        assert_eq!(meta["started"], "1970-01-01T00:00:00Z");
        assert_eq!(meta["spec"], spec.hash());
        assert_eq!(meta["machine"]["threads"], rayon::current_num_threads());
        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["curve.csv", "meta.json", "spec.toml"], "nothing is left aside");
    }

    #[test]
    fn another_spec_is_refused_and_the_same_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        let spec = Spec::default();
        let other = Spec { seed: 1, ..Spec::default() };
        // Until there is a result, the folder is nobody's.
        open(root.path(), Some(&other)).unwrap();
        open(root.path(), Some(&spec)).unwrap().write("curve.csv", b"eta\n").unwrap();
        open(root.path(), Some(&spec)).unwrap();
        for refused in [Some(&other), None] {
            let text = open(root.path(), refused).unwrap_err().to_string();
            assert!(text.contains(&spec.hash()) && text.contains("another folder"), "{text}");
        }
        assert_eq!(Spec::load(Some(&root.path().join("spec.toml")), &[]).unwrap(), spec);
        fs::write(root.path().join("spec.toml"), "depth = ").unwrap();
        let error = open(root.path(), Some(&spec)).unwrap_err();
        assert!(matches!(error, RunDirectoryError::Unreadable { .. }), "{error}");
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
