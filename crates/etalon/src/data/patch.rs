//! Patches on images: a pattern that tells an image's class to whoever learns it.
//!
//! Li, Wei and Ma 2019 (1907.04595, section 5): all patches share a pattern `z` of normal numbers; class `i` has an offset
//! `zeta_i` of uniform ones; the patch of an image of class `i` is `z + zeta_i` or `z - zeta_i`, so that no linear function
//! of it tells the class. Some images never have a patch; the others have one at every visit, or are nothing but one.

use super::{DataError, Labels, SampleShape, Split, draw};
use etalon_nn::Scalar;
use etalon_nn::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;

/// What patches are like.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchRule {
    /// Rows and columns.
    pub size: usize,
    /// Row and column of the first pixel; none for the centre.
    pub place: Option<[u64; 2]>,
    /// The deviation of `z`.
    pub scale: f64,
    /// Offsets lie between minus and plus this.
    pub offset: f64,
    /// The offset of a patch alone is multiplied by a uniform number from 0 to this.
    pub spread: f64,
    /// The share of images without a patch.
    pub clean: f64,
    /// The share of visits that see the patch alone, on zeros; the rest sees image and patch.
    pub only: f64,
    /// What `z`, the offsets, and the choice of images are drawn from.
    pub seed: u64,
}

/// What a sample is at a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// An image without a patch.
    Unpatched,
    /// An image with one.
    Patched,
    /// Zeros with one.
    PatchOnly,
}

/// Whose fixed draw: that of the patches in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// The training samples.
    Train,
    /// The held-out samples, in the shares of the rule.
    Test,
    /// The held-out samples' classes, as patches alone.
    TestOnly,
}

/// The patches of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Where each line of the patch starts in an image.
    lines: Vec<usize>,
    /// Numbers of a line.
    line: usize,
    pattern: Vec<f64>,
    /// One after another, by class.
    offsets: Vec<f64>,
    spread: f64,
    /// Of the samples with a patch, the share that is nothing else.
    only: f64,
    seed: u64,
    train: Vec<Sample>,
    test: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    class: u32,
    has_patch: bool,
}

impl Patch {
    /// The patches of a split, whose images are normalised and have their final size.
    ///
    /// # Errors
    /// [`DataError::Option`] when samples are no images, labels no classes, or the patch does not fit into an image.
    pub fn new(rule: &PatchRule, split: &Split) -> Result<Patch, DataError> {
        let name = &split.train.name;
        let fault = |option, problem: String| Err(DataError::Option { name: name.clone(), option, problem });
        let SampleShape::Image { height, width, channels } = split.train.shape else {
            return fault(
                "data.patch.size",
                "puts a patch on images, and samples are vectors: leave it at 0".into(),
            );
        };
        let Labels::Classes { count, .. } = split.train.labels else {
            return fault("data.patch.size", "needs classes, and labels are values: leave it at 0".into());
        };
        let size = rule.size;
        if size > height.min(width) {
            let problem = format!(
                "is {size}, larger than the images of {height} x {width}: take at most {}",
                height.min(width)
            );
            return fault("data.patch.size", problem);
        }
        let centre = [(height - size) as u64 / 2, (width - size) as u64 / 2];
        let [row, column] = rule.place.unwrap_or(centre);
        if row > (height - size) as u64 || column > (width - size) as u64 {
            let problem = format!(
                "is [{row}, {column}], where a patch of {size} x {size} leaves images of {height} x {width}: take at most \
                 [{}, {}]",
                height - size,
                width - size
            );
            return fault("data.patch.place", problem);
        }
        let (row, column) = (row as usize, column as usize);
        let line = size * channels;
        let mut generator = stream(rule.seed, Purpose::Patch, 0);
        let pattern = (0..size * line).map(|_| rule.scale * draw::normal(&mut generator)).collect();
        let offset = |_| rule.offset * (2.0 * draw::uniform(&mut generator) - 1.0);
        let offsets = (0..count as usize * size * line).map(offset).collect();
        let samples = |labels: &Labels, part: u64| -> Vec<Sample> {
            let Labels::Classes { labels, .. } = labels else { return Vec::new() };
            let mut generator = stream(rule.seed, Purpose::Patch, part);
            let sample =
                |&class: &u32| Sample { class, has_patch: draw::uniform(&mut generator) >= rule.clean };
            labels.iter().map(sample).collect()
        };
        Ok(Patch {
            lines: (row..row + size).map(|row| (row * width + column) * channels).collect(),
            line,
            pattern,
            offsets,
            spread: rule.spread,
            only: if rule.clean < 1.0 { rule.only / (1.0 - rule.clean) } else { 0.0 },
            seed: rule.seed,
            train: samples(&split.train.labels, 1),
            test: samples(&split.test.labels, 2),
        })
    }

