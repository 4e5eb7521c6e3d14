//! A data set in memory: inputs, labels, and the two parts of a split.

use super::DataError;

/// The shape of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleShape {
    /// A vector of this many features.
    Flat(usize),
    /// An image; its values are stored row by row, the channels of a pixel side by side (NHWC).
    Image {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Values per pixel: 1 for grey, 3 for red, green, blue.
        channels: usize,
    },
}

impl SampleShape {
    /// The values of a pixel; 1 where samples are vectors.
    pub fn channels(self) -> usize {
        match self {
            SampleShape::Flat(_) => 1,
            SampleShape::Image { channels, .. } => channels,
        }
    }

    /// The number of features of a sample.
    pub fn features(self) -> usize {
        match self {
            SampleShape::Flat(length) => length,
            SampleShape::Image { height, width, channels } => height * width * channels,
        }
    }
}

/// What is to be predicted.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// One class per sample.
    Classes {
        /// The class of each sample, below `count`.
        labels: Vec<u32>,
        /// The number of classes, some of which may have no sample here.
        count: u32,
    },
    /// One vector per sample.
    Values {
        /// Samples x `width`, row-major.
        values: Vec<f32>,
        /// Values per sample.
        width: usize,
    },
}

/// Samples with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What the user calls it, with its part: `mnist (train)`.
    pub name: String,
    /// The shape of each sample.
    pub shape: SampleShape,
    /// Samples x features, row-major; image values in NHWC order, scaled to [0, 1] by the readers.
    pub inputs: Vec<f32>,
    /// As many as there are samples.
    pub labels: Labels,
}

/// The part one trains on and the part one does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// For training, and for every statistic.
    pub train: Dataset,
    /// For testing only.
    pub test: Dataset,
    /// What was not given and had to be recognised in reading, for the user to hear; empty where there is nothing.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Puts a data set together and checks it.
    ///
    /// # Errors
    /// [`DataError::Inconsistent`] for no sample, no feature, counts that differ, a label not below the
    /// number of classes, or a number that is not finite.
    pub fn new(
        name: impl Into<String>,
        shape: SampleShape,
        inputs: Vec<f32>,
        labels: Labels,
    ) -> Result<Self, DataError> {
        let dataset = Dataset { name: name.into(), shape, inputs, labels };
        match dataset.fault() {
            None => Ok(dataset),
            Some(problem) => Err(DataError::Inconsistent { name: dataset.name, problem }),
        }
    }

    fn fault(&self) -> Option<String> {
        let features = self.shape.features();
        if features == 0 || self.inputs.is_empty() {
            return Some("there is no sample or no feature: give at least one of each".into());
        }
        let samples = self.inputs.len() / features;
        if samples * features != self.inputs.len() {
            let length = self.inputs.len();
            return Some(format!("{length} input values do not make whole samples of {features} features"));
        }
        let labelled = match &self.labels {
            Labels::Classes { labels, count } => {
                if let Some((sample, label)) = labels.iter().enumerate().find(|&(_, label)| label >= count) {
                    return Some(format!(
                        "label {label} of sample {sample} is out of range: there are {count} classes, counted from 0"
                    ));
                }
                labels.len()
            }
            Labels::Values { values, width } => {
                if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                    return Some(format!("label value {place} is {}: remove or mend it", values[place]));
                }
                if *width == 0 || values.len() % width != 0 {
                    return Some(format!("{} label values do not make whole rows of {width}", values.len()));
                }
                values.len() / width
            }
        };
        if labelled != samples {
            return Some(format!("{samples} samples but {labelled} labels: give one label to each sample"));
        }
        let place = self.inputs.iter().position(|value| !value.is_finite())?;
        let (sample, feature) = (place / features, place % features);
        Some(format!("feature {feature} of sample {sample} is {}: remove or mend it", self.inputs[place]))
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        match &self.labels {
            Labels::Classes { labels, .. } => labels.len(),
            Labels::Values { values, width } => values.len() / width,
        }
    }

    /// Whether there is no sample; never so for a data set made by [`Dataset::new`].
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of features of a sample.
    pub fn features(&self) -> usize {
        self.shape.features()
    }

    /// The number of classes; none where labels are values.
    pub fn classes(&self) -> Option<u32> {
        match self.labels {
            Labels::Classes { count, .. } => Some(count),
            Labels::Values { .. } => None,
        }
    }

    /// The features of one sample.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::len`], as slices do.
    pub fn sample(&self, index: usize) -> &[f32] {
        let features = self.features();
        &self.inputs[index * features..(index + 1) * features]
    }

    /// Keeps the first `n` samples.
    ///
    /// # Errors
    /// [`DataError::TooFew`] when `n` is 0 or more than there are.
    pub fn take(mut self, n: usize) -> Result<Self, DataError> {
        let there = self.len();
        if n == 0 || n > there {
            return Err(DataError::TooFew { name: self.name, there, asked: n });
        }
        self.inputs.truncate(n * self.shape.features());
        self.inputs.shrink_to_fit();
        match &mut self.labels {
            Labels::Classes { labels, .. } => labels.truncate(n),
            Labels::Values { values, width } => values.truncate(n * *width),
        }
        Ok(self)
    }

    /// Keeps the samples of these classes, in their order; `classes[k]` becomes class `k`.
    ///
    /// # Errors
    /// [`DataError::Option`] when labels are values, or a class is repeated, unknown or without a sample.
    pub fn restrict_to_classes(self, classes: &[u32]) -> Result<Self, DataError> {
        let Labels::Classes { labels, count } = &self.labels else {
            return Err(DataError::Option {
                name: self.name,
                option: "classes",
                problem: "cannot be used: the labels are values, not classes".into(),
            });
        };
        let kept = select(&self.name, labels.iter().copied(), *count, classes)?;
        let mut inputs = Vec::with_capacity(kept.len() * self.features());
        for &(index, _) in &kept {
            inputs.extend_from_slice(self.sample(index));
        }
        let labels = kept.iter().map(|&(_, label)| label).collect();
        let count = classes.len() as u32; // `select` has checked that they are at most `count`
        Ok(Dataset { name: self.name, shape: self.shape, inputs, labels: Labels::Classes { labels, count } })
    }
}

