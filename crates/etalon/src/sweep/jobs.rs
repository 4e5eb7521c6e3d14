//! What a cell computes.

use super::ledger::Ledger;
use super::outcome::lines;
use super::tasks::{AnyTask, Tasks};
use super::{BoundariesRow, Cell, FindRow, Job, MetricScore, Store, TrainRow};
use crate::curvature::Instrument;
use crate::error::Error;
use crate::jobs::{BoundarySearch, Journal, find_bytes};
use crate::phase::{Circumstances, classify, observe};
use crate::search::{Ended, Found, Saved, SearchError};
use crate::spec::Spec;
use crate::train::{Plan, Task, Trial, trial_bytes};
use etalon_nn::Scalar;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Why a cell has no result.
type Failure = Box<dyn std::error::Error>;

/// What the cells of a sweep share.
pub(super) struct Shared<'a> {
    pub(super) store: &'a Store,
    pub(super) tasks: Tasks,
    pub(super) ledger: Ledger,
    /// Ends a search between two of its probes.
    pub(super) cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Shared<'_> {
    /// The result file of a cell, with `parallel` computed on rayon's threads; the reason where there is none. Of cells that
    /// are computed at the same time each has another `slot`. One that another process has too leaves its folder to that.
    pub(super) fn compute(
        &self,
        cell: &Cell,
        spec: &Spec,
        job: Job,
        parallel: bool,
        slot: usize,
        is_shared: bool,
    ) -> Result<Vec<u8>, String> {
        if spec.trainer.is_given() {
            let journal = (!is_shared).then(|| self.store.probes(&cell.name));
            return self
                .on_trainer(cell, spec, job, (slot, journal.as_deref()))
                .map_err(|error| error.to_string());
        }
        self.tasks.with(spec, |task| match task {
            AnyTask::F32(task) => self.of_task(cell, spec, job, task, parallel),
            AnyTask::F64(task) => self.of_task(cell, spec, job, task, parallel),
        })
    }

    fn of_task<T: Scalar>(
        &self,
        cell: &Cell,
        spec: &Spec,
        job: Job,
        task: &Arc<Task<T>>,
        parallel: bool,
    ) -> Result<Vec<u8>, String> {
        let result = match job {
            Job::Train { curvature } => self.train(cell, spec, task, curvature, parallel),
            Job::Find => self.find(cell, spec, task),
            Job::Boundaries => self.boundaries(cell, spec, task, parallel),
        };
        result.map_err(|error| error.to_string())
    }

    /// One trial; with `curvature`, measured and judged as `etalon train` does.
    fn train<T: Scalar>(
        &self,
        cell: &Cell,
        spec: &Spec,
        task: &Arc<Task<T>>,
        curvature: bool,
        parallel: bool,
    ) -> Result<Vec<u8>, Failure> {
        let plan = spec.plan(task)?;
        let instrument = curvature.then(|| spec.instrument(task, parallel)).transpose()?;
        let needed = bytes(task, &plan).saturating_add(instrument.as_ref().map_or(0, Instrument::bytes));
        let _taken = self.ledger.take(needed)?;
        let trial = Trial::new(task, &plan, spec.optimizer.eta, spec.seed, parallel).map_err(Error::from)?;
        let (trajectory, verdict) = match &instrument {
            Some(instrument) => {
                let observed = observe(trial, instrument, spec.measure.every, &mut |_, _| {});
                (observed.trajectory, observed.verdict)
            }
            None => {
                let circumstances = Circumstances::of(&trial);
                let trajectory = trial.run(&mut |_, _| {});
                let verdict = classify(&trajectory, circumstances);
                (trajectory, verdict)
            }
        };
        let row = TrainRow::new(&trajectory, verdict.phase, curvature);
        Ok(lines(&trajectory.records, cell, &row)?)
    }

    /// A search, from where an earlier run has left it.
    fn find<T: Scalar>(&self, cell: &Cell, spec: &Spec, task: &Arc<Task<T>>) -> Result<Vec<u8>, Failure> {
        let problem = spec.problem_of(task.clone(), spec.plan(task)?);
        let _taken = self.ledger.take(find_bytes(&problem, &spec.find_settings(task)?))?;
        let journal = Journal::open(&self.store.probes(&cell.name));
        self.leave(cell, spec.find_with(&problem, &journal, &|_| self.going())?)
    }

    /// Any job on a trainer, in a slot, with a journal beside which trainings leave their files.
    fn on_trainer(
        &self,
        cell: &Cell,
        spec: &Spec,
        job: Job,
        (slot, journal): (usize, Option<&Path>),
    ) -> Result<Vec<u8>, Failure> {
        match job {
            Job::Find => self.leave(cell, spec.find(journal, &|_| self.going())?),
            Job::Train { curvature } => {
                let folder = journal.map(|journal| journal.with_extension(""));
                let going = || self.going();
                let (report, trajectory) = spec.train_with(folder.as_deref(), slot, &going, &mut |_| {})?;
                let metric = report.metric.map(|score| MetricScore { metric: score.value });
                let row = TrainRow { metric, ..TrainRow::new(&trajectory, report.phase, curvature) };
                Ok(lines(&trajectory.records, cell, &row)?)
            }
            Job::Boundaries => {
                let found = spec.boundaries_with(&[spec.seed], journal, slot, &|| self.going())?;
                let row = found.first().map(BoundariesRow::from).ok_or(SearchError::NoSeeds)?;
                Ok(lines(&found, cell, &row)?)
            }
        }
    }

    fn going(&self) -> ControlFlow<()> {
        if (self.cancelled)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The result file of a search, unless it was called off.
    fn leave(&self, cell: &Cell, found: Found) -> Result<Vec<u8>, Failure> {
        if found.stopped == Ended::Interrupted {
            return Err(Box::new(SearchError::Cancelled));
        }
        // What a clock says is another thing each time.
        let saved = found.saved.clone().map(|saved| Saved { seconds: None, ..saved });
        let found = Found { saved, ..found };
        let row = FindRow::from(&found);
        Ok(lines(&[found], cell, &row)?)
    }

    /// The boundaries of early training.
    fn boundaries<T: Scalar>(
        &self,
        cell: &Cell,
        spec: &Spec,
        task: &Arc<Task<T>>,
        parallel: bool,
    ) -> Result<Vec<u8>, Failure> {
        let problem = spec.problem_of(task.clone(), spec.plan(task)?);
        let search =
            BoundarySearch::new(&problem, &spec.boundary_settings(), parallel).map_err(Error::from)?;
        let _taken =
            self.ledger.take(bytes(task, problem.plan()).saturating_add(search.instrument().bytes()))?;
        let found = search.of_seed(spec.seed).map_err(Error::from)?;
        let row = BoundariesRow::from(&found);
        Ok(lines(&[found], cell, &row)?)
    }
}

/// What a trial takes: its own buffers, and its data as if no other trial shared them.
fn bytes<T: Scalar>(task: &Task<T>, plan: &Plan) -> u64 {
    let data = [&task.train, &task.test].map(|samples| samples.inputs.len() + samples.targets.len());
    trial_bytes(task, plan).saturating_add((data.iter().sum::<usize>() * size_of::<T>()) as u64)
}
