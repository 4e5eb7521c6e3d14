//! Groups of samples that differ in whether they have a patch: how well each is predicted, and when it was learnt.

use super::{Metrics, Samples};
use crate::data::{Fixed, Group, Patch};
use etalon_nn::Scalar;
use serde::{Deserialize, Serialize};

/// Patches on the training samples, and the held-out samples with them.
#[derive(Clone, Debug)]
pub struct Patches<T> {
    /// The patches.
    pub patch: Patch,
    /// The inputs of the held-out set in the shares of the training set, with patches drawn once.
    pub mixed: Vec<T>,
    /// A patch alone for each sample of the held-out set, drawn once.
    pub only: Vec<T>,
}

impl<T: Scalar> Patches<T> {
    pub(crate) fn new(patch: Patch, test: &Samples<T>) -> Self {
        let fixed = |whose| fix(&patch, whose, &test.inputs, test.inputs.len() / test.len).0;
        Patches { mixed: fixed(Fixed::Test), only: fixed(Fixed::TestOnly), patch }
    }
}

/// Inputs as an evaluation sees them, and their groups.
pub(super) fn fix<T: Scalar>(
    patch: &Patch,
    whose: Fixed,
    inputs: &[T],
    width: usize,
) -> (Vec<T>, Vec<Group>) {
    let mut inputs = inputs.to_vec();
    let images = inputs.chunks_exact_mut(width).enumerate();
    let groups = images.map(|(index, image)| patch.fix(whose, index, image)).collect();
    (inputs, groups)
}

/// Metrics of each group; none of a group without samples, and of held-out samples where they are not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Training images that never have a patch.
    pub unpatched: Option<Metrics>,
    /// Training images with a patch.
    pub patched: Option<Metrics>,
    /// Patches alone, of the training samples' classes.
    pub patch_only: Option<Metrics>,
    /// Held-out images in the shares of the training set.
    pub test_mixed: Option<Metrics>,
    /// Patches alone, of the held-out samples' classes.
    pub test_patch_only: Option<Metrics>,
}

impl Groups {
    /// Each group with its name in tables and figures.
    pub fn named(&self) -> [(&'static str, Option<Metrics>); 5] {
        let Groups { unpatched, patched, patch_only, test_mixed, test_patch_only } = *self;
        [
            ("unpatched", unpatched),
            ("patched", patched),
            ("patch_only", patch_only),
            ("test_mixed", test_mixed),
            ("test_patch_only", test_patch_only),
        ]
    }
}

/// The step of the first look at which each group of training samples was predicted well enough; none: at no look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntAt {
    /// Images that never have a patch.
    pub unpatched: Option<u64>,
    /// Images with a patch.
    pub patched: Option<u64>,
    /// Patches alone.
    pub patch_only: Option<u64>,
}

/// The order in which a trial has learnt the groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// The accuracy from which on a group counts as learnt.
    pub threshold: f64,
    /// The first look at which each group was learnt.
    pub learnt_at: LearntAt,
    /// The metrics at the end.
    #[serde(rename = "final")]
    pub last: Groups,
}

impl Learning {
    pub(super) fn new(threshold: f64) -> Self {
        Learning { threshold, learnt_at: LearntAt::default(), last: Groups::default() }
    }

    /// Takes in a look after so many steps. Held-out metrics that it does not have stay those of the look before.
    pub(super) fn follow(&mut self, step: u64, groups: Groups) {
        let well = |metrics: Option<Metrics>| {
            metrics.and_then(|metrics| metrics.accuracy).is_some_and(|accuracy| accuracy >= self.threshold)
        };
        let LearntAt { unpatched, patched, patch_only } = &mut self.learnt_at;
        for (at, metrics) in
            [(unpatched, groups.unpatched), (patched, groups.patched), (patch_only, groups.patch_only)]
        {
            if at.is_none() && well(metrics) {
                *at = Some(step);
            }
        }
        let before = self.last;
        self.last = Groups {
            test_mixed: groups.test_mixed.or(before.test_mixed),
            test_patch_only: groups.test_patch_only.or(before.test_patch_only),
            ..groups
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(accuracy: f64) -> Option<Metrics> {
        Some(Metrics { loss: 1.0, accuracy: Some(accuracy) })
    }

    #[test]
    fn a_group_is_learnt_at_the_first_look_that_reaches_the_threshold() {
        let mut learning = Learning::new(0.6);
        learning.follow(
            10,
            Groups { patched: at(0.59), patch_only: at(0.6), test_mixed: at(0.3), ..Groups::default() },
        );
        learning.follow(20, Groups { patched: at(0.7), patch_only: at(0.2), ..Groups::default() });
        learning.follow(30, Groups { patched: at(0.8), ..Groups::default() });
        let expected = LearntAt { unpatched: None, patched: Some(20), patch_only: Some(10) };
        assert_eq!(learning.learnt_at, expected);
        assert_eq!((learning.last.patched, learning.last.test_mixed), (at(0.8), at(0.3)));
    }
}
