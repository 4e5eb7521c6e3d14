//! Centring and scaling of the inputs, with statistics of the train part alone.

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Split};

/// How inputs are centred and scaled. Under all but the first, |x|^2 averages to the number of features over the
/// train part, so that learning rates of different data sets can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalization {
    /// Inputs stay as they were read.
    None,
    /// Each feature loses its own mean; all are divided by one deviation, that of everything that is left.
    Pixel,
    /// Each channel of an image loses its own mean and is divided by its own deviation.
    Channel,
    /// All features lose one mean and are divided by one deviation.
    Global,
}

/// What was subtracted and divided by: x becomes (x - mean) / deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Empty for [`Normalization::None`], one per feature for `Pixel`, one per channel for `Channel`, a single one for
    /// `Global`.
    pub mean: Vec<f64>,
    /// One per channel for `Channel`, else a single one; 1 for [`Normalization::None`].
    pub deviation: Vec<f64>,
}

impl Split {
    /// Normalises both parts with the statistics of the train part (f64, divisor n), and returns these.
    ///
    /// # Errors
    /// [`DataError::Constant`] when the deviation is 0; the split is then unchanged.
    pub fn normalise(&mut self, how: Normalization) -> Result<Statistics, DataError> {
        let statistics = statistics(&self.train, how)?;
        statistics.apply(&mut self.train);
        statistics.apply(&mut self.test);
        Ok(statistics)
    }
}

impl Statistics {
    fn apply(&self, dataset: &mut Dataset) {
        if self.mean.is_empty() {
            return;
        }
        for row in dataset.inputs.chunks_exact_mut(self.mean.len()) {
            for ((value, mean), deviation) in
                row.iter_mut().zip(&self.mean).zip(self.deviation.iter().cycle())
            {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
    }
}

fn statistics(train: &Dataset, how: Normalization) -> Result<Statistics, DataError> {
    // A global mean is the mean of rows of length one: every value is its own row.
    let width = match how {
        Normalization::None => return Ok(Statistics { mean: Vec::new(), deviation: vec![1.0] }),
        Normalization::Pixel => train.features(),
        Normalization::Channel => train.shape.channels(),
        Normalization::Global => 1,
    };
    // Everything is measured from the first row: a constant data set then has a deviation of exactly 0,
    // whatever its value, and no digits are lost to a large common offset.
    let origin: Vec<f64> = train.inputs[..width].iter().map(|&value| f64::from(value)).collect();
    let rows = (train.inputs.len() / width) as f64;
    let mut shift = vec![0.0f64; width];
    for row in train.inputs.chunks_exact(width) {
        for ((sum, &value), from) in shift.iter_mut().zip(row).zip(&origin) {
            *sum += f64::from(value) - from;
        }
    }
    shift.iter_mut().for_each(|sum| *sum /= rows);
    let mut squares = vec![0.0f64; if how == Normalization::Channel { width } else { 1 }];
    let parts = squares.len();
    for row in train.inputs.chunks_exact(width) {
        for (index, ((&value, from), shift)) in row.iter().zip(&origin).zip(&shift).enumerate() {
            let rest = f64::from(value) - from - shift;
            squares[index % parts] += rest * rest;
        }
    }
    let shared = (train.inputs.len() / parts) as f64;
    let deviation: Vec<f64> = squares.iter().map(|squares| (squares / shared).sqrt()).collect();
    if deviation.contains(&0.0) {
        return Err(DataError::Constant { name: train.name.clone() });
    }
    let mean = origin.iter().zip(&shift).map(|(from, shift)| from + shift).collect();
    Ok(Statistics { mean, deviation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Labels, SampleShape};

    fn split(train: &[f32], test: &[f32]) -> Split {
        let part = |inputs: &[f32]| {
            let labels = Labels::Classes { labels: vec![0; inputs.len() / 2], count: 2 };
            Dataset::new("pairs", SampleShape::Flat(2), inputs.to_vec(), labels).unwrap()
        };
        Split::new(part(train), part(test)).unwrap()
    }

    fn mean_square_norm(dataset: &Dataset) -> f64 {
        dataset.inputs.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / dataset.len() as f64
    }

    #[test]
    fn none_changes_nothing() {
        let mut data = split(&[1.0, 2.0], &[3.0, 4.0]);
        let before = data.clone();
        let statistics = data.normalise(Normalization::None).unwrap();
        assert_eq!((data, statistics.mean.len(), statistics.deviation), (before, 0, vec![1.0]));
    }

    #[test]
    fn pixel_centres_each_feature_and_keeps_their_ratio() {
        // Means 2 and 20, remainders -+1 and -+10: deviation sqrt((1 + 100) / 2).
        let mut data = split(&[1.0, 10.0, 3.0, 30.0], &[2.0, 40.0]);
        let statistics = data.normalise(Normalization::Pixel).unwrap();
        let deviation = 50.5f64.sqrt();
        assert_eq!(statistics, Statistics { mean: vec![2.0, 20.0], deviation: vec![deviation] });
        assert_eq!(data.train.inputs, [-1.0, -10.0, 1.0, 10.0].map(|rest| (rest / deviation) as f32));
        assert_eq!(data.test.inputs, [0.0, 20.0].map(|rest| (rest / deviation) as f32));
        assert!((mean_square_norm(&data.train) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn global_has_one_mean_and_one_deviation() {
        let mut data = split(&[1.0, 10.0, 3.0, 30.0], &[11.0, 11.0]);
        let statistics = data.normalise(Normalization::Global).unwrap();
        assert_eq!(statistics.mean, [11.0]);
        // Remainders -10, -1, -8, 19: squares add up to 526.
        assert!((statistics.deviation[0] - 131.5f64.sqrt()).abs() < 1e-14);
        assert_eq!(data.test.inputs, [0.0, 0.0]);
        assert!((mean_square_norm(&data.train) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn channel_has_a_mean_and_a_deviation_for_each_channel() {
        let mut data = split(&[1.0, 10.0, 3.0, 30.0], &[2.0, 40.0]);
        let shape = SampleShape::Image { height: 1, width: 1, channels: 2 };
        (data.train.shape, data.test.shape) = (shape, shape);
        let statistics = data.normalise(Normalization::Channel).unwrap();
        assert_eq!(statistics, Statistics { mean: vec![2.0, 20.0], deviation: vec![1.0, 10.0] });
        assert_eq!(data.train.inputs, [-1.0, -1.0, 1.0, 1.0]);
        assert_eq!(data.test.inputs, [0.0, 2.0]);
    }

    #[test]
    fn constant_inputs_have_no_deviation_to_divide_by() {
        // Per pixel they are constant, over all pixels they are not.
        let mut data = split(&[0.1, 0.7, 0.1, 0.7, 0.1, 0.7], &[1.0, 2.0]);
        let before = data.clone();
        let text = data.normalise(Normalization::Pixel).unwrap_err().to_string();
        assert!(text.contains("deviation is 0: use normalize = \"none\""), "{text}");
        assert_eq!(data, before);
        assert!(data.normalise(Normalization::Global).is_ok());
        assert!(split(&[0.1; 6], &[1.0, 2.0]).normalise(Normalization::Global).is_err());
    }

    #[test]
    fn names_are_lower_case_words() {
        assert_eq!(serde_json::to_string(&Normalization::Pixel).unwrap(), "\"pixel\"");
        assert_eq!(serde_json::from_str::<Normalization>("\"global\"").unwrap(), Normalization::Global);
    }
}
