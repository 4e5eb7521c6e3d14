//! What a cell computes.

use super::ledger::Ledger;
use super::outcome::lines;
use super::tasks::{AnyTask, Tasks};
use super::{Cell, Grid, Job, Store};
use crate::curvature::Instrument;
use crate::error::Error;
use crate::jobs::{BoundarySearch, Journal, News, find_bytes};
use crate::phase::{Circumstances, Phase, classify, observe};
use crate::search::{Ended, SearchError};
use crate::spec::Spec;
use crate::train::{Learning, Metrics, Plan, Record, Task, Trajectory, Trial, trial_bytes};
use etalon_nn::Scalar;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Why a cell has no result.
type Failure = Box<dyn std::error::Error>;

/// The summary's columns of a job, after the trial's name and the keys of the grid.
pub(super) fn columns(grid: &Grid) -> Vec<&'static str> {
    match grid.job() {
        Job::Train { curvature } => {
            let mut columns = vec![
                "phase",
                "stop",
                "steps",
                "first_loss",
                "peak_loss",
                "peak_step",
                "start_loss",
                "train_loss",
                "train_accuracy",
                "test_loss",
                "test_accuracy",
                "constant_loss",
            ];
            if curvature {
                columns.extend(["c", "ntk", "hessian", "ntk_end", "hessian_end"]);
            }
            if grid.sets("data.patch.size") {
                columns.extend(GROUPS);
            }
            if grid.sets("schedule.anneal_below") {
                columns.push("annealed_at");
            }
            columns
        }
        Job::Find => vec![
            "eta_star",
            "eta_star_low",
            "eta_star_high",
            "seeds",
            "censored",
            "undefined",
            "lambda",
            "eta_star_over_2_lambda",
            "phase",
            "recommended",
            "gradient_steps",
        ],
        Job::Boundaries => vec!["sharpness", "c_h_loss", "c_h_sharp", "c_h_max"],
    }
}

/// Columns of trials whose samples have patches.
const GROUPS: [&str; 8] = [
    "unpatched_accuracy",
    "patched_accuracy",
    "patch_only_accuracy",
    "test_mixed_accuracy",
    "test_patch_only_accuracy",
    "unpatched_learnt_at",
    "patched_learnt_at",
    "patch_only_learnt_at",
];

/// What the cells of a sweep share.
pub(super) struct Surroundings<'a> {
    pub(super) store: &'a Store,
    pub(super) tasks: Tasks,
    pub(super) ledger: Ledger,
    /// Ends a search between two of its probes.
    pub(super) cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Surroundings<'_> {
    /// The result file of a cell; the reason where there is none.
    pub(super) fn compute(&self, cell: &Cell, spec: &Spec, job: Job) -> Result<Vec<u8>, String> {
        self.tasks.with(spec, |task| match task {
            AnyTask::F32(task) => self.of_task(cell, spec, job, task),
            AnyTask::F64(task) => self.of_task(cell, spec, job, task),
        })
    }

    fn of_task<T: Scalar>(
        &self,
        cell: &Cell,
        spec: &Spec,
        job: Job,
        task: &Arc<Task<T>>,
    ) -> Result<Vec<u8>, String> {
        let result = match job {
            Job::Train { curvature } => self.train(cell, spec, task, curvature),
            Job::Find => self.find(cell, spec, task),
            Job::Boundaries => self.boundaries(cell, spec, task),
        };
        result.map_err(|error| error.to_string())
    }

    /// One trial on one thread; with `curvature`, measured and judged as `etalon train` does.
    fn train<T: Scalar>(
        &self,
        cell: &Cell,
        spec: &Spec,
        task: &Arc<Task<T>>,
        curvature: bool,
    ) -> Result<Vec<u8>, Failure> {
        let plan = spec.plan(task)?;
        let instrument = curvature.then(|| spec.instrument(task, false)).transpose()?;
        let needed = bytes(task, &plan).saturating_add(instrument.as_ref().map_or(0, Instrument::bytes));
        let _taken = self.ledger.take(needed)?;
        let trial = Trial::new(task, &plan, spec.optimizer.eta, spec.seed, false).map_err(Error::from)?;
        let (trajectory, verdict) = match &instrument {
            Some(instrument) => {
                let observed = observe(trial, instrument, spec.measure.every, &mut |_, _| {});
                (observed.trajectory, observed.verdict)
            }
            None => {
                let (batch, plain) = (trial.batch(), trial.is_plain());
                let trajectory = trial.run(&mut |_, _| {});
                let verdict = classify(&trajectory, Circumstances { batch, plain, over_limit: None });
                (trajectory, verdict)
            }
        };
        let mut row = train_row(&trajectory, verdict.phase)?;
        if curvature {
            add_curvature(&mut row, &trajectory);
        }
        if let Some(learning) = &trajectory.groups {
            add_groups(&mut row, learning);
        }
        if let Some(annealed) = trajectory.annealed {
            row["annealed_at"] = json!(annealed.step);
        }
        Ok(lines(&trajectory.records, cell, row)?)
    }

    /// A search, from where an earlier run has left it.
    fn find<T: Scalar>(&self, cell: &Cell, spec: &Spec, task: &Arc<Task<T>>) -> Result<Vec<u8>, Failure> {
        let problem = spec.problem_of(task.clone(), spec.plan(task)?);
        let _taken = self.ledger.take(find_bytes(&problem, &spec.find_settings(task)?))?;
        let journal = Journal::open(&self.store.probes(&cell.name));
        let watch = |_: News<'_>| match (self.cancelled)() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let found = spec.find_with(&problem, &journal, &watch)?;
        if found.stopped == Ended::Interrupted {
            return Err(Box::new(SearchError::Cancelled));
        }
        let star = found.eta_star.as_ref();
        let row = json!({
            "eta_star": star.and_then(|star| star.median),
            "eta_star_low": star.and_then(|star| star.low),
            "eta_star_high": star.and_then(|star| star.high),
            "seeds": star.map(|star| star.seeds),
            "censored": star.map(|star| star.censored),
            "undefined": star.map(|star| star.undefined),
            "lambda": found.lambda.as_ref().and_then(|lambda| lambda.median),
            "eta_star_over_2_lambda": found.eta_star_over_2_lambda,
            "phase": found.phase,
            "recommended": found.recommended.as_ref().and_then(|recommended| recommended.eta),
            "gradient_steps": found.gradient_steps,
        });
        Ok(lines(&[found], cell, row)?)
    }

    /// The boundaries of early training, on one thread.
    fn boundaries<T: Scalar>(
        &self,
        cell: &Cell,
        spec: &Spec,
        task: &Arc<Task<T>>,
    ) -> Result<Vec<u8>, Failure> {
        let problem = spec.problem_of(task.clone(), spec.plan(task)?);
        let search = BoundarySearch::new(&problem, &spec.boundary_settings(), false).map_err(Error::from)?;
        let _taken =
            self.ledger.take(bytes(task, problem.plan()).saturating_add(search.instrument().bytes()))?;
        let found = search.of_seed(spec.seed).map_err(Error::from)?;
        let row = json!({
            "sharpness": found.sharpness,
            "c_h_loss": found.c_h_loss.middle(),
            "c_h_sharp": found.c_h_sharp.middle(),
            "c_h_max": found.c_h_max.middle(),
        });
        Ok(lines(&[found], cell, row)?)
    }
}