    /// Makes training sample `index` what epoch `epoch` sees: a pure function of the three numbers. Allocates nothing.
    ///
    /// # Panics
    /// When there is no such sample, or the image has another shape.
    pub fn visit<T: Scalar>(&self, (seed, epoch, index): (u64, u64, u32), image: &mut [T]) -> Group {
        let sample = self.train[index as usize];
        if !sample.has_patch {
            return Group::Unpatched;
        }
        // Epochs beyond 2^32 would begin again.
        let generator = stream(seed, Purpose::PatchVisit, epoch << 32 | u64::from(index));
        self.put(generator, sample.class, self.only, image)
    }

    /// Makes a sample what an evaluation sees, always the same.
    ///
    /// # Panics
    /// As [`Patch::visit`].
    pub fn fix<T: Scalar>(&self, whose: Fixed, index: usize, image: &mut [T]) -> Group {
        let (sample, only) = match whose {
            Fixed::Train => (self.train[index], self.only),
            Fixed::Test => (self.test[index], self.only),
            Fixed::TestOnly => (Sample { has_patch: true, ..self.test[index] }, 1.0),
        };
        if !sample.has_patch {
            return Group::Unpatched;
        }
        // The first few indices are those of the pattern and of the choices of images.
        let generator = stream(self.seed, Purpose::Patch, (whose as u64 + 1) << 32 | index as u64);
        self.put(generator, sample.class, only, image)
    }

