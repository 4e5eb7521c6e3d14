//! The order in which a file has the numbers of an image.

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
