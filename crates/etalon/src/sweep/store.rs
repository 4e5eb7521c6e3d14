//! The folder of a sweep.

use super::outcome::{is_whole, row};
use super::{BoundariesRow, Cell, FindRow, Finished, Grid, Job, Row, Rows, SweepError, Table, TrainRow};
use crate::folder::{LOCK, Lock, Meta, disk, other_kernels};
use rayon::prelude::*;
use serde_json::json;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The end of a result file that is read for its row; rows are below a tenth of it.
const END: u64 = 8192;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long to wait for others who open the same folder, or write the same file of it.
const PATIENCE: Duration = Duration::from_secs(60);

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
    /// None where another process has it.
    lock: Option<Lock>,
}

impl Claim<'_> {
    /// Whether another process has it too.
    pub(super) fn is_shared(&self) -> bool {
        self.lock.is_none()
    }
}

impl Store {
    /// Opens a folder for a grid, making it where it is missing. `meta` are facts to keep in `meta.json` when it is
    /// new.
    ///
    /// # Errors
    /// When the folder belongs to another spec, version, build or kind of kernels, is in use by a run that is no sweep, or
    /// cannot be written to.
    pub fn open(root: &Path, grid: &Grid, meta: &Meta) -> Result<Store, SweepError> {
        let text = grid.to_toml()?;
        let store = Store { root: root.into(), cells: cells(grid) };
        disk::make_folder(root).map_err(SweepError::io(root, "create the folder"))?;
        // Of two sweeps that begin at once, the second one finds the first one's spec.
        let lock = Lock::within(&root.join(LOCK), PATIENCE).map_err(SweepError::io(root, "create a file"))?;
        let Some(_lock) = lock else { return Err(SweepError::InUse(root.into())) };
        if root.join("spec.toml").exists() {
            store.check_version()?;
            store.check_build(meta)?;
            store.check_kernels()?;
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
            disk::make_folder(&folder).map_err(SweepError::io(&folder, "create the folder"))?;
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
        // It is part of the paths of files, here and in exports.
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if let Some(name) = store.names().find(|name| !is_name(name)) {
            return Err(no_sweep(format!("cells.csv: `{name}` is no trial's name")));
        }
        Ok(store)
    }

    /// Opens the folder of a sweep to work on it, with the grid that its `spec.toml` has. Nothing is written.
    ///
    /// # Errors
    /// When there is no sweep in it, one of another version or of other kernels, or one whose `spec.toml` was changed since.
    pub fn existing(root: &Path) -> Result<(Store, Grid), SweepError> {
        let store = Store::read_only(root)?;
        store.check_kernels()?;
        let grid = Grid::load(Some(&root.join("spec.toml")), &[])?;
        if !store.names().eq(grid.cells().iter().map(|cell| cell.name.as_str())) {
            let reason =
                "the trials of its cells.csv are not those of its spec.toml, which was changed".into();
            return Err(SweepError::NoSweep { path: root.into(), reason });
        }
        Ok((store, grid))
    }

    fn check_version(&self) -> Result<(), SweepError> {
        let path = self.root.join("meta.json");
        let text = match disk::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(SweepError::io(&path, "read the file"))?,
        };
        let meta: Option<Meta> = serde_json::from_slice(&text).ok();
        let there = meta.as_ref().map_or("an unknown version", |meta| &meta.etalon);
        if there == VERSION {
            return Ok(());
        }
        Err(SweepError::OtherVersion { path: self.root.clone(), there: there.into(), here: VERSION.into() })
    }

    /// Refuses kernels that would give other bits than what is there.
    fn check_kernels(&self) -> Result<(), SweepError> {
        match other_kernels(&self.root.join("meta.json")) {
            Some([there, here]) => Err(SweepError::OtherKernels { path: self.root.clone(), there, here }),
            None => Ok(()),
        }
    }

    /// Refuses a program of the same version that was built from another commit.
    fn check_build(&self, here: &Meta) -> Result<(), SweepError> {
        let path = self.root.join("meta.json");
        let there: Option<Meta> = disk::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        match (there.and_then(|there| there.commit), &here.commit) {
            (Some(there), Some(here)) if there != *here => {
                let name = |commit: &str| format!("{VERSION} (commit {commit})");
                let (there, here) = (name(&there), name(here));
                Err(SweepError::OtherVersion { path: self.root.clone(), there, here })
            }
            _ => Ok(()),
        }
    }

