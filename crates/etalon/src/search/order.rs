//! Medians over seeds, and intervals for them that assume no distribution.

use crate::statistics::median;

/// The least coverage an interval should have, if there are seeds enough for it.
const COVERAGE: f64 = 0.9;

/// An interval between order statistics: from the value at `rank` (counted from 0 in ascending order) to the
/// one at `rank` from the top. Whatever the distribution of independent seeds, it contains the median of the
/// distribution with probability `coverage` = 1 - 2 P(Binomial(n, 1/2) <= rank).
pub(super) struct OrderInterval {
    pub(super) rank: usize,
    pub(super) coverage: f64,
}

/// The narrowest order-statistic interval of `n` values that covers the median at 90 % or more; minimum to
/// maximum where even that covers less (n < 5).
pub(super) fn order_interval(n: usize) -> OrderInterval {
    // P(Binomial = i) = choose(n, i) / 2^n, in log2 so that 2^-n cannot underflow for good.
    let mut log_choose = 0.0;
    let mut tail = 0.0;
    let mut best = OrderInterval { rank: 0, coverage: 0.0 };
    for rank in 0..n.div_ceil(2) {
        tail += libm::exp2(log_choose - n as f64);
        let coverage = 1.0 - 2.0 * tail;
        if rank == 0 || coverage >= COVERAGE {
            best = OrderInterval { rank, coverage: coverage.max(0.0) };
        }
        log_choose += libm::log2((n - rank) as f64 / (rank + 1) as f64);
    }
    best
}

/// The median of `sorted` values above 0, on a logarithmic axis; `None` if there are none, or where it is 0 (undefined)
/// or infinite (censored).
pub(crate) fn proper_median(sorted: &[f64]) -> Option<f64> {
    // Of two in the middle neither may be undefined.
    let lower = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    let median = median(sorted.iter().copied());
    (lower > 0.0 && median.is_finite()).then_some(median)
}

/// Sorts a copy.
pub(crate) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_that_of_the_binomial() {
        let of = |n| {
            let OrderInterval { rank, coverage } = order_interval(n);
            (rank, (coverage * 1e4).round() / 1e4)
        };
        // Tabulated, e.g. Conover, Practical Nonparametric Statistics: 5 values 0.9375, 8 values 0.9297 and
        // 10 values 0.9785 (0.8906 one rank further in is too little).
        assert_eq!(of(1), (0, 0.0));
        assert_eq!(of(2), (0, 0.5));
        assert_eq!(of(5), (0, 0.9375));
        assert_eq!(of(8), (1, 0.9297));
        assert_eq!(of(10), (1, 0.9785));
    }

    #[test]
    fn many_values_do_not_underflow() {
        // The normal approximation puts the rank near n / 2 - 1.645 sqrt(n) / 2.
        let interval = order_interval(4000);
        assert!((interval.rank as f64 - (2000.0 - 1.645 * 4000f64.sqrt() / 2.0)).abs() < 2.0);
        assert!((0.9..0.91).contains(&interval.coverage));
    }

    #[test]
    fn a_median_beyond_the_range_is_none() {
        assert_eq!(proper_median(&[0.0, 4.0, f64::INFINITY]), Some(4.0));
        assert_eq!(proper_median(&[1.0, 4.0]), Some(2.0));
        assert_eq!(proper_median(&[0.0, 4.0]), None);
        assert_eq!(proper_median(&[4.0, f64::INFINITY]), None);
        assert_eq!(proper_median(&[]), None);
    }
}
