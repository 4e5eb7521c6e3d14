//! Labelled images as bytes, as files hold them: a quarter of the memory that f32 would take, so that
//! choosing among 60,000 of them stays cheap.

use super::dataset::select;
use super::{DataError, Dataset, Labels, SampleShape};

/// Images whose pixels are bytes.
pub(super) struct ByteImages {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    /// Samples x height x width x channels.
    pub(super) pixels: Vec<u8>,
    /// One per sample, below `count`.
    pub(super) labels: Vec<u8>,
    pub(super) count: u32,
}

impl ByteImages {
    /// Restricts to `classes` (all if empty), keeps the first `n` (all if none is given, or there are fewer), scales to [0, 1].
    pub(super) fn into_dataset(
        self,
        name: String,
        classes: &[u32],
        n: Option<usize>,
    ) -> Result<Dataset, DataError> {
        let labels = self.labels.iter().map(|&label| u32::from(label));
        let (mut kept, count): (Vec<(usize, u32)>, u32) = match classes.is_empty() {
            true => (labels.enumerate().collect(), self.count),
            false => (select(&name, labels, self.count, classes)?, classes.len() as u32),
        };
        let n = n.map_or(kept.len(), |n| n.min(kept.len()));
        if n == 0 {
            return Err(DataError::TooFew { name, there: kept.len(), asked: n });
        }
        kept.truncate(n);
        let shape = SampleShape::Image { height: self.height, width: self.width, channels: self.channels };
        let features = shape.features();
        let mut inputs = Vec::with_capacity(n * features);
        for &(index, _) in &kept {
            let image = &self.pixels[index * features..(index + 1) * features];
            inputs.extend(image.iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        let labels = kept.into_iter().map(|(_, label)| label).collect();
        Dataset::new(name, shape, inputs, Labels::Classes { labels, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five() -> ByteImages {
        let pixels = vec![0, 51, 102, 153, 204, 255, 0, 255, 1, 2];
        ByteImages { height: 1, width: 2, channels: 1, pixels, labels: vec![0, 1, 2, 1, 0], count: 3 }
    }

    #[test]
    fn pixels_become_numbers_between_0_and_1() {
        let all = five().into_dataset("five".into(), &[], None).unwrap();
        assert_eq!(all.inputs[..6], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(all.shape, SampleShape::Image { height: 1, width: 2, channels: 1 });
    }

    #[test]
    fn choosing_on_bytes_equals_choosing_afterwards() {
        let early = five().into_dataset("five".into(), &[1, 0], Some(3)).unwrap();
        let late = five().into_dataset("five".into(), &[], None).unwrap();
        assert_eq!(early, late.restrict_to_classes(&[1, 0]).unwrap().take(3).unwrap());
    }

    #[test]
    fn where_there_are_fewer_all_are_given_and_none_is_no_data_set() {
        assert_eq!(five().into_dataset("five".into(), &[2], Some(2)).unwrap().len(), 1);
        let result = five().into_dataset("five".into(), &[2], Some(0));
        assert!(matches!(result, Err(DataError::TooFew { there: 1, asked: 0, .. })));
    }
}
