//! Data sets that are made, not read: pure functions of their parameters and a seed.
//!
//! Sample `i` of a part depends on the seed and on `i`, not on how many samples follow it: asking for more
//! keeps those there were. The two parts are drawn from streams of their own.

mod mnist1d;
mod teacher;
mod toys;
mod two_gaussians;

pub use mnist1d::Mnist1d;
pub use teacher::Teacher;
pub use toys::{Degenerate, Point};
pub use two_gaussians::TwoGaussians;

use etalon_nn::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;

use super::{DataError, Dataset, Labels, SampleShape, Split, draw};

/// What a stream is drawn for; the numbers are part of every result's name.
#[derive(Clone, Copy)]
enum Part {
    Train = 0,
    Test = 1,
    /// What both parts have in common: a direction, a teacher.
    Common = 2,
}

fn generator(seed: u64, part: Part) -> ChaCha8Rng {
    stream(seed, Purpose::Data, part as u64)
}

/// The most values that a part may have: 8 GiB of them.
const MOST_VALUES: usize = 1 << 31;

/// One part: `sample` appends the features of sample `i` to its last argument and returns its label.
fn part<L>(
    (name, kind): (&str, Part),
    shape: SampleShape,
    samples: usize,
    seed: u64,
    mut sample: impl FnMut(usize, &mut ChaCha8Rng, &mut Vec<f32>) -> L,
    labels: impl FnOnce(Vec<L>) -> Labels,
) -> Result<Dataset, DataError> {
    let (name, option) = match kind {
        Part::Test => (format!("{name} (test)"), "test"),
        Part::Train | Part::Common => (format!("{name} (train)"), "train"),
    };
    let values = samples.checked_mul(shape.features()).filter(|&values| values <= MOST_VALUES);
    let Some(values) = values.filter(|&values| values > 0) else {
        let problem = format!(
            "asks for {samples} samples of {} features: ask for at least one of each and at most {MOST_VALUES} numbers",
            shape.features()
        );
        return Err(DataError::Option { name, option, problem });
    };
    let mut generator = generator(seed, kind);
    let mut inputs = Vec::with_capacity(values);
    let targets = (0..samples).map(|index| sample(index, &mut generator, &mut inputs)).collect();
    Dataset::new(name, shape, inputs, labels(targets))
}

/// `length` independent standard normal numbers.
fn normals(generator: &mut ChaCha8Rng, length: usize) -> Vec<f64> {
    (0..length).map(|_| draw::normal(generator)).collect()
}

/// The error for a parameter that must be finite, if it is not.
fn finite(name: &str, option: &'static str, value: f64) -> Result<(), DataError> {
    if value.is_finite() {
        return Ok(());
    }
    let problem = format!("is {value}: give a finite number");
    Err(DataError::Option { name: name.into(), option, problem })
}

/// The error for a dimension that is none.
fn positive_dimension(name: &str, dimension: usize) -> Result<(), DataError> {
    if (1..=MOST_VALUES).contains(&dimension) {
        return Ok(());
    }
    let problem = format!("is {dimension}: give a number from 1 to {MOST_VALUES}");
    Err(DataError::Option { name: name.into(), option: "dimension", problem })
}

/// The class labels of sample after sample.
fn classes(count: u32) -> impl Fn(Vec<u32>) -> Labels {
    move |labels| Labels::Classes { labels, count }
}

/// The single values of sample after sample.
fn values(values: Vec<f32>) -> Labels {
    Labels::Values { values, width: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(train: usize, seed: u64) -> Vec<Split> {
        vec![
            Mnist1d.split(train, 10, seed).unwrap(),
            TwoGaussians::default().split(train, 10, seed).unwrap(),
            Teacher::default().split(train, 10, seed).unwrap(),
        ]
    }

    #[test]
    fn a_seed_gives_the_same_samples_whatever_their_number() {
        for (few, many) in all(10, 3).into_iter().zip(all(30, 3)) {
            assert_eq!(few.train, many.train.take(10).unwrap());
            assert_eq!(few.test, many.test);
        }
    }

    #[test]
    fn seeds_and_parts_differ() {
        for (one, other) in all(10, 3).into_iter().zip(all(10, 4)) {
            assert_ne!(one.train.inputs, other.train.inputs);
            assert_ne!(one.train.inputs, one.test.inputs);
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for (train, test, option) in [(0, 1, "train"), (1, 0, "test"), (usize::MAX, 1, "train")] {
            let error = Teacher::default().split(train, test, 0).unwrap_err();
            assert!(matches!(error, DataError::Option { option: named, .. } if named == option), "{error}");
        }
    }

    #[test]
    fn samples_never_change_between_versions() {
        let ends: Vec<[f32; 2]> = all(10, 3)
            .iter()
            .map(|split| [split.train.inputs[0], split.test.inputs[split.test.inputs.len() - 1]])
            .collect();
        let pinned: [[f32; 2]; 3] =
            [[0.115462594, 0.33915183], [-2.083177, -1.2366343], [-2.0464406, -1.7911912]];
        for (end, pinned) in ends.iter().flatten().zip(pinned.iter().flatten()) {
            // Another platform's exp and ln may round otherwise.
            assert!((end - pinned).abs() < 1e-6, "{ends:?}");
        }
    }
}
