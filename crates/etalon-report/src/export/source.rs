//! The trajectories of a folder, trial by trial.

use super::ExportError;
use etalon::sweep::{Job, Store, TrainRow, read};
use etalon::train::{Groups, Metrics, Record};
use std::fs;
use std::path::{Path, PathBuf};

/// What is known of a step.
pub(super) struct Number {
    /// Its column.
    pub(super) column: &'static str,
    /// Its tag in TensorBoard.
    pub(super) tag: &'static str,
    of: fn(&Record) -> Option<f64>,
}

impl Number {
    /// That of a step; none where it was not taken or is not finite.
    pub(super) fn of(&self, step: &Record) -> Option<f64> {
        (self.of)(step).filter(|number| number.is_finite())
    }
}

const fn number(column: &'static str, tag: &'static str, of: fn(&Record) -> Option<f64>) -> Number {
    Number { column, tag, of }
}

/// All that is known of a step.
pub(super) const NUMBERS: [Number; 18] = [
    number("eta", "learning_rate", |step| Some(step.eta)),
    number("loss", "loss", |step| step.loss),
    number("train_loss", "train/loss", |step| loss(step.train)),
    number("train_accuracy", "train/accuracy", |step| accuracy(step.train)),
    number("test_loss", "test/loss", |step| loss(step.test)),
    number("test_accuracy", "test/accuracy", |step| accuracy(step.test)),
    number("ntk", "curvature/ntk", |step| step.ntk),
    number("hessian", "curvature/hessian", |step| step.hessian),
    number("unpatched_loss", "unpatched/loss", |step| loss(groups(step).unpatched)),
    number("unpatched_accuracy", "unpatched/accuracy", |step| accuracy(groups(step).unpatched)),
    number("patched_loss", "patched/loss", |step| loss(groups(step).patched)),
    number("patched_accuracy", "patched/accuracy", |step| accuracy(groups(step).patched)),
    number("patch_only_loss", "patch_only/loss", |step| loss(groups(step).patch_only)),
    number("patch_only_accuracy", "patch_only/accuracy", |step| accuracy(groups(step).patch_only)),
    number("test_mixed_loss", "test_mixed/loss", |step| loss(groups(step).test_mixed)),
    number("test_mixed_accuracy", "test_mixed/accuracy", |step| accuracy(groups(step).test_mixed)),
    number("test_patch_only_loss", "test_patch_only/loss", |step| loss(groups(step).test_patch_only)),
    number("test_patch_only_accuracy", "test_patch_only/accuracy", |step| {
        accuracy(groups(step).test_patch_only)
    }),
];

fn loss(metrics: Option<Metrics>) -> Option<f64> {
    Some(metrics?.loss)
}

fn accuracy(metrics: Option<Metrics>) -> Option<f64> {
    metrics?.accuracy
}

fn groups(step: &Record) -> Groups {
    step.groups.unwrap_or_default()
}

/// A trial that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    /// Its name: the hash of its spec.
    pub(super) name: String,
    /// Its values of the grid's keys, as text.
    pub(super) values: Vec<String>,
}

/// The folder of a run or sweep.
pub(super) struct Source {
    root: PathBuf,
    /// The keys of the grid; none of a single run.
    pub(super) axes: Vec<String>,
    /// Finished trials, in grid order.
    pub(super) trials: Vec<Trial>,
    unfinished: usize,
    /// Whether it is a sweep, whose files have a row at their end.
    is_sweep: bool,
}

impl Source {
    /// Looks for the trials of a folder.
    pub(super) fn open(root: &Path) -> Result<Source, ExportError> {
        let is_sweep = root.join("cells.csv").exists();
        let (axes, trials) = (Vec::new(), Vec::new());
        let mut source = Source { root: root.into(), axes, trials, unfinished: 0, is_sweep };
        if is_sweep {
            let store = Store::read_only(root)?;
            if !matches!(store.job()?, Job::Train { .. }) {
                return Err(ExportError::NoTrajectory(root.into()));
            }
            source.axes = store.cells().columns[1..].to_vec();
            for row in &store.cells().rows {
                match store.is_done(&row[0]) {
                    true => source.trials.push(Trial { name: row[0].clone(), values: row[1..].to_vec() }),
                    false => source.unfinished += 1,
                }
            }
        } else {
            let entries =
                fs::read_dir(root.join("trials")).map_err(|_| ExportError::NoTrials(root.into()))?;
            let name =
                |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".jsonl")?.to_string());
            let mut names: Vec<String> = entries.flatten().filter_map(name).collect();
            names.sort_unstable();
            source.trials = names.into_iter().map(|name| Trial { name, values: Vec::new() }).collect();
        }
        if source.trials.is_empty() {
            return Err(ExportError::NoTrials(root.into()));
        }
        Ok(source)
    }

    /// How many trials there are.
    pub(super) fn len(&self) -> usize {
        self.trials.len()
    }

    /// How many are left out.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// The file of a trial.
    pub(super) fn file(&self, trial: &Trial) -> PathBuf {
        self.root.join("trials").join(format!("{}.jsonl", trial.name))
    }

    /// The recorded steps of a trial.
    pub(super) fn steps(&self, trial: &Trial) -> Result<Vec<Record>, ExportError> {
        let path = self.file(trial);
        let steps = match self.is_sweep {
            true => read::<TrainRow>(&path, &trial.name).map(|trial| trial.records),
            false => Record::read(&path),
        };
        steps.map_err(|reason| ExportError::Malformed { path, reason })
    }
}
