//! A rate from curvature at the start, before any training.

use super::JobError;
use super::starts::Start;
use crate::curvature::{CurvatureSettings, Ends, Instrument};
use crate::search::Provisional;
use crate::train::{Budget, Plan, Task};
use crate::units::significant;
use etalon_nn::Scalar;
use etalon_nn::optim::{Rule, Sgd};

/// The fewest samples that place a rate well enough: their noise is less than a climb's first step.
const FEWEST: usize = 32;
/// The share of a training's samples that are taken. At some sixteen products of the price of two gradients each, the guess
/// costs an eighth of the training at most.
const SHARE: f64 = 1.0 / 256.0;
/// The rate where there is no curvature to go by.
const BLIND: f64 = 0.1;

/// Of an optimiser with a preconditioner: the share of the step along its first update by which the loss would fall furthest.
/// The best rates of five tasks with AdamW lay at .2 to 2.6 times that step, .6 in the geometric mean.
const FIRST_STEP: f64 = 0.5;

/// `2 sqrt(1 - momentum) / (lambda + weight decay)`, with the largest eigenvalue of the Hessian at a start: below the limit of
/// a heavy ball, which few networks bear for long. Of an optimiser with a preconditioner, half the step that is best along its
/// first update.
pub(super) fn provisional<T: Scalar>(
    task: &Task<T>,
    plan: &Plan,
    curvature: &CurvatureSettings,
    start: &Start<T>,
) -> Result<Provisional, JobError> {
    let few = CurvatureSettings { samples: samples(task, plan, curvature.samples), ..curvature.clone() };
    let instrument = Instrument::new(task, plan, &few, true);
    let mut reading = instrument.at(&start[0]);
    let samples = instrument.samples();
    let (guess, products) = match plan.optimizer {
        Rule::Sgd(Sgd { momentum, .. }) => {
            let decay = plan.weight_decay;
            let formula = match (momentum > 0.0, decay > 0.0) {
                (false, false) => "2 / lambda",
                (false, true) => "2 / (lambda + weight decay)",
                (true, false) => "2 sqrt(1 - momentum) / lambda",
                (true, true) => "2 sqrt(1 - momentum) / (lambda + weight decay)",
            };
            let spectrum = reading.hessian(Ends::Largest, 1)?;
            let top = spectrum.largest.first().filter(|top| top.value > 0.0 && top.value.is_finite());
            let guess = top.map(|top| Guess {
                eta: 2.0 * (1.0 - momentum).sqrt() / (top.value + decay),
                formula,
                lambda: top.value,
                of: "the largest eigenvalue of the Hessian",
                residual: Some(top.residual),
            });
            (guess, spectrum.applications)
        }
        Rule::AdamW(_) => {
            let guess = reading.along_first_update().map(|lambda| Guess {
                eta: FIRST_STEP / lambda,
                formula: "1 / (2 lambda)",
                lambda,
                of: "the curvature along the first update",
                residual: None,
            });
            (guess, 1)
        }
    };
    let guess = guess.filter(|guess| guess.eta.is_normal());
    let (eta, rule) = match &guess {
        Some(Guess { eta, formula, lambda, of, .. }) => {
            let lambda = significant(*lambda, 3);
            let rule = format!(
                "{formula}, lambda = {lambda} {of} on {samples} samples at the start; of curvature there and not of what training \
                 makes of it"
            );
            (*eta, rule)
        }
        None => {
            (BLIND, format!("no positive curvature on {samples} samples at the start: a rate to begin with"))
        }
    };
    Ok(Provisional {
        eta,
        rule,
        lambda: guess.as_ref().map(|guess| guess.lambda),
        residual: guess.and_then(|guess| guess.residual),
        samples,
        products,
    })
}

/// A rate from curvature.
struct Guess {
    eta: f64,
    formula: &'static str,
    lambda: f64,
    /// What `lambda` is.
    of: &'static str,
    residual: Option<f64>,
}

/// On how many samples curvature is measured: the fewer, the shorter a training is.
fn samples<T: Scalar>(task: &Task<T>, plan: &Plan, most: usize) -> usize {
    // A budget of physical time has its steps from the rate, which is not known yet.
    let steps =
        plan.steps(1.0, task.train.len).ok().filter(|_| !matches!(plan.budget, Budget::PhysicalTime(_)));
    let share = steps.map_or(f64::INFINITY, |steps| SHARE * steps as f64 * plan.batch as f64);
    (share as usize).max(FEWEST).min(most)
}
