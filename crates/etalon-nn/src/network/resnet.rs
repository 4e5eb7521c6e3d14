//! Residual networks with pre-activation for small images.

use super::images::{Feature, ImageBuilder, Kernel};
use super::{Image, Network, NetworkError, Style, Value};
use crate::Scalar;
use crate::kernels::subsample::Subsample;
use crate::layers::Shortcut;

/// Which family of residual networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// PreResNet (He, Zhang, Ren and Sun 2016, 1603.05027) of depth 6 n + 2, n blocks a stage. Names are those of the
    /// usual PyTorch version: `conv1`, `layer1.0.bn1`, `layer1.0.conv1`, ..., `layer2.0.downsample.0`, `bn`, `fc`.
    PreResNet,
    /// Wide residual network (Zagoruyko and Komodakis 2016, 1605.07146) of depth 6 n + 4, n blocks a stage. A block
    /// that changes the shape has a 1 x 1 convolution of its activated input as shortcut. Names are those of the usual
    /// PyTorch version: `conv1`, `block1.layer.0.bn1`, ..., `block1.layer.0.convShortcut`, `bn1`, `fc`.
    Wide,
}

/// The shortcut of a PreResNet's block that changes the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Every second pixel, and new channels of zeros: no parameters (1512.03385, option A; the authors' choice for
    /// CIFAR).
    Pad,
    /// A 1 x 1 convolution of the block's input (option B).
    Projection,
}

/// A residual network: a convolution of `channels` channels, then three stages of blocks of two 3 x 3 convolutions,
/// each behind its normalisation and activation, with `widen` times 1, 2 and 4 times as many channels; the second and the third stage
/// begin with stride 2. Then normalisation, activation, the mean of each channel, and the output layer. Convolutions have no bias.
#[derive(Clone, Debug, PartialEq)]
pub struct ResNet {
    /// Height, width and channels of the input.
    pub image: Image,
    /// How blocks are made, and how many there are.
    pub family: Family,
    /// The number of layers with weights on the longest path (of those with 1 x 1 convolutions, the family's own count).
    pub depth: usize,
    /// Channels of the first convolution: 16 in the papers.
    pub channels: usize,
    /// The factor of the stages' channels: 1 in a PreResNet, k in WRN-d-k.
    pub widen: usize,
    /// The shortcut of a PreResNet.
    pub skip: Skip,
    /// The number of outputs.
    pub outputs: usize,
    /// Nonlinearity, parametrisation, initialisation and normalisation.
    pub style: Style,
}

impl ResNet {
    /// The network.
    ///
    /// # Errors
    /// When the depth is none of the family's, a length is 0, or the parametrisation is muP.
    pub fn build<T: Scalar>(&self) -> Result<Network<T>, NetworkError> {
        let blocks = self.blocks()?;
        let (mut builder, input) = ImageBuilder::new(self.image, self.style)?;
        let first = Kernel { outputs: self.channels, size: 3, stride: 1 };
        let mut feature = builder.convolve("conv1", first, false, input)?;
        for stage in 0..3 {
            for block in 0..blocks {
                let name = match self.family {
                    Family::PreResNet => format!("layer{}.{block}", stage + 1),
                    Family::Wide => format!("block{}.layer.{block}", stage + 1),
                };
                let outputs = self.channels.saturating_mul(self.widen).saturating_mul(1 << stage);
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                feature = self.block(&mut builder, &name, outputs, stride, feature)?;
            }
        }
        let last = if self.family == Family::Wide { "bn1" } else { "bn" };
        feature = builder.activate(last, feature)?;
        builder.finish("fc", self.outputs, feature)
    }

    /// Blocks of a stage.
    fn blocks(&self) -> Result<usize, NetworkError> {
        let (rest, example) = match self.family {
            Family::PreResNet => (2, "6 n + 2, such as 8, 20, 32 or 110"),
            Family::Wide => (4, "6 n + 4, such as 10, 16, 28 or 40"),
        };
        let blocks = self.depth.saturating_sub(rest) / 6;
        if blocks == 0 || 6 * blocks + rest != self.depth {
            return Err(NetworkError::Depth(self.depth, example));
        }
        Ok(blocks)
    }

