//! The folder of a sweep.

use super::outcome::{is_whole, row};
use super::{BoundariesRow, Cell, FindRow, Finished, Grid, Job, Row, Rows, SweepError, Table, TrainRow};
use crate::folder::Meta;
use rayon::prelude::*;
use serde_json::json;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The end of a result file that is read for its row; rows are below a tenth of it.
const END: u64 = 8192;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folder of a sweep: `spec.toml` (resolved, with the grid), `meta.json`, `cells.csv` (each trial's name and
/// values), `trials`, `failed`, `running` (claims, and files not finished yet), `probes` (of searches that are not
/// finished) and `summary.csv`.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    cells: Table,
}

/// The right to compute one trial, for as long as it lives.
pub(super) struct Claim<'a> {
    store: &'a Store,
    name: &'a str,
    /// Held open for its lock; none where another process has that.
    lock: Option<File>,
}

impl Store {
    /// Opens a folder for a grid, making it where it is missing. `meta` are facts to keep in `meta.json` when it is
    /// new.
    ///
    /// # Errors
    /// When the folder belongs to another spec or to another version, or cannot be written to.
    pub fn open(root: &Path, grid: &Grid, meta: &Meta) -> Result<Store, SweepError> {
        let text = grid.to_toml()?;
        let store = Store { root: root.into(), cells: cells(grid) };
        if root.join("spec.toml").exists() {
            store.check_version()?;
            let there = store.read("spec.toml")?;
            if there != text {
                let mut pairs = there.lines().zip(text.lines());
                let (there, here) = pairs.find(|(there, here)| there != here).unwrap_or(("nothing", "more"));
                return Err(SweepError::OtherSpec {
                    path: root.into(),
                    there: there.into(),
                    here: here.into(),
                });
            }
        }
        for folder in ["trials", "failed", "running"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).map_err(SweepError::io(&folder, "create the folder"))?;
        }
        if !root.join("spec.toml").exists() {
            store.write("meta.json", meta.to_json().as_bytes())?;
        }
        store.write("cells.csv", store.cells.to_csv().as_bytes())?;
        // Last, for it marks the folder as a sweep's.
        store.write("spec.toml", text.as_bytes())?;
        Ok(store)
    }

    /// Opens the folder of a sweep to read it.
    ///
    /// # Errors
    /// When there is no sweep in it, or one of another version.
    pub fn read_only(root: &Path) -> Result<Store, SweepError> {
        let no_sweep = |reason: String| SweepError::NoSweep { path: root.into(), reason };
        let mut store = Store { root: root.into(), cells: Table { columns: Vec::new(), rows: Vec::new() } };
        if !root.join("cells.csv").exists() {
            return Err(no_sweep("cells.csv is missing".into()));
        }
        store.check_version()?;
        store.cells = Table::parse(&store.read("cells.csv")?)
            .map_err(|reason| no_sweep(format!("cells.csv: {reason}")))?;
        Ok(store)
    }

    /// Opens the folder of a sweep to work on it, with the grid that its `spec.toml` has. Nothing is written.
    ///
    /// # Errors
    /// When there is no sweep in it, one of another version, or one whose `spec.toml` was changed since.
    pub fn existing(root: &Path) -> Result<(Store, Grid), SweepError> {
        let store = Store::read_only(root)?;
        let grid = Grid::load(Some(&root.join("spec.toml")), &[])?;
        if !store.names().eq(grid.cells().iter().map(|cell| cell.name.as_str())) {
            let reason =
                "the trials of its cells.csv are not those of its spec.toml, which was changed".into();
            return Err(SweepError::NoSweep { path: root.into(), reason });
        }
        Ok((store, grid))
    }

    fn check_version(&self) -> Result<(), SweepError> {
        let meta: Option<Meta> = serde_json::from_str(&self.read("meta.json")?).ok();
        let there = meta.as_ref().map_or("an unknown version", |meta| &meta.etalon);
        if there == VERSION {
            return Ok(());
        }
        Err(SweepError::OtherVersion { path: self.root.clone(), there: there.into(), here: VERSION })
    }

    /// The folder of the sweep, in which all its files lie.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Each trial's name and its values of the grid's keys, in grid order.
    pub(crate) fn cells(&self) -> &Table {
        &self.cells
    }

    /// Whether a trial has a result; half of one is none.
    pub(crate) fn is_done(&self, name: &str) -> bool {
        self.end(name).is_some_and(|end| is_whole(name, &end))
    }

    /// What the cells of the sweep compute.
    ///
    /// # Errors
    /// When its `spec.toml` cannot be read.
    pub fn job(&self) -> Result<Job, SweepError> {
        Ok(Job::of_text(&self.read("spec.toml")?)?)
    }

    /// The names of all trials, in grid order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.cells.rows.iter().map(|row| row[0].as_str())
    }

    pub(super) fn trial(&self, name: &str) -> PathBuf {
        self.root.join("trials").join(format!("{name}.jsonl"))
    }

    pub(super) fn failure(&self, name: &str) -> PathBuf {
        self.root.join("failed").join(format!("{name}.json"))
    }

    pub(super) fn probes(&self, name: &str) -> PathBuf {
        self.root.join("probes").join(format!("{name}.jsonl"))
    }

    /// How many bytes the searches under way have kept of their probes.
    pub(super) fn probed(&self) -> u64 {
        let Ok(entries) = fs::read_dir(self.root.join("probes")) else { return 0 };
        entries.flatten().filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
    }

    pub(super) fn lock(&self, name: &str) -> PathBuf {
        self.root.join("running").join(format!("{name}.lock"))
    }

    /// The rows of all finished trials of a sweep whose job leaves such rows.
    ///
    /// # Errors
    /// When a trial has a row that is none of that job.
    pub fn rows<R: Row>(&self) -> Result<Rows<R>, SweepError> {
        let of = |cell: &Vec<String>| {
            let (name, values) = (cell[0].clone(), cell[1..].to_vec());
            let found = row(&name, &self.end(&name)?)?;
            let fault = |reason| SweepError::Row { path: self.trial(&name), reason };
            Some(found.map_err(fault).map(|found| Finished { name, values, found }))
        };
        let trials = self.cells.rows.par_iter().filter_map(of).collect::<Result<_, _>>()?;
        Ok(Rows { keys: self.cells.columns[1..].to_vec(), trials })
    }

    /// The end of a trial's result file, with its row; none where there is no such file.
    fn end(&self, name: &str) -> Option<Vec<u8>> {
        let mut file = File::open(self.trial(name)).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
        let mut end = Vec::with_capacity(length.min(END) as usize);
        file.read_to_end(&mut end).ok()?;
        Some(end)
    }

    /// Claims a trial; none where another process has it.
    pub(super) fn claim<'a>(&'a self, cell: &'a Cell) -> Result<Option<Claim<'a>>, SweepError> {
        let path = self.lock(&cell.name);
        loop {
            let mut options = File::options();
            let lock = options.create(true).truncate(false).write(true).open(&path);
            let lock = lock.map_err(SweepError::io(&path, "create the file"))?;
            match lock.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                // A file system without locks: see the module's text.
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(SweepError::io(&path, "lock the file")(error));
                }
                // The one who had it before has finished and taken the file away: ours has no name any more.
                Ok(()) if !path.exists() => continue,
                Ok(()) => {}
            }
            return Ok(Some(Claim { store: self, name: &cell.name, lock: Some(lock) }));
        }
    }

    /// The right to compute a trial that another process has, too.
    pub(super) fn claim_too<'a>(&'a self, cell: &'a Cell) -> Claim<'a> {
        Claim { store: self, name: &cell.name, lock: None }
    }

    /// Writes `summary.csv` from the result files: one row a finished trial, in grid order.
    ///
    /// # Errors
    /// When a row is none of the grid's job, or the system refuses.
    pub(super) fn summarise(&self, grid: &Grid) -> Result<(), SweepError> {
        let table = match grid.job() {
            Job::Train { .. } => self.table::<TrainRow>(grid),
            Job::Find => self.table::<FindRow>(grid),
            Job::Boundaries => self.table::<BoundariesRow>(grid),
        }?;
        self.write("summary.csv", table.to_csv().as_bytes())
    }

    fn table<R: Row>(&self, grid: &Grid) -> Result<Table, SweepError> {
        let fault = |error: serde_json::Error| SweepError::Row {
            path: self.root.join("summary.csv"),
            reason: error.to_string(),
        };
        self.rows::<R>()?.table(&R::columns(grid)).map_err(fault)
    }

    /// The summary that was written last.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn summary(&self) -> Result<Table, SweepError> {
        let reason = |reason: String| SweepError::NoSweep { path: self.root.clone(), reason };
        if !self.root.join("summary.csv").exists() {
            return Err(reason("summary.csv is missing, as no trial of it is finished yet".into()));
        }
        let text = self.read("summary.csv")?;
        Table::parse(&text).map_err(|fault| reason(format!("summary.csv: {fault}")))
    }

    /// Takes away what processes that died left behind.
    pub(super) fn tidy(&self) {
        let Ok(entries) = fs::read_dir(self.root.join("running")) else { return };
        for entry in entries.flatten() {
            let file_name = entry.file_name();
            let Some((name, _)) = file_name.to_str().and_then(|name| name.split_once('.')) else { continue };
            let lock = File::options().create(true).truncate(false).write(true).open(self.lock(name));
            let Ok(lock) = lock else { continue };
            if lock.try_lock().is_ok() {
                // A file that cannot be removed does no harm.
                let _ = fs::remove_file(entry.path());
                let _ = fs::remove_file(self.lock(name));
            }
        }
    }

    fn read(&self, name: &str) -> Result<String, SweepError> {
        let path = self.root.join(name);
        fs::read_to_string(&path).map_err(SweepError::io(&path, "read the file"))
    }

    /// Writes a file of the root; two processes write the same, one after the other.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), SweepError> {
        // What stands before the first dot names the lock that a file in `running` belongs to.
        let stem = name.replace('.', "-");
        let path = self.lock(&stem);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(SweepError::io(&path, "create the file"))?;
        // Without locks, the aside's name still keeps processes apart.
        let _ = lock.lock();
        let written = self.replace(&stem, &self.root.join(name), content);
        let _ = fs::remove_file(&path);
        written
    }

    /// Writes aside and renames. The aside's name is random: processes on two machines may have the same number.
    fn replace(&self, name: &str, target: &Path, content: &[u8]) -> Result<(), SweepError> {
        let fault = || SweepError::io(target, "write the file");
        // What stands before the first dot names the lock that tells whether its process lives.
        let prefix = format!("{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        // What the user's umask leaves of it, as for any other file; the default of `tempfile` is the owner alone.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut aside = builder.tempfile_in(self.root.join("running")).map_err(fault())?;
        aside.write_all(content).map_err(fault())?;
        aside.persist(target).map_err(|error| fault()(error.error))?;
        Ok(())
    }
}

