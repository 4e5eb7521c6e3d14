//! The command lines of workers.

use super::LaunchError;
use crate::sweep::shard::parts;
use crate::sweep::{Cell, Grid, Store};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The workers that what is still to run asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers {
    /// The program and the sweep's folder, as a shell takes them.
    start: String,
    /// The folder.
    root: PathBuf,
    /// The value of `--threads`, which may be an expression of the shell.
    threads: Option<String>,
    /// Into how many parts the sweep is cut.
    count: usize,
    /// The parts that have something to do, from 1.
    indices: Vec<usize>,
}

impl Workers {
    /// Workers for those of `count` parts of a sweep that hold one of `cells`. `program` is `etalon`, where
    /// the workers will find it; each is told `threads`, as a shell takes it.
    ///
    /// # Errors
    /// When a path cannot stand in a script.
    pub fn new(
        store: &Store,
        grid: &Grid,
        cells: &[&Cell],
        count: usize,
        program: &Path,
        threads: Option<String>,
    ) -> Result<Workers, LaunchError> {
        let root = std::path::absolute(store.root()).unwrap_or_else(|_| store.root().into());
        let start = format!("{} worker {}", quoted_path(program)?, address(&root));
        let names: HashSet<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
        let parts = grid.cells().iter().zip(parts(grid, count));
        let indices: BTreeSet<usize> =
            parts.filter(|(cell, _)| names.contains(cell.name.as_str())).map(|(_, part)| part).collect();
        Ok(Workers { start, root, threads, count, indices: indices.into_iter().collect() })
    }

    /// Into how many parts the sweep is cut.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The parts with something to do, from 1, in order.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The sweep's folder, from the root of the file system.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The command line of one part, whose number may be an expression of the shell.
    pub(super) fn line(&self, index: &str) -> String {
        let threads = self.threads.as_ref().map_or(String::new(), |threads| format!(" --threads {threads}"));
        format!("{} --shard {index}/{}{threads}", self.start, self.count)
    }

    /// The command line that collects results.
    pub(super) fn collector(&self) -> String {
        format!("{} --collect", self.start)
    }
}

/// A folder as every shell takes it, however many read it one after the other: as it is, or as a `file:` URI (RFC 8089) in
/// which all that a shell might act on is a percent sign and two digits.
fn address(folder: &Path) -> String {
    if is_word(folder) {
        return folder.display().to_string();
    }
    let bytes = folder.as_os_str().as_encoded_bytes();
    let letter = |&byte: &u8| match char::from(byte) {
        c if is_plain(c) => c.to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("file://{}", bytes.iter().map(letter).collect::<String>())
}

/// The folder of an argument: a path, or a `file:` URI as a worker's command line has where the path is no word of a shell.
///
/// # Errors
/// When it is a URI of no path.
pub fn folder_of(argument: &OsStr) -> Result<PathBuf, LaunchError> {
    let Some(rest) = argument.to_str().and_then(|text| text.strip_prefix("file://")) else {
        return Ok(argument.into());
    };
    let fault = || LaunchError::Path(argument.into());
    // What stands before the first percent sign is as it is; behind each one stand two digits first.
    let mut parts = rest.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, plain) = part.split_at_checked(2).ok_or_else(fault)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| fault())?);
        bytes.extend(plain.as_bytes());
    }
    path(bytes).ok_or_else(fault)
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Whether no shell acts on it.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-+:@=,".contains(c)
}

/// Whether a path is a word that no shell acts on.
pub(super) fn is_word(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().all(|&byte| is_plain(byte.into()))
}

/// A path as a shell takes it.
pub(super) fn quoted_path(path: &Path) -> Result<String, LaunchError> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r', '\\']));
    text.map(quoted).ok_or_else(|| LaunchError::Path(path.into()))
}

/// A word as a shell takes it; as it is where it has nothing special.
pub(super) fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Meta;
    use crate::sweep::{Shard, pending};

    #[test]
    fn only_parts_with_something_to_do_have_a_worker() {
        let grid = Grid::parse("[grid]\nseed = { linear = [0, 9], points = 10 }").unwrap();
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path(), &grid, &Meta::default()).unwrap();
        let all = pending(&store, &grid).without_result();
        let workers = |cells: &[&Cell], count| {
            Workers::new(&store, &grid, cells, count, Path::new("/bin/etalon"), Some("2".into())).unwrap()
        };
        assert_eq!(workers(&all, 3).indices(), [1, 2, 3]);
        let folder = root.path().display();
        let line = workers(&all, 3).line("2");
        assert_eq!(line, format!("/bin/etalon worker {folder} --shard 2/3 --threads 2"));
        let one = workers(&all[..1], 3);
        let [part] = one.indices() else { panic!("one trial is in one part") };
        assert!(Shard::new(*part, 3).unwrap().cells(&grid).contains(&all[0]));
    }

    #[test]
    fn no_shell_acts_on_the_address_of_a_folder() {
        for folder in ["/plain/a-1.2", "/a b;touch X $(touch Y) 'q\"", "/100%/%41", "/\u{3b7}\n"] {
            let address = address(Path::new(folder));
            assert!(address.chars().all(|c| is_plain(c) || c == '%'), "{address}");
            assert_eq!(folder_of(address.as_ref()).unwrap(), Path::new(folder));
        }
        assert_eq!(folder_of("a b%41".as_ref()).unwrap(), Path::new("a b%41"), "a path is as it is");
        for broken in ["file:///a%", "file:///a%4", "file:///a%zz", "file:///%\u{3b7}"] {
            assert!(folder_of(broken.as_ref()).is_err(), "{broken}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for word in ["", "plain/path-1.2", "two words", "it's", "$HOME `id` \"x\" \\ * #"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), word);
        }
        assert!(matches!(quoted_path(Path::new("a\nb")), Err(LaunchError::Path(_))));
    }
}
