//! `[trainer]`.

use super::Spec;
use crate::trainer::{Bound, CommandLine, Goal, Trainer, TrainerError};
use crate::watch::Columns;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use toml::Value;

/// `[trainer]`: what trains, where that is not Etalon.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct TrainerSpec {
    /// Empty: Etalon trains.
    pub command: String,
    pub shell: bool,
    pub env: BTreeMap<String, Value>,
    pub parameters: BTreeMap<String, Value>,
    pub log: String,
    pub columns: BTreeMap<String, Value>,
    pub steps: u64,
    pub start: f64,
    pub seconds: f64,
    pub retries: usize,
    pub slots: usize,
    pub goal: GoalSpec,
}

/// `[trainer.goal]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct GoalSpec {
    pub metric: String,
    pub below: Option<f64>,
    pub above: Option<f64>,
}

impl Default for TrainerSpec {
    fn default() -> Self {
        TrainerSpec {
            command: String::new(),
            shell: false,
            env: BTreeMap::new(),
            parameters: BTreeMap::new(),
            log: String::new(),
            columns: BTreeMap::new(),
            steps: 0,
            start: 1e-3,
            seconds: 0.0,
            retries: 1,
            slots: 1,
            goal: GoalSpec::default(),
        }
    }
}

/// Names that `trainer.columns` may have.
const COLUMNS: [&str; 4] = ["step", "loss", "rate", "curvature"];
/// What `trainer.log` says where the log is what the trainer prints.
const STDOUT: &str = "stdout";

/// A value as a command line has it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

impl TrainerSpec {
    /// Whether something other than Etalon trains.
    pub fn is_given(&self) -> bool {
        !self.command.is_empty()
    }

    pub(super) fn check_command(&self) -> Result<(), String> {
        if !self.is_given() {
            return Ok(());
        }
        self.trainer(None).map(drop).map_err(|error| format!("is not one: {error}"))
    }

    pub(super) fn check_columns(&self) -> Result<(), String> {
        match self.columns.keys().find(|name| !COLUMNS.contains(&name.as_str())) {
            Some(unknown) => Err(format!("has `{unknown}`; it may have {}", COLUMNS.join(", "))),
            None => Ok(()),
        }
    }

    pub(super) fn check_goal(&self) -> Result<(), String> {
        let GoalSpec { metric, below, above } = &self.goal;
        match (below, above) {
            (Some(_), Some(_)) => Err("is given beside trainer.goal.below; keep one of them".into()),
            (Some(bound), None) | (None, Some(bound)) if !bound.is_finite() => {
                Err(format!("is {bound}; it must be finite"))
            }
            (Some(_), None) | (None, Some(_)) if metric.is_empty() => {
                Err("is a bound of no metric; give trainer.goal.metric".into())
            }
            _ => Ok(()),
        }
    }

    /// The trainer, whose trainings leave their files in `folder`.
    ///
    /// # Errors
    /// When its command line is none.
    pub fn trainer(&self, folder: Option<&Path>) -> Result<Trainer, TrainerError> {
        let parameters: BTreeMap<String, String> =
            self.parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let line = |text: &str| CommandLine::text(text, &parameters);
        let command = CommandLine::parse(&self.command, self.shell, &parameters)?;
        let env = self.env.iter().map(|(name, value)| Ok((name.clone(), line(&text(value))?)));
        let env = env.collect::<Result<BTreeMap<_, _>, TrainerError>>()?;
        let has = |name: &str| command.has(name) || env.values().any(|value| value.has(name));
        let is_told = ["log", "out"].into_iter().any(has);
        let log = match self.log.as_str() {
            STDOUT => None,
            "" => is_told.then(|| line("{out}/log.jsonl")).transpose()?,
            path => Some(line(path)?),
        };
        if let Some(unused) = parameters.keys().find(|name| !has(name)) {
            return Err(TrainerError::Unused(unused.clone()));
        }
        let column = |name: &str| self.columns.get(name).map(text);
        let GoalSpec { metric, below, above } = &self.goal;
        let metric = Some(metric.clone()).filter(|metric| !metric.is_empty());
        Ok(Trainer {
            command,
            env,
            log,
            columns: Columns {
                step: column("step"),
                loss: column("loss"),
                rate: column("rate"),
                curvature: column("curvature"),
                metric: metric.clone(),
                ..Columns::default()
            },
            goal: Goal { metric, bound: below.map(Bound::Below).or(above.map(Bound::Above)) },
            steps: Some(self.steps).filter(|&steps| steps > 0),
            start: self.start,
            // Longer than can be counted is for ever.
            limit: Duration::try_from_secs_f64(self.seconds).ok().filter(|_| self.seconds > 0.0),
            retries: self.retries,
            slots: self.slots,
            slot: 0,
            folder: folder.map(Path::to_path_buf),
        })
    }
}

/// Whether a key has a part in some job on a trainer.
pub(super) fn is_heeded(path: &str) -> bool {
    let idle = ["search.metric", "search.threshold", "search.after_epochs"];
    let sections = ["trainer.", "search.", "boundaries."];
    ["seed", "optimizer.eta"].contains(&path)
        || sections.iter().any(|section| path.starts_with(section)) && !idle.contains(&path)
}

impl Spec {
    /// The name of what a search tries, whatever runs beside it: its hash with one slot.
    pub fn search_hash(&self) -> String {
        let trainer = TrainerSpec { slots: TrainerSpec::default().slots, ..self.trainer.clone() };
        Spec { trainer, ..self.clone() }.hash()
    }
}
