//! Gradient descent of a linear predictor under logistic loss on samples of different sizes:
//! `L(w) = sum_i p_i log(1 + exp(-<w, z_i>))` with `z_i = y_i x_i`.
//!
//! Where all inputs are of one size in one dimension this is [`Map`](crate::Map) at infinite width, and gradient descent
//! comes to the minimum at every rate below `2 / L''`. Where they are not, there are data with a stable cycle for every rate
//! between `1 / L''` and `2 / L''`; at `1 / L''` and below there is none in one dimension (Meng, Orvieto, Cao and De Sa 2024,
//! arXiv 2406.05033). On data that can be separated with a margin, any constant rate `eta` leaves its oscillation after
//! `O(eta)` steps, and from then on the loss falls as `1 / (eta t)` (Wu, Bartlett, Telgarsky and Yu 2024, arXiv 2402.15926).

use super::{ScalarLoss, TheoryError};

/// The loss of a margin.
const LOSS: ScalarLoss = ScalarLoss::Logistic { positive: 1.0 };

/// The samples that a linear predictor without bias learns to tell apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictor {
    /// Each sample's input times its label.
    samples: Vec<Vec<f64>>,
    /// Their weights in the loss.
    weights: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Predictor {
    /// That of samples `y_i x_i` of one dimension each, with a weight each.
    ///
    /// # Errors
    /// When there is no sample, one has another dimension than the first, or there are more or fewer weights.
    pub fn new(samples: Vec<Vec<f64>>, weights: Vec<f64>) -> Result<Predictor, TheoryError> {
        let length = |name, got, expected| Err(TheoryError::Length { name, got, expected });
        let dimension = samples.first().map_or(0, Vec::len);
        if let Some(other) = samples.iter().find(|sample| sample.len() != dimension) {
            return length("a sample", other.len(), dimension);
        }
        if weights.len() != samples.len() || weights.is_empty() {
            return length("the weights", weights.len(), samples.len().max(1));
        }
        Ok(Predictor { samples, weights })
    }

    /// That of numbers in one dimension.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn on_a_line(samples: &[f64], weights: &[f64]) -> Result<Predictor, TheoryError> {
        Predictor::new(samples.iter().map(|&sample| vec![sample]).collect(), weights.to_vec())
    }

    /// `sum_i p_i of(i, <w, z_i>)`.
    fn sum(&self, w: &[f64], of: impl Fn(&[f64], f64) -> f64) -> f64 {
        let term = |(z, p): (&Vec<f64>, &f64)| p * of(z, dot(w, z));
        self.samples.iter().zip(&self.weights).map(term).sum()
    }

    /// The mean logistic loss `L(w)`.
    pub fn loss(&self, w: &[f64]) -> f64 {
        self.sum(w, |_, margin| LOSS.value(margin))
    }

    /// The derivative along each axis.
    pub fn gradient(&self, w: &[f64]) -> Vec<f64> {
        (0..w.len()).map(|axis| self.sum(w, |z, margin| LOSS.gradient(margin) * z[axis])).collect()
    }

    /// The second derivative along the first axis: in one dimension the only one.
    pub fn curvature(&self, w: &[f64]) -> f64 {
        self.sum(w, |z, margin| LOSS.curvature(margin) * z[0] * z[0])
    }

    /// One step of gradient descent.
    pub fn step(&self, eta: f64, w: &mut [f64]) {
        let gradient = self.gradient(w);
        w.iter_mut().zip(gradient).for_each(|(w, g)| *w -= eta * g);
    }

    /// The minimum in one dimension, by bisection of the slope; none where the loss has none, as the samples are separable.
    pub fn minimizer(&self) -> Option<f64> {
        let signs = |sign: f64| self.samples.iter().any(|z| z[0] * sign > 0.0);
        if !(signs(1.0) && signs(-1.0)) {
            return None;
        }
        let slope = |w: f64| self.gradient(&[w])[0];
        let mut ends = [-1.0, 1.0];
        while slope(ends[0]) > 0.0 || slope(ends[1]) < 0.0 {
            ends = ends.map(|end| 2.0 * end);
        }
        loop {
            let middle = 0.5 * (ends[0] + ends[1]);
            if middle <= ends[0] || middle >= ends[1] {
                return Some(middle);
            }
            ends[usize::from(slope(middle) > 0.0)] = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let predictor =
            Predictor::new(vec![vec![1.0, -0.5], vec![-0.3, 2.0], vec![0.7, 0.1]], vec![0.2, 0.5, 0.3]);
        let (predictor, w, h) = (predictor.unwrap(), [0.4, -1.1], 1e-5);
        for axis in 0..2 {
            let at = |by: f64| {
                let mut w = w;
                w[axis] += by;
                predictor.loss(&w)
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            assert!((predictor.gradient(&w)[axis] - slope).abs() < 1e-9);
        }
        let at = |by: f64| predictor.gradient(&[w[0] + by, w[1]])[0];
        assert!((predictor.curvature(&w) - (at(h) - at(-h)) / (2.0 * h)).abs() < 1e-9);
    }

    /// Two samples +1 and -1 with weights p and 1 - p: the minimum is log(p / (1 - p)), with curvature p (1 - p).
    #[test]
    fn the_minimum_of_equal_inputs_has_a_closed_form() {
        let predictor = Predictor::on_a_line(&[1.0, -1.0], &[0.8, 0.2]).unwrap();
        let minimum = predictor.minimizer().unwrap();
        assert!((minimum - 4f64.ln()).abs() < 1e-14, "{minimum}");
        assert!((predictor.curvature(&[minimum]) - 0.16).abs() < 1e-14);
        assert_eq!(Predictor::on_a_line(&[1.0, 2.0], &[0.5, 0.5]).unwrap().minimizer(), None);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        assert!(Predictor::new(vec![vec![1.0], vec![1.0, 2.0]], vec![0.5, 0.5]).is_err());
        assert!(Predictor::on_a_line(&[1.0], &[0.5, 0.5]).is_err());
        assert!(Predictor::on_a_line(&[], &[]).is_err());
    }
}
