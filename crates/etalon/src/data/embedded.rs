//! The data set that is part of this program: 2,500 images of Fashion-MNIST.
//!
//! Fashion-MNIST is by Xiao, Rasul and Vollgraf (2017), published by Zalando SE under the MIT licence, whose
//! text lies beside the file. `examples/embed_fashion.rs` makes the file again from the official ones.

use std::io::Cursor;
use std::path::Path;

use super::error::malformed;
use super::images::ByteImages;
use super::{DataError, Split};

/// What users call it.
pub(super) const NAME: &str = "fashion-mini";
/// Samples of the train part: the first 200 of each class of the official train file, class after class.
pub(super) const TRAIN: usize = 2000;
/// Samples of the test part: the first 50 of each class of the official test file.
pub(super) const TEST: usize = 500;

/// A contact sheet: a grey PNG of 50 x 50 images, in the order of the samples, row by row.
pub(super) const SHEET: &[u8] = include_bytes!("../../assets/fashion-mini.png");

const SIDE: usize = 28;
const PER_ROW: usize = 50;
const CLASSES: usize = 10;

/// The train and test part: sample `i` of each has class `i mod 10`, so that the first 10 k are balanced.
///
/// # Errors
/// As [`ByteImages::into_dataset`].
pub(super) fn split(classes: &[u32], train: Option<usize>, test: Option<usize>) -> Result<Split, DataError> {
    let pixels = pixels()?;
    let (train_pixels, test_pixels) = pixels.split_at(TRAIN * SIDE * SIDE);
    let part = |name: &str, pixels: &[u8], n| {
        let labels = (0..pixels.len() / (SIDE * SIDE)).map(|index| (index % CLASSES) as u8).collect();
        let pixels = pixels.to_vec();
        ByteImages { height: SIDE, width: SIDE, channels: 1, pixels, labels, count: CLASSES as u32 }
            .into_dataset(format!("{NAME} ({name})"), classes, n)
    };
    Split::new(part("train", train_pixels, train)?, part("test", test_pixels, test)?)
}

/// All images, one after the other.
fn pixels() -> Result<Vec<u8>, DataError> {
    // The sheet is part of the program, and a test decodes it: none of these errors can reach a user.
    let fault = |found: String| {
        malformed(
            Path::new("fashion-mini.png"),
            "a grey sheet of 1400 x 1400",
            found,
            "build the program again",
        )
    };
    let mut reader =
        png::Decoder::new(Cursor::new(SHEET)).read_info().map_err(|error| fault(error.to_string()))?;
    let mut sheet = vec![0; (TRAIN + TEST) * SIDE * SIDE];
    reader.next_frame(&mut sheet).map_err(|error| fault(error.to_string()))?;
    let mut pixels = Vec::with_capacity(sheet.len());
    for sample in 0..TRAIN + TEST {
        let (top, left) = (sample / PER_ROW * SIDE, sample % PER_ROW * SIDE);
        for row in top..top + SIDE {
            let start = row * PER_ROW * SIDE + left;
            pixels.extend_from_slice(&sheet[start..start + SIDE]);
        }
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::data::store::hexadecimal;
    use crate::data::{Labels, SampleShape};

    #[test]
    fn the_pixels_are_those_that_were_embedded() {
        // Printed by examples/embed_fashion.rs, which takes the images from the official files.
        let expected = "b172307597985a7790f1e13ca6d50a297b8d01033662c4b1e8c9e573f3006e91";
        assert_eq!(hexadecimal(&Sha256::digest(pixels().unwrap())), expected);
        assert!(SHEET.len() < 1_300_000, "{} bytes", SHEET.len());
    }

    #[test]
    fn any_first_samples_are_balanced() {
        let split = split(&[], None, None).unwrap();
        for (part, samples) in [(&split.train, 2000), (&split.test, 500)] {
            let labels = (0..samples).map(|index| index % 10).collect();
            assert_eq!(part.labels, Labels::Classes { labels, count: 10 });
            assert_eq!(part.shape, SampleShape::Image { height: 28, width: 28, channels: 1 });
        }
    }

    #[test]
    fn pixels_fill_the_range_from_0_to_1() {
        let train = split(&[], None, None).unwrap().train;
        let least = train.inputs.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = train.inputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!((least, largest), (0.0, 1.0));
        let mean =
            train.inputs.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / train.inputs.len() as f64;
        // The mean of the whole official train part is 0.2860; that of an image varies by about 0.14.
        assert!((mean - 0.286).abs() < 0.012, "{mean}");
    }
}
