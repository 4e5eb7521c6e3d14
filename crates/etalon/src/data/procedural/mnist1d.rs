//! MNIST-1D: ten one-dimensional shapes under the transformations that make images hard.

use rand_chacha::ChaCha8Rng;

use super::{DataError, Part, SampleShape, Split, classes, part};
use crate::data::draw;

/// MNIST-1D (Greydanus 2020, "Scaling down deep learning", table 1 and appendix): 40 features, ten classes.
/// A sample is a template of 12 points that is followed by 36 to 60 zeros; stretched to 72 points; scaled by
/// 0.8 to 1.2; rotated by 0 to 47 points; filled up with smooth noise where it is 0 (standard deviation 0.25
/// before a Gaussian filter of width 2); given independent noise of 0.02; sheared by a slope of up to
/// 0.375 either way; and read off at 40 points.
///
/// Two things differ from the published file: the samples come from this program's own streams, and class
/// `i mod 10` stands at sample `i` instead of in random order. The published file is also standardised:
/// [`Normalization::Global`](crate::data::Normalization::Global) does that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mnist1d;

/// Number of classes.
pub(in crate::data) const CLASSES: usize = 10;
/// Number of features of a sample.
pub(in crate::data) const FEATURES: usize = 40;

const TEMPLATE: usize = 12;
const PADDING: (usize, usize) = (36, 60);
/// Points of the stretched signal: the template and the longest padding.
const STRETCHED: usize = TEMPLATE + PADDING.1;
const MOST_ROTATION: u64 = 48;
const SCALE: f64 = 0.4;
const SMOOTH_NOISE: f64 = 0.25;
const FILTER_WIDTH: f64 = 2.0;
const POINT_NOISE: f64 = 0.02;
const SHEAR: f64 = 0.75;

