//! What a trajectory did: lazy, catapult, divergent or stuck, with the evidence.

pub mod boundaries;
mod divergence;
mod job;
mod observe;

pub use boundaries::{
    Boundaries, Boundary, BoundarySearch, DEFINITION, Definition, Side, map_boundaries, network_boundaries,
};
pub use divergence::Divergence;
pub use job::{Last, Report, TrainOptions, train};
pub use observe::{Observed, observe};

use crate::train::{Stop, Trajectory};
use crate::units::significant;
use serde::Serialize;

/// A phase of training at a constant rate (2003.02218, section 1), and a fourth that the paper does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The loss never rose above its start and curvature stayed: below 2 / lambda0.
    Lazy,
    /// The loss rose or curvature fell, and training settled all the same.
    Catapult,
    /// The loss left its limit, or the numbers.
    Divergent,
    /// Neither: finite, but no better than a predictor that ignores its input.
    Stuck,
}

/// Where every batch is the whole set, only rounding makes the loss rise below the threshold.
const FULL_RISE: f64 = 1.001;
/// Batches differ by themselves, by about one over the root of their size: a rise is this many times that.
const BATCH_RISE: f64 = 4.0;
/// A top NTK eigenvalue that ends below this share of its start has fallen; in the lazy phase of a wide network it
/// moves by O(1/width).
const FALL: f64 = 0.9;
/// A final loss below this share of the best constant predictor's counts as trained.
const TRAINED: f64 = 0.9;

/// A phase with what it was judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The phase.
    pub phase: Phase,
    /// The reason in one sentence, with its numbers.
    pub why: String,
    /// The loss before the first step: the first batch's where that is the whole set, else that of the samples that are
    /// looked at.
    pub first_loss: f64,
    /// The largest loss of any batch; none where one was no finite number.
    pub peak_loss: Option<f64>,
    /// The step of that batch.
    pub peak_step: u64,
    /// The final loss on the samples that are looked at; none where it is no finite number.
    pub final_loss: Option<f64>,
    /// The loss of the best constant predictor.
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
    /// The rate in units of the lazy limit (2 / lambda0 without momentum), where curvature was measured.
    pub over_limit: Option<f64>,
}

/// Judges a trajectory.
///
/// Robust to what misleads a reader of curves: a loss whose peak is its first value because the top direction carries
/// little of it (above the lazy limit, a fall of curvature tells), a dead network that looks stable (it is compared with
/// the constant predictor), batches that differ by themselves, NaN (it never passes a comparison).
pub fn classify(trajectory: &Trajectory, circumstances: Circumstances) -> Verdict {
    let Trajectory { peak_loss, peak_step, constant_loss, .. } = *trajectory;
    let final_loss = trajectory.train.loss;
    let first_loss = match circumstances.batch {
        None => trajectory.first_loss,
        Some(_) => trajectory.start.loss,
    };
    let measured = || trajectory.records.iter().filter_map(|record| record.ntk);
    let (ntk_start, ntk_end) = (measured().next(), measured().next_back());
    let threshold = circumstances.batch.map_or(FULL_RISE, |batch| 1.0 + BATCH_RISE / (batch as f64).sqrt());
    let rose = peak_step > 0 && peak_loss > threshold * first_loss;
    // Below the limit curvature moves too, by feature learning.
    let above = circumstances.over_limit.is_some_and(|ratio| ratio >= 1.0);
    let fell = above && matches!((ntk_start, ntk_end), (Some(start), Some(end)) if end < FALL * start);
    // Where one value fits all samples, the constant predictor is no yardstick.
    let yardstick = if constant_loss > 1e-12 * first_loss { constant_loss } else { first_loss };
    let trained = final_loss < TRAINED * yardstick;
    let number = |value: f64| significant(value, 3);
    let (first, last) = (number(first_loss), number(final_loss));
    let fold = number(peak_loss / first_loss);
    let rise = format!("the loss rose {fold}-fold to {} at step {peak_step}", number(peak_loss));
    let fall = || match (ntk_start, ntk_end) {
        (Some(start), Some(end)) => {
            format!("the top NTK eigenvalue went from {} to {}", number(start), number(end))
        }
        _ => "curvature was not measured".into(),
    };
    let constant = format!("{last} against the constant predictor's {}", number(constant_loss));
    let (phase, why) = if trajectory.stop.diverged() || !final_loss.is_finite() {
        (Phase::Divergent, trajectory.stop.to_string())
    } else if matches!(trajectory.stop, Stop::Dead { .. }) {
        (Phase::Stuck, trajectory.stop.to_string())
    } else if !trained && (rose || final_loss > FULL_RISE * first_loss) {
        (Phase::Stuck, format!("the final loss is {constant}"))
    } else if rose {
        (Phase::Catapult, format!("{rise}, then fell to {last}; {}", fall()))
    } else if fell {
        (Phase::Catapult, format!("{}, while the loss fell to {last}", fall()))
    } else if trained {
        (Phase::Lazy, format!("the loss fell from {first} to {last} without a rise; {}", fall()))
    } else {
        (Phase::Lazy, format!("the loss fell without a rise, but not far yet: {constant}"))
    };
    Verdict {
        phase,
        why,
        first_loss,
        peak_loss: peak_loss.is_finite().then_some(peak_loss),
        peak_step,
        final_loss: final_loss.is_finite().then_some(final_loss),
        constant_loss,
        ntk_start,
        ntk_end,
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Lazy => "lazy",
            Phase::Catapult => "catapult",
            Phase::Divergent => "divergent",
            Phase::Stuck => "stuck",
        })
    }
}

#[cfg(test)]
mod tests;
