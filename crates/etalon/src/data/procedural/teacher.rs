//! A noisy linear teacher.

use super::{DataError, Part, SampleShape, Split, draw, finite, generator, normals, part, values};

const NAME: &str = "teacher";

/// Regression on y = <w, x> + noise g, with x from N(0, I), the teacher w from N(0, I / dimension) and g
/// standard normal: the signal's variance is 1 on average, the best reachable mean square is noise^2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Teacher {
    /// Number of features.
    pub dimension: usize,
    /// Standard deviation of the noise, at least 0.
    pub noise: f64,
}

impl Default for Teacher {
    /// Ten dimensions, noise 0.1.
    fn default() -> Self {
        Teacher { dimension: 10, noise: 0.1 }
    }
}

impl Teacher {
    /// Draws both parts. Inputs: samples x dimension; labels: one value per sample.
    ///
    /// # Errors
    /// [`DataError::Option`] for a dimension of 0, noise that is negative or not finite, or sizes that
    /// cannot be.
    pub fn split(&self, train: usize, test: usize, seed: u64) -> Result<Split, DataError> {
        finite(NAME, "noise", self.noise)?;
        if self.noise < 0.0 {
            let problem = format!("is {}: give a standard deviation of at least 0", self.noise);
            return Err(DataError::Option { name: NAME.into(), option: "noise", problem });
        }
        let weights = self.weights(seed)?;
        let draw_part = |kind, samples| {
            let sample = |_, generator: &mut _, inputs: &mut Vec<f32>| {
                let x = normals(generator, self.dimension);
                let signal: f64 = x.iter().zip(&weights).map(|(x, w)| x * w).sum();
                inputs.extend(x.iter().map(|&x| x as f32));
                (signal + self.noise * draw::normal(generator)) as f32
            };
            part((NAME, kind), SampleShape::Flat(self.dimension), samples, seed, sample, values)
        };
        Split::new(draw_part(Part::Train, train)?, draw_part(Part::Test, test)?)
    }

    /// The teacher w.
    ///
    /// # Errors
    /// [`DataError::Option`] for a dimension of 0.
    pub fn weights(&self, seed: u64) -> Result<Vec<f64>, DataError> {
        super::positive_dimension(NAME, self.dimension)?;
        let scale = (self.dimension as f64).sqrt();
        let weights = normals(&mut generator(seed, Part::Common), self.dimension);
        Ok(weights.into_iter().map(|w| w / scale).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    /// y - <w, x> of the train part.
    fn residuals(teacher: Teacher, samples: usize) -> Vec<f64> {
        let train = teacher.split(samples, 1, 6).unwrap().train;
        let weights = teacher.weights(6).unwrap();
        let Labels::Values { values, width: 1 } = &train.labels else { panic!("the teacher gives values") };
        let signal =
            |index| -> f64 { train.sample(index).iter().zip(&weights).map(|(&x, w)| f64::from(x) * w).sum() };
        values.iter().enumerate().map(|(index, &y)| f64::from(y) - signal(index)).collect()
    }

    #[test]
    fn without_noise_the_teacher_explains_everything() {
        let largest = residuals(Teacher { dimension: 20, noise: 0.0 }, 500)
            .into_iter()
            .map(f64::abs)
            .fold(0.0, f64::max);
        // Rounding of 20 inputs and a sum of size about 1 to f32.
        assert!(largest < 2e-6, "{largest}");
    }

    #[test]
    fn what_is_left_is_the_noise() {
        let rest = residuals(Teacher { dimension: 5, noise: 0.5 }, 10_000);
        let deviation = (rest.iter().map(|rest| rest * rest).sum::<f64>() / 1e4).sqrt();
        // The standard error is 0.5 / sqrt(20,000) = 0.0035.
        assert!((deviation - 0.5).abs() < 0.014, "{deviation}");
    }

    #[test]
    fn parameters_that_cannot_be_are_refused() {
        for (dimension, noise, expected) in [(0, 0.1, "`dimension` is 0"), (1, -0.1, "`noise` is -0.1")] {
            let text = Teacher { dimension, noise }.split(2, 2, 0).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
