//! A rate from curvature at the start, before any training.

use super::JobError;
use super::starts::Start;
use crate::curvature::{CurvatureSettings, Ends, Instrument};
use crate::search::Provisional;
use crate::train::{Budget, Plan, Task};
use crate::units::significant;
use etalon_nn::Scalar;
use etalon_nn::optim::{Optimizer, Rule, Sgd};

/// The fewest samples that place a rate well enough: their noise is less than a climb's first step.
const FEWEST: usize = 32;
/// The share of a training's samples that are taken. At some sixteen products of the price of two gradients each, the guess
/// costs an eighth of the training at most.
const SHARE: f64 = 1.0 / 256.0;
/// The rate where there is no curvature to go by.
const BLIND: f64 = 0.1;

/// `2 sqrt(1 - momentum) / (lambda + weight decay)`, with the largest eigenvalue of the Hessian at a start: below the limit of
/// a heavy ball, which few networks bear for long. Of any other optimiser its own limit of stability, in its coordinates
/// where it has a preconditioner.
pub(super) fn provisional<T: Scalar>(
    task: &Task<T>,
    plan: &Plan,
    curvature: &CurvatureSettings,
    start: &Start<T>,
) -> Result<Provisional, JobError> {
    let few = CurvatureSettings { samples: samples(task, plan, curvature.samples), ..curvature.clone() };
    let instrument = Instrument::new(task, plan, &few, true);
    let mut reading = instrument.at(&start[0]);
    let preconditioned = reading.preconditioned(None)?;
    let of = if preconditioned.is_some() { "preconditioned Hessian" } else { "Hessian" };
    let spectrum = match preconditioned {
        Some(spectrum) => spectrum,
        None => reading.hessian(Ends::Largest, 1)?,
    };
    let top = spectrum.largest.first().filter(|top| top.value > 0.0 && top.value.is_finite());
    let samples = instrument.samples();
    let products = spectrum.applications;
    let Some(top) = top else {
        return Ok(Provisional {
            eta: BLIND,
            rule: format!("no positive curvature on {samples} samples at the start: a rate to begin with"),
            lambda: None,
            residual: None,
            samples,
            products,
        });
    };
    let (eta, formula) = match (plan.optimizer, plan.weight_decay) {
        (Rule::Sgd(Sgd { momentum, .. }), decay) => {
            let formula = match (momentum > 0.0, decay > 0.0) {
                (false, false) => "2 / lambda",
                (false, true) => "2 / (lambda + weight decay)",
                (true, false) => "2 sqrt(1 - momentum) / lambda",
                (true, true) => "2 sqrt(1 - momentum) / (lambda + weight decay)",
            };
            (2.0 * (1.0 - momentum).sqrt() / (top.value + decay), formula.to_string())
        }
        (other, _) => {
            let formula = other.stability().map(|stability| stability.formula("lambda"));
            (plan.stability_limit(top.value).unwrap_or(BLIND), formula.unwrap_or_default())
        }
    };
    Ok(Provisional {
        eta,
        rule: format!(
            "{formula}, lambda = {} the largest eigenvalue of the {of} on {samples} samples at the start; of curvature there \
             and not of what training makes of it",
            significant(top.value, 3)
        ),
        lambda: Some(top.value),
        residual: Some(top.residual),
        samples,
        products,
    })
}

/// On how many samples curvature is measured: the fewer, the shorter a training is.
fn samples<T: Scalar>(task: &Task<T>, plan: &Plan, most: usize) -> usize {
    // A budget of physical time has its steps from the rate, which is not known yet.
    let steps =
        plan.steps(1.0, task.train.len).ok().filter(|_| !matches!(plan.budget, Budget::PhysicalTime(_)));
    let share = steps.map_or(f64::INFINITY, |steps| SHARE * steps as f64 * plan.batch as f64);
    (share as usize).max(FEWEST).min(most)
}