/// The samples whose class is among `classes`, as (index, new class).
pub(super) fn select(
    name: &str,
    labels: impl Iterator<Item = u32>,
    count: u32,
    classes: &[u32],
) -> Result<Vec<(usize, u32)>, DataError> {
    let fault = |problem| DataError::Option { name: name.into(), option: "classes", problem };
    if classes.is_empty() {
        return Err(fault("is empty: name at least one class".into()));
    }
    let mut renamed = vec![None; count as usize];
    for (new, &class) in classes.iter().enumerate() {
        match renamed.get_mut(class as usize) {
            None => {
                return Err(fault(format!("names class {class}, but the classes are 0 to {}", count - 1)));
            }
            Some(Some(_)) => return Err(fault(format!("names class {class} twice: name each once"))),
            Some(place) => *place = Some(new as u32),
        }
    }
    let kept: Vec<(usize, u32)> = labels
        .enumerate()
        .filter_map(|(index, label)| Some((index, (*renamed.get(label as usize)?)?)))
        .collect();
    let mut seen = vec![false; classes.len()];
    kept.iter().for_each(|&(_, new)| seen[new as usize] = true);
    match seen.iter().position(|seen| !seen) {
        Some(new) => Err(fault(format!("names class {}, which has no sample here", classes[new]))),
        None => Ok(kept),
    }
}

