//! Sweeps of training: which phase at which rate and size, and how well it went there.

mod best;
mod figures;
mod slice;
mod trained;

pub(super) use trained::Trained;

use super::content::Content;
use super::doubts::doubts;
use super::folder::Folder;
use best::{Groups, Metric};
use slice::slices;
use std::collections::BTreeMap;
use trained::{PHASES, Sweep, phase};

/// Slices of one page that have figures.
const SLICES: usize = 6;

/// What a sweep of training says.
pub(super) fn content(sweep: &Sweep, folder: &Folder) -> Content {
    let mut content = Content::default();
    let (slices, metric, groups) = (slices(sweep), Metric::of(sweep), Groups::of(sweep));
    let loss = folder.loss_kind();
    verdict(sweep, &groups, &mut content);
    for slice in slices.iter().take(SLICES) {
        content.figures.push(figures::diagram(slice, folder));
        content.figures.extend(figures::score(slice, &metric, loss));
        content.figures.extend(figures::final_curvature(slice, loss));
        content.figures.extend(figures::losses(slice, folder));
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
    content.tables.push(best::table(sweep, &groups));
    content
}

fn verdict(sweep: &Sweep, groups: &Groups<'_>, content: &mut Content) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    sweep.trials.iter().for_each(|trial| *counts.entry(phase(trial).name()).or_default() += 1);
    let parts = PHASES.iter().filter_map(|phase| Some(format!("{} {phase}", counts.get(phase.name())?)));
    let phases = parts.collect::<Vec<_>>().join(", ");
    let best = groups.ranked.first();
    content.answer = match best {
        Some(group) if !group.label.is_empty() => format!("best: {}", group.label),
        // Where seeds alone differ, none is best.
        _ => phases.clone(),
    };
    content.interval = best.map_or(String::new(), |group| group.text());
    content.fact("phases", Some(phases));
}