    /// The folder of the sweep, in which all its files lie.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Each trial's name and its values of the grid's keys, in grid order.
    pub fn cells(&self) -> &Table {
        &self.cells
    }

    /// Whether a trial has a result; half of one is none.
    pub fn is_done(&self, name: &str) -> bool {
        // What cannot be read is done again.
        self.end(name).is_ok_and(|end| end.is_some_and(|end| is_whole(name, &end)))
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
    /// When a trial has a row that is none of that job, or one that cannot be read.
    pub fn rows<R: Row>(&self) -> Result<Rows<R>, SweepError> {
        let of = |cell: &Vec<String>| {
            let (name, values) = (cell[0].clone(), cell[1..].to_vec());
            let end = match self.end(&name) {
                Ok(end) => end?,
                Err(error) => {
                    return Some(Err(SweepError::io(&self.trial(&name), "read the file")(error)));
                }
            };
            let found = row(&name, &end)?;
            let fault = |reason| SweepError::Row { path: self.trial(&name), reason };
            Some(found.map_err(fault).map(|found| Finished { name, values, found }))
        };
        let trials = self.cells.rows.par_iter().filter_map(of).collect::<Result<_, _>>()?;
        Ok(Rows { keys: self.cells.columns[1..].to_vec(), trials })
    }

    /// The recorded steps of a finished trial, in order, the last one the state at the end.
    ///
    /// # Errors
    /// When its file is not there, or not that of the trial.
    pub fn steps<R: Row>(&self, name: &str) -> Result<Vec<R::Record>, SweepError> {
        let path = self.trial(name);
        let fault = |reason| SweepError::Row { path: path.clone(), reason };
        Ok(super::read::<R>(&path, name).map_err(fault)?.records)
    }

    /// The end of a trial's result file, with its row; none where there is no such file.
    fn end(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.trial(name);
        disk::step(disk::Step::Read, &path)?;
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
        let mut end = Vec::with_capacity(length.min(END) as usize);
        file.read_to_end(&mut end)?;
        Ok(Some(end))
    }

    /// Claims a trial; none where another process has it.
    pub(super) fn claim<'a>(&'a self, cell: &'a Cell) -> Result<Option<Claim<'a>>, SweepError> {
        let path = self.lock(&cell.name);
        let lock = Lock::take(&path).map_err(SweepError::io(&path, "lock the file"))?;
        Ok(lock.map(|lock| Claim { store: self, name: &cell.name, lock: Some(lock) }))
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
        // A search that was killed behind its result has left its probes.
        for entry in fs::read_dir(self.root.join("probes")).into_iter().flatten().flatten() {
            let file_name = entry.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
            if name.is_some_and(|name| self.is_done(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let Ok(entries) = fs::read_dir(self.root.join("running")) else { return };
        for entry in entries.flatten() {
            let file_name = entry.file_name();
            let Some((name, _)) = file_name.to_str().and_then(|name| name.split_once('.')) else { continue };
            if let Ok(Some(_lock)) = Lock::take(&self.lock(name)) {
                // The lock's own file goes with it. A file that cannot be removed does no harm.
                if entry.path() != self.lock(name) {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }

    fn read(&self, name: &str) -> Result<String, SweepError> {
        let path = self.root.join(name);
        let bytes = disk::read(&path).map_err(SweepError::io(&path, "read the file"))?;
        String::from_utf8(bytes).map_err(|_| {
            let reason = format!("{name} is no text");
            SweepError::NoSweep { path: self.root.clone(), reason }
        })
    }

    /// Writes a file of the root; two processes write the same, one after the other.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), SweepError> {
        // What stands before the first dot names the lock that a file in `running` belongs to.
        let stem = name.replace('.', "-");
        let path = self.lock(&stem);
        // Where it does not come, the aside's name still keeps processes apart.
        let _lock = Lock::within(&path, PATIENCE).map_err(SweepError::io(&path, "create the file"))?;
        self.replace(&stem, &self.root.join(name), content)
    }

    /// Writes aside and renames. The aside's name is random: processes on two machines may have the same number.
    fn replace(&self, name: &str, target: &Path, content: &[u8]) -> Result<(), SweepError> {
        // What stands before the first dot names the lock that tells whether its process lives.
        let ends = [&format!("{name}."), ".part"];
        disk::put(&self.root.join("running"), ends, target, content)
            .map_err(SweepError::io(target, "write the file"))
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
