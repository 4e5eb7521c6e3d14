//! The boundaries of early training of a network.

use super::train::check_memory;
use super::{JobError, Problem};
use crate::curvature::{CurvatureSettings, Ends, Instrument};
use crate::phase::boundaries::{C_H, EVENTS, first, unit};
use crate::phase::{Boundaries, DEFINITION};
use crate::theory::Range;
use crate::train::{Budget, Plan, PlanError, Task, Trial, trial_bytes};
use etalon_nn::Scalar;
use etalon_nn::optim::Optimizer;

/// Where to look for boundaries.
#[derive(Clone, Debug)]
pub struct BoundarySettings {
    /// The seeds of fresh networks.
    pub seeds: Vec<u64>,
    /// In which range of `c_h`, the rate in units of 1 / sharpness at the start, and how closely.
    pub range: Range,
    /// How sharpness is measured.
    pub curvature: CurvatureSettings,
}

impl Default for BoundarySettings {
    fn default() -> Self {
        let range = Range { low: 0.5, high: 64.0, steps: 14, tolerance: 0.05 };
        BoundarySettings { seeds: vec![0], range, curvature: CurvatureSettings::default() }
    }
}

/// The boundaries of a problem's network from the weights of each seed: with the problem's batches, optimiser and budget
/// (for `c_h_max`). What they mean is [`DEFINITION`].
///
/// # Errors
/// When the optimiser is no gradient descent, memory does not suffice, a start has no positive sharpness, or the range is
/// none.
pub fn boundaries<T: Scalar>(
    problem: &Problem<T>,
    settings: &BoundarySettings,
) -> Result<Vec<Boundaries>, JobError> {
    let search = BoundarySearch::new(problem, settings, true)?;
    check_memory(trial_bytes(problem.task(), problem.plan()), search.instrument())?;
    settings.seeds.iter().map(|&seed| search.of_seed(seed)).collect()
}

/// What the searches for the boundaries of one task have in common.
#[derive(Debug)]
pub(crate) struct BoundarySearch<'a, T> {
    task: &'a Task<T>,
    plan: &'a Plan,
    instrument: Instrument<'a, T>,
    range: Range,
    width: f64,
    parallel: bool,
}

impl<'a, T: Scalar> BoundarySearch<'a, T> {
    /// The search of a problem. With `parallel` it runs on rayon's threads; the bits are the same without.
    ///
    /// # Errors
    /// When the optimiser is no gradient descent.
    pub(crate) fn new(
        problem: &'a Problem<T>,
        settings: &BoundarySettings,
        parallel: bool,
    ) -> Result<Self, PlanError> {
        let (task, plan) = (problem.task(), problem.plan());
        if plan.optimizer.preconditions() {
            return Err(PlanError::NoSharpness(plan.optimizer.name()));
        }
        Ok(BoundarySearch {
            task,
            plan,
            instrument: Instrument::new(task, plan, &settings.curvature, parallel),
            range: settings.range,
            width: problem.architecture().map_or(f64::NAN, |known| known.width as f64),
            parallel,
        })
    }

    /// What it measures with.
    pub(crate) fn instrument(&self) -> &Instrument<'a, T> {
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
    pub(crate) fn of_seed(&self, seed: u64) -> Result<Boundaries, JobError> {
        let parameters: Vec<T> = self.task.network.layout().initialise(seed);
        let sharpness = unit(self.sharpness(&parameters))?;
        let start = |c_h: f64, plan| {
            Trial::from_parameters(self.task, plan, c_h / sharpness, seed, parameters.clone(), self.parallel)
        };
        let early = Plan { budget: Budget::Steps(DEFINITION.transient as u64), ..self.plan.clone() };
        // Whether what is measured at each of the first states stays below its start. Batches have losses of their own:
        // there it is the loss on the samples that curvature is measured on.
        let stays = |c_h: f64, of: Measure| -> Result<bool, JobError> {
            let mut trial = start(c_h, &early)?;
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
        let survives = |c_h: f64| -> Result<bool, JobError> {
            Ok(!start(c_h, self.plan)?.run(&mut |_, _| {}).stop.diverged())
        };
        Ok(Boundaries {
            seed: Some(seed),
            width: self.width,
            sharpness: Some(sharpness),
            resolution: self.range.ratio(),
            c_h_loss: first(&self.range, EVENTS[0], C_H, |c_h| stays(c_h, Measure::Loss))?,
            c_h_sharp: first(&self.range, EVENTS[1], C_H, |c_h| stays(c_h, Measure::Sharpness))?,
            c_h_max: first(&self.range, EVENTS[2], C_H, survives)?,
            divergence: None,
        })
    }
}

/// What is watched for a rise.
#[derive(Clone, Copy)]
enum Measure {
    Loss,
    Sharpness,
}
