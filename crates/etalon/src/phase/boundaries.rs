//! The operational boundaries of early training: the learning rates at which the loss first rises, at which sharpness
//! first rises, and at which training first diverges.
//!
//! Source: Kalra and Barkeshli 2023 (phase diagram of early training dynamics), section 3. They are measured in
//! `c_h = eta sharpness_0`, with the largest Hessian eigenvalue at the start; the paper calls that c, which everywhere
//! else here is `eta lambda_0` with the NTK's. They are found by a walk up and bisection in log `c_h`, the last one of a
//! map by a scan too. What "early" and "diverges" mean is a choice; [`DEFINITION`] is ours, and goes with every result.

use super::divergence::{Divergence, divergence};
use crate::theory::{Bracket, Map, Phase, Range, RunSettings, ScalarLoss, State as MapState, TheoryError};
use crate::theory::{narrow, walk};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the boundaries mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Changes when anything below does.
    pub version: u32,
    /// Steps that count as early.
    pub transient: usize,
    /// A rise is one above this many times the start, so that rounding is none.
    pub rise: f64,
    /// What the unit `c_h` is, in words.
    pub c_h: Cow<'static, str>,
    /// What `c_h_loss` is, where the loss first rises.
    pub c_h_loss: Cow<'static, str>,
    /// What `c_h_sharp` is, where sharpness first rises.
    pub c_h_sharp: Cow<'static, str>,
    /// What `c_h_max` is, where training first diverges.
    pub c_h_max: Cow<'static, str>,
}

/// The definition in use.
pub const DEFINITION: Definition = Definition {
    version: 2,
    transient: 10,
    rise: 1.0 + 1e-6,
    c_h: Cow::Borrowed("the learning rate times the largest Hessian eigenvalue at the start"),
    c_h_loss: Cow::Borrowed(
        "the smallest c_h tried at which the training loss exceeds its start in the first 10 steps",
    ),
    c_h_sharp: Cow::Borrowed(
        "the smallest c_h tried at which the largest Hessian eigenvalue exceeds its start in the first 10 steps",
    ),
    c_h_max: Cow::Borrowed(
        "the smallest c_h tried at which the loss passes the limit of divergence within the steps of a run; \
              there may be smaller ones between those tried, and windows of survival above",
    ),
};

/// Where a boundary lies. As JSON: `accepted` and `refused`, or `side` and `reason`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Boundary {
    /// Between two values of `c_h`, the accepted one being the smaller: it does not happen there, nor anywhere below that
    /// was tried, and it does happen at the refused one.
    Between(Bracket),
    /// Not in the range.
    Outside {
        /// Where it lies, if there is one.
        side: Side,
        /// What was seen instead.
        reason: String,
    },
}

/// A side of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It happens at the lower end already.
    Below,
    /// It happens at nothing that was tried up to the upper end.
    Above,
    /// Nothing tells whether it happens.
    Unknown,
}

impl Boundary {
    /// The geometric mean of its two values of `c_h`; none outside the range.
    pub fn middle(&self) -> Option<f64> {
        match self {
            Self::Between(bracket) => Some(bracket.middle()),
            Self::Outside { .. } => None,
        }
    }

    /// That of an `event` that happens at the lower end of the range of a `unit`.
    fn below(event: &str, unit: &str, range: &Range) -> Self {
        let reason = format!("{event} already at {unit} = {}, the lower end of the range", range.low);
        Self::Outside { side: Side::Below, reason }
    }

    /// That of an `event` that the walk up the range has not met.
    fn above(event: &str, unit: &str, range: &Range) -> Self {
        let Range { low, high, steps, .. } = range;
        let reason =
            format!("{event} at none of the {} values of {unit} tried from {low} to {high}", steps + 1);
        Self::Outside { side: Side::Above, reason }
    }
}

/// The unit of the boundaries.
pub(crate) const C_H: &str = "c_h";

/// What happens at each boundary, in the order of [`Boundaries::each`].
pub const EVENTS: [&str; 3] = ["the loss rises", "sharpness rises", "training diverges"];

