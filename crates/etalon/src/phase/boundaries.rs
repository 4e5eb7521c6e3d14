//! The operational boundaries of early training: the learning rates at which the loss first rises, at which sharpness
//! first rises, and at which training first diverges.
//!
//! Source: Kalra and Barkeshli 2023 (phase diagram of early training dynamics), section 3. They are measured in
//! `c = eta sharpness_0`, with the largest Hessian eigenvalue at the start, and found by a walk up and bisection in
//! log c. What "early" and "diverges" mean is a choice; [`DEFINITION`] is ours, and goes with every result.

use crate::theory::{Bracket, Map, Range, ScalarLoss, TheoryError, first_change};
use crate::theory::{RunSettings, State as MapState};
use serde::Serialize;

/// What the boundaries mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Definition {
    /// Changes when anything below does.
    pub version: u32,
    /// Steps that count as early.
    pub transient: usize,
    /// A rise is one above this many times the start, so that rounding is none.
    pub rise: f64,
    /// The boundary `c_loss`.
    pub c_loss: &'static str,
    /// The boundary `c_sharp`.
    pub c_sharp: &'static str,
    /// The boundary `c_max`.
    pub c_max: &'static str,
}

/// The definition in use.
pub const DEFINITION: Definition = Definition {
    version: 1,
    transient: 10,
    rise: 1.0 + 1e-6,
    c_loss: "the smallest c at which the training loss exceeds its start in the first 10 steps",
    c_sharp: "the smallest c at which the largest Hessian eigenvalue exceeds its start in the first 10 steps",
    c_max: "the smallest c at which the loss passes the limit of divergence within the steps of a run",
};

/// The three boundaries for one start, each between two values of `c`; none where the range holds no change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Boundaries {
    /// The seed of the start; none for a map, which has no randomness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The width; NaN where it is not known.
    pub width: f64,
    /// The largest Hessian eigenvalue at the start.
    pub sharpness: f64,
    /// `c` where the loss starts to rise.
    pub c_loss: Option<Bracket>,
    /// `c` where sharpness starts to rise.
    pub c_sharp: Option<Bracket>,
    /// `c` where training starts to diverge.
    pub c_max: Option<Bracket>,
}

/// A change that is not there is an answer, not a failure.
pub(crate) fn found<E>(
    result: Result<Bracket, E>,
    absent: impl Fn(&E) -> bool,
) -> Result<Option<Bracket>, E> {
    match result {
        Ok(bracket) => Ok(Some(bracket)),
        Err(error) if absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The boundaries of a map, from `start`, in `range` of `c`.
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
    let sharpness = Map::new(loss, 1.0, width)?.sharpness(start);
    if !(sharpness > 0.0 && sharpness.is_finite()) {
        let (name, range) = ("sharpness", "positive and finite at the start");
        return Err(TheoryError::OutOfRange { name, got: sharpness, range });
    }
    let at = |c: f64| Map::new(loss, c / sharpness, width);
    let early = |c: f64, measure: &dyn Fn(&Map, MapState) -> f64| {
        let map = at(c)?;
        // A start that cannot be is refused here, where it would pass unseen.
        map.run(start, &RunSettings { max_steps: 1, ..*settings })?;
        let limit = DEFINITION.rise * measure(&map, start);
        // What is not a number has risen.
        Ok(map.states(start).take(DEFINITION.transient + 1).all(|state| measure(&map, state) <= limit))
    };
    let absent = |error: &TheoryError| matches!(error, TheoryError::NoBoundary { .. });
    let value = |_: &Map, state: MapState| loss.value(state.f);
    let sharp = |map: &Map, state: MapState| map.sharpness(state);
    Ok(Boundaries {
        seed: None,
        width,
        sharpness,
        c_loss: found(first_change(range, |c| early(c, &value)), absent)?,
        c_sharp: found(first_change(range, |c| early(c, &sharp)), absent)?,
        c_max: found(
            first_change(range, |c| {
                let diverged = at(c)?.run(start, settings)?.phase == crate::theory::Phase::Divergent;
                Ok::<bool, TheoryError>(!diverged)
            }),
            absent,
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSE: ScalarLoss = ScalarLoss::Mse { target: 0.0 };

    fn range(steps: usize) -> Range {
        Range { low: 0.3, high: 16.0, steps, tolerance: 1e-4 }
    }

    #[test]
    fn on_a_wide_map_the_loss_rises_at_two_and_training_ends_at_four() {
        let start = MapState { f: 0.01, lambda: 2.0 };
        let found = map_boundaries(
            MSE,
            1e6,
            start,
            &range(100),
            &RunSettings { max_steps: 5000, ..Default::default() },
        )
        .unwrap();
        // f is tiny, so that the Hessian's top is that of the NTK.
        assert!((found.sharpness - 2.0).abs() < 1e-4);
        assert!((found.c_loss.unwrap().middle() - 2.0).abs() < 1e-3);
        assert!((found.c_max.unwrap().middle() - 4.0).abs() < 1e-3);
        // In ten steps a wide network's loss has not grown to where its curvature answers: only close to four has it.
        let sharp = found.c_sharp.unwrap().middle();
        assert!(sharp > 2.0 && sharp < 4.0, "{sharp}");
        assert_eq!(found.seed, None);
    }

    #[test]
    fn a_boundary_beyond_the_range_is_none() {
        let narrow = Range { low: 0.3, high: 1.0, steps: 5, tolerance: 1e-2 };
        let start = MapState { f: 1.0, lambda: 2.0 };
        let found = map_boundaries(MSE, 1e4, start, &narrow, &RunSettings::default()).unwrap();
        assert_eq!((found.c_loss, found.c_sharp, found.c_max), (None, None, None));
    }

    #[test]
    fn starts_and_ranges_that_mean_nothing_are_refused() {
        let ask = |f: f64, lambda: f64, range: &Range| {
            map_boundaries(MSE, 100.0, MapState { f, lambda }, range, &RunSettings::default())
                .unwrap_err()
                .to_string()
        };
        assert!(ask(100.0, 2.0, &range(5)).contains("no network of width 100"));
        assert!(ask(1.0, 2.0, &Range { low: -1.0, ..range(5) }).contains("low = -1"));
        assert!(ask(0.0, 0.0, &range(5)).contains("sharpness = 0"));
    }
}
