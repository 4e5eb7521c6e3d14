//! Which trials did best: those that differ in their seed alone are compared as one.

use super::{folded, of, phase};
use crate::report::content::{Numbers, range, shown};
use crate::report::sweep::{Done, Sweep};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of the table.
const ROWS: usize = 10;

/// Trials that differ in their seed alone, and how well they did.
pub struct Group<'a> {
    pub label: String,
    trials: Vec<&'a Done>,
    metric: &'static str,
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
        format!("{} {}, {spread}", self.metric.replace('_', " "), shown(Some(self.median), 3))
    }
}

/// All groups whose every seed has the metric, the best first.
pub fn groups<'a>(sweep: &'a Sweep) -> Vec<Group<'a>> {
    let metric = metric(sweep);
    let mut groups: BTreeMap<String, Vec<&Done>> = BTreeMap::new();
    for trial in &sweep.done {
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
        let (median, ends) = folded(&trials, metric)?;
        // A seed that diverged has a number, too, but not one to be chosen by.
        let whole = trials.iter().all(|trial| of(trial, metric).is_some() && phase(trial) != "divergent");
        whole.then_some(Group { label, trials, metric, median, ends })
    };
    let mut groups: Vec<Group<'_>> = groups.into_iter().filter_map(group).collect();
    let sign = if metric.ends_with("accuracy") { -1.0 } else { 1.0 };
    groups.sort_by(|a, b| (sign * a.median).total_cmp(&(sign * b.median)));
    groups
}

/// By what trials are compared.
pub fn metric(sweep: &Sweep) -> &'static str {
    let has = |name: &&&str| sweep.done.iter().any(|trial| of(trial, name).is_some());
    ["test_accuracy", "train_accuracy", "test_loss"].iter().find(has).copied().unwrap_or("train_loss")
}

pub fn table(sweep: &Sweep) -> Numbers {
    let groups = groups(sweep);
    let metric = metric(sweep).replace('_', " ");
    let mut table = Numbers::new("The best", ["trials", &metric, "over seeds", "phases", "c = η λ₀"]);
    for group in groups.iter().take(ROWS) {
        let mut phases: Vec<&str> = group.trials.iter().map(|trial| phase(trial)).collect();
        phases.sort_unstable();
        phases.dedup();
        let c = folded(&group.trials, "c");
        table.row([
            group.label.clone(),
            shown(Some(group.median), 3),
            range(group.ends[0], group.ends[1], 3),
            phases.join(", "),
            c.map_or("–".into(), |(c, _)| shown(Some(c), 3)),
        ]);
    }
    let label = |trial: &Done| {
        let keys = sweep.keys.iter().zip(&trial.values).filter(|(key, _)| *key != "seed");
        keys.map(|(_, value)| value.clone()).collect::<Vec<String>>()
    };
    let all: BTreeSet<Vec<String>> = sweep.done.iter().map(label).collect();
    table.note = format!(
        "{} of {} combinations ended with every seed finite; summary.csv has all trials.",
        groups.len(),
        all.len()
    );
    table
}
