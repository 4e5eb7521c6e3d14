//! What each held-out sample is worth, averaged over several looks.

use super::Task;
use super::metrics::Gauge;
use crate::data::uniform;
use etalon_nn::Scalar;
use etalon_nn::random::{Purpose, stream};

/// Scores of the held-out samples: 1 for one that is right, or without classes its loss.
///
/// A fifth of them is the test part, which tells what a choice is worth; the others are the validation part, by which it is
/// made and which decides how good it can be.
#[derive(Debug)]
pub(crate) struct Scores<'a, T: Clone> {
    gauge: Gauge<'a, T>,
    is_test: Vec<bool>,
    sums: Vec<f64>,
    looks: u32,
}

impl<'a, T: Scalar> Scores<'a, T> {
    pub(crate) fn new(task: &'a Task<T>) -> Self {
        let samples = task.test.len;
        let gauge = Gauge::new(task, task.test.batch(), false);
        Scores { gauge, is_test: test_part(samples), sums: vec![0.0; samples], looks: 0 }
    }

    /// Takes one look at a point.
    pub(crate) fn look(&mut self, parameters: &[T], running: &[T]) {
        self.gauge.take(parameters, running);
        self.gauge.add_scores(&mut self.sums);
        self.looks += 1;
    }

    /// The mean score of each sample of the validation part.
    pub(crate) fn validation(&self) -> Vec<f64> {
        self.part(false)
    }

    /// That of each sample of the test part; empty of fewer than five samples.
    pub(crate) fn test(&self) -> Vec<f64> {
        self.part(true)
    }

    fn part(&self, test: bool) -> Vec<f64> {
        let samples = self.sums.iter().zip(&self.is_test).filter(|&(_, &is_test)| is_test == test);
        samples.map(|(sum, _)| sum / f64::from(self.looks)).collect()
    }
}

/// Of so many held-out samples, which are of the test part: a fifth, drawn once and for all. Sets are sorted by class, or
/// have their classes in turn, so that neither a half nor every fifth would do.
pub(crate) fn test_part(samples: usize) -> Vec<bool> {
    // The bits of a float keep the order of those that are not negative.
    let mut generator = stream(0, Purpose::Split, 0);
    let mut order: Vec<(u64, usize)> =
        (0..samples).map(|index| (uniform(&mut generator).to_bits(), index)).collect();
    order.sort_unstable();
    let mut is_test = vec![false; samples];
    order[..samples / 5].iter().for_each(|&(_, index)| is_test[index] = true);
    is_test
}

#[cfg(test)]
mod tests {
    use super::test_part;

    #[test]
    fn a_fifth_tests_whatever_the_order_of_classes() {
        let part = test_part(1000);
        assert_eq!(part.iter().filter(|&&test| test).count(), 200);
        for classes in [2, 5, 10] {
            for class in 0..classes {
                let of_class = (class..1000).step_by(classes).filter(|&index| part[index]).count();
                let expected = 200.0 / classes as f64;
                assert!(
                    (of_class as f64 - expected).abs() < 4.0 * expected.sqrt(),
                    "{of_class} of {expected}"
                );
            }
        }
        assert_eq!(test_part(4), [false; 4]);
    }
}
