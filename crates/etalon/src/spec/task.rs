//! What a spec trains, and on what.

use super::{Encoding, NetworkKind, Spec, build};
use crate::data::{Augmentation, DataError, Labels, Patch, SampleShape, load};
use crate::train::{Patches, Samples, Target, Task};
use etalon_nn::network::NetworkError;
use etalon_nn::{Loss, Scalar};

/// Why a spec makes no task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network.
    #[error("the network cannot be built: {0}{keys}", keys = keys(.0))]
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
    /// An accuracy of labels that are no classes.
    #[error(
        "search.metric is an accuracy, and the labels of {0} are values; use \"train_loss\" or \"test_loss\""
    )]
    NoClasses(String),
    /// The loss and the labels do not go together.
    #[error("{0}")]
    Targets(String),
}

/// The keys that decide, where the network's own words leave that open.
fn keys(error: &NetworkError) -> &'static str {
    match error {
        NetworkError::Halved { .. } => " (network.depth, network.stage; data.shrink makes images smaller)",
        NetworkError::TooLarge(_) => " (network.width, network.depth, network.widen)",
        _ => "",
    }
}

impl Spec {
    /// Loads the data, builds the network, and checks that the two and the loss go together.
    ///
    /// # Errors
    /// When data cannot be had, or the spec's parts contradict each other.
    pub fn task<T: Scalar>(&self) -> Result<Task<T>, TaskError> {
        let source = self.data.source()?;
        self.data.verify(&source)?;
        let mut split = load(&source)?;
        split.normalise(self.data.normalize)?;
        split.shrink(self.data.shrink)?;
        let (target, outputs) = target(self, &split.train.labels)?;
        let network = build::network(self, split.train.shape, outputs)?;
        let augment = self.data.augment;
        let augmentation = Augmentation::new(split.train.shape, augment.flip, augment.crop, augment.fill);
        let classes = matches!(split.train.labels, Labels::Classes { .. });
        let (train, test) = (Samples::encode(&split.train, target), Samples::encode(&split.test, target));
        let patch = self.data.patch.rule().map(|rule| Patch::new(&rule, &split)).transpose()?;
        Ok(Task {
            patches: patch.map(|patch| Patches::new(patch, &test)),
            network,
            loss: self.loss,
            train,
            test,
            shape: match self.network.kind {
                NetworkKind::Mlp => SampleShape::Flat(split.train.features()),
                _ => split.train.shape,
            },
            augmentation: augmentation.map_err(TaskError::Augmentation)?,
            classes,
            notes: split.notes,
        })
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
    if count < 2 {
        return fault(format!(
            "{} has one class here, of which nothing can be learnt; choose two or more with data.classes",
            spec.data.name
        ));
    }
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
