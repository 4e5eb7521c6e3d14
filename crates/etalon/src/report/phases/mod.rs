//! Sweeps of training: which phase at which rate and size, and how well it went there.

mod best;
mod figures;
mod slice;

use super::content::Content;
use super::doubts::doubts;
use super::folder::Folder;
use super::sweep::{Done, Sweep};
use crate::statistics::median;
use best::groups;
use slice::slices;
use std::collections::BTreeMap;

/// Slices of one page that have figures.
const SLICES: usize = 6;

/// From the best to the worst: where seeds disagree and none has more, the worse one counts.
const PHASES: [&str; 4] = ["lazy", "catapult", "stuck", "divergent"];

/// What a sweep of training says.
pub fn content(sweep: &Sweep, folder: &Folder) -> Content {
    let mut content = Content::default();
    let slices = slices(sweep);
    verdict(sweep, &mut content);
    for slice in slices.iter().take(SLICES) {
        content.figures.push(figures::diagram(slice, folder));
        content.figures.extend(figures::score(slice, best::metric(sweep)));
        content.figures.extend(figures::final_curvature(slice));
        content.figures.extend(figures::losses(slice, sweep, folder));
    }
    if slices.len() > SLICES {
        content.notes.push(format!(
            "The first {SLICES} of {} combinations of the other keys have figures.",
            slices.len()
        ));
    }
    content.notes.push(
        "The small loss curves keep their ends and their peaks; the trials' files have every recorded step."
            .into(),
    );
    content.doubts = doubts(folder);
    content.tables.push(best::table(sweep));
    content
}

fn phase(trial: &Done) -> &str {
    trial.result.get("phase").and_then(|phase| phase.as_str()).unwrap_or("stuck")
}

fn of(trial: &Done, name: &str) -> Option<f64> {
    trial.result.get(name)?.as_f64()
}

/// The median and the ends of what trials have; none where none has it.
fn folded(trials: &[&Done], name: &str) -> Option<(f64, [f64; 2])> {
    let values: Vec<f64> = trials.iter().filter_map(|trial| of(trial, name)).collect();
    let ends = [f64::min, f64::max].map(|end| values.iter().copied().reduce(end));
    Some((median(values.iter().copied()), [ends[0]?, ends[1]?]))
}

/// The phase that most trials have.
fn majority<'a>(trials: impl Iterator<Item = &'a &'a Done>) -> usize {
    let mut counts = [0; 4];
    for trial in trials {
        counts[PHASES.iter().position(|&name| name == phase(trial)).unwrap_or(2)] += 1;
    }
    // The last of equals.
    (0..4).max_by_key(|&index| counts[index]).unwrap_or(0)
}

fn verdict(sweep: &Sweep, content: &mut Content) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    sweep.done.iter().for_each(|trial| *counts.entry(phase(trial)).or_default() += 1);
    let parts = PHASES.iter().filter_map(|phase| Some(format!("{} {phase}", counts.get(phase)?)));
    let phases = parts.collect::<Vec<_>>().join(", ");
    let best = groups(sweep).into_iter().next();
    content.answer = match &best {
        Some(group) => format!("best: {}", group.label),
        None => phases.clone(),
    };
    content.interval = best.map_or(String::new(), |group| group.text());
    content.fact("phases", Some(phases));
}
