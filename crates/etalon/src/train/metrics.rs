//! How good outputs are.

use super::groups::fix;
use super::{Goal, Groups, Samples, Task};
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
    /// Those of the samples that were looked at last.
    outputs: Vec<T>,
    /// How many these are: the first so many.
    seen: usize,
    workspace: Workspace<T>,
}

/// A look that may end early goes on by so many samples: whole slices of the engine, of which the longest has as many.
const AT_ONCE: usize = 256;

impl<'a, T: Scalar> Gauge<'a, T> {
    /// Of samples as they are.
    pub(super) fn new(task: &'a Task<T>, batch: Batch<'a, T>, parallel: bool) -> Self {
        let Batch { inputs, targets } = batch;
        let rows = inputs.len() / task.network.input_len();
        let outputs = vec![T::ZERO; rows * task.network.output_len()];
        let workspace = Workspace::for_outputs(&task.network, rows, parallel);
        Gauge { task, inputs: inputs.into(), targets, groups: Vec::new(), outputs, seen: rows, workspace }
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
        self.seen = 0;
        self.see(self.samples(), parameters, running);
        self.metrics()
    }

    /// As [`Gauge::take`], but of the first samples alone where they tell that the goal is missed whatever the others are:
    /// so many are wrong, or so large is the sum of the losses. The metrics are then those of the samples that were seen,
    /// and miss the goal too; whether outputs of the others are finite is left to later batches and looks.
    pub(super) fn take_unless_missed(&mut self, parameters: &[T], running: &[T], goal: Goal) -> Metrics {
        self.seen = 0;
        loop {
            self.see(AT_ONCE, parameters, running);
            // Outputs that are all the same mean a dead network, which all samples have to show.
            if self.seen == self.samples() || self.misses(goal) && !self.constant() {
                return self.metrics();
            }
        }
    }

    /// Looks at so many samples more, or at all that there are.
    fn see(&mut self, more: usize, parameters: &[T], running: &[T]) {
        let network = &self.task.network;
        let (takes, gives) = (network.input_len(), network.output_len());
        let (from, to) = (self.seen, self.samples().min(self.seen + more));
        let outputs = &mut self.outputs[from * gives..to * gives];
        let inputs = &self.inputs[from * takes..to * takes];
        network.outputs(parameters, running, inputs, &mut self.workspace, outputs);
        self.seen = to;
    }

    fn metrics(&self) -> Metrics {
        let (outputs, targets) = self.pairs();
        let width = self.task.network.output_len();
        let loss = self.task.loss.value(width, 1.0 / self.seen as f64, outputs, targets);
        Metrics { loss, accuracy: self.task.classes.then(|| accuracy(outputs, targets, width)) }
    }

    /// Whether the samples that were seen tell that all of them miss the goal.
    fn misses(&self, Goal { metric, threshold }: Goal) -> bool {
        let (outputs, targets) = self.pairs();
        let (width, all) = (self.task.network.output_len(), self.samples());
        if metric.is_accuracy() {
            let possible = all - self.seen + right(outputs, targets, width);
            return (possible as f64 / all as f64) < threshold;
        }
        // No loss is below 0, so that a sum only grows; in another order it may be smaller by its rounding.
        self.task.loss.value(width, 1.0 / all as f64, outputs, targets) > threshold + 1e-6 * threshold.abs()
    }

    fn samples(&self) -> usize {
        self.targets.len() / self.task.network.output_len()
    }

    /// Outputs that were taken last, and targets.
    fn pairs(&self) -> (&[T], &[T]) {
        let numbers = self.seen * self.task.network.output_len();
        (&self.outputs[..numbers], &self.targets[..numbers])
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

    /// The same, sample by sample.
    fn rows(&self) -> impl Iterator<Item = (&[T], &[T])> {
        let width = self.task.network.output_len();
        let (outputs, targets) = self.pairs();
        outputs.chunks_exact(width).zip(targets.chunks_exact(width))
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
        self.task.network.all_finite(self.pairs().0)
    }

    /// Whether all samples had the same outputs when metrics were last taken.
    pub(super) fn constant(&self) -> bool {
        all_the_same(self.pairs().0, self.task.network.output_len())
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
    right(outputs, targets, width) as f64 / (outputs.len() / width) as f64
}

/// How many samples have their class predicted.
fn right<T: Scalar>(outputs: &[T], targets: &[T], width: usize) -> usize {
    let pairs = outputs.chunks_exact(width).zip(targets.chunks_exact(width));
    pairs.filter(|(output, target)| is_right(output, target)).count()
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
    use crate::spec::Spec;
    use crate::train::Metric;

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
    fn a_look_ends_where_the_goal_is_missed_whatever_comes() {
        for (loss, metric) in [("mse", Metric::TrainLoss), ("cross_entropy", Metric::TrainAccuracy)] {
            let text = format!(
                "loss = \"{loss}\"\ndata = {{ train = 1000, test = 20, shrink = 4 }}\nnetwork.width = 8\n"
            );
            let task = Spec::parse(&text).unwrap().task::<f32>().unwrap();
            let mut gauge = Gauge::of_training(&task, 1000, false);
            let fresh = task.network.layout().initialise(0);
            let value = |Metrics { loss, accuracy }: Metrics| {
                if metric.is_accuracy() { -accuracy.unwrap() } else { loss }
            };
            let whole = gauge.take(&fresh, &[]);
            let mut seen = Vec::new();
            for share in [0.5, 0.8, 0.99, 0.999999, 1.0, 1.000001, 1.01, 1.25, 2.0, 9.0] {
                let least = share * value(whole);
                let look = gauge.take_unless_missed(&fresh, &[], Goal { metric, threshold: least.abs() });
                assert_eq!(value(look) <= least, value(whole) <= least, "{share}");
                assert!(gauge.seen < 1000 || look == whole, "{share}");
                seen.push(gauge.seen);
            }
            assert!(seen.contains(&1000) && seen.iter().any(|&seen| seen <= 768), "{seen:?}");
            // That a network is dead all samples have to show.
            let unreachable = Goal { metric, threshold: if metric.is_accuracy() { 2.0 } else { 0.0 } };
            gauge.take_unless_missed(&vec![0.0; fresh.len()], &[], unreachable);
            assert!(gauge.seen == 1000 && gauge.constant());
        }
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
