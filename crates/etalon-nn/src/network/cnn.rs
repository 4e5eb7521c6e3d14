//! A plain convolutional network.

use super::images::{ImageBuilder, Kernel};
use super::{Image, Network, NetworkError, Style};
use crate::Scalar;
use crate::layers::Kept;

/// Convolutions of 3 x 3, each followed by the normalisation and the activation; between two of them, windows of 2 x 2 halve the image and the
/// channels double. The mean of each channel of the last goes to the output layer. Layers are named `conv1`, `bn1`, `conv2`, ..., `fc`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cnn {
    /// The input.
    pub image: Image,
    /// The number of convolutions.
    pub depth: usize,
    /// Channels of the first convolution.
    pub channels: usize,
    /// What is kept of windows.
    pub pooling: Kept,
    /// The number of outputs.
    pub outputs: usize,
    /// The rest.
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
        for layer in 1..=self.depth {
            if layer > 1 {
                feature = builder.pool(self.pooling, 2, feature)?;
                outputs = outputs.saturating_mul(2);
            }
            let kernel = Kernel { outputs, size: 3, stride: 1 };
            feature = builder.convolve(&format!("conv{layer}"), kernel, self.style.bias, feature)?;
            feature = builder.activate(&format!("bn{layer}"), feature)?;
        }
        builder.finish("fc", self.outputs, feature)
    }
}
