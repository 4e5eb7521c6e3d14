//! What a user wrote, and what will run: on top of the library, which knows nothing of it.
//!
//! A spec becomes typed things here: a [task](Spec::task) and a [plan](Spec::plan), which make a [problem](Spec::problem),
//! and settings. [`Spec::find`], [`Spec::measure`], [`Spec::train`] and [`Spec::boundaries`] are the [jobs](crate::jobs) on
//! them.
//!
//! One vocabulary serves files, `key=value` overrides and grids. A [`Spec`] is always complete: every key that was
//! not given has its default, and [`Spec::to_toml`] spells all of them out. [`KEYS`] is the one table of keys, from
//! which reading, writing, errors and documentation follow.

mod build;
mod data;
mod entry;
mod error;
mod jobs;
mod keys;
mod network;
mod noise;
mod optimizer;
mod plan;
mod schedule;
mod setting;
mod task;
mod trainer;
pub(crate) mod words;

pub use self::noise::NoiseSpec;
pub use data::{AugmentSpec, DataSpec, PatchSpec};
pub(crate) use entry::{Entry, GRID};
pub use error::SpecError;
pub use jobs::{MeasureOptions, TrainOptions};
pub use keys::{KEYS, Key};
pub use network::{NetworkKind, NetworkSpec, Normalizer};
pub use optimizer::{OptimizerKind, OptimizerSpec};
pub use schedule::{ScheduleKind, ScheduleSpec};
pub use setting::Setting;
pub use task::TaskError;
pub use trainer::{GoalSpec, TrainerSpec};

use crate::data::Normalization;
use crate::jobs::COARSE;
use crate::train::{BatchSize, Budget, Metric};
use etalon_nn::Loss;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::Kept;
use etalon_nn::network::{Fan, Initialisation, Parametrization, Skip};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Everything that decides what a run computes.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct Spec {
    pub seed: u64,
    pub precision: Precision,
    pub loss: Loss,
    pub data: DataSpec,
    pub network: NetworkSpec,
    pub optimizer: OptimizerSpec,
    pub schedule: ScheduleSpec,
    pub noise: NoiseSpec,
    pub train: TrainSpec,
    pub measure: MeasureSpec,
    pub search: SearchSpec,
    pub boundaries: BoundariesSpec,
    pub trainer: TrainerSpec,
}

/// The numbers a network computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// How labels become targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Signs for the logistic and exponential loss, and for MSE with two classes; one-hot otherwise.
    Auto,
    /// One output a class, 1 at the label's and 0 elsewhere.
    OneHot,
    /// One output; +1 for class 1, -1 for class 0.
    Sign,
}

/// `[train]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct TrainSpec {
    pub batch: BatchSize,
    pub budget: Budget,
    pub check_every: u64,
    pub check_samples: usize,
    pub check_test: bool,
    pub test_steps: Vec<u64>,
    pub limit: f64,
}

/// `[measure]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct MeasureSpec {
    pub samples: usize,
    pub every: u64,
    pub tolerance: f64,
    pub iterations: usize,
    pub top: usize,
    pub weights: bool,
    pub learnt: f64,
}

/// `[search]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct SearchSpec {
    pub eta_star: EtaStarWanted,
    pub trainings: usize,
    pub short: f64,
    pub metric: Option<Metric>,
    pub threshold: Option<f64>,
    pub share: f64,
    pub tolerance: f64,
    pub seeds: usize,
    pub factor: f64,
    pub sections: usize,
    pub range: Vec<f64>,
    pub samples: usize,
    pub after_epochs: f64,
    pub phase: bool,
}

/// Whether `find` searches eta*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EtaStarWanted {
    /// Eta* and no rate to use.
    Only,
    /// Both.
    Also,
    /// The rate to use alone.
    No,
}

/// `[boundaries]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct BoundariesSpec {
    pub range: [f64; 2],
    pub points: usize,
    pub tolerance: f64,
}

