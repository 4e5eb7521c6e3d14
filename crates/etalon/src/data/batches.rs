//! The order in which samples are visited.

use etalon_nn::random::{Purpose, stream};

use super::{DataError, draw};

/// Mini-batches without replacement: each epoch visits a fresh permutation of the samples, cut into whole
/// batches; the last samples of an epoch that fill no batch are dropped. What a step visits is a pure
/// function of (seed, step): steps may be asked for in any order. A batch of all samples is always in the
/// order of the data set, so that full-batch gradients are summed in one order.
#[derive(Clone, Debug)]
pub struct BatchOrder {
    seed: u64,
    batch: usize,
    permutation: Vec<u32>,
    epoch: Option<u64>,
}

impl BatchOrder {
    /// The order of `samples` samples in batches of `batch`.
    ///
    /// # Errors
    /// [`DataError::Option`] when `batch` is 0 or above `samples`, or there are more samples than u32 counts.
    pub fn new(seed: u64, samples: usize, batch: usize) -> Result<Self, DataError> {
        let fault = |problem| Err(DataError::Option { name: "batch order".into(), option: "batch", problem });
        if batch == 0 || batch > samples {
            return fault(format!("is {batch}: choose between 1 and the {samples} training samples"));
        }
        let Ok(end) = u32::try_from(samples) else {
            return fault(format!("counts samples up to {}, not {samples}: train on fewer", u32::MAX));
        };
        Ok(BatchOrder { seed, batch, permutation: (0..end).collect(), epoch: None })
    }

    /// The size of every batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The number of whole batches in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        (self.permutation.len() / self.batch) as u64
    }

    /// The samples that a step visits. Allocates nothing; a step of another epoch than the last one asked
    /// for costs one shuffle.
    pub fn indices(&mut self, step: u64) -> &[u32] {
        let per_epoch = self.steps_per_epoch();
        self.shuffle(step / per_epoch);
        let start = (step % per_epoch) as usize * self.batch;
        &self.permutation[start..start + self.batch]
    }

    /// Writes the samples that a step visits into `indices`.
    ///
    /// # Panics
    /// When `indices` is not as long as a batch.
    pub fn fill(&mut self, step: u64, indices: &mut [u32]) {
        indices.copy_from_slice(self.indices(step));
    }

    fn shuffle(&mut self, epoch: u64) {
        if self.epoch == Some(epoch) || self.batch == self.permutation.len() {
            return;
        }
        let mut generator = stream(self.seed, Purpose::BatchOrder, epoch);
        // From the identity each time: an epoch's order must not depend on which one came before.
        for (place, index) in self.permutation.iter_mut().zip(0..) {
            *place = index;
        }
        for last in (1..self.permutation.len()).rev() {
            let other = draw::below(&mut generator, last as u64 + 1) as usize;
            self.permutation.swap(last, other);
        }
        self.epoch = Some(epoch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(order: &mut BatchOrder, epoch: u64) -> Vec<u32> {
        let steps = order.steps_per_epoch();
        (epoch * steps..(epoch + 1) * steps).flat_map(|step| order.indices(step).to_vec()).collect()
    }

    #[test]
    fn an_epoch_visits_each_sample_once_and_drops_the_rest() {
        let mut order = BatchOrder::new(5, 11, 3).unwrap();
        assert_eq!((order.steps_per_epoch(), order.batch()), (3, 3));
        for number in 0..4 {
            let mut visited = epoch(&mut order, number);
            visited.sort_unstable();
            visited.dedup();
            assert!(visited.len() == 9 && visited.iter().all(|&index| index < 11), "{visited:?}");
        }
    }

    #[test]
    fn a_step_is_a_pure_function_of_seed_and_step() {
        let mut forwards = BatchOrder::new(1, 100, 7).unwrap();
        let mut backwards = BatchOrder::new(1, 100, 7).unwrap();
        let ahead: Vec<Vec<u32>> = (0..60).map(|step| forwards.indices(step).to_vec()).collect();
        let mut indices = [0; 7];
        for step in (0..60).rev() {
            backwards.fill(step, &mut indices);
            assert_eq!(ahead[step as usize], indices, "step {step}");
        }
    }

    #[test]
    fn epochs_and_seeds_have_orders_of_their_own() {
        let mut order = BatchOrder::new(1, 50, 10).unwrap();
        let first = epoch(&mut order, 0);
        assert_ne!(first, epoch(&mut order, 1));
        assert_ne!(first, epoch(&mut BatchOrder::new(2, 50, 10).unwrap(), 0));
        assert_ne!(first, (0..50).collect::<Vec<u32>>());
    }

    #[test]
    fn the_order_never_changes_between_versions() {
        assert_eq!(epoch(&mut BatchOrder::new(0, 8, 1).unwrap(), 0), [5, 3, 1, 2, 6, 0, 4, 7]);
    }

    #[test]
    fn a_full_batch_keeps_the_order_of_the_data() {
        let mut order = BatchOrder::new(3, 6, 6).unwrap();
        assert_eq!(order.indices(0), [0, 1, 2, 3, 4, 5]);
        assert_eq!(order.indices(9), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn batches_that_cannot_be_are_refused() {
        let text = BatchOrder::new(0, 5, 6).unwrap_err().to_string();
        assert!(text.contains("`batch` is 6: choose between 1 and the 5 training samples"), "{text}");
        assert!(BatchOrder::new(0, 5, 0).is_err());
        assert!(BatchOrder::new(0, 0, 0).is_err());
    }

    #[test]
    fn every_permutation_of_three_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let mut order = BatchOrder::new(9, 3, 1).unwrap();
        (0..6_000).for_each(|number| *counts.entry(epoch(&mut order, number)).or_insert(0u32) += 1);
        // Chi-square with 5 degrees of freedom: 25.7 is passed once in 10,000 (and the seed is fixed).
        let chi_square: f64 = counts.values().map(|&count| (f64::from(count) - 1e3).powi(2) / 1e3).sum();
        assert!(counts.len() == 6 && chi_square < 25.7, "{counts:?}");
    }
}
