//! What a claim measures with.

use super::reading::{Curve, Reading};
use etalon::Error;
use etalon::claims::Size;
use etalon::fit::FitError;
use etalon::folder::Meta;
use etalon::sweep::{self, Event, Grid, NoColumn, Options, Store, SweepError, Table};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Why a claim could not be measured.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant but the last is another module's error")]
pub enum ClaimError {
    #[error(transparent)]
    Job(#[from] Error),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error(transparent)]
    Column(#[from] NoColumn),
    #[error("{0}")]
    Other(String),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// It was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// What the claims of a session share. What several of them measure is measured once.
pub(super) struct Shared<'a> {
    pub(super) seed: u64,
    /// Ends the session between two trials.
    pub(super) stop: &'a AtomicBool,
    /// Hears what it is at.
    pub(super) progress: &'a (dyn Fn(&str) + Sync),
    /// The summaries of sweeps by their specs, each with the seconds that it took.
    pub(super) tables: Mutex<HashMap<String, (Table, f64)>>,
}

/// What a claim measures with, and where it leaves what it found.
pub struct Bench<'a> {
    pub(super) session: &'a Shared<'a>,
    pub(super) size: Size,
    pub(super) readings: Vec<(&'static str, Reading)>,
    pub(super) curves: Vec<Curve>,
    /// The seconds of sweeps that another claim has run.
    pub(super) spared: f64,
}

impl Bench<'_> {
    /// How large the setting is.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The first seed.
    pub(super) fn seed(&self) -> u64 {
        self.session.seed
    }

    /// So many seeds.
    pub(super) fn seeds(&self, count: u64) -> Vec<u64> {
        (0..count).map(|index| self.session.seed.wrapping_add(index)).collect()
    }

    /// Says what is being done, and whether to go on with it.
    pub(super) fn at(&self, what: &str) -> Result<(), Stopped> {
        (self.session.progress)(what);
        self.go_on()
    }

    /// Whether to go on.
    pub(super) fn go_on(&self) -> Result<(), Stopped> {
        if self.session.stop.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }

    /// Leaves a reading of one of the claim's quantities.
    pub(super) fn read(&mut self, name: &'static str, reading: Reading) {
        self.readings.push((name, reading));
    }

    /// Leaves a curve.
    pub(super) fn curve(
        &mut self,
        name: &'static str,
        columns: &'static [&'static str],
        rows: Vec<Vec<f64>>,
    ) {
        self.curves.push(Curve { name, columns, rows });
    }

    /// The summary of a sweep, which other claims of the session may ask for again.
    pub(super) fn sweep(&mut self, text: &str) -> Result<Table, ClaimError> {
        let session = self.session;
        let tables = || session.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((table, seconds)) = tables().get(text) {
            self.spared += seconds;
            return Ok(table.clone());
        }
        let started = Instant::now();
        let grid = Grid::parse(text).map_err(Error::from)?;
        let folder = tempfile::tempdir()
            .map_err(|error| ClaimError::Other(format!("no place for a sweep: {error}")))?;
        let store = Store::open(folder.path(), &grid, &Meta::default())?;
        let options = Options { threads: rayon::current_num_threads(), stop: self.session.stop };
        let (done, all) = (AtomicUsize::new(0), grid.cells().len());
        let report = sweep::run(&store, &grid, &options, &|_: &Event<'_>| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            (self.session.progress)(&format!("{done} of {all} trials"));
        })?;
        self.go_on()?;
        if let Some(error) = report.first_failure {
            return Err(ClaimError::Other(error));
        }
        let table = store.summary()?;
        tables().insert(text.into(), (table.clone(), started.elapsed().as_secs_f64()));
        Ok(table)
    }
}
