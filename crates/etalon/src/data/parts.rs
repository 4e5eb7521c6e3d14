//! The parts of a data set as its files have them, and how one set becomes two.

use super::draw::below;
use super::{DataError, Dataset, Labels, Source, Split};
use etalon_nn::random::{Purpose, stream};

/// How one set becomes two, as part of its digest: whoever changes [`divide`] gives the rule another name, so that trials of
/// other parts have other names.
pub(super) const DRAWN: &str = "a fifth at most, drawn as Fisher and Yates do: rule 2";

/// What files of the user's hold.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) train: Dataset,
    /// None where there is one set for both.
    pub(super) test: Option<Dataset>,
    /// What had to be recognised in reading.
    pub(super) notes: Vec<String>,
}

impl Parts {
    /// The train and the test part of `name`, with the classes and as many samples as are asked for.
    pub(super) fn split(self, name: &str, source: &Source) -> Result<Split, DataError> {
        let Source { classes, train, test, .. } = source;
        let part = |data: Dataset, part: &str| {
            let named = Dataset { name: format!("{name} ({part})"), ..data };
            if classes.is_empty() { Ok(named) } else { named.restrict_to_classes(classes) }
        };
        let (whole, mut notes) = (part(self.train, "train")?, self.notes);
        let (trained, tested) = match self.test {
            Some(tested) => (first(whole, *train)?, first(part(tested, "test")?, *test)?),
            None => {
                let seed = source.options.seed;
                let samples = whole.len();
                let [trained, tested] = divide(whole, [*train, *test], seed)?;
                notes.push(format!(
                    "{name} is one set: of its {samples} samples, {} drawn by data.seed = {seed} are held out and {} trained on",
                    tested.len(),
                    trained.len()
                ));
                (trained, Dataset { name: format!("{name} (test)"), ..tested })
            }
        };
        Ok(Split { notes, ..Split::new(trained, tested)? })
    }
}

/// The first so many, or all where there are fewer.
fn first(whole: Dataset, asked: Option<usize>) -> Result<Dataset, DataError> {
    let there = whole.len();
    whole.take(asked.map_or(there, |asked| asked.min(there)))
}

/// Draws a train and a test part without a sample in both: as many as are asked for, where there are as many; else a fifth
/// for testing at most and the rest for training.
fn divide(whole: Dataset, [train, test]: [Option<usize>; 2], seed: u64) -> Result<[Dataset; 2], DataError> {
    let samples = whole.len();
    let fits = train.zip(test).is_some_and(|(train, test)| train.saturating_add(test) <= samples);
    let fifth = samples.div_ceil(5);
    let tested = test.map_or(fifth, |test| if fits { test } else { test.min(fifth) });
    let trained = train.unwrap_or(samples).min(samples - tested);
    if trained == 0 || tested == 0 {
        let problem = format!(
            "it holds {samples} sample{} of {} features, which cannot be cut into {trained} for training and {tested} for testing; \
             add rows, or choose at least one of each",
            if samples == 1 { "" } else { "s" },
            whole.shape.features()
        );
        return Err(DataError::Inconsistent { name: whole.name, problem });
    }
    // Fisher and Yates.
    let mut order: Vec<usize> = (0..samples).collect();
    let mut generator = stream(seed, Purpose::Data, 0);
    for end in (1..samples).rev() {
        order.swap(end, below(&mut generator, end as u64 + 1) as usize);
    }
    let (held_out, rest) = order.split_at(tested);
    Ok([chosen(&whole, &rest[..trained]), chosen(&whole, held_out)])
}

/// These samples, in this order.
fn chosen(whole: &Dataset, places: &[usize]) -> Dataset {
    let inputs = places.iter().flat_map(|&place| whole.sample(place)).copied().collect();
    let labels = match &whole.labels {
        Labels::Classes { labels, count } => {
            Labels::Classes { labels: places.iter().map(|&place| labels[place]).collect(), count: *count }
        }
        Labels::Values { values, width } => {
            let rows = places.iter().flat_map(|place| &values[place * width..(place + 1) * width]);
            Labels::Values { values: rows.copied().collect(), width: *width }
        }
    };
    Dataset { name: whole.name.clone(), shape: whole.shape, inputs, labels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Origin, SampleShape};

    fn set(samples: usize) -> Dataset {
        let inputs = (0..samples).map(|sample| sample as f32).collect();
        let values = (0..samples).map(|sample| sample as f32 * 2.0).collect();
        Dataset::new("set", SampleShape::Flat(1), inputs, Labels::Values { values, width: 1 }).unwrap()
    }

    fn split(
        samples: usize,
        train: Option<usize>,
        test: Option<usize>,
        seed: u64,
    ) -> Result<Split, DataError> {
        let mut source = Source { train, test, ..Source::of(Origin::FashionMini) };
        source.options.seed = seed;
        Parts { train: set(samples), test: None, notes: Vec::new() }.split("set", &source)
    }

    #[test]
    fn one_set_is_cut_in_two_without_a_sample_in_both() {
        for (train, test, expected) in [
            (None, None, (16, 4)),
            (Some(2000), Some(500), (16, 4)),
            (Some(10), Some(10), (10, 10)),
            (Some(11), Some(10), (11, 4)),
            (None, Some(3), (17, 3)),
            (Some(3), None, (3, 4)),
        ] {
            let Split { train, test, notes } = split(20, train, test, 7).unwrap();
            assert_eq!((train.len(), test.len()), expected);
            let mut all = [train.inputs.clone(), test.inputs.clone()].concat();
            all.sort_by(f32::total_cmp);
            all.dedup();
            assert_eq!(all.len(), expected.0 + expected.1, "none twice");
            let Labels::Values { values, .. } = &train.labels else { panic!("values") };
            assert!(train.inputs.iter().zip(values).all(|(input, value)| 2.0 * input == *value));
            assert!(notes[0].contains("drawn by data.seed = 7"), "{notes:?}");
        }
        let inputs = |seed| split(20, None, None, seed).unwrap().test.inputs;
        assert!(inputs(1) == inputs(1) && inputs(1) != inputs(2) && inputs(1) != [16.0, 17.0, 18.0, 19.0]);
        assert!(
            split(1, None, None, 0)
                .unwrap_err()
                .to_string()
                .contains("it holds 1 sample of 1 features, which cannot be cut")
        );
        assert!(split(20, Some(0), None, 0).is_err());
    }

    #[test]
    fn the_rule_has_another_name_where_it_draws_other_samples() {
        let tested = split(20, None, None, 7).unwrap().test.inputs;
        assert_eq!(
            (DRAWN.rsplit(' ').next(), tested),
            (Some("2"), vec![10.0, 12.0, 3.0, 7.0]),
            "both change together"
        );
    }

    #[test]
    fn more_than_there_is_takes_all() {
        let source = Source { train: Some(30), test: Some(1), ..Source::of(Origin::FashionMini) };
        let parts = Parts { train: set(20), test: Some(set(5)), notes: Vec::new() };
        let split = parts.split("set", &source).unwrap();
        assert_eq!((split.train.len(), split.test.len(), split.train.name.as_str()), (20, 1, "set (train)"));
    }
}
