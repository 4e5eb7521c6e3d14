//! Runs claims.

use super::claim::{Claim, Size};
use super::judgement::Judgement;
use super::reading::{Curve, Reading};
use crate::error::Error;
use crate::fit::FitError;
use crate::record::Meta;
use crate::sweep::{self, Event, Grid, NoColumn, Options, Store, SweepError, Table};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A claim that takes longer than this, in seconds on two cores, is run only where it is asked for by name.
const LONG: f64 = 3600.0;

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

/// What a claim came to, with the curves behind its numbers.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The judgement.
    pub judgement: Judgement,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// Claims that are run one after the other. What several of them measure is measured once.
pub struct Session<'a> {
    seed: u64,
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(&str) + Sync),
    /// The summaries of sweeps by their specs, each with the seconds that it took.
    tables: Mutex<HashMap<String, (Table, f64)>>,
}

impl<'a> Session<'a> {
    /// A session whose seeds begin at `seed`; `stop` ends it between two trials, `progress` hears what it is at.
    pub fn new(seed: u64, stop: &'a AtomicBool, progress: &'a (dyn Fn(&str) + Sync)) -> Self {
        Session { seed, stop, progress, tables: Mutex::default() }
    }

    /// Runs a claim and judges it. What hinders it leaves it open, with the reason.
    ///
    /// # Errors
    /// When it was stopped.
    pub fn judge(&self, claim: &Claim, size: Size) -> Result<Judged, Stopped> {
        let started = Instant::now();
        let mut bench = Bench { session: self, size, readings: Vec::new(), curves: Vec::new(), spared: 0.0 };
        let hindered = match (claim.measure)(&mut bench) {
            Ok(()) => None,
            Err(ClaimError::Stopped(stopped)) => return Err(stopped),
            Err(error) => Some(error.to_string()),
        };
        let seconds = started.elapsed().as_secs_f64() + bench.spared;
        let setting = (claim.setting)(size, self.seed);
        let judgement = Judgement::new(claim, (size, self.seed), setting, &bench.readings, seconds);
        Ok(Judged {
            judgement: match hindered {
                None => judgement,
                Some(reason) => judgement.left_open(reason),
            },
            curves: bench.curves,
        })
    }

    /// The judgement of a claim that takes too long to be run among others; none where it does not.
    pub fn too_long(&self, claim: &Claim, size: Size) -> Option<Judgement> {
        let setting = (claim.setting)(size, self.seed);
        let needs = setting.seconds;
        let name = size.name();
        (needs > LONG).then(|| {
            let reason = format!(
                "needs about {} on two cores; etalon reproduce {} --size {name} runs it",
                duration(needs),
                claim.id
            );
            Judgement::new(claim, (size, self.seed), setting, &[], 0.0).left_open(reason)
        })
    }
}

/// A time as people say it: `40 s`, `5 min`, `3 h`, `2 days`.
pub fn duration(seconds: f64) -> String {
    let (count, unit) = match seconds {
        ..100.0 => (seconds, "s"),
        ..6000.0 => (seconds / 60.0, "min"),
        ..172_800.0 => (seconds / 3600.0, "h"),
        _ => (seconds / 86_400.0, "days"),
    };
    format!("{} {unit}", count.round().max(1.0))
}

/// What a claim measures with, and where it leaves what it found.
pub struct Bench<'a> {
    session: &'a Session<'a>,
    size: Size,
    readings: Vec<(&'static str, Reading)>,
    curves: Vec<Curve>,
    /// The seconds of sweeps that another claim has run.
    spared: f64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let texts = [0.2, 42.4, 300.0, 7200.0, 3e5].map(duration);
        assert_eq!(texts, ["1 s", "42 s", "5 min", "2 h", "3 days"]);
    }
}
