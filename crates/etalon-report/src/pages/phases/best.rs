//! Which trials did best: those that differ in their seed alone are compared as one.

use super::trained::{Done, Number, Sweep, c, folded, of, phase};
use super::trained::{test_accuracy, test_loss, train_accuracy, train_loss};
use crate::figure::symbol;
use crate::pages::content::{Numbers, range, shown};
use etalon::phase::Phase;
use std::collections::BTreeMap;

/// Rows of the table.
const ROWS: usize = 10;

/// By what trials are compared.
#[derive(Clone, Copy)]
pub(super) struct Metric {
    pub name: &'static str,
    pub of: Number,
    /// Whether less of it is better.
    pub is_loss: bool,
}

impl Metric {
    /// The first that a trial of a sweep has.
    pub(super) fn of(sweep: &Sweep) -> Metric {
        let metric = |name, of: Number, is_loss| Metric { name, of, is_loss };
        let all = [
            metric("test accuracy", test_accuracy, false),
            metric("train accuracy", train_accuracy, false),
            metric("test loss", test_loss, true),
        ];
        let has = |metric: &Metric| sweep.trials.iter().any(|trial| of(trial, metric.of).is_some());
        all.into_iter().find(has).unwrap_or(metric("train loss", train_loss, true))
    }
}

/// Trials that differ in their seed alone, and how well they did.
pub(super) struct Group<'a> {
    pub label: String,
    trials: Vec<&'a Done>,
    metric: Metric,
    median: f64,
    ends: [f64; 2],
}

impl Group<'_> {
    pub(super) fn text(&self) -> String {
        let seeds = self.trials.len();
        let spread = match seeds {
            1 => "of one seed".into(),
            _ => format!("median of {seeds} seeds ({})", range(self.ends[0], self.ends[1], 3)),
        };
        format!("{} {}, {spread}", self.metric.name, shown(Some(self.median), 3))
    }
}

/// What was compared.
pub(super) struct Groups<'a> {
    /// Those whose every seed has the metric, the best first.
    pub ranked: Vec<Group<'a>>,
    /// All of them.
    pub count: usize,
}

impl<'a> Groups<'a> {
    /// The groups of a sweep.
    pub(super) fn of(sweep: &'a Sweep) -> Groups<'a> {
        let metric = Metric::of(sweep);
        let mut groups: BTreeMap<Vec<(&str, &str)>, Vec<&Done>> = BTreeMap::new();
        for trial in &sweep.trials {
            let values = sweep.keys.iter().zip(&trial.values).filter(|(key, _)| *key != "seed");
            let values = values.map(|(key, value)| (key.as_str(), value.as_str())).collect();
            groups.entry(values).or_default().push(trial);
        }
        let count = groups.len();
        let group = |(values, trials): (Vec<(&str, &str)>, Vec<&'a Done>)| {
            let (median, ends) = folded(&trials, metric.of)?;
            // A seed that diverged has a number, too, but not one to be chosen by.
            let whole =
                trials.iter().all(|trial| of(trial, metric.of).is_some() && phase(trial) != Phase::Divergent);
            whole.then(|| Group { label: label(&values), trials, metric, median, ends })
        };
        let mut ranked: Vec<Group<'_>> = groups.into_iter().filter_map(group).collect();
        let sign = if metric.is_loss { 1.0 } else { -1.0 };
        ranked.sort_by(|a, b| (sign * a.median).total_cmp(&(sign * b.median)));
        Groups { ranked, count }
    }
}

/// The keys' last words and their values, rounded.
fn label(values: &[(&str, &str)]) -> String {
    let value = |&(key, value): &(&str, &str)| {
        let number = value.parse::<f64>().ok();
        let short = number.filter(|number| number.fract() != 0.0).map(|number| shown(Some(number), 3));
        let key = symbol(key);
        format!("{key} = {}", short.as_deref().unwrap_or(value))
    };
    values.iter().map(value).collect::<Vec<_>>().join(", ")
}

pub(super) fn table(sweep: &Sweep, groups: &Groups<'_>) -> Numbers {
    let metric = Metric::of(sweep).name;
    let mut table = Numbers::new("The best", ["trials", metric, "over seeds", "phases", "c = η λ₀"]);
    for group in groups.ranked.iter().take(ROWS) {
        let mut phases: Vec<&str> = group.trials.iter().map(|trial| phase(trial).name()).collect();
        phases.sort_unstable();
        phases.dedup();
        let across = folded(&group.trials, c);
        table.row([
            group.label.clone(),
            shown(Some(group.median), 3),
            range(group.ends[0], group.ends[1], 3),
            phases.join(", "),
            across.map_or("–".into(), |(c, _)| shown(Some(c), 3)),
        ]);
    }
    table.note = format!(
        "{} of {} combinations ended with every seed finite; summary.csv has all trials.",
        groups.ranked.len(),
        groups.count
    );
    table
}

#[cfg(test)]
mod tests {
    use super::super::trained::Trained;
    use super::*;
    use etalon::sweep::{TrainRow, TrainScores};
    use etalon::train::Reason;

    #[test]
    fn rates_that_round_to_the_same_label_are_not_seeds_of_one() {
        let trial = |eta: &str, seed: &str, accuracy: f64| {
            let scores = TrainScores {
                phase: Phase::Lazy,
                stop: Reason::Budget,
                steps: 1,
                first_loss: 1.0,
                peak_loss: 1.0,
                peak_step: 0,
                start_loss: 1.0,
                train_loss: 0.5,
                train_accuracy: None,
                test_loss: 0.5,
                test_accuracy: Some(accuracy),
                constant_loss: 1.0,
            };
            let row = TrainRow { scores, curvature: None, groups: None, annealing: None, metric: None };
            let found = Trained { row, curve: Vec::new() };
            Done { name: format!("{eta}{seed}"), values: vec![eta.into(), seed.into()], found }
        };
        let trials = vec![
            trial("1.001", "0", 0.25),
            trial("1.001", "1", 0.25),
            trial("1.002", "0", 0.5),
            trial("1.002", "1", 0.5),
        ];
        let sweep = Sweep { keys: vec!["optimizer.eta".into(), "seed".into()], trials };
        let groups = Groups::of(&sweep);
        assert_eq!(groups.count, 2);
        let found: Vec<(f64, usize)> =
            groups.ranked.iter().map(|group| (group.median, group.trials.len())).collect();
        assert_eq!(found, [(0.5, 2), (0.25, 2)]);
    }
}
