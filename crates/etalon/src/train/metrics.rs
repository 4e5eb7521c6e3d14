//! How good outputs are.

use super::groups::fix;
use super::{Groups, Samples, Task};
use crate::data::{Fixed, Group};
use etalon_nn::{Batch, Loss, Scalar, Workspace};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Loss and accuracy on a set, in evaluation: batch normalisation takes its running statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The mean loss.
    #[serde(deserialize_with = "crate::units::number")]
    pub loss: f64,
    /// The share of samples whose class is the one predicted; none where targets are no classes. An output
    /// that is not a number predicts nothing.
    pub accuracy: Option<f64>,
}

/// Takes metrics of one set again and again, without allocating.
#[derive(Debug)]
pub(super) struct Gauge<'a, T: Clone> {
    task: &'a Task<T>,
    inputs: Cow<'a, [T]>,
    targets: &'a [T],
    /// The group of each sample; empty without patches.
    groups: Vec<Group>,
    outputs: Vec<T>,
    workspace: Workspace<T>,
}

impl<'a, T: Scalar> Gauge<'a, T> {
    /// Of samples as they are.
    pub(super) fn new(task: &'a Task<T>, batch: Batch<'a, T>, parallel: bool) -> Self {
        let Batch { inputs, targets } = batch;
        let rows = inputs.len() / task.network.input_len();
        let outputs = vec![T::ZERO; rows * task.network.output_len()];
        let workspace = Workspace::for_outputs(&task.network, rows, parallel);
        Gauge { task, inputs: inputs.into(), targets, groups: Vec::new(), outputs, workspace }
    }

    /// Of the first training samples, with patches, drawn once, on those that have one.
    pub(super) fn of_training(task: &'a Task<T>, samples: usize, parallel: bool) -> Self {
        let mut gauge = Gauge::new(task, task.train.first(samples), parallel);
        if let Some(patches) = &task.patches {
            let (inputs, groups) = fix(&patches.patch, Fixed::Train, &gauge.inputs, task.network.input_len());
            (gauge.inputs, gauge.groups) = (inputs.into(), groups);
        }
        gauge
    }

    /// The metrics at a point, with these running statistics.
    pub(super) fn take(&mut self, parameters: &[T], running: &[T]) -> Metrics {
        let network = &self.task.network;
        network.outputs(parameters, running, &self.inputs, &mut self.workspace, &mut self.outputs);
        let scale = network.output_len() as f64 / self.outputs.len() as f64;
        let loss = self.task.loss.value(network.output_len(), scale, &self.outputs, self.targets);
        let share = || accuracy(&self.outputs, self.targets, network.output_len());
        Metrics { loss, accuracy: self.task.classes.then(share) }
    }

    /// The metrics of each group, where metrics were taken last; none without patches.
    pub(super) fn groups(&self) -> Option<Groups> {
        let of = |group: Group| {
            let (mut loss, mut right, mut count) = (0.0, 0u32, 0u32);
            let members = self.rows().zip(&self.groups).filter(|&(_, &other)| other == group);
            for ((output, target), _) in members {
                loss += self.task.loss.value(output.len(), 1.0, output, target);
                right += u32::from(is_right(output, target));
                count += 1;
            }
            let count = count as f64;
            (count > 0.0).then_some(Metrics { loss: loss / count, accuracy: Some(f64::from(right) / count) })
        };
        (!self.groups.is_empty()).then(|| Groups {
            unpatched: of(Group::Unpatched),
            patched: of(Group::Patched),
            patch_only: of(Group::PatchOnly),
            ..Groups::default()
        })
    }

    /// Outputs that were taken last, and targets.
    fn rows(&self) -> impl Iterator<Item = (&[T], &[T])> {
        let width = self.task.network.output_len();
        self.outputs.chunks_exact(width).zip(self.targets.chunks_exact(width))
    }

    /// Adds what each sample is worth at the outputs that were taken last: 1 where it is right, or without classes its loss.
    pub(super) fn add_scores(&self, to: &mut [f64]) {
        let Task { loss, classes, .. } = self.task;
        for ((output, target), to) in self.rows().zip(to) {
            *to += if *classes {
                f64::from(u8::from(is_right(output, target)))
            } else {
                loss.value(output.len(), 1.0, output, target)
            };
        }
    }

    /// Whether every output that was taken last is finite.
    pub(super) fn finite(&self) -> bool {
        self.task.network.all_finite(&self.outputs)
    }

    /// Whether all samples had the same outputs when metrics were last taken.
    pub(super) fn constant(&self) -> bool {
        all_the_same(&self.outputs, self.task.network.output_len())
    }

