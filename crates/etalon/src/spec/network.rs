//! `[network]`.

use etalon_nn::kernels::activation::Activation;
use etalon_nn::layers::{self, Kept, Over};
use etalon_nn::network::{Fan, Initialisation, Parametrization, Skip};

/// The kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// A multi-layer perceptron.
    Mlp,
    /// A plain convolutional network.
    Cnn,
    /// A pre-activation residual network.
    PreResNet,
    /// A wide residual network.
    Wrn,
}

impl NetworkKind {
    /// Every kind with its name.
    pub const ALL: &[(&str, NetworkKind)] = &[
        ("mlp", NetworkKind::Mlp),
        ("cnn", NetworkKind::Cnn),
        ("preresnet", NetworkKind::PreResNet),
        ("wrn", NetworkKind::Wrn),
    ];

    /// The name in specs.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|&&(_, kind)| kind == self).map_or("", |&(name, _)| name)
    }
}

/// The kind of normalisation layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalizer {
    /// No normalisation layer.
    None,
    /// Over the batch.
    Batch,
    /// Over all features of a sample.
    Layer,
    /// Over groups of channels of a sample.
    Group,
    /// Over the positions of each channel of a sample.
    Instance,
}

/// `[network]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct NetworkSpec {
    pub kind: NetworkKind,
    pub depth: usize,
    pub width: usize,
    pub widen: usize,
    pub skip: Skip,
    pub stage: usize,
    /// None: strides.
    pub pool: Option<Kept>,
    pub activation: Activation,
    pub parametrization: Parametrization,
    pub bias: bool,
    pub residual: bool,
    pub normalizer: Normalizer,
    pub affine: bool,
    pub groups: usize,
    pub normalizer_epsilon: f64,
    pub init: Initialisation,
    pub fan: Fan,
    pub output_gain: f64,
}

impl NetworkSpec {
    /// The normalisation of the hidden layers.
    pub fn normalizer(&self) -> Option<layers::Normalizer> {
        let over = match self.normalizer {
            Normalizer::None => return None,
            Normalizer::Batch => Over::Batch,
            Normalizer::Layer => Over::Layer,
            Normalizer::Group => Over::Groups(self.groups),
            Normalizer::Instance => Over::Instance,
        };
        Some(layers::Normalizer { over, affine: self.affine, epsilon: self.normalizer_epsilon })
    }
}
