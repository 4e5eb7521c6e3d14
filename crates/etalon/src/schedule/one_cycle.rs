//! The one-cycle schedule.

/// Up to the base rate and down again, each along half a cosine: PyTorch's `OneCycleLR` with its default
/// `anneal_strategy="cos"`, without its cycling of the momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// The share of all steps over which the rate rises (`pct_start`), from 0 to below 1.
    pub rise: f64,
    /// The base rate over the first step's (`div_factor`).
    pub divisor: f64,
    /// The first step's rate over the last step's (`final_div_factor`).
    pub final_divisor: f64,
}

impl OneCycle {
    /// The natural logarithm of the factor at `step` of `total` steps.
    pub(super) fn log_factor(&self, step: u64, total: u64) -> f64 {
        let cosine = |from: f64, to: f64, share: f64| {
            to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * share.min(1.0)).cos())
        };
        let (step, total) = (step as f64, total as f64);
        let (first, last) = (1.0 / self.divisor, 1.0 / (self.divisor * self.final_divisor));
        // The peak is at this step, which need not be whole.
        let peak = self.rise * total - 1.0;
        let factor = if step < peak {
            cosine(first, 1.0, step / peak)
        } else {
            cosine(1.0, last, (step - peak) / (total - 1.0 - peak))
        };
        factor.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_peaks_and_ends_where_it_says() {
        let cycle = OneCycle { rise: 0.25, divisor: 25.0, final_divisor: 1e4 };
        let factor = |step| cycle.log_factor(step, 20).exp();
        assert!((factor(0) - 0.04).abs() < 1e-15);
        assert_eq!(factor(4), 1.0);
        assert!((factor(19) - 4e-6).abs() < 1e-15);
        // Beyond the end it stays there.
        assert_eq!(factor(19), factor(25));
    }

    #[test]
    fn the_shortest_runs_have_rates_too() {
        let cycle = OneCycle { rise: 0.3, divisor: 25.0, final_divisor: 1e4 };
        for total in 1..6 {
            assert!((0..total).all(|step| cycle.log_factor(step, total) <= 0.0), "{total} steps");
        }
    }
}
