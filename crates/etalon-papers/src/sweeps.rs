//! The trials of a sweep as claims see them. What a sweep leaves is read here alone.

use crate::experiment::{ClaimError, Shared};
use etalon::folder::Meta;
use etalon::spec::Spec;
use etalon::sweep::{self, Event, Grid, Options, Store, Table};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A finished sweep.
pub(crate) struct Sweep {
    /// The specs of its trials by their names.
    specs: HashMap<String, Spec>,
    summary: Table,
}

/// A training trial. What was not measured, or is not finite, is NaN.
pub(crate) struct Trained {
    pub(crate) spec: Spec,
    /// Whether it diverged.
    pub(crate) diverged: bool,
    /// Updates done.
    pub(crate) steps: f64,
    /// Held-out accuracy at the end.
    pub(crate) accuracy: f64,
    /// Held-out loss at the end.
    pub(crate) loss: f64,
    /// `eta lambda_0`.
    pub(crate) c: f64,
    /// The Hessian's largest eigenvalue at the start and at the end.
    pub(crate) sharpness: [f64; 2],
    /// The step at which patches alone were learnt.
    pub(crate) patch_learnt_at: f64,
}

/// A search for the maximal initial learning rate. What was not found is NaN.
pub(crate) struct Searched {
    pub(crate) spec: Spec,
    /// The maximal initial learning rate.
    pub(crate) eta_star: f64,
    /// The Hessian's largest eigenvalue at the start.
    pub(crate) lambda: f64,
}

impl Sweep {
    /// Runs every trial of a grid.
    pub(crate) fn run(grid: &Grid, shared: &Shared<'_>) -> Result<Sweep, ClaimError> {
        let folder = tempfile::tempdir()
            .map_err(|error| ClaimError::Other(format!("no place for a sweep: {error}")))?;
        let store = Store::open(folder.path(), grid, &Meta::default())?;
        let options = Options { threads: rayon::current_num_threads(), stop: shared.stop };
        let (done, all) = (AtomicUsize::new(0), grid.cells().len());
        let report = sweep::run(&store, grid, &options, &|_: &Event<'_>| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            (shared.progress)(&format!("{done} of {all} trials"));
        })?;
        shared.go_on()?;
        if let Some(error) = report.first_failure {
            return Err(ClaimError::Other(error));
        }
        let spec =
            |cell: &sweep::Cell| Ok((cell.name.clone(), grid.spec(cell).map_err(etalon::Error::from)?));
        let specs = grid.cells().iter().map(spec).collect::<Result<_, ClaimError>>()?;
        Ok(Sweep { specs, summary: store.summary()? })
    }

    /// Its trials, which trained, in the order of the grid.
    pub(crate) fn trained(&self) -> Result<Vec<Trained>, ClaimError> {
        let phase = self.summary.need("phase")?;
        let trial = |row: &Vec<String>| {
            // Curvature and patches have columns where the grid asks for them alone.
            let number = |name| self.number(row, name).unwrap_or(f64::NAN);
            Ok(Trained {
                spec: self.spec(row)?,
                diverged: row[phase] == "divergent",
                steps: number("steps"),
                accuracy: number("test_accuracy"),
                loss: number("test_loss"),
                c: number("c"),
                sharpness: [number("hessian"), number("hessian_end")],
                patch_learnt_at: number("patch_only_learnt_at"),
            })
        };
        self.summary.rows.iter().map(trial).collect()
    }

    /// Its trials, which searched, in the order of the grid.
    pub(crate) fn searched(&self) -> Result<Vec<Searched>, ClaimError> {
        self.summary.need("eta_star")?;
        let trial = |row: &Vec<String>| {
            let number = |name| self.number(row, name).unwrap_or(f64::NAN);
            Ok(Searched { spec: self.spec(row)?, eta_star: number("eta_star"), lambda: number("lambda") })
        };
        self.summary.rows.iter().map(trial).collect()
    }

    fn spec(&self, row: &[String]) -> Result<Spec, ClaimError> {
        let name = &row[self.summary.need("trial")?];
        let missing = || ClaimError::Other(format!("the sweep has no trial {name}"));
        self.specs.get(name).cloned().ok_or_else(missing)
    }

    fn number(&self, row: &[String], name: &str) -> Option<f64> {
        row[self.summary.column(name)?].parse().ok()
    }
}
