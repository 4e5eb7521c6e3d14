//! Smaller images.

use super::{DataError, Dataset, SampleShape, Split};

impl Split {
    /// Makes the images of both parts smaller: a pixel becomes the mean of `factor` x `factor`.
    ///
    /// # Errors
    /// [`DataError::Option`] when samples are vectors, or `factor` does not divide their rows and columns. The split is
    /// then unchanged.
    pub fn shrink(&mut self, factor: usize) -> Result<(), DataError> {
        if factor == 1 {
            return Ok(());
        }
        let fault = |problem| DataError::Option { name: self.train.name.clone(), option: "shrink", problem };
        let SampleShape::Image { height, width, .. } = self.train.shape else {
            return Err(fault("makes images smaller, and samples are vectors: leave it at 1".into()));
        };
        if factor == 0 || height % factor > 0 || width % factor > 0 {
            return Err(fault(format!("is {factor}, which does not divide images of {height} x {width}")));
        }
        [&mut self.train, &mut self.test].into_iter().for_each(|part| shrink(part, factor));
        Ok(())
    }
}

fn shrink(part: &mut Dataset, factor: usize) {
    let SampleShape::Image { height, width, channels } = part.shape else { return };
    let (rows, columns) = (height / factor, width / factor);
    let mut inputs = Vec::with_capacity(part.inputs.len() / (factor * factor));
    for image in part.inputs.chunks_exact(height * width * channels) {
        for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
            for channel in 0..channels {
                let at =
                    |a: usize, b: usize| ((i * factor + a) * width + j * factor + b) * channels + channel;
                let window = (0..factor).flat_map(|a| (0..factor).map(move |b| (a, b)));
                let sum: f64 = window.map(|(a, b)| f64::from(image[at(a, b)])).sum();
                inputs.push((sum / (factor * factor) as f64) as f32);
            }
        }
    }
    part.shape = SampleShape::Image { height: rows, width: columns, channels };
    part.inputs = inputs;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;

    fn split(shape: SampleShape) -> Split {
        let inputs: Vec<f32> = (0..2 * shape.features()).map(|value| value as f32).collect();
        let labels = Labels::Classes { labels: vec![0, 1], count: 2 };
        let part = Dataset::new("some", shape, inputs, labels).unwrap();
        Split::new(part.clone(), part).unwrap()
    }

    #[test]
    fn a_pixel_is_the_mean_of_a_square() {
        let mut data = split(SampleShape::Image { height: 2, width: 4, channels: 2 });
        data.shrink(2).unwrap();
        assert_eq!(data.train.shape, SampleShape::Image { height: 1, width: 2, channels: 2 });
        // The first channel of the first square is 0, 2, 8, 10.
        assert_eq!(data.train.inputs, [5.0, 6.0, 9.0, 10.0, 21.0, 22.0, 25.0, 26.0]);
        assert_eq!(data.test, data.train);
    }

    #[test]
    fn what_cannot_be_shrunk_is_refused_and_left() {
        for (shape, factor, expected) in [
            (SampleShape::Flat(4), 2, "samples are vectors"),
            (SampleShape::Image { height: 2, width: 3, channels: 1 }, 2, "does not divide images of 2 x 3"),
            (SampleShape::Image { height: 2, width: 2, channels: 1 }, 0, "does not divide"),
        ] {
            let mut data = split(shape);
            let before = data.clone();
            let text = data.shrink(factor).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
            assert_eq!(data, before);
        }
    }
}