impl Default for Spec {
    /// The small job that `etalon` runs when nothing is given: real images, seconds.
    fn default() -> Self {
        Spec {
            seed: 0,
            precision: Precision::F32,
            loss: Loss::CrossEntropy,
            data: DataSpec::default(),
            network: NetworkSpec {
                kind: NetworkKind::Mlp,
                depth: 2,
                width: 256,
                widen: 1,
                skip: Skip::Pad,
                stage: 1,
                pool: Some(Kept::Average),
                activation: Activation::Relu,
                parametrization: Parametrization::Standard,
                bias: true,
                residual: false,
                normalizer: Normalizer::None,
                affine: true,
                groups: 8,
                normalizer_epsilon: 1e-5,
                init: Initialisation::He,
                fan: Fan::In,
                output_gain: 1.0,
            },
            optimizer: OptimizerSpec::default(),
            schedule: ScheduleSpec::default(),
            noise: NoiseSpec { level: 0.0, until: None, factor: 0.0 },
            train: TrainSpec {
                batch: BatchSize::Samples(64),
                budget: Budget::Steps(500),
                check_every: 25,
                check_samples: 1000,
                check_test: false,
                test_steps: Vec::new(),
                limit: 1e12,
            },
            measure: MeasureSpec {
                samples: 512,
                every: 0,
                tolerance: 1e-3,
                iterations: 100,
                top: 1,
                weights: false,
                learnt: 0.6,
            },
            search: SearchSpec {
                eta_star: EtaStarWanted::Also,
                trainings: 7,
                short: 0.1,
                metric: None,
                threshold: None,
                share: 0.8,
                tolerance: 0.1,
                seeds: 5,
                factor: 2.0,
                sections: 1,
                range: Vec::new(),
                after_epochs: 0.0,
                samples: COARSE.samples,
                phase: true,
            },
            boundaries: BoundariesSpec { range: [0.5, 64.0], points: 14, tolerance: 0.05 },
            trainer: TrainerSpec::default(),
        }
    }
}

impl Spec {
    /// The defaults, then the file's keys, then the overrides (`key=value`, the value in TOML; quotes around a plain
    /// word may be left out).
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is not one the key takes. The message shows the
    /// line and says what to do.
    pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Spec, SpecError> {
        Spec::from_entries(&Spec::entries(file, overrides)?.iter().collect::<Vec<_>>())
    }

