//! The network that a spec describes.

use super::{NetworkKind, Spec, TaskError};
use crate::data::SampleShape;
use etalon_nn::network::{Cnn, Family, Image, Mlp, ResNet, Style};
use etalon_nn::{Network, Scalar};

/// Builds it for samples of that shape.
///
/// # Errors
/// When the kind takes images and samples are none, or the spec's numbers make no network.
pub(super) fn network<T: Scalar>(
    spec: &Spec,
    shape: SampleShape,
    outputs: usize,
) -> Result<Network<T>, TaskError> {
    let network = &spec.network;
    let family = match network.kind {
        NetworkKind::Mlp => return Ok(mlp(spec, shape.features(), outputs).build()?),
        NetworkKind::Cnn => None,
        NetworkKind::PreResNet => Some(Family::PreResNet),
        NetworkKind::Wrn => Some(Family::Wide),
    };
    let SampleShape::Image { height, width, channels } = shape else {
        return Err(TaskError::NoImages { kind: network.kind.name(), data: spec.data.name.clone() });
    };
    let image = Image { height, width, channels };
    let style = Style {
        normalizer: network.normalizer(),
        activation: network.activation,
        parametrization: network.parametrization,
        initialisation: network.init,
        fan: network.fan,
        output_gain: network.output_gain,
        bias: network.bias,
    };
    let (depth, channels) = (network.depth, network.width);
    Ok(match family {
        None => {
            let (stage, pooling) = (network.stage, network.pool);
            Cnn { image, depth, channels, stage, pooling, outputs, style }.build()?
        }
        Some(family) => {
            let (widen, skip) = (network.widen, network.skip);
            ResNet { image, family, depth, channels, widen, skip, outputs, style }.build()?
        }
    })
}

fn mlp(spec: &Spec, inputs: usize, outputs: usize) -> Mlp {
    Mlp {
        inputs,
        hidden: vec![spec.network.width; spec.network.depth],
        outputs,
        activation: spec.network.activation,
        parametrization: spec.network.parametrization,
        initialisation: spec.network.init,
        output_gain: spec.network.output_gain,
        bias: spec.network.bias,
        residual: spec.network.residual,
        normalizer: spec.network.normalizer(),
    }
}
