//! The last few numbers of many.

use crate::statistics::median_in;

/// The last `N` numbers.
#[derive(Clone, Debug)]
pub(super) struct Ring<const N: usize> {
    numbers: [f64; N],
    pushed: usize,
}

impl<const N: usize> Ring<N> {
    pub(super) fn new() -> Self {
        Ring { numbers: [0.0; N], pushed: 0 }
    }

    pub(super) fn push(&mut self, number: f64) {
        self.numbers[self.pushed % N] = number;
        self.pushed += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.pushed.min(N)
    }

    pub(super) fn last(&self) -> Option<f64> {
        self.latest(1).next()
    }

    /// The latest `count`, the last one first.
    pub(super) fn latest(&self, count: usize) -> impl Iterator<Item = f64> {
        (1..=count.min(self.len())).map(|back| self.numbers[(self.pushed - back) % N])
    }

    /// The median; NaN of none.
    pub(super) fn median(&self) -> f64 {
        self.median_of(N)
    }

    /// The median of the latest `count`; NaN of none.
    pub(super) fn median_of(&self, count: usize) -> f64 {
        let mut numbers = self.numbers;
        let latest = count.min(self.len());
        numbers.iter_mut().zip(self.latest(latest)).for_each(|(place, number)| *place = number);
        median_in(&mut numbers[..latest])
    }
}