/// The three boundaries for one start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boundaries {
    /// The seed of the start; none for a map, which has no randomness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The width; NaN where it is not known.
    #[serde(deserialize_with = "crate::units::number")]
    pub width: f64,
    /// The largest Hessian eigenvalue at the start. None where a log has none: then what is called `c_h` below is the rate.
    pub sharpness: Option<f64>,
    /// The ratio of neighbouring values of `c_h` that were tried on the walk up the range: what comes and goes within less
    /// is not seen.
    pub resolution: f64,
    /// `c_h` where the loss starts to rise.
    pub c_h_loss: Boundary,
    /// `c_h` where sharpness starts to rise.
    pub c_h_sharp: Boundary,
    /// `c_h` where training starts to diverge.
    pub c_h_max: Boundary,
    /// The scan about `c_h_max`. None where that lies outside the range, and for networks, whose every rate costs a run of
    /// training: there `resolution` is all that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Divergence>,
}

impl Boundaries {
    /// Where the loss starts to rise, sharpness does, training starts to diverge.
    pub fn each(&self) -> [&Boundary; 3] {
        [&self.c_h_loss, &self.c_h_sharp, &self.c_h_max]
    }
}

/// The boundaries of a map at several widths, from one start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapBoundaries {
    /// What the boundaries mean.
    pub definition: Definition,
    /// The loss of the map's one output.
    pub loss: ScalarLoss,
    /// Output and NTK that all runs start from.
    pub start: MapState,
    /// The boundaries, width by width.
    pub boundaries: Vec<Boundaries>,
}

/// The sharpness at the start, in whose inverse rates are measured.
///
/// # Errors
/// When it is not positive and finite.
pub(crate) fn unit(sharpness: f64) -> Result<f64, TheoryError> {
    match sharpness > 0.0 && sharpness.is_finite() {
        true => Ok(sharpness),
        false => Err(TheoryError::OutOfRange {
            name: "sharpness",
            got: sharpness,
            range: "positive and finite at the start",
        }),
    }
}

/// The smallest value of a `unit`, such as `c_h`, tried at which `event` happens, where `stays` says that it does not.
pub(crate) fn first<E: From<TheoryError>>(
    range: &Range,
    event: &str,
    unit: &str,
    mut stays: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Boundary, E> {
    range.check()?;
    if !stays(range.low)? {
        // Where it ceases to happen further up is no such boundary.
        return Ok(Boundary::below(event, unit, range));
    }
    let Some(ends) = walk(range, true, &mut stays)? else { return Ok(Boundary::above(event, unit, range)) };
    let [accepted, refused] = narrow(ends, range.tolerance, true, stays)?;
    Ok(Boundary::Between(Bracket { accepted, refused }))
}

/// The boundaries of a map, from `start`, in `range` of `c_h`. The scan about the edge of divergence runs on rayon's
/// threads; the bits are the same for any number of them.
///
/// # Errors
/// Those of [`Map::new`] and [`Map::run`]; a range that is none; a start without positive sharpness.
pub fn map_boundaries(
    loss: ScalarLoss,
    width: f64,
    start: MapState,
    range: &Range,
    settings: &RunSettings,
) -> Result<Boundaries, TheoryError> {
    let sharpness = unit(Map::new(loss, 1.0, width)?.sharpness(start))?;
    let at = |c_h: f64| Map::new(loss, c_h / sharpness, width);
    let early = |c_h: f64, measure: &dyn Fn(&Map, MapState) -> f64| {
        let map = at(c_h)?;
        // A start that cannot be is refused here, where it would pass unseen.
        map.run(start, &RunSettings { max_steps: 1, ..*settings })?;
        let limit = DEFINITION.rise * measure(&map, start);
        // What is not a number has risen.
        Ok(map.states(start).take(DEFINITION.transient + 1).all(|state| measure(&map, state) <= limit))
    };
    let value = |_: &Map, state: MapState| loss.value(state.f);
    let sharp = |map: &Map, state: MapState| map.sharpness(state);
    let survives = |c_h: f64| Ok(at(c_h)?.run(start, settings)?.phase != Phase::Divergent);
    let c_h_loss = first(range, EVENTS[0], C_H, |c_h| early(c_h, &value))?;
    let c_h_sharp = first(range, EVENTS[1], C_H, |c_h| early(c_h, &sharp))?;
    let (c_h_max, divergence) = match first(range, EVENTS[2], C_H, survives)? {
        Boundary::Between(edge) => {
            let (edge, seen) = divergence(range, edge, survives)?;
            (Boundary::Between(edge), Some(seen))
        }
        outside => (outside, None),
    };
    let resolution = range.ratio();
    Ok(Boundaries {
        seed: None,
        width,
        sharpness: Some(sharpness),
        resolution,
        c_h_loss,
        c_h_sharp,
        c_h_max,
        divergence,
    })
}

#[cfg(test)]
mod tests;
