//! The trajectories of a folder, trial by trial.

use super::ExportError;
use crate::sweep::Store;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fs;
use std::path::{Path, PathBuf};

/// What is known of a step, as columns of a table and as tags of TensorBoard.
pub(super) const NUMBERS: [(&str, &str); 18] = [
    ("eta", "learning_rate"),
    ("loss", "loss"),
    ("train_loss", "train/loss"),
    ("train_accuracy", "train/accuracy"),
    ("test_loss", "test/loss"),
    ("test_accuracy", "test/accuracy"),
    ("ntk", "curvature/ntk"),
    ("hessian", "curvature/hessian"),
    ("unpatched_loss", "unpatched/loss"),
    ("unpatched_accuracy", "unpatched/accuracy"),
    ("patched_loss", "patched/loss"),
    ("patched_accuracy", "patched/accuracy"),
    ("patch_only_loss", "patch_only/loss"),
    ("patch_only_accuracy", "patch_only/accuracy"),
    ("test_mixed_loss", "test_mixed/loss"),
    ("test_mixed_accuracy", "test_mixed/accuracy"),
    ("test_patch_only_loss", "test_patch_only/loss"),
    ("test_patch_only_accuracy", "test_patch_only/accuracy"),
];

/// A recorded step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Steps done before it.
    pub(super) step: u64,
    /// In the order of [`NUMBERS`]; none where it was not taken or is not finite.
    pub(super) numbers: [Option<f64>; NUMBERS.len()],
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
}

/// A line of a result file. The last one of a sweep's has the result.
#[derive(Deserialize)]
struct Line {
    step: Option<u64>,
    eta: Option<f64>,
    loss: Option<f64>,
    train: Option<Metrics>,
    test: Option<Metrics>,
    #[serde(default)]
    groups: Groups,
    ntk: Option<f64>,
    hessian: Option<f64>,
    result: Option<IgnoredAny>,
}

/// Groups of samples with and without patches.
#[derive(Default, Deserialize)]
struct Groups {
    unpatched: Option<Metrics>,
    patched: Option<Metrics>,
    patch_only: Option<Metrics>,
    test_mixed: Option<Metrics>,
    test_patch_only: Option<Metrics>,
}

#[derive(Deserialize)]
struct Metrics {
    loss: Option<f64>,
    accuracy: Option<f64>,
}

impl Source {
    /// Looks for the trials of a folder.
    pub(super) fn open(root: &Path) -> Result<Source, ExportError> {
        let mut source = Source { root: root.into(), axes: Vec::new(), trials: Vec::new(), unfinished: 0 };
        if root.join("cells.csv").exists() {
            let store = Store::read_only(root)?;
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
    pub(super) fn steps(&self, trial: &Trial) -> Result<Vec<Step>, ExportError> {
        let path = self.file(trial);
        let text = fs::read_to_string(&path).map_err(ExportError::io(&path, "read the file"))?;
        let mut steps = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                let reason = error.to_string();
                ExportError::Malformed { path: path.clone(), line: index + 1, reason }
            })?;
            match line {
                Line { result: Some(_), .. } => {}
                Line { step: Some(step), .. } => steps.push(Step { step, numbers: line.numbers() }),
                _ => return Err(ExportError::NoTrajectory(path)),
            }
        }
        Ok(steps)
    }
}

impl Line {
    fn numbers(&self) -> [Option<f64>; NUMBERS.len()] {
        let loss = |metrics: &Option<Metrics>| metrics.as_ref()?.loss;
        let accuracy = |metrics: &Option<Metrics>| metrics.as_ref()?.accuracy;
        [
            self.eta,
            self.loss,
            loss(&self.train),
            accuracy(&self.train),
            loss(&self.test),
            accuracy(&self.test),
            self.ntk,
            self.hessian,
            loss(&self.groups.unpatched),
            accuracy(&self.groups.unpatched),
            loss(&self.groups.patched),
            accuracy(&self.groups.patched),
            loss(&self.groups.patch_only),
            accuracy(&self.groups.patch_only),
            loss(&self.groups.test_mixed),
            accuracy(&self.groups.test_mixed),
            loss(&self.groups.test_patch_only),
            accuracy(&self.groups.test_patch_only),
        ]
    }
}
