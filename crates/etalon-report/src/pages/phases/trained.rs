//! What the page of a sweep of training keeps of a trial, and what it asks of some.

use crate::figure::{Point, thin};
use crate::pages::trials::taken;
use etalon::phase::Phase;
use etalon::statistics::median;
use etalon::sweep::{Finished, Rows, TrainRow, Trial};

/// Points that the curves of all trials may have together; each of them at least, where it has any, and at most.
const CURVES: (usize, usize, usize) = (100_000, 24, 160);

/// From the best to the worst: where seeds disagree and none has more, the worse one counts.
pub(super) const PHASES: [Phase; 4] = [Phase::Lazy, Phase::Catapult, Phase::Stuck, Phase::Divergent];

/// What is kept of a trial.
pub(crate) struct Trained {
    pub row: TrainRow,
    /// The loss of its steps, thinned.
    pub curve: Vec<(f64, f64)>,
}

/// A finished trial.
pub(super) type Done = Finished<Trained>;
/// All of them.
pub(super) type Sweep = Rows<Trained>;
/// A number of a trial; none where it was not taken or is not finite.
pub(super) type Number = fn(&TrainRow) -> Option<f64>;

impl Trained {
    /// What is kept of one of so many trials.
    pub(crate) fn new(trial: Trial<TrainRow>, trials: usize) -> Trained {
        let points = (CURVES.0 / trials.max(1)).min(CURVES.2);
        // With too few points each, none has a curve.
        let steps = if points < CURVES.1 { &[] } else { taken(&trial.records) };
        let point = |(step, loss)| Point { x: step as f64, y: loss, spread: None, hollow: false };
        let losses = steps.iter().map(|step| (step.step, step.loss.unwrap_or(f64::NAN)));
        let curve = thin(&losses.map(point).collect::<Vec<_>>(), points);
        Trained { row: trial.row, curve: curve.iter().map(|point| (point.x, point.y)).collect() }
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The rate in units of one over the NTK's eigenvalue at the start.
pub(super) fn c(row: &TrainRow) -> Option<f64> {
    row.curvature.as_ref()?.c
}

/// The same at the end.
pub(super) fn final_c(row: &TrainRow) -> Option<f64> {
    let curvature = row.curvature.as_ref()?;
    Some(curvature.c? * curvature.ntk_end? / curvature.ntk?)
}

/// The rate in units of one over the Hessian's eigenvalue at the start.
pub(super) fn c_h(row: &TrainRow) -> Option<f64> {
    let curvature = row.curvature.as_ref()?;
    Some(curvature.c? * curvature.hessian? / curvature.ntk?)
}

/// The same at the end.
pub(super) fn final_c_h(row: &TrainRow) -> Option<f64> {
    let curvature = row.curvature.as_ref()?;
    Some(curvature.c? * curvature.hessian_end? / curvature.ntk?)
}

pub(super) fn first_loss(row: &TrainRow) -> Option<f64> {
    finite(row.scores.first_loss)
}

pub(super) fn peak_loss(row: &TrainRow) -> Option<f64> {
    finite(row.scores.peak_loss)
}

pub(super) fn train_loss(row: &TrainRow) -> Option<f64> {
    finite(row.scores.train_loss)
}

pub(super) fn test_loss(row: &TrainRow) -> Option<f64> {
    finite(row.scores.test_loss)
}

pub(super) fn test_accuracy(row: &TrainRow) -> Option<f64> {
    row.scores.test_accuracy
}

pub(super) fn train_accuracy(row: &TrainRow) -> Option<f64> {
    row.scores.train_accuracy
}

pub(super) fn phase(trial: &Done) -> Phase {
    trial.found.row.scores.phase
}

pub(super) fn of(trial: &Done, number: Number) -> Option<f64> {
    number(&trial.found.row)
}

/// The median and the ends of what trials have; none where none has it.
pub(super) fn folded(trials: &[&Done], number: Number) -> Option<(f64, [f64; 2])> {
    let values: Vec<f64> = trials.iter().filter_map(|trial| of(trial, number)).collect();
    let ends = [f64::min, f64::max].map(|end| values.iter().copied().reduce(end));
    Some((median(values.iter().copied()), [ends[0]?, ends[1]?]))
}

/// The phase that most trials have, by its place in [`PHASES`].
pub(super) fn majority<'a>(trials: impl Iterator<Item = &'a &'a Done>) -> usize {
    let mut counts = [0; PHASES.len()];
    for trial in trials {
        // Networks have no other phase; what a file says beyond is no success.
        counts[PHASES.iter().position(|&known| known == phase(trial)).unwrap_or(2)] += 1;
    }
    // The last of equals.
    (0..counts.len()).max_by_key(|&index| counts[index]).unwrap_or(0)
}
