//! The order in which a file has the numbers of an image.

use super::error::malformed;
use super::{DataError, SampleShape};
use std::path::Path;

const ASK_LAYOUT: &str = "say which: data.layout = \"nhwc\" (channels last) or data.layout = \"nchw\" (channels second, as \
                          in PyTorch)";

/// The axes of an array of images after the first, which counts the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageLayout {
    /// Height x width x channels, as here.
    #[default]
    Nhwc,
    /// Channels x height x width, as PyTorch has it.
    Nchw,
}

impl ImageLayout {
    /// What the lengths of the three axes tell, given that images have 1, 3 or 4 channels; none where both orders fit, or
    /// neither does.
    pub(super) fn of(axes: [usize; 3]) -> Option<Self> {
        let channels = |length: usize| matches!(length, 1 | 3 | 4);
        match (channels(axes[0]), channels(axes[2])) {
            (false, true) => Some(ImageLayout::Nhwc),
            (true, false) => Some(ImageLayout::Nchw),
            _ => None,
        }
    }
}

/// Samples whose shape is known: numbers, or images in NHWC order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arranged {
    pub(super) shape: SampleShape,
    /// Samples x features.
    pub(super) inputs: Vec<f32>,
    /// That its axes were recognised and transposed.
    pub(super) note: Option<String>,
}

impl Arranged {
    /// What an array of these axes, the first of which counts the samples, holds.
    ///
    /// # Errors
    /// [`DataError::Malformed`] for axes of which both or none may be the channels, for a layout without four axes, and for
    /// more than four.
    pub(super) fn of(
        path: &Path,
        axes: &[usize],
        inputs: Vec<f32>,
        layout: Option<ImageLayout>,
    ) -> Result<Arranged, DataError> {
        let found = || format!("shape {axes:?}");
        let (shape, is_planes) = match axes[1..] {
            [a, b, c] => match layout.or_else(|| ImageLayout::of([a, b, c])) {
                Some(ImageLayout::Nhwc) => (SampleShape::Image { height: a, width: b, channels: c }, false),
                Some(ImageLayout::Nchw) => (SampleShape::Image { height: b, width: c, channels: a }, true),
                None => {
                    let expected = "images with 1, 3 or 4 channels along either the last or the second axis";
                    return Err(malformed(path, expected, found(), ASK_LAYOUT));
                }
            },
            [] | [_] | [_, _] if layout.is_some() => {
                let expected = "images of four axes, whose order data.layout gives";
                return Err(malformed(path, expected, found(), "remove data.layout"));
            }
            [] => (SampleShape::Flat(1), false),
            [length] => (SampleShape::Flat(length), false),
            [height, width] => (SampleShape::Image { height, width, channels: 1 }, false),
            _ => {
                let expected = "samples x features or samples x height x width (x channels)";
                return Err(malformed(path, expected, found(), "reshape it"));
            }
        };
        let note = (is_planes && layout.is_none()).then(|| {
            format!(
                "{} of shape {axes:?} was taken as samples x channels x height x width and transposed; data.layout = \"nchw\" \
                 confirms this, \"nhwc\" says otherwise",
                path.display()
            )
        });
        let channels = shape.channels();
        let inputs =
            if is_planes { transpose(&inputs, channels, shape.features() / channels) } else { inputs };
        Ok(Arranged { shape, inputs, note })
    }
}

/// Every sample, a matrix of `rows` x `columns`, transposed: pixels x channels becomes channels x pixels, and back.
pub(crate) fn transpose<T: Copy>(samples: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut transposed = Vec::with_capacity(samples.len());
    for sample in samples.chunks_exact(rows * columns) {
        transposed.extend((0..columns).flat_map(|column| sample[column..].iter().step_by(columns).copied()));
    }
    transposed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_axis_of_1_3_or_4_is_the_channels_and_two_or_none_are_not_enough() {
        for (axes, expected) in [
            ([32, 32, 3], Some(ImageLayout::Nhwc)),
            ([3, 32, 32], Some(ImageLayout::Nchw)),
            ([28, 28, 1], Some(ImageLayout::Nhwc)),
            ([1, 28, 28], Some(ImageLayout::Nchw)),
            ([4, 2, 2], Some(ImageLayout::Nchw)),
            ([3, 32, 4], None),
            ([1, 28, 1], None),
            ([8, 8, 2], None),
            ([13, 64, 64], None),
        ] {
            assert_eq!(ImageLayout::of(axes), expected, "{axes:?}");
        }
    }

    #[test]
    fn pixels_of_channels_become_planes_and_back() {
        // Two images of three pixels with two channels.
        let pixels = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60];
        let planes = transpose(&pixels, 3, 2);
        assert_eq!(planes, [1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60]);
        assert_eq!(transpose(&planes, 2, 3), pixels);
    }
}
