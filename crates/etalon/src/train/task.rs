//! What is learnt, by what: a network, a loss, and samples in the network's own precision.

use super::{Patches, network};
use crate::data::{Augmentation, DataError, Dataset, Labels, Patch, SampleShape, load};
use crate::spec::{Encoding, Spec};
use etalon_nn::network::NetworkError;
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
    /// The network.
    pub network: Network<T>,
    /// The loss.
    pub loss: Loss,
    /// The training set.
    pub train: Samples<T>,
    /// The held-out set.
    pub test: Samples<T>,
    /// The shape of a sample, whose inputs stand row by row, the channels of a pixel side by side.
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

/// Why a spec makes no task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network.
    #[error("the network cannot be built: {0}")]
    Network(#[from] NetworkError),
    /// A convolutional network for samples that are no images.
    #[error(
        "network.kind = \"{kind}\" takes images, and the samples of {data} are vectors; use network.kind = \"mlp\""
    )]
    NoImages {
        /// The kind.
        kind: &'static str,
        /// The data set.
        data: String,
    },
    /// Augmentation that the samples cannot have.
    #[error("{0}")]
    Augmentation(String),
    /// The loss and the labels do not go together.
    #[error("{0}")]
    Targets(String),
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

    fn encode(data: &Dataset, encoding: Target) -> Self {
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
enum Target {
    OneHot,
    Sign,
    Values,
}

impl<T: Scalar> Task<T> {
    /// Loads the data, builds the network, and checks that the two and the loss go together.
    ///
    /// # Errors
    /// When data cannot be had, or the spec's parts contradict each other.
    pub fn new(spec: &Spec) -> Result<Self, TaskError> {
        let mut split = load(&spec.data.source()?)?;
        split.normalise(spec.data.normalize)?;
        split.shrink(spec.data.shrink)?;
        let (target, outputs) = target(spec, &split.train.labels)?;
        let network = network::build(spec, split.train.shape, outputs)?;
        let augment = spec.data.augment;
        let augmentation = Augmentation::new(split.train.shape, augment.flip, augment.crop, augment.fill);
        let classes = matches!(split.train.labels, Labels::Classes { .. });
        let (train, test) = (Samples::encode(&split.train, target), Samples::encode(&split.test, target));
        let patch = spec.data.patch.rule().map(|rule| Patch::new(&rule, &split)).transpose()?;
        Ok(Task {
            patches: patch.map(|patch| Patches::new(patch, &test)),
            network,
            loss: spec.loss,
            train,
            test,
            shape: split.train.shape,
            augmentation: augmentation.map_err(TaskError::Augmentation)?,
            classes,
            notes: split.notes,
        })
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

/// How the labels are encoded and how many outputs that takes.
fn target(spec: &Spec, labels: &Labels) -> Result<(Target, usize), TaskError> {
    let fault = |text: String| Err(TaskError::Targets(text));
    let loss = spec.loss.name();
    let count = match labels {
        Labels::Values { width, .. } if spec.loss == Loss::Mse => return Ok((Target::Values, *width)),
        Labels::Values { .. } => {
            return fault(format!(
                "the labels of {} are values, and loss = \"{loss}\" takes classes; use loss = \"mse\"",
                spec.data.name
            ));
        }
        Labels::Classes { count, .. } => *count,
    };
    let signs = matches!(spec.loss, Loss::Logistic | Loss::Exponential);
    let encoding = match spec.data.encoding {
        Encoding::Auto if signs || (spec.loss == Loss::Mse && count == 2) => Encoding::Sign,
        Encoding::Auto => Encoding::OneHot,
        chosen => chosen,
    };
    match encoding {
        Encoding::Sign if spec.loss == Loss::CrossEntropy => fault(
            "loss = \"cross_entropy\" takes one output a class; use data.encoding = \"one_hot\" or loss = \"logistic\""
                .into(),
        ),
        Encoding::Sign if count != 2 => fault(format!(
            "{} has {count} classes and signs encode two; choose two with data.classes, such as data.classes = [0, 1]",
            spec.data.name
        )),
        Encoding::Sign => Ok((Target::Sign, 1)),
        _ if signs => fault(format!("loss = \"{loss}\" has one output; use data.encoding = \"sign\"")),
        _ => Ok((Target::OneHot, count as usize)),
    }
}
