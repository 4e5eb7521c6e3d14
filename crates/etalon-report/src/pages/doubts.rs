//! Where a spec leaves the ground on which 2/lambda and 4/lambda stand.

use super::folder::Folder;
use etalon::units::significant;
use etalon_nn::optim::{Optimizer, Rule};

/// Each of the assumptions of the thresholds that a spec does not meet: plain gradient descent at a constant rate on the
/// squared loss of a network without normalisation, all samples at every step.
pub(super) fn doubts(folder: &Folder) -> Vec<String> {
    let number = |path: &str| {
        folder.key(path).and_then(|value| value.as_float().or_else(|| value.as_integer().map(|n| n as f64)))
    };
    let word = |path: &str| folder.key(path).and_then(|value| value.as_str());
    let mut doubts = Vec::new();
    if !["mse", ""].contains(&folder.loss()) {
        doubts.push(format!(
            "The catapult's upper end 4/λ is that of the squared loss; for {} no closed form is known, and the curvature \
             of the loss itself changes during training.",
            folder.loss().replace('_', "-")
        ));
    }
    if let Some(batch) = folder.key("train.batch").filter(|batch| batch.as_str() != Some("full")) {
        doubts.push(format!(
            "Batches of {batch} samples: a batch's own curvature is larger than that of all samples on average, so that \
             the loss may rise earlier than 2/λ says."
        ));
    }
    let optimizer = folder.optimizer().filter(|rule| rule.name() != Rule::default().name());
    let preconditions = optimizer.as_ref().is_some_and(|rule| rule.preconditions());
    let of = if preconditions { ", with λ of the Hessian in its coordinates, P^-1/2 H P^-1/2" } else { "" };
    if let Some(stability) = optimizer.and_then(|rule| rule.stability().ok()) {
        doubts.push(format!(
            "The optimiser ({}): its limit of stability is {}, which is {}/λ, instead of 2/λ{of}, and nobody knows the \
             catapult's upper end.",
            stability.assumes(),
            stability.formula("λ"),
            significant(stability.limit(1.0), 3)
        ));
    }
    if let Some(kind) = word("schedule.kind").filter(|&kind| kind != "constant") {
        doubts.push(format!("The rate follows a schedule ({kind}): a phase is defined at a constant rate."));
    }
    if let Some(normalizer) = word("network.normalizer").filter(|&normalizer| normalizer != "none") {
        doubts.push(format!(
            "Normalisation ({normalizer}): the scale of the weights before it does not change the outputs, and \
             curvature falls as they grow."
        ));
    }
    if let Some(decay) = number("optimizer.weight_decay").filter(|&decay| decay != 0.0) {
        doubts.push(format!("Weight decay {decay}: curvature is that of the loss alone."));
    }
    doubts
}
