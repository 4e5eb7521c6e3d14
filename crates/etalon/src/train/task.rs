//! What is learnt, by what: a network, a loss, and samples in the network's own precision.

use super::Patches;
use super::metrics::constant_predictor;
use crate::data::{Augmentation, Dataset, Labels, SampleShape};
use etalon_nn::{Batch, Loss, Network, Scalar};

/// Samples as a network sees them.
#[derive(Clone, Debug)]
pub struct Samples<T> {
    /// Samples x input length.
    pub inputs: Vec<T>,
    /// Samples x output length.
    pub targets: Vec<T>,
    /// How many there are.
    pub len: usize,
}

/// Everything a trial needs that does not depend on its seed or rate.
#[derive(Debug)]
pub struct Task<T> {
    /// The network, without parameters.
    pub network: Network<T>,
    /// The loss that is trained on.
    pub loss: Loss,
    /// The samples that steps see.
    pub train: Samples<T>,
    /// The samples that no step sees; may be empty.
    pub test: Samples<T>,
    /// The shape of a sample as the network takes it; inputs of an image stand row by row, the channels of a pixel side by
    /// side.
    pub shape: SampleShape,
    /// What happens to the training set's samples whenever a step visits them.
    pub augmentation: Option<Augmentation>,
    /// The patches on the training set's samples, if they have any.
    pub patches: Option<Patches<T>>,
    /// Whether targets stand for classes, so that there is an accuracy.
    pub classes: bool,
    /// What had to be recognised in reading the data, for the user to hear.
    pub notes: Vec<String>,
}

impl<T: Scalar> Samples<T> {
    /// All samples as a batch.
    pub fn batch(&self) -> Batch<'_, T> {
        Batch { inputs: &self.inputs, targets: &self.targets }
    }

    /// The first `samples` of them, or all if there are fewer.
    pub fn first(&self, samples: usize) -> Batch<'_, T> {
        let samples = samples.clamp(1, self.len);
        let (inputs, targets) = (self.inputs.len() / self.len, self.targets.len() / self.len);
        Batch { inputs: &self.inputs[..samples * inputs], targets: &self.targets[..samples * targets] }
    }

    /// Those of a data set.
    pub(crate) fn encode(data: &Dataset, encoding: Target) -> Self {
        let inputs = data.inputs.iter().map(|&value| T::from_f64(value.into())).collect();
        let sign = |positive: bool| if positive { T::ONE } else { -T::ONE };
        let targets = match (&data.labels, encoding) {
            (Labels::Classes { labels, .. }, Target::Sign) => {
                labels.iter().map(|&label| sign(label == 1)).collect()
            }
            (Labels::Classes { labels, count }, Target::OneHot | Target::Values) => {
                let one_hot = |&label: &u32| (0..*count).map(move |class| class == label);
                labels.iter().flat_map(one_hot).map(|hot| if hot { T::ONE } else { T::ZERO }).collect()
            }
            (Labels::Values { values, .. }, _) => {
                values.iter().map(|&value| T::from_f64(value.into())).collect()
            }
        };
        Samples { inputs, targets, len: data.len() }
    }
}

/// What targets are made of.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// One output a class, 1 at the label's and 0 elsewhere.
    OneHot,
    /// One output; +1 for class 1, -1 for another.
    Sign,
    /// The values themselves.
    Values,
}

impl<T: Scalar> Task<T> {
    /// The loss on the training set of the best prediction that ignores its input.
    pub fn constant_loss(&self) -> f64 {
        constant_predictor(self.loss, &self.train)
    }

    /// Whether training sees its samples otherwise than they are, and otherwise at each visit.
    pub(crate) fn is_varied(&self) -> bool {
        self.augmentation.is_some() || self.patches.is_some()
    }

    /// Writes the inputs of training sample `index` as epoch `epoch` of a trial sees them: a pure function of the three
    /// numbers. Allocates nothing.
    pub(crate) fn visit(&self, visit: (u64, u64, u32), to: &mut [T]) {
        let from = &self.train.inputs[visit.2 as usize * to.len()..][..to.len()];
        match &self.augmentation {
            None => to.copy_from_slice(from),
            Some(augmentation) => augmentation.apply(visit, from, to),
        }
        if let Some(patches) = &self.patches {
            patches.patch.visit(visit, to);
        }
    }
}

/// Copies the rows of `from` that `indices` names.
pub(crate) fn gather<T: Copy>(from: &[T], width: usize, indices: &[u32], to: &mut [T]) {
    for (row, &index) in to.chunks_exact_mut(width).zip(indices) {
        row.copy_from_slice(&from[index as usize * width..(index as usize + 1) * width]);
    }
}
