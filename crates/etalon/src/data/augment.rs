//! Random changes to training images: a horizontal flip, and a crop of the image with a border.

use etalon_nn::random::{Purpose, stream};

use super::{SampleShape, draw};

/// What stands in the border before an image is cropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Zeros: after normalisation, the mean.
    Zero,
    /// The image, mirrored at its outermost pixels, which are not repeated.
    Reflect,
}

/// What may happen to an image each time that training visits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augmentation {
    height: usize,
    width: usize,
    channels: usize,
    flip: bool,
    crop: usize,
    fill: Fill,
}

/// What does happen to an image: it is moved, then perhaps mirrored left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    /// Where the crop starts in the image with its border, from 0 to twice the border.
    row: usize,
    column: usize,
    mirrored: bool,
}

impl Augmentation {
    /// Images of that shape are mirrored with probability 1/2 if `flip`, and cropped at a random place to their own size
    /// after a border of `crop` pixels was put around them. Nothing where neither is asked for.
    ///
    /// # Errors
    /// With the reason, when samples are no images, or the border is too wide to be mirrored.
    pub fn new(shape: SampleShape, flip: bool, crop: usize, fill: Fill) -> Result<Option<Self>, String> {
        if !flip && crop == 0 {
            return Ok(None);
        }
        let SampleShape::Image { height, width, channels } = shape else {
            return Err("samples are vectors, and data.augment changes images; remove it".into());
        };
        let most = height.min(width) - 1;
        if fill == Fill::Reflect && crop > most {
            return Err(format!(
                "data.augment.crop is {crop}, and images of {height} x {width} can be mirrored over {most} pixels; take \
                 at most that, or data.augment.fill = \"zero\""
            ));
        }
        Ok(Some(Augmentation { height, width, channels, flip, crop, fill }))
    }

    /// Writes sample `index` of the training set as epoch `epoch` sees it: a pure function of the three numbers, so that
    /// it depends neither on the order of calls nor on the size of a batch. Allocates nothing.
    ///
    /// # Panics
    /// When `from` or `to` is no image of the shape.
    pub fn apply<T: Copy + Default>(&self, (seed, epoch, index): (u64, u64, u32), from: &[T], to: &mut [T]) {
        let Augmentation { height, width, channels, crop, .. } = *self;
        assert!(
            from.len() == height * width * channels && to.len() == from.len(),
            "not an image of the shape"
        );
        let Change { row, column, mirrored } = self.draw(seed, epoch, index);
        for (i, line) in to.chunks_exact_mut(width * channels).enumerate() {
            let source_row = self.inside(i + row, height);
            for (j, pixel) in line.chunks_exact_mut(channels).enumerate() {
                let j = if mirrored { width - 1 - j } else { j };
                let source = source_row.zip(self.inside(j + column, width));
                match source {
                    Some((i, j)) => pixel.copy_from_slice(&from[(i * width + j) * channels..][..channels]),
                    None => pixel.fill(T::default()),
                }
            }
        }
        debug_assert!(row <= 2 * crop && column <= 2 * crop);
    }

    fn draw(&self, seed: u64, epoch: u64, index: u32) -> Change {
        // Epochs beyond 2^32 would begin again.
        let mut generator = stream(seed, Purpose::Augmentation, epoch << 32 | u64::from(index));
        let places = 2 * self.crop as u64 + 1;
        Change {
            row: draw::below(&mut generator, places) as usize,
            column: draw::below(&mut generator, places) as usize,
            mirrored: self.flip && draw::below(&mut generator, 2) == 1,
        }
    }