    /// What was written, in order; entries of a `[grid]` among them.
    pub(crate) fn entries(file: Option<&Path>, overrides: &[String]) -> Result<Vec<Entry>, SpecError> {
        let mut entries = Vec::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|error| SpecError::unreadable(path, &error))?;
            entries.extend(entry::of_text(&path.display().to_string(), &text)?);
        }
        let from_file = entries.len();
        for text in overrides {
            entries.push(entry::of_override(text)?);
        }
        // An override of the budget replaces the file's, whichever of the three keys each used.
        if entries[from_file..].iter().any(Entry::is_budget) {
            let mut index = 0;
            entries.retain(|entry| {
                index += 1;
                index > from_file || !entry.is_budget()
            });
        }
        Ok(entries)
    }

    /// What is written in the text of a file.
    pub(crate) fn entries_of(text: &str) -> Result<Vec<Entry>, SpecError> {
        entry::of_text("spec", text)
    }

    /// A spec from the text of a file.
    ///
    /// # Errors
    /// As [`Spec::load`].
    pub fn parse(text: &str) -> Result<Spec, SpecError> {
        Spec::from_entries(&Spec::entries_of(text)?.iter().collect::<Vec<_>>())
    }

    pub(crate) fn from_entries(entries: &[&Entry]) -> Result<Spec, SpecError> {
        // All misspelt keys are told at once.
        let unknown: Vec<SpecError> = entries.iter().filter_map(|entry| entry.key().err()).collect();
        if let Some(faults) = SpecError::all(unknown) {
            return Err(faults);
        }
        let mut spec = Spec::default();
        let mut budget: Option<&Entry> = None;
        for &entry in entries {
            let key = entry.key()?;
            if entry.is_budget() {
                // The same key twice can only be a file's and an override's, or two overrides: the last one wins.
                if let Some(other) = budget.filter(|other| other.path != entry.path) {
                    return Err(entry.error(
                        format!("`{}` and `{}` both say how long to train", other.path, entry.path),
                        "keep one of train.steps, train.epochs and train.physical_time",
                    ));
                }
                budget = Some(entry);
            }
            key.set(&mut spec, &entry.value)
                .map_err(|reason| entry.error(format!("`{}` {reason}", key.path), key.doc))?;
        }
        spec.adapt(|path| entries.iter().any(|entry| entry.path == path))?;
        // A value is judged once all are known; the fault is shown at the key that was written last.
        for key in KEYS {
            if let Err(reason) = (key.check)(&spec) {
                let entry = entries.iter().rev().find(|entry| entry.path == key.path);
                return Err(match entry {
                    Some(entry) => entry.error(format!("`{}` {reason}", key.path), key.doc),
                    None => SpecError::plain(format!("`{}` {reason}", key.path), key.doc),
                });
            }
        }
        Ok(spec)
    }

    /// Defaults that depend on the data set: the toys have one sample or one input, which cannot be normalised or cut.
    /// On the kind of network: those of the papers. AdamW's rate is PyTorch's. A schedule in a file has a rate of its own.
    fn adapt(&mut self, given: impl Fn(&str) -> bool) -> Result<(), SpecError> {
        self.data.resolve()?;
        let is_point = self.data.name == "point";
        if (is_point || self.data.name == "degenerate") && !given("data.normalize") {
            self.data.normalize = Normalization::None;
        }
        for (path, count) in [("data.train", &mut self.data.train), ("data.test", &mut self.data.test)] {
            if is_point && !given(path) {
                *count = 0;
            }
        }
        if is_point && !given("train.batch") {
            self.train.batch = BatchSize::Full;
        }
        if self.network.kind != NetworkKind::Mlp {
            self.adapt_to_images(&given);
        }
        if self.optimizer.is_adamw() && !given("optimizer.eta") {
            self.optimizer.eta = self.optimizer.usual_eta();
        }
        if let Some(eta) = self.schedule.resolve()?.filter(|_| !given("optimizer.eta")) {
            self.optimizer.eta = eta;
        }
        Ok(())
    }

    fn adapt_to_images(&mut self, given: impl Fn(&str) -> bool) {
        let network = &mut self.network;
        if !given("network.width") {
            network.width = 16;
        }
        if !given("network.depth") {
            network.depth = match network.kind {
                NetworkKind::PreResNet => 20,
                NetworkKind::Wrn => 16,
                _ => 3,
            };
        }
        if !given("data.normalize") {
            self.data.normalize = Normalization::Channel;
        }
        if matches!(network.kind, NetworkKind::PreResNet | NetworkKind::Wrn) {
            if !given("network.normalizer") {
                network.normalizer = Normalizer::Batch;
            }
            if !given("network.fan") {
                network.fan = Fan::Out;
            }
        }
    }

    /// Every key that has a value, as a file that [`Spec::parse`] reads back to the same spec. With a trainer, those alone
    /// that have a part in a search on it.
    pub fn to_toml(&self) -> String {
        self.to_toml_of(|key| !self.trainer.is_given() || trainer::is_heeded(key.path))
    }

    /// As [`Spec::to_toml`], with some keys only.
    pub(crate) fn to_toml_of(&self, wanted: impl Fn(&Key) -> bool) -> String {
        let mut spec = self.clone();
        let mut text = String::new();
        let mut section = "";
        for key in KEYS.iter().filter(|key| wanted(key)) {
            let Some(value) = (key.field)(&mut spec).get() else { continue };
            let (table, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
            if table != section {
                text.push_str(&format!("\n[{table}]\n"));
                section = table;
            }
            text.push_str(&format!("{name} = {value}\n"));
        }
        text
    }

    /// The name of what it computes: the first 16 hexadecimal digits of the SHA-256 of [`Spec::to_toml`].
    pub fn hash(&self) -> String {
        Sha256::digest(self.to_toml()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests;
