//! The command lines of workers.

use super::LaunchError;
use crate::sweep::shard::parts;
use crate::sweep::{Cell, Grid, Store};
use std::collections::{BTreeSet, HashSet};
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
        let start = format!("{} worker {}", quoted_path(program)?, quoted_path(&root)?);
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

/// A path as a shell takes it.
pub(super) fn quoted_path(path: &Path) -> Result<String, LaunchError> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r', '\\']));
    text.map(quoted).ok_or_else(|| LaunchError::Path(path.into()))
}

/// A word as a shell takes it; as it is where it has nothing special.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
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
