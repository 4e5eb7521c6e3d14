//! The operational boundaries of early training: the learning rates at which the loss first rises, at which sharpness
//! first rises, and at which training first diverges.
//!
//! Source: Kalra and Barkeshli 2023 (phase diagram of early training dynamics), section 3. They are measured in
//! `c = eta sharpness_0`, with the largest Hessian eigenvalue at the start, and found by a walk up and bisection in
//! log c. What "early" and "diverges" mean is a choice; [`DEFINITION`] is ours, and goes with every result.

use crate::curvature::{Ends, Instrument};
use crate::error::Error;
use crate::spec::{Budget, Spec};
use crate::theory::{Bracket, Map, Range, ScalarLoss, TheoryError, first_change};
use crate::theory::{RunSettings, State as MapState};
use crate::train::{Plan, PlanError, Task, Trial};
use etalon_nn::Scalar;
use etalon_nn::optim::Optimizer;
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
    /// The width.
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
fn found<E>(result: Result<Bracket, E>, absent: impl Fn(&E) -> bool) -> Result<Option<Bracket>, E> {
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

/// The boundaries of the spec's network from the weights of each seed, in the spec's range of `c`: with the spec's
/// batches, optimiser and number of steps (for `c_max`), and curvature on its `measure.samples`.
///
/// # Errors
/// When the spec makes no task, plan or instrument; a range that is none.
pub fn network_boundaries<T: Scalar>(spec: &Spec, seeds: &[u64]) -> Result<Vec<Boundaries>, Error> {
    let task = Task::<T>::new(spec)?;
    let search = BoundarySearch::new(spec, &task, true)?;
    seeds.iter().map(|&seed| search.of_seed(seed)).collect()
}

/// What the searches for the boundaries of one task have in common.
#[derive(Debug)]
pub struct BoundarySearch<'a, T> {
    task: &'a Task<T>,
    plan: Plan,
    instrument: Instrument<'a, T>,
    range: Range,
    width: f64,
    parallel: bool,
}

impl<'a, T: Scalar> BoundarySearch<'a, T> {
    /// The search of a spec for its task. With `parallel` it runs on rayon's threads; the bits are the same without.
    ///
    /// # Errors
    /// When the spec makes no plan or instrument for the task.
    pub fn new(spec: &Spec, task: &'a Task<T>, parallel: bool) -> Result<Self, PlanError> {
        let [low, high] = spec.boundaries.range;
        let range = Range { low, high, steps: spec.boundaries.points, tolerance: spec.boundaries.tolerance };
        let (plan, instrument) = (Plan::new(spec, task)?, Instrument::new(spec, task, parallel)?);
        if plan.optimizer.preconditions() {
            return Err(PlanError::NoSharpness(plan.optimizer.name()));
        }
        Ok(BoundarySearch { task, plan, instrument, range, width: spec.network.width as f64, parallel })
    }

