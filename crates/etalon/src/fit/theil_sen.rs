//! The Theil-Sen estimator (Sen 1968, J. Am. Stat. Assoc. 63, 1379).

use super::Robust;
use statrs::distribution::{ContinuousCDF, Normal};

/// The line through `x` and `y`; there are at least two distinct `x`.
pub(super) fn fit(x: &[f64], y: &[f64], level: f64) -> Robust {
    let n = x.len();
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    // Logarithms of equal sizes may differ by rounding, and have no slope.
    let apart = |&(i, j): &(usize, usize)| (x[i] - x[j]).abs() > 1e-9;
    let mut slopes: Vec<f64> = pairs.filter(apart).map(|(i, j)| (y[j] - y[i]) / (x[j] - x[i])).collect();
    slopes.sort_by(f64::total_cmp);
    let exponent = middle(&slopes);
    let mut offsets: Vec<f64> = x.iter().zip(y).map(|(x, y)| y - exponent * x).collect();
    offsets.sort_by(f64::total_cmp);
    // Kendall's statistic of the residuals has this variance when they are exchangeable.
    let n = n as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let reach = Normal::standard().inverse_cdf(0.5 + 0.5 * level) * deviation;
    let (count, last) = (slopes.len() as f64, slopes.len() - 1);
    let lower = (((count - reach) / 2.0).floor().max(0.0) as usize).min(last);
    let upper = (((count + reach) / 2.0).ceil().max(0.0) as usize).min(last);
    Robust {
        method: "theil-sen".into(),
        exponent,
        low: slopes[lower],
        high: slopes[upper],
        intercept: middle(&offsets),
    }
}

/// The median of sorted values; there is at least one.
fn middle(sorted: &[f64]) -> f64 {
    0.5 * (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2])
}
