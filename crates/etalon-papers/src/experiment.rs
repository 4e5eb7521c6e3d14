//! One claim being measured.

use crate::claim::{Claim, seeds};
use crate::cost::{Began, Cost};
use crate::measurement::{Curve, Measurement};
use crate::sweeps::{Searched, Sweep, Trained};
use etalon::claims::Size;
use etalon::fit::FitError;
use etalon::spec::{Spec, SpecError};
use etalon::sweep::{Grid, SweepError};
use etalon::theory::TheoryError;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use toml::Value;

/// Why a claim could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error(transparent)]
    Job(#[from] etalon::Error),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error("{0}")]
    Other(String),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<TheoryError> for ClaimError {
    fn from(error: TheoryError) -> Self {
        ClaimError::Job(error.into())
    }
}

impl From<SpecError> for ClaimError {
    fn from(error: SpecError) -> Self {
        ClaimError::Job(error.into())
    }
}

/// It was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// What the claims of a run share. A sweep that several of them need is run once.
pub(crate) struct Shared<'a> {
    /// The first seed.
    pub(crate) seed: u64,
    /// Ends the run between two trials.
    pub(crate) stop: &'a AtomicBool,
    /// Hears what is being done.
    pub(crate) progress: &'a (dyn Fn(&str) + Sync),
    /// Sweeps by their resolved grids, each with what it cost.
    pub(crate) sweeps: Mutex<HashMap<String, (Arc<Sweep>, Cost)>>,
}

impl Shared<'_> {
    /// Whether to go on.
    pub(crate) fn go_on(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }
}

/// A claim at a size: what its measuring function may ask for, and what it has found so far.
pub(crate) struct Experiment<'a> {
    shared: &'a Shared<'a>,
    claim: &'a Claim,
    size: Size,
    /// What was measured of the claim's quantities.
    pub(crate) measurements: Vec<(String, Measurement)>,
    /// Tables of what was measured on the way.
    pub(crate) curves: Vec<Curve>,
    /// What sweeps cost which an earlier claim has run.
    pub(crate) spared: Cost,
}

impl<'a> Experiment<'a> {
    /// Measures a claim; what was found until an error is kept.
    pub(crate) fn run(
        shared: &'a Shared<'a>,
        claim: &'a Claim,
        size: Size,
    ) -> (Experiment<'a>, Result<(), ClaimError>) {
        let (measurements, curves) = (Vec::new(), Vec::new());
        let mut experiment = Experiment {
            shared,
            claim,
            size,
            measurements,
            curves,
            spared: Cost { seconds: 0.0, cpu_seconds: Some(0.0) },
        };
        let outcome = (claim.function.run)(&claim.parameters(size), &mut experiment);
        (experiment, outcome)
    }

    /// The first seed.
    pub(crate) fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// So many seeds, from the first on.
    pub(crate) fn seeds(&self, count: u64) -> Vec<u64> {
        seeds(self.seed(), count)
    }

    /// The claim's spec, or its grid of specs, as a text.
    pub(crate) fn spec(&self) -> Result<String, ClaimError> {
        self.spec_with(&[])
    }

    /// The same with other values in the place of some that it names.
    pub(crate) fn spec_with(&self, others: &[(&str, Value)]) -> Result<String, ClaimError> {
        let missing = || ClaimError::Other(format!("{} has no spec", self.claim.id));
        self.claim.spec((self.size, self.seed()), others).ok_or_else(missing)
    }

    /// A spec among the parameters, which may name the claim's values.
    pub(crate) fn parsed(&self, text: &str) -> Result<Spec, ClaimError> {
        let text = self.claim.filled(text, (self.size, self.seed()), &[]);
        Ok(Spec::parse(&text)?)
    }

    /// Says what is being done, and whether to go on with it.
    pub(crate) fn at(&self, what: &str) -> Result<(), Stopped> {
        (self.shared.progress)(what);
        self.go_on()
    }

    /// Whether to go on.
    pub(crate) fn go_on(&self) -> Result<(), Stopped> {
        self.shared.go_on()
    }

    /// Keeps what was measured of a quantity.
    pub(crate) fn measured(&mut self, quantity: impl Into<String>, measurement: Measurement) {
        self.measurements.push((quantity.into(), measurement));
    }

    /// Keeps a table.
    pub(crate) fn curve(
        &mut self,
        name: &'static str,
        columns: &'static [&'static str],
        rows: Vec<Vec<f64>>,
    ) {
        self.curves.push(Curve { name, columns, rows });
    }

    /// The trials of the claim's grid, which train.
    pub(crate) fn trained(&mut self) -> Result<Vec<Trained>, ClaimError> {
        self.trained_with(&[])
    }

    /// The same with other values in the place of some that the grid names.
    pub(crate) fn trained_with(&mut self, others: &[(&str, Value)]) -> Result<Vec<Trained>, ClaimError> {
        let grid = self.spec_with(others)?;
        self.sweep(&grid)?.trained()
    }

    /// The trials of the claim's grid, which search for the maximal initial learning rate.
    pub(crate) fn searched(&mut self) -> Result<Vec<Searched>, ClaimError> {
        self.searched_with(&[])
    }

    /// The same with other values in the place of some that the grid names.
    pub(crate) fn searched_with(&mut self, others: &[(&str, Value)]) -> Result<Vec<Searched>, ClaimError> {
        let grid = self.spec_with(others)?;
        self.sweep(&grid)?.searched()
    }

    /// All trials of a grid, which other claims of the run may ask for again.
    fn sweep(&mut self, grid: &str) -> Result<Arc<Sweep>, ClaimError> {
        let shared = self.shared;
        let grid = Grid::parse(grid)?;
        let key = grid.to_toml()?;
        let sweeps = || shared.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((sweep, cost)) = sweeps().get(&key) {
            self.spared = self.spared + *cost;
            return Ok(sweep.clone());
        }
        let began = Began::now();
        let sweep = Arc::new(Sweep::run(grid, shared)?);
        sweeps().insert(key, (sweep.clone(), began.cost()));
        Ok(sweep)
    }
}
