//! What networks over images have in common: a value with the shape of its image, and the layers put on it.

use super::{Initialisation, Network, NetworkBuilder, NetworkError, Parametrization, Value};
use crate::Scalar;
use crate::kernels::activation::Activation;
use crate::kernels::convolution::Convolution;
use crate::kernels::pooling::Windows;
use crate::layers::{Conv2d, Dense, Kept, Normalization, Normalizer, Pool2d};

/// The shape of an image whose values stand in NHWC order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    /// How many rows of pixels there are.
    pub height: usize,
    /// How many pixels there are in a row.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl Image {
    /// Values of an image.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Which of a convolution's two fans its initial variance is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fan {
    /// Inputs of an output: channels x kernel area. Keeps the scale of activations.
    In,
    /// Outputs that an input reaches: channels x kernel area. Keeps the scale of gradients; the choice of the residual
    /// networks' authors.
    Out,
}

/// What all layers of a convolutional network share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// What stands before each activation.
    pub normalizer: Option<Normalizer>,
    /// The nonlinearity after each normalisation.
    pub activation: Activation,
    /// Where factors of width stand: standard or NTK.
    pub parametrization: Parametrization,
    /// The gain of the convolutions.
    pub initialisation: Initialisation,
    /// The fan of the convolutions.
    pub fan: Fan,
    /// The gain of the output layer, whose variance is divided by its inputs.
    pub output_gain: f64,
    /// Whether the output layer, and the convolutions of a plain network, have biases (they start at zero).
    pub bias: bool,
}

/// A value that is an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    pub value: Value,
    pub image: Image,
}

/// The size of a convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    pub outputs: usize,
    /// Rows and columns, an odd number; the padding keeps the size of the image at stride 1.
    pub size: usize,
    pub stride: usize,
}

/// A network over images under construction.
pub(super) struct ImageBuilder<T> {
    pub builder: NetworkBuilder<T>,
    style: Style,
}

impl<T: Scalar> ImageBuilder<T> {
    pub(super) fn new(image: Image, style: Style) -> Result<(Self, Feature), NetworkError> {
        if style.parametrization == Parametrization::Mup {
            return Err(NetworkError::Mup);
        }
        let builder = NetworkBuilder::new(image.len())?;
        let input = Feature { value: builder.input(), image };
        Ok((ImageBuilder { builder, style }, input))
    }

    /// A convolution of that name.
    pub(super) fn convolve(
        &mut self,
        name: &str,
        kernel: Kernel,
        bias: bool,
        input: Feature,
    ) -> Result<Feature, NetworkError> {
        let (layer, image) = self.convolution(kernel, bias, input.image);
        Ok(Feature { value: self.builder.named(name).convolution(layer, input.value)?, image })
    }

    /// A convolution of that name, without bias, plus a value.
    pub(super) fn convolve_plus(
        &mut self,
        name: &str,
        kernel: Kernel,
        input: Feature,
        skip: Value,
    ) -> Result<Feature, NetworkError> {
        let (layer, image) = self.convolution(kernel, false, input.image);
        Ok(Feature { value: self.builder.named(name).convolution_plus(layer, input.value, skip)?, image })
    }

    /// The layer, and the shape of its output.
    fn convolution(
        &self,
        Kernel { outputs, size, stride }: Kernel,
        bias: bool,
        image: Image,
    ) -> (Conv2d, Image) {
        let Image { height, width, channels: inputs } = image;
        let shape = Convolution { height, width, inputs, outputs, kernel: size, stride, padding: size / 2 };
        let channels = if self.style.fan == Fan::In { inputs } else { outputs };
        let (weight_multiplier, weight_deviation) =
            self.scales(self.style.initialisation.gain(), channels * size * size);
        let bias_multiplier = bias.then_some(1.0);
        let layer = Conv2d { shape, weight_multiplier, weight_deviation, bias_multiplier };
        // The padding is at least half a kernel, so that there is a place for the kernel.
        let image = Image { height: shape.output_height(), width: shape.output_width(), channels: outputs };
        (layer, image)
    }

    /// The normalisation, of that name, and the activation.
    pub(super) fn activate(&mut self, name: &str, mut feature: Feature) -> Result<Feature, NetworkError> {
        if let Some(normalizer) = self.style.normalizer {
            let Image { height, width, channels } = feature.image;
            let layer = Normalization { normalizer, positions: height * width, channels, multiplier: 1.0 };
            feature.value = self.builder.named(name).normalize(layer, feature.value)?;
        }
        if self.style.activation != Activation::Identity {
            feature.value = self.builder.activation(self.style.activation, feature.value)?;
        }
        Ok(feature)
    }

    /// Windows of that size, side by side.
    pub(super) fn pool(
        &mut self,
        kept: Kept,
        window: usize,
        Feature { value, image }: Feature,
    ) -> Result<Feature, NetworkError> {
        let Image { height, width, channels } = image;
        let windows = Windows { height, width, channels, window: [window; 2], stride: window };
        let value = self.builder.pool(Pool2d { windows, kept }, value)?;
        let image = Image { height: windows.output_height(), width: windows.output_width(), channels };
        Ok(Feature { value, image })
    }

    /// The mean of each channel, then the output layer of that name.
    pub(super) fn finish(
        mut self,
        name: &str,
        outputs: usize,
        Feature { value, image }: Feature,
    ) -> Result<Network<T>, NetworkError> {
        let windows = Windows::global(image.height, image.width, image.channels);
        let value = self.builder.pool(Pool2d { windows, kept: Kept::Average }, value)?;
        let (weight_multiplier, weight_deviation) = self.scales(self.style.output_gain, image.channels);
        let bias_multiplier = self.style.bias.then_some(1.0);
        let layer =
            Dense { inputs: image.channels, outputs, weight_multiplier, weight_deviation, bias_multiplier };
        self.builder.named(name).dense(layer, value)?;
        self.builder.build()
    }

    /// The multiplier and the initial deviation of a weight.
    fn scales(&self, gain: f64, fan: usize) -> (f64, f64) {
        let scale = (gain / fan as f64).sqrt();
        if self.style.parametrization == Parametrization::Ntk { (scale, 1.0) } else { (1.0, scale) }
    }
}