    fn block<T: Scalar>(
        &self,
        builder: &mut ImageBuilder<T>,
        name: &str,
        outputs: usize,
        stride: usize,
        input: Feature,
    ) -> Result<Feature, NetworkError> {
        let conv = |stride| Kernel { outputs, size: 3, stride };
        let active = builder.activate(&format!("{name}.bn1"), input)?;
        let mut branch = builder.convolve(&format!("{name}.conv1"), conv(stride), false, active)?;
        branch = builder.activate(&format!("{name}.bn2"), branch)?;
        let skip = if outputs == input.image.channels && stride == 1 {
            input.value
        } else {
            let one = Kernel { outputs, size: 1, stride };
            match (self.family, self.skip) {
                (Family::Wide, _) => {
                    builder.convolve(&format!("{name}.convShortcut"), one, false, active)?.value
                }
                (Family::PreResNet, Skip::Projection) => {
                    builder.convolve(&format!("{name}.downsample.0"), one, false, input)?.value
                }
                (Family::PreResNet, Skip::Pad) => pad(builder, outputs, stride, input)?,
            }
        };
        builder.convolve_plus(&format!("{name}.conv2"), conv(1), branch, skip)
    }
}

fn pad<T: Scalar>(
    builder: &mut ImageBuilder<T>,
    outputs: usize,
    stride: usize,
    Feature { value, image }: Feature,
) -> Result<Value, NetworkError> {
    let Image { height, width, channels: inputs } = image;
    builder.builder.shortcut(Shortcut { shape: Subsample { height, width, inputs, outputs, stride } }, value)
}

#[cfg(test)]
mod tests {
    use super::super::{Fan, Initialisation, Parametrization};
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::layers::{Normalizer, Over};

    fn network(family: Family, depth: usize, widen: usize, skip: Skip) -> Result<Network<f32>, NetworkError> {
        let style = Style {
            normalizer: Some(Normalizer { over: Over::Batch, affine: true, epsilon: 1e-5 }),
            activation: Activation::Relu,
            parametrization: Parametrization::Standard,
            initialisation: Initialisation::He,
            fan: Fan::Out,
            output_gain: 1.0,
            bias: true,
        };
        let image = Image { height: 32, width: 32, channels: 3 };
        ResNet { image, family, depth, channels: 16, widen, skip, outputs: 10, style }.build()
    }

    #[test]
    fn sizes_and_names_are_the_usual_ones() {
        // The well-known number of a ResNet-20 with option A.
        let plain = network(Family::PreResNet, 20, 1, Skip::Pad).unwrap();
        assert_eq!(plain.parameters(), 269_722);
        let projected = network(Family::PreResNet, 20, 1, Skip::Projection).unwrap();
        assert_eq!(projected.parameters(), plain.parameters() + 16 * 32 + 32 * 64);
        let names: Vec<_> = projected.layout().segments().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(&names[..3], ["conv1.weight", "layer1.0.bn1.weight", "layer1.0.bn1.bias"]);
        assert!(names.contains(&"layer2.0.downsample.0.weight"));
        assert_eq!(&names[names.len() - 2..], ["fc.weight", "fc.bias"]);
        let wide = network(Family::Wide, 16, 2, Skip::Pad).unwrap();
        // 432 + (3 x 3 convolutions) 9 x (16 x 32 + 3 x 32^2 + 32 x 64 + 3 x 64^2 + 64 x 128 + 3 x 128^2)
        // + (shortcuts) 16 x 32 + 32 x 64 + 64 x 128 + (output layer) 1,290
        // + (normalisation) 2 x 912.
        assert_eq!(wide.parameters(), 691_674);
        assert!(wide.layout().find("block1.layer.0.convShortcut.weight").is_some());
        assert!(wide.layout().find("block1.layer.1.convShortcut.weight").is_none());
    }

    #[test]
    fn depths_of_no_such_network_are_refused() {
        let text = network(Family::PreResNet, 18, 1, Skip::Pad).unwrap_err().to_string();
        assert!(text.contains("18") && text.contains("6 n + 2"), "{text}");
        assert!(network(Family::Wide, 4, 1, Skip::Pad).is_err());
        assert!(network(Family::Wide, 2, 1, Skip::Pad).is_err());
    }
}
