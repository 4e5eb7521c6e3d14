//! A smooth model of how good training is against the rate: a Gaussian process over its logarithm.
//!
//! What is modelled is a metric in percent of the way from chance to the best seen. Its deviation from a constant is smooth
//! over [`LENGTH`] octaves; a seed shifts all of its trainings together; each training has noise of its own.

/// How far apart two rates are whose metrics are no longer alike, in octaves: the length of the squared exponential kernel.
/// Between 2 and 2.5 it makes no difference; 4 smooths away edges.
pub(super) const LENGTH: f64 = 2.5;
/// The deviation from a constant that is expected at least, in percent.
const AMPLITUDE: f64 = 8.0;
/// The deviation of the constant itself: nothing is known of it.
const LEVEL: f64 = 100.0;

/// A training that the model rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    /// The base-2 logarithm of the rate.
    pub(super) x: f64,
    /// The seed.
    pub(super) seed: u64,
    /// The metric, in percent.
    pub(super) y: f64,
}

/// The model, conditioned on trainings.
#[derive(Clone, Debug)]
pub(super) struct Surrogate {
    places: Vec<f64>,
    /// The amplitude, squared.
    variance: f64,
    /// The lower triangle of the Cholesky factor of the covariance of what was observed, row by row.
    factor: Vec<Vec<f64>>,
    /// The inverse covariance times what was observed.
    weights: Vec<f64>,
}

impl Surrogate {
    /// The model of these trainings, whose metrics have noise of this deviation, in percent. It takes `O(n^3)` operations.
    pub(super) fn new(observed: &[Observed], noise: f64) -> Surrogate {
        let variance = AMPLITUDE.max(noise).powi(2);
        let mut surrogate =
            Surrogate { places: Vec::new(), variance, factor: Vec::new(), weights: Vec::new() };
        let noise = noise * noise;
        for (row, a) in observed.iter().enumerate() {
            let mut line: Vec<f64> = observed[..=row]
                .iter()
                .enumerate()
                .map(|(column, b)| {
                    // A seed shifts its trainings by as much as each varies.
                    let shift = if a.seed == b.seed { noise } else { 0.0 };
                    surrogate.kernel(a.x, b.x) + shift + if row == column { noise } else { 0.0 }
                })
                .collect();
            for column in 0..row {
                let above = &surrogate.factor[column];
                line[column] = (line[column] - dot(&line[..column], above)) / above[column];
            }
            // The noise keeps it above 0.
            line[row] = (line[row] - dot(&line[..row], &line)).max(f64::MIN_POSITIVE).sqrt();
            surrogate.factor.push(line);
        }
        surrogate.places = observed.iter().map(|at| at.x).collect();
        surrogate.weights = surrogate.solved(observed.iter().map(|at| at.y).collect());
        surrogate
    }

    /// The mean of the metric at a rate, and its deviation; that of a single training is not in it.
    pub(super) fn at(&self, x: f64) -> (f64, f64) {
        (self.mean(x), self.covariance(x, x).max(0.0).sqrt())
    }

    /// The mean of the metric at a rate.
    pub(super) fn mean(&self, x: f64) -> f64 {
        self.places.iter().zip(&self.weights).map(|(&place, weight)| self.kernel(x, place) * weight).sum()
    }

    /// How probable it is that the metric at `x` is at most `loss` percent below that at `best`.
    pub(super) fn as_good(&self, x: f64, best: f64, loss: f64) -> f64 {
        let behind = self.mean(best) - self.mean(x);
        let variance = self.covariance(x, x) + self.covariance(best, best) - 2.0 * self.covariance(x, best);
        normal((loss - behind) / variance.max(1e-12).sqrt())
    }

    /// What is not known of the metric at two rates together.
    fn covariance(&self, a: f64, b: f64) -> f64 {
        let towards = |x: f64| self.places.iter().map(|&place| self.kernel(x, place)).collect::<Vec<_>>();
        self.kernel(a, b) - dot(&self.solved(towards(a)), &towards(b))
    }