    /// How it trains.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it measures with.
    pub fn instrument(&self) -> &Instrument<'a, T> {
        &self.instrument
    }

    /// The largest eigenvalue of the Hessian; NaN where there is none.
    fn sharpness(&self, parameters: &[T]) -> f64 {
        if !parameters.iter().all(|parameter| parameter.is_finite()) {
            return f64::NAN;
        }
        let spectrum = self.instrument.at(parameters).hessian(Ends::Largest, 1);
        spectrum.ok().and_then(|found| Some(found.largest.first()?.value)).unwrap_or(f64::NAN)
    }

    /// The boundaries from the weights of a seed.
    ///
    /// # Errors
    /// A start without positive sharpness; a range that is none.
    pub fn of_seed(&self, seed: u64) -> Result<Boundaries, Error> {
        let parameters: Vec<T> = self.task.network.layout().initialise(seed);
        let sharpness = self.sharpness(&parameters);
        if !(sharpness > 0.0 && sharpness.is_finite()) {
            let (name, range) = ("sharpness", "positive and finite at the start");
            return Err(TheoryError::OutOfRange { name, got: sharpness, range }.into());
        }
        let start = |c: f64, plan| {
            Trial::from_parameters(self.task, plan, c / sharpness, seed, parameters.clone(), self.parallel)
        };
        let early = Plan { budget: Budget::Steps(DEFINITION.transient as u64), ..self.plan.clone() };
        // Whether what is measured at each of the first states stays below its start. Batches have losses of their own:
        // there it is the loss on the samples that curvature is measured on.
        let stays = |c: f64, of: Measure| -> Result<bool, Error> {
            let mut trial = start(c, &early)?;
            let mut limit = None;
            for _ in 0..=DEFINITION.transient {
                let at = |trial: &Trial<'_, T>| match of {
                    Measure::Loss => self.instrument.at(trial.parameters()).loss(),
                    Measure::Sharpness => self.sharpness(trial.parameters()),
                };
                let measured = match of {
                    Measure::Loss if trial.is_full_batch() => None,
                    _ => Some(at(&trial)),
                };
                let (loss, stop) = trial.step();
                let value = measured.unwrap_or(loss);
                // So written that NaN is above every limit.
                if stop.is_some() || !(value <= *limit.get_or_insert(DEFINITION.rise * value)) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let absent = |error: &Error| matches!(error, Error::Theory(TheoryError::NoBoundary { .. }));
        let rise = |of: Measure| match stays(self.range.low, of)? {
            true => found(first_change(&self.range, |c| stays(c, of)), absent),
            // It rises at the lowest rate already: where it ceases to is no such boundary.
            false => Ok(None),
        };
        let survives = |c: f64| -> Result<bool, Error> {
            Ok(!start(c, &self.plan)?.run(&mut |_, _| {}).stop.diverged())
        };
        Ok(Boundaries {
            seed: Some(seed),
            width: self.width,
            sharpness,
            c_loss: rise(Measure::Loss)?,
            c_sharp: rise(Measure::Sharpness)?,
            c_max: found(first_change(&self.range, survives), absent)?,
        })
    }
}

/// What is watched for a rise.
#[derive(Clone, Copy)]
enum Measure {
    Loss,
    Sharpness,
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

    #[test]
    fn a_networks_boundaries_are_those_of_its_map() {
        // One sample, one input, two linear layers: the map itself.
        let overrides = [
            "loss=mse",
            "precision=f64",
            "data.name=point",
            "network.depth=1",
            "network.width=64",
            "network.activation=identity",
            "network.parametrization=ntk",
            "network.init=lecun",
            "network.bias=false",
            "train.steps=300",
            "measure.tolerance=1e-10",
            "boundaries.range=[0.5, 8.0]",
            "boundaries.points=6",
            "boundaries.tolerance=0.01",
        ];
        let spec = Spec::load(None, &overrides.map(String::from)).unwrap();
        let [low, high] = spec.boundaries.range;
        let range = Range { low, high, steps: spec.boundaries.points, tolerance: spec.boundaries.tolerance };
        let network = network_boundaries::<f64>(&spec, &[1, 2]).unwrap();
        for (found, seed) in network.iter().zip([1, 2]) {
            assert_eq!((found.seed, found.width), (Some(seed), 64.0));
            let weights: Vec<f64> = Task::<f64>::new(&spec).unwrap().network.layout().initialise(seed);
            let (u, v) = weights.split_at(64);
            let sum = |pairs: &mut dyn Iterator<Item = f64>| pairs.sum::<f64>();
            let f = sum(&mut u.iter().zip(v).map(|(u, v)| u * v)) / 8.0;
            let lambda = sum(&mut weights.iter().map(|w| w * w)) / 64.0;
            let settings = RunSettings { max_steps: 300, ..RunSettings::default() };
            let map = map_boundaries(MSE, 64.0, MapState { f, lambda }, &range, &settings).unwrap();
            assert!((found.sharpness / map.sharpness - 1.0).abs() < 1e-8);
            let close = |a: Option<Bracket>, b: Option<Bracket>| {
                let (a, b) = (a.unwrap().middle(), b.unwrap().middle());
                assert!((a / b - 1.0).abs() < 0.02, "{a} against {b}");
            };
            close(found.c_loss, map.c_loss);
            close(found.c_sharp, map.c_sharp);
            close(found.c_max, map.c_max);
        }
    }
}