    /// The row (or column) of the image that stands there in the image with its border; none for a zero.
    fn inside(&self, at: usize, length: usize) -> Option<usize> {
        let reflected = match (at.checked_sub(self.crop), self.fill) {
            (Some(at), _) if at < length => at,
            (_, Fill::Zero) => return None,
            (None, Fill::Reflect) => self.crop - at,
            (Some(at), Fill::Reflect) => 2 * (length - 1) - at,
        };
        Some(reflected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: SampleShape = SampleShape::Image { height: 3, width: 4, channels: 2 };

    /// Row, column and channel as one number.
    fn image() -> Vec<f32> {
        (0..24).map(|at| (100 * (at / 8) + 10 * (at / 2 % 4) + at % 2 + 1000) as f32).collect()
    }

    fn changed(augmentation: &Augmentation, epoch: u64, index: u32) -> Vec<f32> {
        let mut to = vec![f32::NAN; 24];
        augmentation.apply((7, epoch, index), &image(), &mut to);
        to
    }

    /// The pixel that stands at (i, j) after a change, by the definition.
    fn expected(fill: Fill, crop: isize, change: Change, i: isize, j: isize, channel: isize) -> f32 {
        let j = if change.mirrored { 3 - j } else { j };
        let (mut i, mut j) = (i + change.row as isize - crop, j + change.column as isize - crop);
        if fill == Fill::Zero && !((0..3).contains(&i) && (0..4).contains(&j)) {
            return 0.0;
        }
        (i, j) = (i.abs(), j.abs());
        (i, j) = (i.min(4 - i), j.min(6 - j));
        (100 * i + 10 * j + channel + 1000) as f32
    }

    #[test]
    fn images_are_moved_mirrored_and_filled_as_defined() {
        for fill in [Fill::Zero, Fill::Reflect] {
            let augmentation = Augmentation::new(SHAPE, true, 2, fill).unwrap().unwrap();
            let mut seen = std::collections::BTreeSet::new();
            for index in 0..400 {
                let change = augmentation.draw(7, 3, index);
                seen.insert((change.row, change.column, change.mirrored));
                for (at, &found) in changed(&augmentation, 3, index).iter().enumerate() {
                    let (i, j, channel) = ((at / 8) as isize, (at / 2 % 4) as isize, (at % 2) as isize);
                    assert_eq!(found, expected(fill, 2, change, i, j, channel), "{change:?} at {at}");
                }
            }
            assert_eq!(seen.len(), 5 * 5 * 2, "every change occurs");
        }
    }

    #[test]
    fn a_flip_alone_keeps_every_pixel_and_comes_half_the_time() {
        let augmentation = Augmentation::new(SHAPE, true, 0, Fill::Zero).unwrap().unwrap();
        let kept = (0..1000).filter(|&index| changed(&augmentation, 0, index) == image()).count();
        assert!((450..=550).contains(&kept), "{kept}");
        let crop = Augmentation::new(SHAPE, false, 1, Fill::Zero).unwrap().unwrap();
        assert!((0..50).all(|index| !crop.draw(0, 0, index).mirrored));
    }

    #[test]
    fn a_change_depends_on_seed_epoch_and_sample_alone() {
        let augmentation = Augmentation::new(SHAPE, true, 2, Fill::Zero).unwrap().unwrap();
        let epoch = |epoch| (0..50).map(|index| changed(&augmentation, epoch, index)).collect::<Vec<_>>();
        assert_eq!(epoch(1), epoch(1));
        assert_ne!(epoch(1), epoch(2));
        assert_ne!(augmentation.draw(1, 0, 0), augmentation.draw(2, 0, 0));
    }

    #[test]
    fn what_cannot_be_augmented_is_refused() {
        assert_eq!(Augmentation::new(SampleShape::Flat(5), false, 0, Fill::Zero), Ok(None));
        assert!(
            Augmentation::new(SampleShape::Flat(5), true, 0, Fill::Zero).unwrap_err().contains("vectors")
        );
        let text = Augmentation::new(SHAPE, true, 3, Fill::Reflect).unwrap_err();
        assert!(text.contains("over 2 pixels"), "{text}");
        assert!(Augmentation::new(SHAPE, true, 3, Fill::Zero).is_ok());
    }
}