/// The shapes of the digits 0 to 9, as published.
const TEMPLATES: [[f64; TEMPLATE]; CLASSES] = [
    [5.0, 6.0, 6.5, 6.75, 7.0, 7.0, 7.0, 7.0, 6.75, 6.5, 6.0, 5.0],
    [5.0, 3.0, 3.0, 3.4, 3.8, 4.2, 4.6, 5.0, 5.4, 5.8, 5.0, 5.0],
    [5.0, 6.0, 6.5, 6.5, 6.0, 5.25, 4.75, 4.0, 3.5, 3.5, 4.0, 5.0],
    [5.0, 6.0, 6.5, 6.5, 6.0, 5.0, 5.0, 6.0, 6.5, 6.5, 6.0, 5.0],
    [5.0, 4.4, 3.8, 3.2, 2.6, 2.6, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
    [5.0, 3.0, 3.0, 3.0, 3.0, 5.0, 6.0, 6.5, 6.5, 6.0, 4.5, 5.0],
    [5.0, 4.0, 3.5, 3.25, 3.0, 3.0, 3.0, 3.0, 3.25, 3.5, 4.0, 5.0],
    [5.0, 7.0, 7.0, 6.6, 6.2, 5.8, 5.4, 5.0, 4.6, 4.2, 5.0, 5.0],
    [5.0, 4.0, 3.5, 3.5, 4.0, 5.0, 5.0, 4.0, 3.5, 3.5, 4.0, 5.0],
    [5.0, 4.0, 3.5, 3.5, 4.0, 5.0, 5.0, 5.0, 5.0, 4.7, 4.3, 5.0],
];

impl Mnist1d {
    /// Draws both parts (4,000 and 1,000 samples in the paper). Inputs: samples x 40; labels: ten classes.
    ///
    /// # Errors
    /// [`DataError::Option`] for sizes that cannot be.
    pub fn split(&self, train: usize, test: usize, seed: u64) -> Result<Split, DataError> {
        let templates = TEMPLATES.map(standardise);
        let draw_part = |kind, samples| {
            let sample = |index: usize, generator: &mut ChaCha8Rng, inputs: &mut Vec<f32>| {
                let class = index % CLASSES;
                inputs.extend(signal(&templates[class], generator).iter().map(|&value| value as f32));
                class as u32
            };
            let labels = classes(CLASSES as u32);
            part(("mnist1d", kind), SampleShape::Flat(FEATURES), samples, seed, sample, labels)
        };
        Split::new(draw_part(Part::Train, train)?, draw_part(Part::Test, test)?)
    }
}

/// To mean 0 and deviation 1, then shifted to begin at 0, then divided by 6.
fn standardise(template: [f64; TEMPLATE]) -> [f64; TEMPLATE] {
    let mean = template.iter().sum::<f64>() / TEMPLATE as f64;
    let variance = template.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / TEMPLATE as f64;
    template.map(|value| (value - template[0]) / variance.sqrt() / 6.0)
}

/// One sample of a class.
fn signal(template: &[f64; TEMPLATE], generator: &mut ChaCha8Rng) -> Vec<f64> {
    let zeros = PADDING.0 + draw::below(generator, (PADDING.1 - PADDING.0 + 1) as u64) as usize;
    let scale = 1.0 + SCALE * (draw::uniform(generator) - 0.5);
    let rotation = draw::below(generator, MOST_ROTATION) as usize;
    let slope = SHEAR * (draw::uniform(generator) - 0.5);

    // The template touches 0 itself; lifted by a hair, only the padding is exactly 0 and takes the noise.
    let mut padded: Vec<f64> = template.iter().map(|value| value + 1e-8).collect();
    padded.resize(TEMPLATE + zeros, 0.0);
    let mut stretched = interpolate(&padded, STRETCHED);
    stretched.rotate_right(rotation);

    let rough: Vec<f64> = (0..STRETCHED).map(|_| SMOOTH_NOISE * draw::normal(generator)).collect();
    let smooth = gaussian_filter(&rough, FILTER_WIDTH);
    for (place, (value, smooth)) in stretched.iter_mut().zip(smooth).enumerate() {
        let shape = if *value == 0.0 { smooth } else { scale * *value };
        let along = place as f64 / (STRETCHED - 1) as f64 - 0.5;
        *value = shape + POINT_NOISE * draw::normal(generator) - slope * along;
    }
    interpolate(&stretched, FEATURES)
}

/// `length` values at equal distances from the first to the last, on straight lines between neighbours.
/// Both lengths are at least 2.
fn interpolate(values: &[f64], length: usize) -> Vec<f64> {
    let steps = values.len() - 1;
    (0..length)
        .map(|place| {
            let position = (place * steps) as f64 / (length - 1) as f64;
            let left = (position as usize).min(steps - 1);
            let share = position - left as f64;
            values[left] + (values[left + 1] - values[left]) * share
        })
        .collect()
}

/// Convolution with a Gaussian of this width, cut off at four widths; the signal is mirrored at its ends,
/// the end points being repeated.
fn gaussian_filter(values: &[f64], width: f64) -> Vec<f64> {
    let radius = (4.0 * width + 0.5) as isize;
    let weights: Vec<f64> =
        (-radius..=radius).map(|offset| (-0.5 * (offset as f64 / width).powi(2)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let length = values.len() as isize;
    let mirrored = |place: isize| {
        let place = place.rem_euclid(2 * length);
        values[place.min(2 * length - 1 - place) as usize]
    };
    (0..length)
        .map(|place| {
            let offsets = -radius..=radius;
            offsets.zip(&weights).map(|(offset, weight)| weight * mirrored(place + offset)).sum::<f64>()
                / total
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use etalon_nn::random::{Purpose, stream};

    #[test]
    fn samples_have_forty_features_and_classes_in_turn() {
        let split = Mnist1d.split(25, 5, 0).unwrap();
        assert_eq!(split.train.shape, SampleShape::Flat(40));
        let labels = (0..25).map(|index| index % 10).collect();
        assert_eq!(split.train.labels, Labels::Classes { labels, count: 10 });
    }

    #[test]
    fn templates_begin_at_zero_with_a_deviation_of_a_sixth() {
        for template in TEMPLATES.map(standardise) {
            let mean = template.iter().sum::<f64>() / 12.0;
            let variance = template.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 12.0;
            assert_eq!(template[0], 0.0);
            assert!((variance.sqrt() - 1.0 / 6.0).abs() < 1e-15);
        }
    }

    #[test]
    fn interpolation_keeps_the_ends_and_straight_lines() {
        let line: Vec<f64> = (0..7).map(|place| 2.0 * f64::from(place) + 1.0).collect();
        let read = interpolate(&line, 4);
        assert_eq!(read, [1.0, 5.0, 9.0, 13.0]);
        assert_eq!(interpolate(&[0.0, 1.0, 0.0], 5), [0.0, 0.5, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn the_filter_agrees_with_scipy() {
        // scipy.ndimage.gaussian_filter(x, 2.0), with x zero but for x[1] = 1, x[10] = -2, x[19] = 3.
        const SCIPY: [f64; 20] = [
            0.2970232486501394,
            0.26423458446947246,
            0.20289788427294392,
            0.12887909608712134,
            0.06254397343213089,
            0.009903698262233897,
            -0.04516069528223919,
            -0.12730391003685831,
            -0.24153863051019128,
            -0.35200460148000806,
            -0.39894929572949,
            -0.3518707689008628,
            -0.2404651836004598,
            -0.12156293663014485,
            -0.021051113328450416,
            0.08975217826468242,
            0.2708357573708857,
            0.5563695810692159,
            0.8909359133712729,
            1.126531220248606,
        ];
        let mut spikes = [0.0; 20];
        (spikes[1], spikes[10], spikes[19]) = (1.0, -2.0, 3.0);
        for (ours, scipy) in gaussian_filter(&spikes, 2.0).iter().zip(SCIPY) {
            assert!((ours - scipy).abs() < 1e-15, "{ours} {scipy}");
        }
    }

    #[test]
    fn each_class_agrees_with_the_published_program() {
        // Per class: the mean of the signal, of its square norm, and of the square norm of its differences,
        // over 20,000 samples of the package mnist1d 0.0.2.post1 (before standardisation).
        #[allow(clippy::approx_constant)] // 0.3010 is no logarithm of 2 here
        const PUBLISHED: [[f64; 3]; CLASSES] = [
            [0.06546, 1.5344, 0.3010],
            [-0.02094, 0.7479, 0.2859],
            [-0.00045, 0.6752, 0.2569],
            [0.04448, 1.0384, 0.4726],
            [-0.02505, 0.7810, 0.3079],
            [-0.00672, 0.6744, 0.2882],
            [-0.06532, 1.5329, 0.3013],
            [0.02092, 0.7509, 0.2858],
            [-0.04466, 1.0393, 0.4716],
            [-0.02837, 0.8186, 0.3628],
        ];
        let mut generator = stream(0, Purpose::Data, 0);
        for (class, published) in PUBLISHED.iter().enumerate() {
            let template = standardise(TEMPLATES[class]);
            let samples: Vec<[f64; 3]> = (0..4000)
                .map(|_| {
                    let x = signal(&template, &mut generator);
                    let differences = x.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
                    [x.iter().sum::<f64>() / 40.0, x.iter().map(|x| x * x).sum(), differences]
                })
                .collect();
            for (which, published) in published.iter().enumerate() {
                let mean = samples.iter().map(|sample| sample[which]).sum::<f64>() / 4000.0;
                let squares = samples.iter().map(|sample| (sample[which] - mean).powi(2)).sum::<f64>();
                // The variance of our mean, and of theirs over five times as many samples.
                let variance = squares / 4000.0 * (1.0 / 4000.0 + 1.0 / 20_000.0);
                let deviations = (mean - published) / variance.sqrt();
                assert!(deviations.abs() < 4.5, "class {class}, {which}: {mean} against {published}");
            }
        }
    }
}
