//! The trials of a sweep as claims see them. What a sweep leaves is read here alone.

use crate::experiment::{ClaimError, Shared};
use crate::network::{Ran, Subject};
use etalon::folder::Meta;
use etalon::phase::{Observed, Phase};
use etalon::spec::Spec;
use etalon::sweep::{self, Curvature, Event, FindRow, Grid, Options, Row, Store, TrainRow};
use etalon::train::{Reason, Record};
use etalon_nn::Scalar;
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
    /// Its learning rate, in the unit in which all its like have theirs.
    pub(crate) rate: f64,
    /// Whether it diverged, or died: the same outputs for all samples are none that were learnt.
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
    /// Its trials, which train; of one with steps at a low rate at its end, before it, also the trial without them.
    pub(crate) fn trained(&self) -> Result<Vec<Trained>, ClaimError> {
        let (mut trials, mut without) = (self.found(Trained::new)?, Vec::new());
        for (trial, cell) in trials.iter_mut().zip(self.grid.cells()) {
            if trial.spec.schedule.last_steps > 0 {
                without.extend(trial.without_last(&self.store.steps::<TrainRow>(&cell.name)?));
            }
            // Where held-out samples are looked at once, the end is known already.
            if trial.spec.train.check_test {
                let records = self.store.steps::<TrainRow>(&cell.name)?;
                let accuracy = |record: &Record| Some((record.step, record.test.as_ref()?.accuracy?));
                trial.accuracies = records.iter().filter_map(accuracy).collect();
            }
        }
        without.append(&mut trials);
        Ok(without)
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
            rate: spec.optimizer.eta,
            spec,
            diverged: scores.phase == Phase::Divergent || scores.stop == Reason::Dead,
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

    /// One that was run at `c / lambda_0` of its own start: its rate is `c`.
    pub(crate) fn ran<T: Scalar>(subject: &Subject<T>, ran: &Ran<T>) -> Trained {
        let Observed { trajectory, verdict, .. } = &ran.observed;
        let sharpness = |record: Option<&Record>| nan(record.and_then(|record| record.hessian));
        let records = &trajectory.records;
        Trained {
            spec: Spec { seed: ran.seed, ..subject.spec.clone() },
            rate: ran.c,
            diverged: verdict.phase == Phase::Divergent || trajectory.stop.reason() == Reason::Dead,
            steps: trajectory.steps as f64,
            accuracy: nan(trajectory.test.accuracy),
            loss: trajectory.test.loss,
            c: ran.c,
            sharpness: [sharpness(records.first()), sharpness(records.last())],
            patch_learnt_at: f64::NAN,
            accuracies: Vec::new(),
        }
    }

    /// The trial without its steps at a low rate, if it has any, by its records.
    pub(crate) fn without_last(&self, records: &[Record]) -> Option<Trained> {
        // The first look at held-out samples is where those begin, or at the end of a trial that ended before.
        let turn = records.iter().position(|record| record.test.is_some())?;
        (self.spec.schedule.last_steps > 0)
            .then(|| self.at_the_turn(&records[turn], turn + 1 == records.len()))
    }

    /// The same trial without its steps at a low rate, whose end is the state of this record: where those begin, or where
    /// the trial itself ended before.
    fn at_the_turn(&self, turn: &Record, is_end: bool) -> Trained {
        let mut spec = self.spec.clone();
        spec.schedule.last_steps = 0;
        Trained {
            spec,
            rate: self.rate,
            diverged: self.diverged && is_end,
            steps: turn.step as f64,
            accuracy: nan(turn.test.and_then(|test| test.accuracy)),
            loss: nan(turn.test.map(|test| test.loss)),
            c: self.c,
            sharpness: [self.sharpness[0], nan(turn.hessian)],
            patch_learnt_at: f64::NAN,
            accuracies: Vec::new(),
        }
    }
}

impl Searched {
    fn new(spec: Spec, row: FindRow) -> Searched {
        Searched { spec, eta_star: nan(row.eta_star), lambda: nan(row.lambda) }
    }
}
