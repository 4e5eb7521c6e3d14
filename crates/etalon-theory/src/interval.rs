//! Intervals of estimates: where the mean and the median of what a sample was drawn from lie, at a level of 95 %.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// The level of the intervals.
pub const LEVEL: f64 = 0.95;

/// How many standard errors an interval of a level reaches to either side, with so many degrees of freedom; NaN with none.
pub fn student(level: f64, freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64)
        .map_or(f64::NAN, |student| student.inverse_cdf(0.5 + 0.5 * level))
}

/// The mean of independent values, and its interval by Student's distribution: exact where they are normal. To the squared
/// standard error that the values show, `more` is added. One value has the whole line as its interval.
pub fn of_mean(values: &[f64], more: f64) -> (f64, [f64; 2]) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.len() < 2 {
        return (mean, [f64::NEG_INFINITY, f64::INFINITY]);
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let reach = student(LEVEL, values.len() - 1) * (variance / count + more).sqrt();
    (mean, [mean - reach, mean + reach])
}

/// The interval of the median of independent values from any distribution: the narrowest pair of the `k`-th from below and
/// the `k`-th from above that hold it between them at the level or above, by the binomial distribution of how many lie below
/// it. Five values or fewer have the whole line.
pub fn of_median(values: &[f64]) -> [f64; 2] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    // The median lies outside if at most k - 1 values lie on one of its sides.
    let misses = |k: &usize| {
        Binomial::new(0.5, count as u64).map_or(1.0, |below| 2.0 * below.cdf(*k as u64 - 1)) > 1.0 - LEVEL
    };
    match (1..=count / 2).take_while(|k| !misses(k)).last() {
        Some(k) => [sorted[k - 1], sorted[count - k]],
        None => [f64::NEG_INFINITY, f64::INFINITY],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_students_interval() {
        // The quantile of two degrees of freedom is p sqrt(2 / (1 - p^2)) with p = 0.95 (closed form).
        let quantile = 0.95 * (2.0f64 / (1.0 - 0.95 * 0.95)).sqrt();
        let (mean, [low, high]) = of_mean(&[1.0, 2.0, 3.0], 0.0);
        assert_eq!(mean, 2.0);
        for (end, sign) in [(low, -1.0), (high, 1.0)] {
            assert!((end - 2.0 - sign * quantile / 3f64.sqrt()).abs() < 1e-9, "{end}");
        }
        // More variance of the mean is added to its own 1/3.
        let [low, _] = of_mean(&[1.0, 2.0, 3.0], 1.0).1;
        assert!((low - 2.0 + quantile * (4.0f64 / 3.0).sqrt()).abs() < 1e-9);
        assert_eq!(of_mean(&[4.0], 0.0), (4.0, [f64::NEG_INFINITY, f64::INFINITY]));
    }

    #[test]
    fn a_median_lies_between_order_statistics() {
        let of = |count: u32| of_median(&(1..=count).rev().map(f64::from).collect::<Vec<_>>());
        // All of five lie on one side with probability 2/32, of six with 2/64; of nine at most one with 20/512.
        assert_eq!(of(5), [f64::NEG_INFINITY, f64::INFINITY]);
        assert_eq!((of(6), of(8), of(9)), ([1.0, 6.0], [1.0, 8.0], [2.0, 8.0]));
        assert_eq!(of_median(&[]), [f64::NEG_INFINITY, f64::INFINITY]);
    }
}