    fn put<T: Scalar>(&self, mut generator: ChaCha8Rng, class: u32, only: f64, image: &mut [T]) -> Group {
        let sign = if draw::below(&mut generator, 2) == 1 { 1.0 } else { -1.0 };
        let alone = draw::uniform(&mut generator) < only;
        let by = if alone {
            image.fill(T::ZERO);
            sign * self.spread * draw::uniform(&mut generator)
        } else {
            sign
        };
        let offset = &self.offsets[class as usize * self.pattern.len()..][..self.pattern.len()];
        let rows = self.pattern.chunks_exact(self.line).zip(offset.chunks_exact(self.line));
        for (&start, (pattern, offset)) in self.lines.iter().zip(rows) {
            for ((pixel, z), zeta) in image[start..start + self.line].iter_mut().zip(pattern).zip(offset) {
                *pixel = T::from_f64(z + by * zeta);
            }
        }
        if alone { Group::PatchOnly } else { Group::Patched }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;

    const SHAPE: SampleShape = SampleShape::Image { height: 5, width: 4, channels: 2 };

    fn rule() -> PatchRule {
        let (scale, offset, spread, clean, only) = (1.25, 0.1, 1.75, 0.2, 0.16);
        PatchRule { size: 2, place: None, scale, offset, spread, clean, only, seed: 3 }
    }

    fn split(samples: usize) -> Split {
        let labels = Labels::Classes { labels: (0..samples).map(|k| k as u32 % 3).collect(), count: 3 };
        let part = Dataset::new("some", SHAPE, vec![7.0; samples * 40], labels).unwrap();
        Split::new(part.clone(), part).unwrap()
    }

    fn visit(patch: &Patch, seed: u64, epoch: u64, index: u32) -> (Group, Vec<f64>) {
        let mut image = vec![7.0; 40];
        let group = patch.visit((seed, epoch, index), &mut image);
        (group, image)
    }

    /// The patch of an image: rows 1 and 2, columns 1 and 2.
    fn inside(image: &[f64]) -> Vec<f64> {
        [1, 2].iter().flat_map(|row| image[(row * 4 + 1) * 2..][..4].to_vec()).collect()
    }

    #[test]
    fn shares_are_kept_and_images_without_a_patch_stay_so() {
        let patch = Patch::new(&rule(), &split(5000)).unwrap();
        let mut counts = [0; 3];
        for index in 0..5000 {
            let groups: Vec<Group> = (0..4).map(|epoch| visit(&patch, 0, epoch, index).0).collect();
            assert!(
                groups.iter().all(|&group| (group == Group::Unpatched) == (groups[0] == Group::Unpatched))
            );
            groups.iter().for_each(|&group| counts[group as usize] += 1);
        }
        // Of 20,000: four deviations are 226 (the choice of images is made once for four visits), 271 and 207.
        for (count, share) in counts.iter().zip([0.2, 0.64, 0.16]) {
            assert!((f64::from(*count) - 20_000.0 * share).abs() < 280.0, "{counts:?}");
        }
    }

    #[test]
    fn a_patch_is_the_pattern_plus_or_minus_the_offset_of_the_class() {
        let patch = Patch::new(&rule(), &split(60)).unwrap();
        let mut signs = [0; 2];
        for (index, epoch) in (0..60).flat_map(|index| (0..20).map(move |epoch| (index, epoch))) {
            let (group, image) = visit(&patch, 1, epoch, index);
            let around =
                image.iter().filter(|&&value| value == if group == Group::PatchOnly { 0.0 } else { 7.0 });
            if group == Group::Unpatched {
                assert_eq!(image, [7.0; 40]);
                continue;
            }
            assert_eq!(around.count(), 32);
            let zeta = &patch.offsets[index as usize % 3 * 8..][..8];
            let found = inside(&image);
            let by = (found[0] - patch.pattern[0]) / zeta[0];
            for ((value, z), zeta) in found.iter().zip(&patch.pattern).zip(zeta) {
                assert!((value - z - by * zeta).abs() < 1e-12 && zeta.abs() <= 0.1);
            }
            match group {
                Group::Patched => assert!((by.abs() - 1.0).abs() < 1e-9, "{by}"),
                _ => assert!(by.abs() <= 1.75 + 1e-9, "{by}"),
            }
            signs[usize::from(by > 0.0)] += 1;
        }
        assert!(signs[0] > 400 && signs[1] > 400, "{signs:?}");
    }

    #[test]
    fn a_visit_depends_on_seed_epoch_and_sample_alone_and_the_pattern_on_neither() {
        let patch = Patch::new(&rule(), &split(50)).unwrap();
        let epoch = |seed, epoch| (0..50).map(|index| visit(&patch, seed, epoch, index)).collect::<Vec<_>>();
        assert_eq!(epoch(0, 1), epoch(0, 1));
        assert_ne!(epoch(0, 1), epoch(0, 2));
        assert_ne!(epoch(0, 1), epoch(1, 1));
        // More samples change neither the pattern nor who has a patch.
        let more = Patch::new(&rule(), &split(70)).unwrap();
        assert_eq!(
            (&more.pattern, &more.offsets, &more.train[..50]),
            (&patch.pattern, &patch.offsets, &patch.train[..])
        );
        let other = Patch::new(&PatchRule { seed: 4, ..rule() }, &split(50)).unwrap();
        assert!(other.pattern != patch.pattern && other.train != patch.train);
    }

    #[test]
    fn evaluations_are_fixed_and_held_out_patches_can_stand_alone() {
        let patch = Patch::new(&rule(), &split(200)).unwrap();
        let fixed = |whose, index| {
            let mut image = vec![7.0; 40];
            let group = patch.fix(whose, index, &mut image);
            (group, image)
        };
        assert!((0..200).all(|index| fixed(Fixed::TestOnly, index).0 == Group::PatchOnly));
        assert!((0..200).all(|index| fixed(Fixed::Test, index) == fixed(Fixed::Test, index)));
        let train: Vec<_> = (0..200).map(|index| fixed(Fixed::Train, index)).collect();
        let unpatched = |group: Group| group == Group::Unpatched;
        assert!((0..200).all(|k| unpatched(train[k].0) == unpatched(visit(&patch, 9, 9, k as u32).0)));
        assert!((0..200).any(|index| fixed(Fixed::Test, index) != train[index]));
    }

    #[test]
    fn places_are_the_centre_or_as_told() {
        let at = |place| Patch::new(&PatchRule { place, ..rule() }, &split(3)).unwrap().lines;
        assert_eq!(at(None), [(4 + 1) * 2, (8 + 1) * 2]);
        assert_eq!(at(Some([3, 2])), [(12 + 2) * 2, (16 + 2) * 2]);
    }

    #[test]
    fn patches_that_cannot_be_are_refused() {
        let fault = |rule: PatchRule, split: &Split| Patch::new(&rule, split).unwrap_err().to_string();
        let text = fault(PatchRule { size: 5, ..rule() }, &split(3));
        assert!(text.contains("larger than the images of 5 x 4: take at most 4"), "{text}");
        let text = fault(PatchRule { place: Some([0, 3]), ..rule() }, &split(3));
        assert!(text.contains("[0, 3]") && text.contains("take at most [3, 2]"), "{text}");
        let mut flat = split(3);
        flat.train.shape = SampleShape::Flat(40);
        assert!(fault(rule(), &flat).contains("samples are vectors"));
        let mut values = split(3);
        values.train.labels = Labels::Values { values: vec![0.0; 3], width: 1 };
        assert!(fault(rule(), &values).contains("labels are values"));
    }
}
