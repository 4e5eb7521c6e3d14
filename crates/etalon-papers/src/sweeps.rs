//! The trials of a sweep as claims see them. What a sweep leaves is read here alone.

use crate::experiment::{ClaimError, Shared};
use etalon::folder::Meta;
use etalon::phase::Phase;
use etalon::spec::Spec;
use etalon::sweep::{self, Curvature, Event, FindRow, Grid, Options, Row, Store, TrainRow};
use etalon::train::Record;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A finished sweep.
pub(crate) struct Sweep {
    grid: Grid,
    store: Store,
    /// Where the store is, until the sweep is dropped.
    _folder: TempDir,
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
    /// Held-out accuracies with their steps, where they were taken during training.
    pub(crate) accuracies: Vec<(u64, f64)>,
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
    pub(crate) fn run(grid: Grid, shared: &Shared<'_>) -> Result<Sweep, ClaimError> {
        let folder = tempfile::tempdir()
            .map_err(|error| ClaimError::Other(format!("no place for a sweep: {error}")))?;
        let store = Store::open(folder.path(), &grid, &Meta::default())?;
        let options = Options { threads: rayon::current_num_threads(), stop: shared.stop };
        let (done, all) = (AtomicUsize::new(0), grid.cells().len());
        let tally = sweep::run(&store, &grid, &options, &|_: &Event<'_>| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            (shared.progress)(&format!("{done} of {all} trials"));
        })?;
        shared.go_on()?;
        match tally.first_failure {
            Some(error) => Err(ClaimError::Other(error)),
            None => Ok(Sweep { grid, store, _folder: folder }),
        }
    }

    /// What its trials came to, in the order of the grid.
    fn found<R: Row, T>(&self, of: impl Fn(Spec, R) -> T) -> Result<Vec<T>, ClaimError> {
        let (cells, rows) = (self.grid.cells(), self.store.rows::<R>()?.trials);
        if rows.len() != cells.len() {
            let (rows, cells) = (rows.len(), cells.len());
            return Err(ClaimError::Other(format!("{rows} of the {cells} trials of a sweep have a result")));
        }
        cells.iter().zip(rows).map(|(cell, row)| Ok(of(self.grid.spec(cell)?, row.found))).collect()
    }
}

impl Sweep {
    /// Its trials, which train.
    pub(crate) fn trained(&self) -> Result<Vec<Trained>, ClaimError> {
        let mut trials = self.found(Trained::new)?;
        for (trial, cell) in trials.iter_mut().zip(self.grid.cells()) {
            // Where held-out samples are looked at once, the end is known already.
            if trial.spec.train.check_test {
                let records = self.store.steps::<TrainRow>(&cell.name)?;
                let accuracy = |record: &Record| Some((record.step, record.test.as_ref()?.accuracy?));
                trial.accuracies = records.iter().filter_map(accuracy).collect();
            }
        }
        Ok(trials)
    }

    /// Its trials, which search for the maximal initial learning rate.
    pub(crate) fn searched(&self) -> Result<Vec<Searched>, ClaimError> {
        self.found(Searched::new)
    }
}

fn nan(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}

impl Trained {
    fn new(spec: Spec, row: TrainRow) -> Trained {
        let TrainRow { scores, curvature, groups, .. } = row;
        let curvature = |of: fn(&Curvature) -> Option<f64>| nan(curvature.as_ref().and_then(of));
        let learnt_at = groups.and_then(|groups| groups.patch_only_learnt_at);
        Trained {
            spec,
            diverged: scores.phase == Phase::Divergent,
            steps: scores.steps as f64,
            accuracy: nan(scores.test_accuracy),
            loss: scores.test_loss,
            c: curvature(|curvature| curvature.c),
            sharpness: [
                curvature(|curvature| curvature.hessian),
                curvature(|curvature| curvature.hessian_end),
            ],
            patch_learnt_at: nan(learnt_at.map(|step| step as f64)),
            accuracies: Vec::new(),
        }
    }
}

impl Searched {
    fn new(spec: Spec, row: FindRow) -> Searched {
        Searched { spec, eta_star: nan(row.eta_star), lambda: nan(row.lambda) }
    }
}
