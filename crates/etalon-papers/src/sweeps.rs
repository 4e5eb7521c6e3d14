//! The trials of a sweep as claims see them. What a sweep leaves is read here alone.

use crate::experiment::{ClaimError, Shared};
use etalon::folder::Meta;
use etalon::phase::Phase;
use etalon::spec::Spec;
use etalon::sweep::{self, Curvature, Event, FindRow, Finished, Grid, Options, Store, TrainRow};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A finished sweep.
pub(crate) struct Sweep {
    /// The specs of its trials by their names.
    specs: HashMap<String, Spec>,
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
        Ok(Sweep { specs, store, _folder: folder })
    }

    /// Its trials, which trained, in the order of the grid.
    pub(crate) fn trained(&self) -> Result<Vec<Trained>, ClaimError> {
        let trial = |Finished { name, found, .. }: Finished<TrainRow>| {
            let nan = |number: Option<f64>| number.unwrap_or(f64::NAN);
            let curvature = |of: fn(&Curvature) -> Option<f64>| nan(found.curvature.as_ref().and_then(of));
            let learnt_at = found.groups.as_ref().and_then(|groups| groups.patch_only_learnt_at);
            Ok(Trained {
                spec: self.spec(&name)?,
                diverged: found.scores.phase == Phase::Divergent,
                steps: found.scores.steps as f64,
                accuracy: nan(found.scores.test_accuracy),
                loss: found.scores.test_loss,
                c: curvature(|curvature| curvature.c),
                sharpness: [
                    curvature(|curvature| curvature.hessian),
                    curvature(|curvature| curvature.hessian_end),
                ],
                patch_learnt_at: nan(learnt_at.map(|step| step as f64)),
            })
        };
        self.store.rows()?.trials.into_iter().map(trial).collect()
    }

    /// Its trials, which searched, in the order of the grid.
    pub(crate) fn searched(&self) -> Result<Vec<Searched>, ClaimError> {
        let trial = |Finished { name, found, .. }: Finished<FindRow>| {
            let nan = |number: Option<f64>| number.unwrap_or(f64::NAN);
            Ok(Searched { spec: self.spec(&name)?, eta_star: nan(found.eta_star), lambda: nan(found.lambda) })
        };
        self.store.rows()?.trials.into_iter().map(trial).collect()
    }

    fn spec(&self, name: &str) -> Result<Spec, ClaimError> {
        let missing = || ClaimError::Other(format!("the sweep has no trial {name}"));
        self.specs.get(name).cloned().ok_or_else(missing)
    }
}