    /// Whether its samples can be told apart: outputs of the same inputs are the same in every state.
    pub(super) fn can_tell(&self) -> bool {
        !all_the_same(&self.inputs, self.task.network.input_len())
    }
}

fn all_the_same<T: PartialEq>(rows: &[T], width: usize) -> bool {
    rows.chunks_exact(width).all(|row| row == &rows[..width])
}

/// The share of samples whose class is the one predicted. `outputs` and `targets` have `width` numbers a sample, one after the
/// other; a single number is of the class of its sign. A tie is no prediction. NaN without a sample; `width` is at least 1.
pub fn accuracy<T: Scalar>(outputs: &[T], targets: &[T], width: usize) -> f64 {
    let pairs = outputs.chunks_exact(width).zip(targets.chunks_exact(width));
    let right = pairs.filter(|(output, target)| is_right(output, target)).count();
    right as f64 / (outputs.len() / width) as f64
}

/// The share of the most frequent class among targets, with so many outputs each: the accuracy of the best constant
/// prediction.
pub(crate) fn majority<'a, T: Scalar>(targets: impl Iterator<Item = &'a [T]>) -> f64 {
    let mut counts = BTreeMap::<Vec<bool>, usize>::new();
    let mut all = 0;
    for row in targets {
        *counts.entry(row.iter().map(|&share| share > T::ZERO).collect()).or_default() += 1;
        all += 1;
    }
    counts.into_values().max().unwrap_or_default() as f64 / f64::from(all.max(1))
}

fn is_right<T: Scalar>(output: &[T], target: &[T]) -> bool {
    if let ([f], [y]) = (output, target) {
        return *f * *y > T::ZERO;
    }
    let class =
        (0..target.len()).fold(0, |best, class| if target[class] > target[best] { class } else { best });
    // A tie is no prediction: a network with constant outputs must not score by the order of its classes.
    output.iter().enumerate().all(|(other, &f)| other == class || f < output[class])
}

/// The loss of the best constant prediction: what a network that ignores its input can reach.
pub(super) fn constant_predictor<T: Scalar>(loss: Loss, samples: &Samples<T>) -> f64 {
    let width = samples.targets.len() / samples.len;
    let mean = |of: &dyn Fn(f64) -> f64, output: usize| -> f64 {
        let column = samples.targets.iter().skip(output).step_by(width);
        column.map(|target| of(target.to_f64())).sum::<f64>() / samples.len as f64
    };
    let entropy = |share: f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
    let positive = mean(&|target| f64::from(target > 0.0), 0);
    match loss {
        Loss::Mse => (0..width)
            .map(|output| {
                let center = mean(&|target| target, output);
                0.5 * mean(&|target| (target - center) * (target - center), output)
            })
            .sum(),
        Loss::CrossEntropy => (0..width).map(|output| entropy(mean(&|target| target, output))).sum(),
        Loss::Logistic => entropy(positive) + entropy(1.0 - positive),
        Loss::Exponential => 2.0 * (positive * (1.0 - positive)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_or_a_nan_is_not_right() {
        assert!(is_right(&[0.1, 0.3, 0.2], &[0.0, 1.0, 0.0]));
        assert!(!is_right(&[0.3, 0.1, 0.2], &[0.0, 1.0, 0.0]));
        assert!(!is_right(&[0.3, 0.3, 0.2], &[0.0, 1.0, 0.0]));
        assert!(!is_right(&[f64::NAN, 0.3, 0.2], &[0.0, 1.0, 0.0]));
        assert!(!is_right(&[0.0, f64::NAN, 0.2], &[0.0, 1.0, 0.0]));
        assert!(is_right(&[2.0], &[1.0]) && is_right(&[-2.0], &[-1.0]) && !is_right(&[0.0], &[1.0]));
    }

    #[test]
    fn the_best_constant_has_the_closed_form_of_its_loss() {
        let samples =
            |targets: &[f64], len| Samples { inputs: vec![0.0; len], targets: targets.to_vec(), len };
        let signs = samples(&[1.0, 1.0, 1.0, -1.0], 4);
        let entropy = -(0.75f64 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        assert!((constant_predictor(Loss::Logistic, &signs) - entropy).abs() < 1e-15);
        assert!(
            (constant_predictor(Loss::Exponential, &signs) - 2.0 * (0.75f64 * 0.25).sqrt()).abs() < 1e-15
        );
        // Variance 3/4, halved.
        assert!((constant_predictor(Loss::Mse, &signs) - 0.375).abs() < 1e-15);
        let one_hot = samples(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 4);
        assert!((constant_predictor(Loss::CrossEntropy, &one_hot) - entropy).abs() < 1e-15);
    }
}
