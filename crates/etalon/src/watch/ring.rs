//! The last few numbers of many.

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

    /// The median; of an even number the larger of the two in the middle. NaN of none.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.numbers;
        let sorted = &mut sorted[..self.len()];
        if sorted.is_empty() {
            return f64::NAN;
        }
        let middle = sorted.len() / 2;
        *sorted.select_nth_unstable_by(middle, f64::total_cmp).1
    }
}