    fn kernel(&self, a: f64, b: f64) -> f64 {
        let distance = (a - b) / LENGTH;
        LEVEL * LEVEL + self.variance * libm::exp(-0.5 * distance * distance)
    }

    /// The inverse covariance times a vector.
    fn solved(&self, mut vector: Vec<f64>) -> Vec<f64> {
        for (row, line) in self.factor.iter().enumerate() {
            vector[row] = (vector[row] - dot(&vector[..row], line)) / line[row];
        }
        for row in (0..vector.len()).rev() {
            let known: f64 = (row + 1..vector.len()).map(|k| self.factor[k][row] * vector[k]).sum();
            vector[row] = (vector[row] - known) / self.factor[row][row];
        }
        vector
    }
}

/// The sum of products, up to the end of the shorter one.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The distribution function of the normal distribution.
fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(points: &[(f64, u64, f64)]) -> Vec<Observed> {
        points.iter().map(|&(x, seed, y)| Observed { x, seed, y }).collect()
    }

    #[test]
    fn one_training_has_the_closed_form() {
        let noise: f64 = 2.0;
        let model = Surrogate::new(&observed(&[(1.0, 0, 90.0)]), noise);
        let prior = LEVEL * LEVEL + AMPLITUDE * AMPLITUDE;
        let total = prior + 2.0 * noise * noise;
        let (mean, deviation) = model.at(1.0);
        assert!((mean - 90.0 * prior / total).abs() < 1e-9);
        assert!((deviation - (prior - prior * prior / total).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn the_covariance_is_solved_to_rounding() {
        let points =
            observed(&[(0.0, 0, 80.0), (1.1, 0, 95.0), (2.2, 0, 99.0), (1.1, 1, 93.0), (3.3, 1, 60.0)]);
        let model = Surrogate::new(&points, 1.5);
        // The matrix times its solution is what was observed.
        for (row, a) in points.iter().enumerate() {
            let sum: f64 = points
                .iter()
                .enumerate()
                .map(|(column, b)| {
                    let shift = if a.seed == b.seed { 2.25 } else { 0.0 };
                    let own = if row == column { 2.25 } else { 0.0 };
                    (model.kernel(a.x, b.x) + shift + own) * model.weights[column]
                })
                .sum();
            assert!((sum - a.y).abs() < 1e-6, "{sum} against {}", a.y);
        }
    }

    #[test]
    fn a_seed_that_is_lower_everywhere_moves_no_optimum() {
        let shape = |x: f64| 100.0 - 4.0 * (x - 2.0) * (x - 2.0);
        let model = |offset: f64| {
            let at = |x: f64, seed: u64, by: f64| (x, seed, shape(x) + by);
            Surrogate::new(
                &observed(&[
                    at(0.0, 0, 0.0),
                    at(2.0, 0, 0.0),
                    at(4.0, 0, 0.0),
                    at(3.0, 1, offset),
                    at(1.0, 1, offset),
                ]),
                2.0,
            )
        };
        let best = |model: &Surrogate| {
            (0..=400).map(|i| f64::from(i) / 100.0).max_by(|&a, &b| model.mean(a).total_cmp(&model.mean(b)))
        };
        let (even, shifted) = (best(&model(0.0)).unwrap(), best(&model(-4.0)).unwrap());
        assert!((even - 2.0).abs() < 0.02, "{even}");
        assert!((shifted - 2.0).abs() < 0.02, "{shifted}");
    }

    #[test]
    fn what_is_measured_is_as_good_as_itself_and_what_is_far_may_be() {
        let model = Surrogate::new(&observed(&[(0.0, 0, 60.0), (2.0, 0, 100.0), (4.0, 0, 70.0)]), 1.0);
        assert!(model.as_good(2.0, 2.0, 1.0) > 0.999);
        assert!(model.as_good(0.0, 2.0, 1.0) < 1e-6);
        // Far away nothing is known but the level.
        assert!(model.at(20.0).1 > AMPLITUDE);
        assert!((normal(0.0) - 0.5).abs() < 1e-15 && (normal(1.96) - 0.975).abs() < 1e-4);
    }
}