impl Claim<'_> {
    /// Keeps the result, unless another process was first.
    pub(super) fn finish(self, content: &[u8]) -> Result<(), SweepError> {
        if self.store.is_done(self.name) {
            return Ok(());
        }
        self.store.replace(self.name, &self.store.trial(self.name), content)?;
        // There may be none, and one that stays does no harm.
        let _ = fs::remove_file(self.store.failure(self.name));
        let _ = fs::remove_file(self.store.probes(self.name));
        Ok(())
    }

    /// Keeps the error, unless another process had none.
    pub(super) fn fail(self, error: &str) -> Result<(), SweepError> {
        if self.store.is_done(self.name) {
            return Ok(());
        }
        let text = format!("{:#}\n", json!({ "trial": self.name, "error": error }));
        self.store.replace(self.name, &self.store.failure(self.name), text.as_bytes())
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // While the lock is held, so that nobody takes the file for a claim of a dead process.
            let _ = fs::remove_file(self.store.lock(self.name));
        }
    }
}

/// Whether an error means that the file system knows no locks.
fn has_no_locks(error: &io::Error) -> bool {
    /// "No locks available", as NFS without its lock daemon says; Rust has no kind for it.
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported
        || cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK)
}

/// Each cell's name and values.
fn cells(grid: &Grid) -> Table {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |cell: &Cell| {
        let values = grid.values(cell).into_iter().map(text);
        std::iter::once(cell.name.clone()).chain(values).collect()
    };
    let keys = grid.axes().iter().map(|axis| axis.key.path.to_string());
    let columns = std::iter::once("trial".to_string()).chain(keys).collect();
    Table { columns, rows: grid.cells().iter().map(row).collect() }
}
