//! Submitting what is still to run.

use super::call::CALLER;
use super::queue::{Queue, elements, queue};
use super::round::{Round, write};
use super::{Settings, script};
use crate::sweep::launch::packing::shards;
use crate::sweep::launch::workers::Workers;
use crate::sweep::{Cell, Grid, LaunchError, Pending, Store, pending};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// How many threads a worker takes: its job's processors.
const THREADS: &str = "\"${SLURM_CPUS_PER_TASK:-1}\"";

/// What a call of [`submit`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "submission")]
pub enum Submission {
    /// Jobs were submitted.
    Submitted(Submitted),
    /// Nothing: jobs of the last round are not over.
    Alive(Queue),
    /// Nothing: every trial has a result.
    Done,
}

/// A round as Slurm took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Submitted {
    /// Which round, from 1.
    pub round: usize,
    /// Trials to run.
    pub trials: usize,
    /// Elements that do them.
    pub elements: usize,
    /// The numbers of the arrays.
    pub arrays: Vec<u64>,
    /// The number of the job that collects the results.
    pub collector: u64,
}

/// Submits what is still to run of a sweep, trials that failed among it, and returns at once. As long as jobs of the last
/// round are not over, nothing is submitted. `program` is `etalon`, where the jobs will find it.
///
/// # Errors
/// When Slurm refuses or gives no answer, or a script cannot be written. What it took before goes on.
pub fn submit(
    store: &Store,
    grid: &Grid,
    settings: &Settings,
    program: &Path,
) -> Result<Submission, LaunchError> {
    if let Some(queue) = queue(store)?.filter(Queue::is_alive) {
        return Ok(Submission::Alive(queue));
    }
    let pending = pending(store, grid);
    match pending.without_result() {
        cells if cells.is_empty() => Ok(Submission::Done),
        cells => Ok(Submission::Submitted(next_round(store, grid, &pending, &cells, settings, program)?)),
    }
}

/// Submits some trials as the next round.
pub(super) fn next_round(
    store: &Store,
    grid: &Grid,
    pending: &Pending<'_>,
    cells: &[&Cell],
    settings: &Settings,
    program: &Path,
) -> Result<Submitted, LaunchError> {
    let longest = longest_array()?;
    let count = settings.shards.unwrap_or_else(|| shards(grid, cells)).clamp(1, cells.len());
    let workers = Workers::new(store, grid, cells, count, program, Some(THREADS.into()))?;
    let root = workers.root();
    let chunks: Vec<&[usize]> =
        workers.indices().chunk_by(|a, b| (a - 1) / longest == (b - 1) / longest).collect();
    let number = Round::reserve(root)?;
    let mut round = Round {
        number,
        tag: Round::tag(root),
        jobs: Vec::new(),
        before: Round::last(store)?.and_then(|last| last.collector_number()),
        foreign: BTreeSet::new(),
        arrays: chunks.len(),
        shards: count,
        done: pending.done,
        failed: pending.failed.len(),
        probed: store.probed(),
        settings: settings.clone(),
    };
    // A sweep that was deleted and made anew in the same folder has left jobs of the same names.
    let there = elements(&round.names())?.into_iter().map(|element| element.job);
    round.foreign = there.filter(|&job| round.before != Some(job)).collect();
    round.keep(root)?;
    let folder = Round::folder(root, number);
    for (place, chunk) in (1..).zip(chunks) {
        let offset = (chunk[0] - 1) / longest * longest;
        let indices: Vec<usize> = chunk.iter().map(|index| index - offset).collect();
        let path = folder.join(format!("array-{place}.sh"));
        write(&path, &script::array(&round.array(place), &workers, offset, &indices, &folder, settings)?)?;
        let name = round.array(place);
        sbatch(&mut round, root, &name, &path, None)?;
    }
    let arrays = round.jobs.clone();
    let path = folder.join("collect.sh");
    write(&path, &script::collector(&round.collector(), &workers, &folder, settings)?)?;
    let after: String = arrays.iter().map(|array| format!(":{array}")).collect();
    let option = format!("--dependency=afterany{after}");
    let name = round.collector();
    let collector = sbatch(&mut round, root, &name, &path, Some(&option))?;
    Ok(Submitted { round: number, trials: cells.len(), elements: workers.indices().len(), arrays, collector })
}

/// The most elements of an array here.
fn longest_array() -> Result<usize, LaunchError> {
    let answer = CALLER.ask("scontrol", &["show", "config"])?;
    let line = answer.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
    let size: Option<usize> = line.and_then(|line| line.trim_start().strip_prefix('=')?.trim().parse().ok());
    // Elements count from 1 here, and the largest number is one below the size.
    size.filter(|&size| size > 1).map(|size| size - 1).ok_or_else(|| LaunchError::Answer {
        program: "scontrol",
        answer: line.map_or("no MaxArraySize".into(), |line| format!("MaxArraySize{line}")),
    })
}

/// Submits a script; the number of its job, which is kept in the round. `name` is the name of the job, which no other of the
/// round has: where no answer comes, it tells whether the job was taken.
fn sbatch(
    round: &mut Round,
    root: &Path,
    name: &str,
    script: &Path,
    option: Option<&str>,
) -> Result<u64, LaunchError> {
    let names = [name.to_string()];
    let taken = || {
        let mut jobs = elements(&names)?.into_iter().map(|element| element.job);
        Ok(jobs.find(|job| !round.foreign.contains(job)).map(|job| job.to_string()))
    };
    let path = script.to_string_lossy();
    let arguments: Vec<&str> = ["--parsable"].into_iter().chain(option).chain([path.as_ref()]).collect();
    let answer = CALLER.attempt("sbatch", &arguments, taken)?;
    // With several clusters, the cluster's name follows a semicolon.
    let number = answer.trim().split(';').next().and_then(|number| number.parse().ok());
    let number = number.ok_or(LaunchError::Answer { program: "sbatch", answer })?;
    round.jobs.push(number);
    round.keep(root)?;
    Ok(number)
}
