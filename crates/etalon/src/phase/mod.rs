//! What a trajectory did: lazy, catapult, divergent or stuck, with the evidence.

pub mod boundaries;
mod divergence;
pub(crate) mod judge;
mod observe;
mod report;

pub use crate::theory::Phase;
pub use boundaries::{Boundaries, Boundary, DEFINITION, Definition, MapBoundaries, Side, map_boundaries};
pub use divergence::Divergence;
pub use judge::{Noise, lower, over_limit, raise};
pub use observe::{Observed, observe};
pub(crate) use observe::{observe_from, observe_phase};
pub use report::{Last, Score, Statistics, TrialReport};

use crate::train::{Stop, Trajectory};
use crate::units::significant;
use judge::{CLEAR, Evidence, FAR, LEAST, least_rise};
use serde::{Deserialize, Serialize};

/// Batches differ by themselves, by about one over the root of their size: where there are too few losses to tell, a rise
/// is this many times that.
const BATCH_RISE: f64 = 4.0;
/// A top NTK eigenvalue that ends below this share of its start has fallen; in the lazy phase of a wide network it
/// moves by O(1/width).
const FALL: f64 = 0.9;
/// A phase with what it was judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseVerdict {
    /// Lazy, catapult, divergent or stuck.
    pub phase: Phase,
    /// The reason in one sentence, with its numbers.
    pub why: String,
    /// What the peak is compared with: the loss of the first step's batch; where a batch is a part of the set and
    /// evaluation gives the loss of steps, `start_loss`, which is no single batch's luck.
    #[serde(deserialize_with = "crate::units::number")]
    pub first_loss: f64,
    /// The largest loss of any batch; none where one was no finite number.
    pub peak_loss: Option<f64>,
    /// The step of that batch.
    pub peak_step: u64,
    /// The loss of evaluation before the first step, on the samples that are looked at; none where it is no finite number.
    pub start_loss: Option<f64>,
    /// The loss of evaluation at the end, on the same samples; none where it is no finite number.
    pub final_loss: Option<f64>,
    /// The loss of the best constant predictor.
    #[serde(deserialize_with = "crate::units::number")]
    pub constant_loss: f64,
    /// The top NTK eigenvalue at the start.
    pub ntk_start: Option<f64>,
    /// The top NTK eigenvalue at the end.
    pub ntk_end: Option<f64>,
}

/// How a trajectory came about, as far as its judge must know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circumstances {
    /// Samples a step; none where every step saw the whole set.
    pub batch: Option<usize>,
    /// Whether the loss of a step is that of evaluation on its samples: see [`crate::train::Trial::is_plain`].
    pub plain: bool,
    /// The rate in units of the optimiser's limit of stability (2 / lambda0 without momentum), where curvature was
    /// measured.
    pub over_limit: Option<f64>,
}

