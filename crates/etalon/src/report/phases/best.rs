//! Which trials did best: those that differ in their seed alone are compared as one.

use super::trained::{Done, Number, Sweep, c, folded, of, phase};
use super::trained::{test_accuracy, test_loss, train_accuracy, train_loss};
use crate::phase::Phase;
use crate::report::content::{Numbers, range, shown};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of the table.
const ROWS: usize = 10;

/// By what trials are compared.
#[derive(Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub of: Number,
    /// Whether less of it is better.
    pub is_loss: bool,
}

impl Metric {
    /// The first that a trial of a sweep has.
    pub fn of(sweep: &Sweep) -> Metric {
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
pub struct Group<'a> {
    pub label: String,
    trials: Vec<&'a Done>,
    metric: Metric,
    median: f64,
    ends: [f64; 2],
}

impl Group<'_> {
    pub fn text(&self) -> String {
        let seeds = self.trials.len();
        let spread = match seeds {
            1 => "of one seed".into(),
            _ => format!("median of {seeds} seeds ({})", range(self.ends[0], self.ends[1], 3)),
        };
        format!("{} {}, {spread}", self.metric.name, shown(Some(self.median), 3))
    }
}

/// All groups whose every seed has the metric, the best first.
pub fn groups<'a>(sweep: &'a Sweep) -> Vec<Group<'a>> {
    let metric = Metric::of(sweep);
    let mut groups: BTreeMap<String, Vec<&Done>> = BTreeMap::new();
    for trial in &sweep.trials {
        let keys = sweep.keys.iter().zip(&trial.values).filter(|(key, _)| *key != "seed");
        let value = |(key, value): (&String, &String)| {
            let number = value.parse::<f64>().ok();
            let short = number.filter(|number| number.fract() != 0.0).map(|number| shown(Some(number), 3));
            let key = if key == "optimizer.eta" { "η" } else { key.rsplit('.').next().unwrap_or(key) };
            format!("{key} = {}", short.as_deref().unwrap_or(value))
        };
        groups.entry(keys.map(value).collect::<Vec<_>>().join(", ")).or_default().push(trial);
    }
    let group = |(label, trials): (String, Vec<&'a Done>)| {
        let (median, ends) = folded(&trials, metric.of)?;
        // A seed that diverged has a number, too, but not one to be chosen by.
        let whole =
            trials.iter().all(|trial| of(trial, metric.of).is_some() && phase(trial) != Phase::Divergent);
        whole.then_some(Group { label, trials, metric, median, ends })
    };
    let mut groups: Vec<Group<'_>> = groups.into_iter().filter_map(group).collect();
    let sign = if metric.is_loss { 1.0 } else { -1.0 };
    groups.sort_by(|a, b| (sign * a.median).total_cmp(&(sign * b.median)));
    groups
}

pub fn table(sweep: &Sweep) -> Numbers {
    let groups = groups(sweep);
    let metric = Metric::of(sweep).name;
    let mut table = Numbers::new("The best", ["trials", metric, "over seeds", "phases", "c = η λ₀"]);
    for group in groups.iter().take(ROWS) {
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
    let label = |trial: &Done| {
        let keys = sweep.keys.iter().zip(&trial.values).filter(|(key, _)| *key != "seed");
        keys.map(|(_, value)| value.clone()).collect::<Vec<String>>()
    };
    let all: BTreeSet<Vec<String>> = sweep.trials.iter().map(label).collect();
    table.note = format!(
        "{} of {} combinations ended with every seed finite; summary.csv has all trials.",
        groups.len(),
        all.len()
    );
    table
}