fn train_row(trajectory: &Trajectory, phase: Phase) -> serde_json::Result<Value> {
    let stop = serde_json::to_value(&trajectory.stop)?;
    let (train, test) = (trajectory.train, trajectory.test);
    Ok(json!({
        "phase": phase,
        "stop": stop["reason"],
        "steps": trajectory.steps,
        "first_loss": trajectory.first_loss,
        "peak_loss": trajectory.peak_loss,
        "peak_step": trajectory.peak_step,
        "start_loss": trajectory.start.loss,
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "constant_loss": trajectory.constant_loss,
    }))
}

/// What was measured at the start and at the end; `c` is in units of the kernel's eigenvalue, as `etalon train` has it.
fn add_curvature(row: &mut Value, trajectory: &Trajectory) {
    let measured =
        |record: Option<&Record>| record.map_or((None, None), |record| (record.ntk, record.hessian));
    let (start, end) = (measured(trajectory.records.first()), measured(trajectory.records.last()));
    row["c"] = json!(start.0.map(|lambda| trajectory.eta * lambda));
    (row["ntk"], row["hessian"]) = (json!(start.0), json!(start.1));
    (row["ntk_end"], row["hessian_end"]) = (json!(end.0), json!(end.1));
}

/// How well each group is predicted at the end, and when it was learnt.
fn add_groups(row: &mut Value, Learning { learnt_at, last, .. }: &Learning) {
    let of = |metrics: Option<Metrics>| json!(metrics.and_then(|metrics| metrics.accuracy));
    let accuracies =
        [last.unpatched, last.patched, last.patch_only, last.test_mixed, last.test_patch_only].map(of);
    let steps = [learnt_at.unpatched, learnt_at.patched, learnt_at.patch_only].map(|step| json!(step));
    for (column, value) in GROUPS.into_iter().zip(accuracies.into_iter().chain(steps)) {
        row[column] = value;
    }
}

/// What a trial takes: its own buffers, and its data as if no other trial shared them.
fn bytes<T: Scalar>(task: &Task<T>, plan: &Plan) -> u64 {
    let data = [&task.train, &task.test].map(|samples| samples.inputs.len() + samples.targets.len());
    trial_bytes(task, plan).saturating_add((data.iter().sum::<usize>() * size_of::<T>()) as u64)
}