/// Judges a trajectory.
///
/// Like is compared with like. Whether the loss rose is told by the losses of batches: the largest against the first, or
/// against their mean at the start, where evaluation gives it. Whether training got anywhere is told by the losses of
/// evaluation: the end against the start and the constant predictor. With batch normalisation, augmentation or noise the
/// two differ at one and the same point.
///
/// Robust to what misleads a reader of curves: a loss whose peak is its first value because the top direction carries
/// little of it (above the lazy limit, a fall of curvature tells), a dead network that looks stable (it is compared with
/// the constant predictor), batches that differ by themselves, NaN (it never passes a comparison).
pub fn classify(trajectory: &Trajectory, circumstances: Circumstances) -> PhaseVerdict {
    let Trajectory { peak_loss, peak_step, constant_loss, .. } = *trajectory;
    let (start_loss, final_loss) = (trajectory.start.loss, trajectory.train.loss);
    let first_loss = match circumstances {
        Circumstances { batch: Some(_), plain: true, .. } => start_loss,
        _ => trajectory.first_loss,
    };
    let measured = || trajectory.records.iter().filter_map(|record| record.ntk);
    let (ntk_start, ntk_end) = (measured().next(), measured().next_back());
    // What a log shows of itself, a trial does too: its judge must not know better. Full batches have no noise.
    let mut noise = Noise::default();
    trajectory.records.iter().filter_map(|record| record.loss).for_each(|loss| noise.push(loss));
    let least_rise = match (circumstances.batch, noise.share()) {
        (None, _) => 1.0 + LEAST,
        (Some(_), Some(noise)) => least_rise(noise, trajectory.steps).min(CLEAR),
        (Some(batch), None) => 1.0 + BATCH_RISE / (batch as f64).sqrt(),
    };
    let evidence = Evidence {
        first: first_loss,
        peak: if peak_step > 0 { peak_loss } else { first_loss },
        least_rise,
        start: start_loss,
        end: final_loss,
        constant: constant_loss,
    };
    let (rose, trained) = (evidence.rose(), evidence.trained());
    // It left its start behind for good: the peak is past.
    let far = final_loss > FAR * start_loss && 2 * peak_step < trajectory.steps;
    // Below the limit curvature moves too, by feature learning.
    let above = circumstances.over_limit.is_some_and(|ratio| ratio >= 1.0);
    let fell = above && matches!((ntk_start, ntk_end), (Some(start), Some(end)) if end < FALL * start);
    let number = |value: f64| significant(value, 3);
    let (start, last) = (number(start_loss), number(final_loss));
    let fold = number(peak_loss / first_loss);
    let rise = format!("the loss of a batch rose {fold}-fold to {} at step {peak_step}", number(peak_loss));
    let fall = || match (ntk_start, ntk_end) {
        (Some(start), Some(end)) => {
            format!("the top NTK eigenvalue went from {} to {}", number(start), number(end))
        }
        _ => "curvature was not measured".into(),
    };
    let constant = format!("{last} against the constant predictor's {}", number(constant_loss));
    // A run may come back to the loss of its start by chance: then others that were recorded differ, where they are of the same
    // samples.
    let is_still = trajectory.records.iter().all(|record| {
        let (looked, batch) = (record.train.map(|metrics| metrics.loss), record.loss);
        looked.is_none_or(|loss| loss == start_loss)
            && (circumstances.batch.is_some()
                || !circumstances.plain
                || batch.is_none_or(|loss| loss == trajectory.first_loss))
    });
    let (phase, why) = if trajectory.stop.diverged() || !final_loss.is_finite() {
        (Phase::Divergent, trajectory.stop.to_string())
    } else if matches!(trajectory.stop, Stop::Dead { .. }) {
        (Phase::Stuck, trajectory.stop.to_string())
    } else if far {
        (Phase::Divergent, format!("{rise}, and stays at {last}"))
    } else if !rose && final_loss == start_loss && trajectory.steps > 0 {
        let why = match is_still {
            true => format!(
                "nothing moved: the loss is {last} after the last step as before the first; raise the rate"
            ),
            false => format!("the loss moved and came back to {last}, where it began"),
        };
        (Phase::Stuck, why)
    } else if evidence.is_stuck() {
        (Phase::Stuck, format!("the final loss is {constant}"))
    } else if rose {
        (Phase::Catapult, format!("{rise}; at the end the loss has gone from {start} to {last}; {}", fall()))
    } else if fell {
        (Phase::Catapult, format!("{}, while the loss went from {start} to {last}", fall()))
    } else if trained {
        (Phase::Lazy, format!("the loss fell from {start} to {last} without a rise; {}", fall()))
    } else {
        (Phase::Lazy, format!("the loss fell without a rise, but not far yet: {constant}"))
    };
    let finite = |value: f64| value.is_finite().then_some(value);
    PhaseVerdict {
        phase,
        why,
        first_loss,
        peak_loss: finite(peak_loss),
        peak_step,
        start_loss: finite(start_loss),
        final_loss: finite(final_loss),
        constant_loss,
        ntk_start,
        ntk_end,
    }
}

#[cfg(test)]
mod tests;
