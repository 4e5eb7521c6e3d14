//! Two toys in which normalisation and weight decay together never settle.
//!
//! A scale-invariant loss `L(c w) = L(w)` has gradients of length `1 / |w|`: weight decay shrinks `w` until the step is
//! too long for the curvature, the loss bursts, the large gradients lengthen `w`, and it begins again. Either one alone
//! converges (Li and Arora 2020, section on the trade-off between normalisation and weight decay; Li, Lyu and Arora
//! 2020). In the long run only `eta lambda` matters.

use super::TheoryError;

/// How a toy trains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// Whether the loss is the scale-invariant one.
    pub normalized: bool,
    /// The constant learning rate `eta`.
    pub eta: f64,
    /// The coupled weight decay `lambda`: the gradient of `lambda |w|^2 / 2` is added.
    pub weight_decay: f64,
}

impl Training {
    /// The same, if its numbers make sense.
    ///
    /// # Errors
    /// When a number is outside of its range.
    pub fn checked(self) -> Result<Training, TheoryError> {
        let error = |name, got, range| Err(TheoryError::OutOfRange { name, got, range });
        let Training { eta, weight_decay, .. } = self;
        if !(eta > 0.0 && eta.is_finite()) {
            return error("eta", eta, "positive and finite");
        }
        if !(weight_decay >= 0.0 && eta * weight_decay < 1.0) {
            return error("the weight decay", weight_decay, "0 or above, and below 1 / eta");
        }
        Ok(self)
    }
}

/// Gradient descent in the plane on `L = x^2 / (x^2 + y^2)`; on `L = x^2` without normalisation.
pub mod ratio {
    use super::Training;

    /// The loss.
    pub fn loss(normalized: bool, [x, y]: [f64; 2]) -> f64 {
        if normalized { x * x / (x * x + y * y) } else { x * x }
    }

    /// One step, with gradient noise of so much along the circle: the loss is scale-invariant, and so the noise is
    /// divided by the radius as the gradient is.
    pub fn step(training: &Training, [x, y]: [f64; 2], noise: f64) -> [f64; 2] {
        let Training { normalized, eta, weight_decay } = *training;
        let square = x * x + y * y;
        let [gx, gy] = if normalized {
            // The gradient is 2 x y / r^2 along the tangent (y, -x), whose length is r.
            let along = (2.0 * x * y / square + noise) / square;
            [along * y, -along * x]
        } else {
            [2.0 * x, 0.0]
        };
        [x - eta * (gx + weight_decay * x), y - eta * (gy + weight_decay * y)]
    }
}

/// A linear classifier of `x ~ N(0, I)` with labels `sign(x_1)` under logistic loss: margins `4 y <w, x> / |w|`, and
/// `y <w, x>` without normalisation.
pub mod classifier {
    use super::Training;

    /// The scale of the normalised margin: the gain behind a normalisation layer.
    const GAIN: f64 = 4.0;

    /// One step on a batch of rows of `w.len()` numbers; the loss's gradient is left in a buffer of that length.
    pub fn step(training: &Training, w: &mut [f64], batch: &[f64], gradient: &mut [f64]) {
        let Training { normalized, eta, weight_decay } = *training;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let norm = if normalized { dot(w, w).sqrt() } else { 1.0 };
        let gain = if normalized { GAIN / norm } else { 1.0 };
        gradient.fill(0.0);
        let rows = batch.chunks_exact(w.len());
        let share = 1.0 / rows.len() as f64;
        for row in rows {
            let y = row[0].signum();
            let slope = -share * y * gain / (1.0 + (y * gain * dot(w, row)).exp());
            gradient.iter_mut().zip(row).for_each(|(g, x)| *g += slope * x);
        }
        if normalized {
            // The direction's derivative leaves out what goes along w.
            let along = dot(gradient, w) / (norm * norm);
            gradient.iter_mut().zip(w.iter()).for_each(|(g, w)| *g -= along * w);
        }
        w.iter_mut().zip(&*gradient).for_each(|(w, g)| *w -= eta * (g + weight_decay * *w));
    }

    /// The share of the population that it gets wrong: the angle between `w` and the first axis, over pi.
    pub fn error(w: &[f64]) -> f64 {
        let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
        (w[0] / norm).clamp(-1.0, 1.0).acos() / std::f64::consts::PI
    }
}

