//! Two classes on the two sides of a gap.

use super::{DataError, Part, SampleShape, Split, classes, finite, generator, normals, part};
use super::{draw, positive_dimension};

const NAME: &str = "two-gaussians";

/// The two halves of a standard Gaussian in `dimension` dimensions, cut along a random unit direction u and
/// moved apart by `margin`: class 1 has <u, x> = margin/2 + |g|, class 0 has <u, x> = -margin/2 - |g|, with
/// g standard normal; across u both are standard normal. Samples alternate, class 0 first.
///
/// A margin above 0 makes the classes separable by construction, with every sample at least margin/2 from
/// the plane <u, x> = 0; at 0 the inputs are exactly N(0, I); below 0 the classes overlap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoGaussians {
    /// Number of features.
    pub dimension: usize,
    /// Width of the gap between the classes, in standard deviations; may be negative.
    pub margin: f64,
}

impl Default for TwoGaussians {
    /// Ten dimensions, margin 1.
    fn default() -> Self {
        TwoGaussians { dimension: 10, margin: 1.0 }
    }
}

impl TwoGaussians {
    /// Draws both parts. Inputs: samples x dimension; labels: two classes.
    ///
    /// # Errors
    /// [`DataError::Option`] for a dimension of 0, a margin that is not finite, or sizes that cannot be.
    pub fn split(&self, train: usize, test: usize, seed: u64) -> Result<Split, DataError> {
        finite(NAME, "margin", self.margin)?;
        let direction = self.direction(seed)?;
        let draw_part = |kind, samples| {
            let sample = |index: usize, generator: &mut _, inputs: &mut Vec<f32>| {
                let class = (index % 2) as u32;
                let x = normals(generator, self.dimension);
                let distance = self.margin / 2.0 + draw::normal(generator).abs();
                let wanted = if class == 1 { distance } else { -distance };
                let along: f64 = x.iter().zip(&direction).map(|(x, u)| x * u).sum();
                inputs.extend(x.iter().zip(&direction).map(|(x, u)| (x + (wanted - along) * u) as f32));
                class
            };
            part((NAME, kind), SampleShape::Flat(self.dimension), samples, seed, sample, classes(2))
        };
        Split::new(draw_part(Part::Train, train)?, draw_part(Part::Test, test)?)
    }

    /// The unit direction u along which the classes lie apart.
    ///
    /// # Errors
    /// [`DataError::Option`] for a dimension of 0.
    pub fn direction(&self, seed: u64) -> Result<Vec<f64>, DataError> {
        positive_dimension(NAME, self.dimension)?;
        let mut direction = normals(&mut generator(seed, Part::Common), self.dimension);
        let norm = direction.iter().map(|u| u * u).sum::<f64>().sqrt();
        direction.iter_mut().for_each(|u| *u /= norm);
        Ok(direction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Labels};

    /// The signed distance y <u, x> of each sample, y being -1 or 1.
    fn distances(dataset: &Dataset, direction: &[f64]) -> Vec<f64> {
        let Labels::Classes { labels, .. } = &dataset.labels else { panic!("two-gaussians has classes") };
        let along = |index| -> f64 {
            dataset.sample(index).iter().zip(direction).map(|(&x, u)| f64::from(x) * u).sum()
        };
        let sign = |label| if label == 1 { 1.0 } else { -1.0 };
        labels.iter().enumerate().map(|(index, &label)| sign(label) * along(index)).collect()
    }

    #[test]
    fn a_positive_margin_separates() {
        let gaussians = TwoGaussians { dimension: 7, margin: 0.5 };
        let split = gaussians.split(400, 200, 1).unwrap();
        let direction = gaussians.direction(1).unwrap();
        for part in [&split.train, &split.test] {
            let least = distances(part, &direction).into_iter().fold(f64::INFINITY, f64::min);
            // f32 rounds each of seven features to 6e-8 of its size.
            assert!((0.25 - 2e-6..0.3).contains(&least), "{least}");
        }
    }

    #[test]
    fn a_negative_margin_overlaps() {
        let gaussians = TwoGaussians { dimension: 3, margin: -2.0 };
        let split = gaussians.split(400, 200, 1).unwrap();
        let distances = distances(&split.train, &gaussians.direction(1).unwrap());
        let wrong = distances.iter().filter(|&&distance| distance < 0.0).count();
        // P(|g| < 1) = 0.683: 273 of 400, standard deviation 9.3.
        assert!((236..=310).contains(&wrong), "{wrong}");
    }

    #[test]
    fn without_a_margin_it_is_one_gaussian() {
        let gaussians = TwoGaussians { dimension: 4, margin: 0.0 };
        let train = gaussians.split(20_000, 1, 2).unwrap().train;
        for feature in 0..4 {
            let values: Vec<f64> = (0..train.len()).map(|i| f64::from(train.sample(i)[feature])).collect();
            let mean = values.iter().sum::<f64>() / 2e4;
            let variance = values.iter().map(|value| value * value).sum::<f64>() / 2e4;
            // Standard errors 0.007 and 0.01.
            assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{feature}: {mean}, {variance}");
        }
    }

    #[test]
    fn classes_alternate() {
        let train = TwoGaussians::default().split(4, 1, 0).unwrap().train;
        assert_eq!(train.labels, Labels::Classes { labels: vec![0, 1, 0, 1], count: 2 });
    }

    #[test]
    fn parameters_that_cannot_be_are_refused() {
        let error = TwoGaussians { dimension: 0, margin: 1.0 }.split(2, 2, 0).unwrap_err();
        assert!(error.to_string().contains("`dimension` is 0"), "{error}");
        let error = TwoGaussians { dimension: 2, margin: f64::NAN }.split(2, 2, 0).unwrap_err();
        assert!(error.to_string().contains("`margin` is NaN"), "{error}");
    }
}
