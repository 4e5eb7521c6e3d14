//! The multi-layer perceptron in its parametrisations.

use super::{Network, NetworkBuilder, NetworkError};
use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::layers::{Dense, Normalization, Normalizer};

/// Where the factors of width stand: in the initial values, in multipliers, or in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parametrization {
    /// As PyTorch's layers: `W` normal with variance gain/fan_in, no multiplier.
    Standard,
    /// `W` standard normal, multiplied by `sqrt(gain/fan_in)`.
    Ntk,
    /// Maximal update (Yang and Hu, 2011.14522, the abc-form whose rate does not depend on width): input layer, hidden
    /// biases, and the scale and shift of normalisers multiplied by `sqrt(width)`, output layer by `1/sqrt(width)`; all
    /// initial variances 1/width, and scales at first `1/sqrt(width)`, which is 1 after the multiplier.
    Mup,
}

impl Parametrization {
    /// The name in specs.
    pub fn name(self) -> &'static str {
        match self {
            Parametrization::Standard => "standard",
            Parametrization::Ntk => "ntk",
            Parametrization::Mup => "mup",
        }
    }
}

/// The variance of a hidden unit's input, in units of its fan-in's mean square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initialisation {
    /// Gain 2: keeps the scale through ReLU.
    He,
    /// Gain 1: keeps the scale through the identity.
    LeCun,
}

impl Initialisation {
    /// The name in specs.
    pub fn name(self) -> &'static str {
        match self {
            Initialisation::He => "he",
            Initialisation::LeCun => "lecun",
        }
    }

    /// The weights' variance times their fan, which keeps the size of signals.
    pub fn gain(self) -> f64 {
        match self {
            Initialisation::He => 2.0,
            Initialisation::LeCun => 1.0,
        }
    }
}

/// A multi-layer perceptron: hidden layers, then a linear output layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// The length of the input.
    pub inputs: usize,
    /// The widths of the hidden layers; none makes a linear predictor.
    pub hidden: Vec<usize>,
    /// The number of outputs.
    pub outputs: usize,
    /// The activation of the hidden layers.
    pub activation: Activation,
    /// Where factors of width stand.
    pub parametrization: Parametrization,
    /// The gain of the hidden layers.
    pub initialisation: Initialisation,
    /// The gain of the output layer.
    pub output_gain: f64,
    /// Whether layers have biases (they start at zero).
    pub bias: bool,
    /// Whether every hidden layer from the second on adds its input to its output.
    pub residual: bool,
    /// What stands between each hidden layer and its activation.
    pub normalizer: Option<Normalizer>,
}

impl Mlp {
    /// The network.
    ///
    /// # Errors
    /// When a length is 0, with `residual` where widths differ, or with a normaliser that does not fit the widths.
    pub fn build<T: Scalar>(&self) -> Result<Network<T>, NetworkError> {
        let mut builder = NetworkBuilder::new(self.inputs)?;
        let mut value = builder.input();
        for (index, &width) in self.hidden.iter().enumerate() {
            let layer = self.layer(index, builder.len(value), width);
            let mut hidden = builder.dense(layer, value)?;
            if let Some(normalizer) = self.normalizer {
                let multiplier = self.vector_multiplier(width);
                let layer = Normalization { normalizer, positions: 1, channels: width, multiplier };
                hidden = builder.normalize(layer, hidden)?;
            }
            if self.activation != Activation::Identity {
                hidden = builder.activation(self.activation, hidden)?;
            }
            value = if self.residual && index > 0 { builder.sum(hidden, value)? } else { hidden };
        }
        builder.dense(self.layer(self.hidden.len(), builder.len(value), self.outputs), value)?;
        builder.build()
    }

    /// Layer `index`, the output layer being the last, with its multipliers and initial deviation.
    fn layer(&self, index: usize, inputs: usize, outputs: usize) -> Dense {
        let is_output = index == self.hidden.len();
        let gain = if is_output { self.output_gain } else { self.initialisation.gain() };
        let fan_in = inputs as f64;
        let standard = (1.0, (gain / fan_in).sqrt(), 1.0);
        let (weight_multiplier, weight_deviation, bias_multiplier) = match self.parametrization {
            Parametrization::Standard => standard,
            Parametrization::Ntk => ((gain / fan_in).sqrt(), 1.0, 1.0),
            // A linear predictor has no width.
            Parametrization::Mup if self.hidden.is_empty() => standard,
            Parametrization::Mup if is_output => (1.0 / fan_in.sqrt(), (gain / fan_in).sqrt(), 1.0),
            Parametrization::Mup => {
                let root = self.vector_multiplier(outputs);
                let weight_multiplier = if index == 0 { root } else { 1.0 };
                (weight_multiplier, (gain / fan_in).sqrt() / weight_multiplier, root)
            }
        };
        let bias_multiplier = self.bias.then_some(bias_multiplier);
        Dense { inputs, outputs, weight_multiplier, weight_deviation, bias_multiplier }
    }

    /// What multiplies parameters of which a hidden layer has one a unit. A unit's gradient is of order 1/width in muP,
    /// so that the root, once in the gradient and once in the use, makes their effect of order 1 at any width.
    fn vector_multiplier(&self, width: usize) -> f64 {
        if self.parametrization == Parametrization::Mup { (width as f64).sqrt() } else { 1.0 }
    }
}