/// Counts the bursts of a loss: each time that it rises above 1e-2 after having been below 1e-4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bursts {
    /// How many there were so far.
    pub count: u64,
    is_low: bool,
}

impl Bursts {
    /// Looks at the next loss.
    pub fn see(&mut self, loss: f64) {
        if loss < 1e-4 {
            self.is_low = true;
        } else if loss > 1e-2 && self.is_low {
            self.count += 1;
            self.is_low = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_the_losses() {
        let training = Training { normalized: true, eta: 1.0, weight_decay: 0.0 };
        let (w, h) = ([0.7, -1.3], 1e-6);
        let next = ratio::step(&training, w, 0.0);
        for axis in 0..2 {
            let shifted = |by: f64| {
                let mut w = w;
                w[axis] += by;
                ratio::loss(true, w)
            };
            let slope = (shifted(h) - shifted(-h)) / (2.0 * h);
            assert!((w[axis] - next[axis] - slope).abs() < 1e-9);
        }
        for normalized in [true, false] {
            let training = Training { normalized, ..training };
            let (w, batch) = ([0.5, -1.0, 2.0], [1.0, 0.3, -0.2, -0.6, 1.1, 0.4]);
            let loss = |w: &[f64]| {
                let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
                let gain = if normalized { 4.0 / norm } else { 1.0 };
                let margin =
                    |row: &[f64]| row[0].signum() * gain * w.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
                batch.chunks(3).map(|row| (-margin(row)).exp().ln_1p()).sum::<f64>() / 2.0
            };
            let mut next = w;
            classifier::step(&training, &mut next, &batch, &mut [0.0; 3]);
            for axis in 0..3 {
                let shifted = |by: f64| {
                    let mut w = w;
                    w[axis] += by;
                    loss(&w)
                };
                let slope = (shifted(h) - shifted(-h)) / (2.0 * h);
                assert!((w[axis] - next[axis] - slope).abs() < 1e-9, "{normalized} {axis}");
            }
        }
    }

    /// Bursts in 1e5 steps, the last loss and the last squared length.
    fn descend(training: Training, mut w: [f64; 2]) -> (u64, f64, f64) {
        let mut bursts = Bursts::default();
        for _ in 0..100_000 {
            bursts.see(ratio::loss(training.normalized, w));
            w = ratio::step(&training, w, 0.0);
        }
        (bursts.count, ratio::loss(training.normalized, w), w[0] * w[0] + w[1] * w[1])
    }

    #[test]
    fn normalisation_and_weight_decay_together_never_settle() {
        let training = |normalized, eta, weight_decay| Training { normalized, eta, weight_decay };
        let (bursts, loss, square) = descend(training(true, 0.1, 0.0), [2.0, 0.3]);
        assert!(bursts == 0 && loss == 0.0 && (square.sqrt() - 2.05).abs() < 0.01, "{loss} {square}");
        let (bursts, loss, _) = descend(training(false, 0.1, 0.1), [2.0, 0.3]);
        assert!(bursts == 0 && loss < 1e-100);
        // The counts of one run from another start; bursts are chaotic, so that their rate is taken over several.
        for (eta, weight_decay, expected) in
            [(0.1, 0.1, 1134.0), (0.1, 0.03, 312.0), (0.05, 0.1, 519.0), (0.02, 0.1, 212.0)]
        {
            let starts = (1..=12).map(|start| [2.0, 0.1 * f64::from(start)]);
            let bursts =
                starts.map(|w| descend(training(true, eta, weight_decay), w).0).sum::<u64>() as f64 / 12.0;
            assert!((bursts / expected - 1.0).abs() < 0.15, "{eta} {weight_decay}: {bursts}, not {expected}");
        }
    }

    #[test]
    fn what_cannot_train_is_refused() {
        for (eta, weight_decay) in [(0.0, 0.1), (f64::NAN, 0.1), (0.1, -1.0), (0.1, 10.0), (0.1, f64::NAN)] {
            assert!(
                Training { normalized: true, eta, weight_decay }.checked().is_err(),
                "{eta} {weight_decay}"
            );
        }
    }

    #[test]
    fn a_burst_needs_calm_before_it() {
        let mut bursts = Bursts::default();
        [1.0, 1e-3, 0.1, 1e-5, 1e-3, 0.1, 0.2, 1e-5, 0.5].into_iter().for_each(|loss| bursts.see(loss));
        assert_eq!(bursts.count, 2);
    }
}