impl Split {
    /// Puts the two parts together and checks that they can be used by one network.
    ///
    /// # Errors
    /// [`DataError::Inconsistent`] when shapes or kinds of label differ.
    pub fn new(train: Dataset, test: Dataset) -> Result<Self, DataError> {
        let problem = match (&train.labels, &test.labels) {
            _ if train.shape != test.shape => {
                format!("samples are {:?} in the train part, {:?} in the test part", train.shape, test.shape)
            }
            (Labels::Classes { count: a, .. }, Labels::Classes { count: b, .. }) if a == b => {
                return Ok(Split { train, test, notes: Vec::new() });
            }
            (Labels::Values { width: a, .. }, Labels::Values { width: b, .. }) if a == b => {
                return Ok(Split { train, test, notes: Vec::new() });
            }
            _ => "the labels of the train and test part differ in kind, number of classes or width".into(),
        };
        Err(DataError::Inconsistent {
            name: train.name,
            problem: format!("{problem}: make both the same way"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(labels: &[u32], count: u32) -> Labels {
        Labels::Classes { labels: labels.to_vec(), count }
    }

    fn small() -> Dataset {
        let inputs = (0..8).map(|value| value as f32).collect();
        Dataset::new("small", SampleShape::Flat(2), inputs, classes(&[0, 2, 1, 2], 3)).unwrap()
    }

    #[test]
    fn the_first_samples_are_kept_in_order() {
        let two = small().take(2).unwrap();
        assert_eq!((two.len(), two.sample(1), &two.labels), (2, &[2.0, 3.0][..], &classes(&[0, 2], 3)));
        let text = small().take(5).unwrap_err().to_string();
        assert_eq!(text, "small has 4 samples here, 5 were asked for: ask for between 1 and 4");
        assert!(matches!(small().take(0), Err(DataError::TooFew { asked: 0, .. })));
    }

    #[test]
    fn classes_are_relabelled_in_the_order_given() {
        let two = small().restrict_to_classes(&[2, 0]).unwrap();
        assert_eq!(two.labels, classes(&[1, 0, 0], 2));
        assert_eq!(two.inputs, [0.0, 1.0, 2.0, 3.0, 6.0, 7.0]);
    }

    #[test]
    fn classes_that_cannot_be_kept_are_named() {
        for (asked, expected) in [
            (&[][..], "is empty"),
            (&[7][..], "names class 7, but the classes are 0 to 2"),
            (&[1, 1][..], "names class 1 twice"),
        ] {
            let text = small().restrict_to_classes(asked).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
        let text = small().take(2).unwrap().restrict_to_classes(&[0, 1]).unwrap_err().to_string();
        assert!(text.contains("class 1, which has no sample here"), "{text}");
        let values = Labels::Values { values: vec![0.0], width: 1 };
        let regression = Dataset::new("r", SampleShape::Flat(1), vec![1.0], values).unwrap();
        let text = regression.restrict_to_classes(&[0]).unwrap_err().to_string();
        assert!(text.contains("the labels are values"), "{text}");
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let flat = SampleShape::Flat(2);
        let values = |values: &[f32], width| Labels::Values { values: values.to_vec(), width };
        for (inputs, labels, expected) in [
            (vec![], classes(&[], 2), "no sample"),
            (vec![1.0; 3], classes(&[0], 2), "3 input values do not make whole samples of 2"),
            (vec![1.0; 4], classes(&[0], 2), "2 samples but 1 labels"),
            (vec![1.0; 2], classes(&[2], 2), "label 2 of sample 0 is out of range"),
            (vec![1.0, f32::NAN], classes(&[0], 2), "feature 1 of sample 0 is NaN"),
            (vec![1.0; 2], values(&[f32::INFINITY], 1), "label value 0 is inf"),
            (vec![1.0; 2], values(&[1.0], 2), "do not make whole rows of 2"),
        ] {
            let text = Dataset::new("odd", flat, inputs, labels).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn two_parts_must_be_alike() {
        assert!(Split::new(small(), small().take(1).unwrap()).is_ok());
        let mut wide = small().take(2).unwrap();
        wide.shape = SampleShape::Image { height: 1, width: 2, channels: 1 };
        assert!(matches!(Split::new(small(), wide), Err(DataError::Inconsistent { .. })));
        let fewer = small().restrict_to_classes(&[2]).unwrap();
        assert!(matches!(Split::new(small(), fewer), Err(DataError::Inconsistent { .. })));
    }
}
