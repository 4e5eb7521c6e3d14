//! The one-input toys on which large learning rates can be solved on paper.

use super::{DataError, Part, SampleShape, Split, classes, part, values};

/// The single sample x = 1 with the value y = 0, on which the catapult mechanism is derived (Lewkowycz et
/// al. 2020, "The large learning rate phase of deep learning: the catapult mechanism", section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point;

impl Point {
    /// Both parts: `train` and `test` copies of the sample; 1 and 1 for the toy itself.
    ///
    /// # Errors
    /// [`DataError::Option`] for sizes that cannot be.
    pub fn split(&self, train: usize, test: usize) -> Result<Split, DataError> {
        let copies = |kind, samples| {
            let sample = |_, _: &mut _, inputs: &mut Vec<f32>| {
                inputs.push(1.0);
                0.0
            };
            part(("point", kind), SampleShape::Flat(1), samples, 0, sample, values)
        };
        Split::new(copies(Part::Train, train)?, copies(Part::Test, test)?)
    }
}

/// Degenerate data for logistic loss: every input is 1, a share of the labels is 1 and the rest 0, so that
/// no predictor separates them unless the share is 0 or 1 (Huang, Xu and others 2020, "Implicit bias of
/// deep linear networks in the large learning rate phase").
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Degenerate {
    /// The share of label 1, from 0 to 1.
    pub positive_share: f64,
}

impl Default for Degenerate {
    /// As many of the one as of the other.
    fn default() -> Self {
        Degenerate { positive_share: 0.5 }
    }
}

impl Degenerate {
    /// Both parts, each with the exact share of label 1, spread evenly. Labels: two classes.
    ///
    /// # Errors
    /// [`DataError::Option`] for a share outside 0 to 1, for sizes of which the share is no whole number of
    /// samples, and for sizes that cannot be.
    pub fn split(&self, train: usize, test: usize) -> Result<Split, DataError> {
        let draw_part = |kind, samples| {
            let positive = self.positives(samples)?;
            // Label 1 wherever the running share passes another whole number; in u128, where it is exact.
            let before = |index: usize| index as u128 * positive as u128 / samples as u128;
            let sample = |index: usize, _: &mut _, inputs: &mut Vec<f32>| {
                inputs.push(1.0);
                (before(index + 1) - before(index)) as u32
            };
            part(("degenerate", kind), SampleShape::Flat(1), samples, 0, sample, classes(2))
        };
        Split::new(draw_part(Part::Train, train)?, draw_part(Part::Test, test)?)
    }

    fn positives(&self, samples: usize) -> Result<usize, DataError> {
        let share = self.positive_share;
        let fault =
            |problem| DataError::Option { name: "degenerate".into(), option: "positive_share", problem };
        if !(0.0..=1.0).contains(&share) {
            return Err(fault(format!("is {share}: give a number from 0 to 1")));
        }
        let wanted = share * samples as f64;
        // A share such as 0.7 is no exact binary number: its product misses a whole number by rounding only.
        if (wanted - wanted.round()).abs() > 1e-9 * samples as f64 {
            let problem = format!(
                "is {share}, which of {samples} samples is {wanted}: choose sizes of which it is a whole number"
            );
            return Err(fault(problem));
        }
        Ok(wanted.round() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    #[test]
    fn the_point_is_one_and_zero() {
        let split = Point.split(1, 1).unwrap();
        for part in [&split.train, &split.test] {
            assert_eq!(part.inputs, [1.0]);
            assert_eq!(part.labels, Labels::Values { values: vec![0.0], width: 1 });
        }
    }

    fn labels(positive_share: f64, samples: usize) -> Vec<u32> {
        let train = Degenerate { positive_share }.split(samples, samples).unwrap().train;
        assert_eq!(train.inputs, vec![1.0; samples]);
        match train.labels {
            Labels::Classes { labels, count: 2 } => labels,
            other => panic!("two classes, not {other:?}"),
        }
    }

    #[test]
    fn the_share_is_exact_and_evenly_spread() {
        assert_eq!(labels(0.5, 6), [0, 1, 0, 1, 0, 1]);
        assert_eq!(labels(0.25, 8), [0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(labels(1.0, 3), [1, 1, 1]);
        assert_eq!(labels(0.0, 2), [0, 0]);
        for hundredths in 0..=100 {
            assert_eq!(labels(f64::from(hundredths) / 100.0, 100).iter().sum::<u32>(), hundredths);
        }
    }

    #[test]
    fn shares_that_cannot_be_are_refused() {
        for (positive_share, samples, expected) in [
            (1.5, 2, "is 1.5: give a number from 0 to 1"),
            (f64::NAN, 2, "is NaN"),
            (0.7, 4, "which of 4 samples is 2.8"),
        ] {
            let text = Degenerate { positive_share }.split(samples, 2).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
