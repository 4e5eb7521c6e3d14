//! What the user typed: the flags that every verb takes, and the spec of a job.

use etalon::spec::{Spec, SpecError};
use etalon::sweep::Grid;
use std::path::{Path, PathBuf};

/// The flags of every verb.
#[derive(clap::Args, Debug)]
pub(crate) struct Flags {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,

    /// Seed of the first trial; the same as seed=N, and wins over it
    // TOML, in which a spec is written, ends at 63 bits.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,

    /// Threads to compute with; results do not depend on it [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// Also write the results, the resolved spec and the facts of the run into this folder
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,

    /// No progress, advice or warnings
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// No progress bars; there are none either when stderr is no terminal
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// What to compute, for every verb that takes a spec.
#[derive(clap::Args, Debug)]
pub(crate) struct Job {
    /// A spec file (TOML), and after it or instead of it keys with their values, such as network.width=512
    #[arg(value_name = "SPEC | KEY=VALUE", value_hint = clap::ValueHint::FilePath)]
    arguments: Vec<String>,
}

impl Job {
    /// Whether a key of that section is among the overrides, or a file is given, which may have any.
    pub(crate) fn may_give(&self, section: &str) -> bool {
        self.arguments.iter().any(|argument| !argument.contains('=') || argument.starts_with(section))
    }

    /// The defaults, then the spec file, then the overrides, then `--seed`.
    ///
    /// # Errors
    /// As [`Spec::load`].
    pub(crate) fn spec(&self, seed: Option<u64>) -> Result<Spec, SpecError> {
        self.spec_with(&[], seed)
    }

    /// As [`Job::spec`]; where no file is given, `defaults` (overrides of the verb's own) come before the user's.
    ///
    /// # Errors
    /// As [`Spec::load`].
    pub(crate) fn spec_with(&self, defaults: &[&str], seed: Option<u64>) -> Result<Spec, SpecError> {
        let (file, overrides) = self.parts(defaults, seed);
        Spec::load(file, &overrides)
    }

    /// As [`Job::spec_with`]; flags of the verb's own, as overrides, win over the user's.
    ///
    /// # Errors
    /// As [`Spec::load`].
    pub(crate) fn spec_and(
        &self,
        defaults: &[&str],
        flags: &[String],
        seed: Option<u64>,
    ) -> Result<Spec, SpecError> {
        let (file, mut overrides) = self.parts(defaults, seed);
        overrides.extend_from_slice(flags);
        Spec::load(file, &overrides)
    }

    /// As [`Job::spec`], with the spec's grid.
    ///
    /// # Errors
    /// As [`Grid::load`].
    pub(crate) fn grid(&self, seed: Option<u64>) -> Result<Grid, SpecError> {
        let (file, overrides) = self.parts(&[], seed);
        Grid::load(file, &overrides)
    }

    /// The file and the overrides.
    fn parts(&self, defaults: &[&str], seed: Option<u64>) -> (Option<&Path>, Vec<String>) {
        let (file, given) = match self.arguments.split_first() {
            Some((first, rest)) if !first.contains('=') => (Some(Path::new(first)), rest),
            _ => (None, &self.arguments[..]),
        };
        let defaults = if file.is_some() { &[] } else { defaults };
        let mut overrides: Vec<String> = defaults.iter().map(ToString::to_string).collect();
        overrides.extend_from_slice(given);
        overrides.extend(seed.map(|seed| format!("seed={seed}")));
        (file, overrides)
    }
}

/// A program of the user's that trains.
#[derive(clap::Args, Debug)]
pub(crate) struct Trainer {
    /// A program of yours instead of Etalon's own training, such as
    /// 'python train.py --lr {eta} --seed {seed} --log {log}'; the same as trainer.command, as below of trainer.goal
    #[arg(long, value_name = "COMMAND", value_parser = command)]
    trainer: Option<String>,

    /// The trainer's metric, with what it has to come to: 'val_accuracy > 0.9', 'val_loss < 2.5', or the name of one that
    /// is better the less it is; `find` chooses the rate to use by it
    #[arg(long, value_name = "METRIC", value_parser = goal)]
    goal: Option<Goal>,
}

/// A metric, and the key and the value of its bound.
#[derive(Clone, Debug)]
struct Goal {
    metric: String,
    bound: Option<(&'static str, f64)>,
}

fn command(text: &str) -> Result<String, &'static str> {
    // An empty one is Etalon itself.
    if text.trim().is_empty() { Err("is empty; give what trains") } else { Ok(text.trim().into()) }
}

fn goal(text: &str) -> Result<Goal, String> {
    let (metric, bound) = text.split_at(text.find(['<', '>', '=']).unwrap_or(text.len()));
    let key = match bound.chars().next() {
        Some('<') => Some("below"),
        Some('>') => Some("above"),
        Some(_) => return Err("a metric comes to a bound or beyond it: write < or >".into()),
        None => None,
    };
    let metric = metric.trim().to_string();
    if metric.is_empty() {
        return Err("no metric is named".into());
    }
    let value = bound.trim_start_matches(['<', '>', '=']).trim();
    let number = |key| match value.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((key, number)),
        _ => Err(format!("`{value}` is no number that {metric} can come to")),
    };
    Ok(Goal { bound: key.map(number).transpose()?, metric })
}

impl Trainer {
    /// As overrides.
    pub(crate) fn overrides(&self) -> Vec<String> {
        let text = |text: &str| toml::Value::String(text.into());
        let mut overrides = Vec::new();
        overrides.extend(self.trainer.iter().map(|command| format!("trainer.command={}", text(command))));
        if let Some(Goal { metric, bound }) = &self.goal {
            overrides.push(format!("trainer.goal.metric={}", text(metric)));
            overrides.extend(bound.map(|(key, bound)| format!("trainer.goal.{key}={bound:?}")));
        }
        overrides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(arguments: &[&str], seed: Option<u64>) -> Spec {
        Job { arguments: arguments.iter().map(ToString::to_string).collect() }.spec(seed).unwrap()
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(spec(&[], None), Spec::default());
    }

    #[test]
    fn a_first_argument_without_equals_sign_is_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "network = { width = 32, depth = 3 }").unwrap();
        let spec = spec(&[file.path().to_str().unwrap(), "network.depth=4"], None);
        assert_eq!((spec.network.width, spec.network.depth), (32, 4));
        let text = Job { arguments: vec!["seed=1".into(), "file.toml".into()] }.spec(None).unwrap_err();
        assert!(text.to_string().contains("neither a file nor an override"), "{text}");
    }

    #[test]
    fn a_goal_is_a_metric_and_perhaps_a_bound() {
        for (text, expected) in [
            ("val_loss", Ok(("val_loss", None))),
            ("val loss <2.5", Ok(("val loss", Some(("below", 2.5))))),
            ("accuracy >= 0.9", Ok(("accuracy", Some(("above", 0.9))))),
            ("val_loss <", Err("`` is no number")),
            ("val_loss < low", Err("`low` is no number")),
            ("val_loss = 3", Err("write < or >")),
            ("< 3", Err("no metric")),
        ] {
            match (goal(text), expected) {
                (Ok(goal), Ok((metric, bound))) => {
                    assert_eq!((goal.metric.as_str(), goal.bound), (metric, bound));
                }
                (Err(found), Err(why)) => assert!(found.contains(why), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert!(command(" ").is_err());
    }

    #[test]
    fn the_seed_flag_wins() {
        assert_eq!(spec(&["seed=1"], Some(2)).seed, 2);
        assert_eq!(spec(&["seed=1"], None).seed, 1);
    }
}
