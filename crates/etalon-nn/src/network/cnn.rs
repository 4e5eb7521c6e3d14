//! A plain convolutional network.

use super::images::{ImageBuilder, Kernel};
use super::{Image, Network, NetworkError, Style};
use crate::Scalar;
use crate::layers::Kept;

/// Convolutions of 3 x 3, each followed by the normalisation and the activation, in stages: from a stage to the next the
/// image is halved and the channels double. The mean of each channel of the last goes to the output layer. Layers are
/// named `conv1`, `bn1`, `conv2`, ..., `fc`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cnn {
    /// Height, width and channels of the input.
    pub image: Image,
    /// The number of convolutions.
    pub depth: usize,
    /// Channels of the first convolution.
    pub channels: usize,
    /// Convolutions of a stage.
    pub stage: usize,
    /// What is kept of the windows of 2 x 2 that halve the image; without, the first convolution of a stage halves it by
    /// stride 2.
    pub pooling: Option<Kept>,
    /// The number of outputs.
    pub outputs: usize,
    /// Nonlinearity, parametrisation, initialisation and normalisation.
    pub style: Style,
}

impl Cnn {
    /// The network.
    ///
    /// # Errors
    /// When a length is 0, the image is too small to be halved so often, or the parametrisation is muP.
    pub fn build<T: Scalar>(&self) -> Result<Network<T>, NetworkError> {
        let (mut builder, mut feature) = ImageBuilder::new(self.image, self.style)?;
        let mut outputs = self.channels;
        if self.stage == 0 {
            return Err(NetworkError::Empty("a stage of convolutions".into()));
        }
        for layer in 1..=self.depth {
            let mut stride = 1;
            if layer > 1 && (layer - 1) % self.stage == 0 {
                match self.pooling {
                    Some(_) if feature.image.height.min(feature.image.width) < 2 => {
                        let Image { height, width, .. } = feature.image;
                        return Err(NetworkError::Halved { convolution: layer, height, width });
                    }
                    Some(kept) => feature = builder.pool(kept, 2, feature)?,
                    None => stride = 2,
                }
                outputs = outputs.saturating_mul(2);
            }
            let kernel = Kernel { outputs, size: 3, stride };
            feature = builder.convolve(&format!("conv{layer}"), kernel, self.style.bias, feature)?;
            feature = builder.activate(&format!("bn{layer}"), feature)?;
        }
        builder.finish("fc", self.outputs, feature)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fan, Initialisation, Parametrization};
    use super::*;
    use crate::kernels::activation::Activation;

    #[test]
    fn stages_double_the_channels_and_halve_the_image() {
        let style = Style {
            normalizer: None,
            activation: Activation::Relu,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::He,
            fan: Fan::Out,
            output_gain: 1.0,
            bias: false,
        };
        let image = Image { height: 16, width: 16, channels: 3 };
        let cnn = |pooling| Cnn { image, depth: 6, channels: 16, stage: 2, pooling, outputs: 10, style };
        let strided: Network<f32> = cnn(None).build().unwrap();
        let weights: Vec<usize> = strided.layout().segments().iter().map(|s| s.range.len()).collect();
        let channels = [3, 16, 16, 32, 32, 64, 64];
        let expected: Vec<usize> =
            channels.windows(2).map(|pair| 9 * pair[0] * pair[1]).chain([640]).collect();
        assert_eq!(weights, expected);
        // Convolutions and activations of 16^2, 8^2 and 4^2 positions, channel means, outputs.
        let values = 4 * (16 * 256 + 32 * 64 + 64 * 16) + 64 + 10;
        assert_eq!(strided.values_per_sample().0, values);
        let pooled: Network<f32> = cnn(Some(Kept::Average)).build().unwrap();
        assert_eq!(pooled.values_per_sample().0, values + 16 * 64 + 32 * 16);
        assert!(Cnn { stage: 0, ..cnn(None) }.build::<f32>().is_err());
        // Pooled to 8, 4, 2 and 1 pixel.
        let used_up = Cnn { stage: 1, ..cnn(Some(Kept::Average)) }.build::<f32>().err();
        assert_eq!(used_up, Some(NetworkError::Halved { convolution: 6, height: 1, width: 1 }));
    }
}
