//! What one cell computes, and the file that keeps it: lines of JSON, the last one the row of the summary.

use super::ledger::Ledger;
use super::tasks::{AnyTask, Tasks};
use super::{Cell, Job};
use crate::phase::{Circumstances, classify};
use crate::search::find;
use crate::spec::Spec;
use crate::train::{Plan, Task, run};
use etalon_nn::{Scalar, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;

/// The last line of a result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    /// The trial.
    pub(super) trial: String,
    /// What the summary says of it.
    pub(super) result: Map<String, Value>,
}

/// The summary's columns of a job, after the trial's name and the keys of the grid.
pub(super) fn columns(job: Job) -> &'static [&'static str] {
    match job {
        Job::Train => &[
            "phase",
            "stop",
            "steps",
            "first_loss",
            "peak_loss",
            "peak_step",
            "train_loss",
            "train_accuracy",
            "test_loss",
            "test_accuracy",
            "constant_loss",
        ],
        Job::Find => &[
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
    }
}

/// The result file of a cell; the reason where there is none. `cancelled` ends a search between two of its probes.
pub(super) fn compute(
    cell: &Cell,
    spec: &Spec,
    job: Job,
    tasks: &Tasks,
    ledger: &Ledger,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<u8>, String> {
    match job {
        Job::Train => tasks.with(spec, |task| match task {
            AnyTask::F32(task) => train(cell, spec, task, ledger),
            AnyTask::F64(task) => train(cell, spec, task, ledger),
        }),
        Job::Find => {
            let watch = |_: &crate::search::Progress<'_>| match cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            let found = find(spec, &watch).map_err(|error| error.to_string())?;
            let star = &found.eta_star;
            let row = json!({
                "eta_star": star.median,
                "eta_star_low": star.low,
                "eta_star_high": star.high,
                "seeds": star.seeds,
                "censored": star.censored,
                "undefined": star.undefined,
                "lambda": found.lambda.median,
                "eta_star_over_2_lambda": found.eta_star_over_2_lambda,
                "phase": found.phase,
                "recommended": found.recommended.as_ref().map(|recommended| recommended.eta),
                "gradient_steps": found.gradient_steps,
            });
            lines(&[found], cell, row)
        }
    }
}

/// One trial on one thread. Its phase is judged by its losses alone: curvature is not measured in a sweep.
fn train<T: Scalar>(cell: &Cell, spec: &Spec, task: &Task<T>, ledger: &Ledger) -> Result<Vec<u8>, String> {
    let plan = Plan::new(spec, task).map_err(|error| error.to_string())?;
    let _taken = ledger.take(bytes(task, &plan)).map_err(|error| error.to_string())?;
    let trajectory =
        run(task, &plan, spec.optimizer.eta, spec.seed, false).map_err(|error| error.to_string())?;
    let batch = (plan.batch != task.train.len).then_some(plan.batch);
    let verdict = classify(&trajectory, Circumstances { batch, over_limit: None });
    let stop = serde_json::to_value(&trajectory.stop).map_err(|error| error.to_string())?;
    let (train, test) = (trajectory.train, trajectory.test);
    let row = json!({
        "phase": verdict.phase,
        "stop": stop["reason"],
        "steps": trajectory.steps,
        "first_loss": trajectory.first_loss,
        "peak_loss": trajectory.peak_loss,
        "peak_step": trajectory.peak_step,
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "constant_loss": trajectory.constant_loss,
    });
    lines(&trajectory.records, cell, row)
}

/// What a trial takes: its own buffers, and its data as if no other trial shared them.
fn bytes<T: Scalar>(task: &Task<T>, plan: &Plan) -> u64 {
    let data = [&task.train, &task.test].map(|samples| samples.inputs.len() + samples.targets.len());
    let numbers = data.iter().sum::<usize>() + 4 * task.network.parameters();
    Workspace::<T>::bytes(&task.network, plan.batch)
        + Workspace::<T>::bytes(&task.network, plan.check_samples)
        + Workspace::<T>::bytes(&task.network, task.test.len)
        + (numbers * size_of::<T>()) as u64
}

fn lines(records: &[impl Serialize], cell: &Cell, row: Value) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let Value::Object(result) = row else { return Err("a row of the summary is no object".into()) };
    let mut push = |line: serde_json::Result<Vec<u8>>| -> Result<(), String> {
        text.extend(line.map_err(|error| error.to_string())?);
        text.push(b'\n');
        Ok(())
    };
    records.iter().try_for_each(|record| push(serde_json::to_vec(record)))?;
    push(serde_json::to_vec(&Row { trial: cell.name.clone(), result }))?;
    Ok(text)
}

/// The row at the end of a result file, given the end of its text; none where the file was cut short.
pub(super) fn row(name: &str, end: &[u8]) -> Option<Row> {
    let whole = end.strip_suffix(b"\n")?;
    let line = whole.rsplit(|&byte| byte == b'\n').next()?;
    serde_json::from_slice(line).ok().filter(|row: &Row| row.trial == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cut_anywhere_is_not_done() {
        let cell = Cell::named("abc");
        let text =
            lines(&[json!({ "step": 0 }), json!({ "step": 1 })], &cell, json!({ "loss": 0.5 })).unwrap();
        assert_eq!(row("abc", &text).unwrap().result["loss"], 0.5);
        assert_eq!(row("abd", &text), None);
        for length in 0..text.len() {
            assert_eq!(row("abc", &text[..length]), None, "{length} bytes");
        }
    }
}
