//! A schedule through given points.

/// Factors at given steps, and what holds between.
#[derive(Clone, Debug, PartialEq)]
pub struct Piecewise {
    /// Steps in ascending order. Before the first one and after the last, its factor holds.
    pub steps: Vec<u64>,
    /// The natural logarithm of the factor at each of them; minus infinity for a rate of 0.
    pub log_factors: Vec<f64>,
    /// What holds between two of them.
    pub interpolation: Interpolation,
}

/// What holds between two points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The earlier one's factor.
    Constant,
    /// A line.
    Linear,
    /// A line in the logarithm: exponential growth or decay.
    Log,
}

impl Piecewise {
    /// The natural logarithm of the factor at `step`; 0 where there are no points.
    pub(super) fn log_factor(&self, step: u64) -> f64 {
        let next = self.steps.partition_point(|&other| other <= step);
        let at = |index: usize| (self.steps[index], self.log_factors[index]);
        match (next, self.steps.len()) {
            (_, 0) => 0.0,
            (0, _) => at(0).1,
            (next, len) if next == len => at(len - 1).1,
            (next, _) => {
                let ((from, before), (to, after)) = (at(next - 1), at(next));
                let share = (step - from) as f64 / (to - from) as f64;
                match self.interpolation {
                    // At a point it is the point's, whatever lies next to it: 0 times infinity is no number.
                    _ if share == 0.0 => before,
                    Interpolation::Constant => before,
                    Interpolation::Log => before + share * (after - before),
                    Interpolation::Linear => {
                        let largest = before.max(after);
                        if largest == f64::NEG_INFINITY {
                            return largest;
                        }
                        let sum = (1.0 - share) * (before - largest).exp() + share * (after - largest).exp();
                        largest + sum.ln()
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(interpolation: Interpolation, points: &[(u64, f64)]) -> Vec<f64> {
        let (steps, factors): (Vec<u64>, Vec<f64>) = points.iter().copied().unzip();
        let log_factors = factors.iter().map(|factor| factor.ln()).collect();
        let piecewise = Piecewise { steps, log_factors, interpolation };
        (0..7).map(|step| piecewise.log_factor(step).exp()).collect()
    }

    #[test]
    fn between_two_points() {
        let points = [(1, 1.0), (3, 0.25), (5, 0.0)];
        for (interpolation, expected) in [
            (Interpolation::Constant, [1.0, 1.0, 1.0, 0.25, 0.25, 0.0, 0.0]),
            (Interpolation::Linear, [1.0, 1.0, 0.625, 0.25, 0.125, 0.0, 0.0]),
            (Interpolation::Log, [1.0, 1.0, 0.5, 0.25, 0.0, 0.0, 0.0]),
        ] {
            let ours = factors(interpolation, &points);
            assert!(
                ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15),
                "{interpolation:?} {ours:?}"
            );
        }
        assert_eq!(factors(Interpolation::Linear, &[]), [1.0; 7]);
        assert_eq!(factors(Interpolation::Linear, &[(0, 0.0), (9, 0.0)]), [0.0; 7]);
    }

    #[test]
    fn a_line_between_numbers_that_no_float_holds() {
        let piecewise = Piecewise {
            steps: vec![0, 2],
            log_factors: vec![2000.0, 2000.0 + 3f64.ln()],
            interpolation: Interpolation::Linear,
        };
        assert!((piecewise.log_factor(1) - (2000.0 + 2f64.ln())).abs() < 1e-12);
    }
}
