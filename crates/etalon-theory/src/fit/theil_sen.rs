//! The Theil-Sen estimator (Sen 1968, J. Am. Stat. Assoc. 63, 1379).

use super::Robust;
use crate::statistics::median_slope;
use statrs::distribution::{ContinuousCDF, Normal};

/// Logarithms of equal sizes may differ by rounding; those this near are tied.
const TIED: f64 = 1e-9;

/// The line through `x` and `y`; there are at least three points and two distinct `x`.
pub(super) fn fit(x: &[f64], y: &[f64], level: f64) -> Robust {
    let n = x.len();
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    // Tied sizes have no slope between them.
    let apart = |&(i, j): &(usize, usize)| (x[i] - x[j]).abs() > TIED;
    let mut slopes: Vec<f64> = pairs.filter(apart).map(|(i, j)| (y[j] - y[i]) / (x[j] - x[i])).collect();
    slopes.sort_by(f64::total_cmp);
    let exponent = median_slope(slopes.iter().copied());
    // The slopes b at which Kendall's statistic of x and y - b x is no larger than chance makes it.
    let reach = Normal::standard().inverse_cdf(0.5 + 0.5 * level) * variance(x, y).sqrt();
    let (count, last) = (slopes.len() as f64, slopes.len() - 1);
    // Counted from 0, the ends are as far from either end of the list.
    let below = (((count - reach) / 2.0).round() - 1.0).max(0.0) as usize;
    let below = below.min(last / 2);
    Robust {
        method: "theil-sen".into(),
        exponent,
        low: slopes[below],
        high: slopes[last - below],
        intercept: median_slope(x.iter().zip(y).map(|(x, y)| y - exponent * x)),
    }
}

/// The variance of Kendall's statistic of `x` and the residuals `y - b x` when these are exchangeable (Kendall, Rank
/// Correlation Methods, chapter 4; without ties in the residuals it is Sen's, section 2). Ties in `y` alone are none of
/// the residuals, but points that agree in both are tied at every slope `b`.
fn variance(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let mut points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut of_x, mut of_both) = (Ties::default(), Ties::default());
    for tied in points.chunk_by_mut(|a, b| b.0 - a.0 <= TIED) {
        of_x.add(tied.len());
        tied.sort_by(|a, b| a.1.total_cmp(&b.1));
        tied.chunk_by(|a, b| a.1 == b.1).for_each(|same| of_both.add(same.len()));
    }
    (n * (n - 1.0) * (2.0 * n + 5.0) - of_x.quintuple - of_both.quintuple) / 18.0
        + of_x.triples * of_both.triples / (9.0 * n * (n - 1.0) * (n - 2.0))
        + of_x.pairs * of_both.pairs / (2.0 * n * (n - 1.0))
}

/// Sums over groups of `t` tied values.
#[derive(Default)]
struct Ties {
    /// Of `t (t - 1)`.
    pairs: f64,
    /// Of `t (t - 1)(t - 2)`.
    triples: f64,
    /// Of `t (t - 1)(2 t + 5)`.
    quintuple: f64,
}

impl Ties {
    fn add(&mut self, tied: usize) {
        let t = tied as f64;
        self.pairs += t * (t - 1.0);
        self.triples += t * (t - 1.0) * (t - 2.0);
        self.quintuple += t * (t - 1.0) * (2.0 * t + 5.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All orders of 0, 1, .. n - 1.
    fn orders(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let insert = |rest: &Vec<usize>| {
            let at = |i: usize| [&rest[..i], &[n - 1], &rest[i..]].concat();
            (0..n).map(at).collect::<Vec<_>>()
        };
        orders(n - 1).iter().flat_map(insert).collect()
    }

    #[test]
    fn the_variance_is_that_over_all_orders_of_the_residuals() {
        // Residuals with these ties, dealt to the sizes in each of the 7! orders.
        let x = [0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0];
        for residuals in [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0, 0.0, 2.0, 3.0, 3.0, 5.0, 6.0]] {
            let sign = |a: f64, b: f64| f64::from(u8::from(a < b)) - f64::from(u8::from(b < a));
            let statistic = |order: &Vec<usize>| -> f64 {
                let pairs = (0..7).flat_map(|i| (0..i).map(move |j| (i, j)));
                pairs.map(|(i, j)| sign(x[j], x[i]) * sign(residuals[order[j]], residuals[order[i]])).sum()
            };
            let all: Vec<f64> = orders(7).iter().map(statistic).collect();
            let expected = all.iter().map(|s| s * s).sum::<f64>() / all.len() as f64;
            // The same ties as points: here they fall within groups of equal size, so that they last at every slope.
            assert!((variance(&x, &residuals) - expected).abs() < 1e-9, "{expected}");
        }
    }

    #[test]
    fn ties_of_y_at_different_sizes_are_no_ties_of_the_residuals() {
        let x = [0.0, 1.0, 2.0, 3.0, 4.0];
        assert_eq!(variance(&x, &[1.0; 5]), variance(&x, &[1.0, 2.0, 3.0, 4.0, 5.0]));
    }
}
