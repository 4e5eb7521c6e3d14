//! The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, "Learning multiple layers of features from
//! tiny images"): records of one label byte (CIFAR-100: coarse, then fine), then 1024 bytes each of red,
//! green and blue, row by row.

use std::path::Path;

use super::DataError;
use super::bytes::{self, SourceBytes};
use super::error::malformed;
use super::images::ByteImages;

/// Rows and columns of an image.
pub(super) const SIDE: usize = 32;
/// Pixels of an image.
pub(super) const PLANE: usize = SIDE * SIDE;

/// Which of the two data sets a file belongs to; the file itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// Ten classes, records of 3073 bytes.
    Cifar10,
    /// A hundred (fine) classes, records of 3074 bytes.
    Cifar100,
}

impl Variant {
    /// Bytes of a record.
    pub(super) fn record(self) -> usize {
        self.label_bytes() + 3 * PLANE
    }

    /// Number of classes.
    pub(super) fn classes(self) -> u32 {
        match self {
            Variant::Cifar10 => 10,
            Variant::Cifar100 => 100,
        }
    }

    fn label_bytes(self) -> usize {
        match self {
            Variant::Cifar10 => 1,
            Variant::Cifar100 => 2,
        }
    }

    /// The usual file names of the train and test part.
    pub(super) fn files(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Variant::Cifar10 => (&TRAIN_BATCHES, &["test_batch.bin"]),
            Variant::Cifar100 => (&["train.bin"], &["test.bin"]),
        }
    }
}

const TRAIN_BATCHES: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

/// Reads the records of these files, one after the other, as bytes: NHWC.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for a file that is no whole number of records or holds a
/// label out of range.
pub(super) fn read_files(variant: Variant, files: &[impl AsRef<Path>]) -> Result<ByteImages, DataError> {
    let (pixels, labels) = (Vec::new(), Vec::new());
    let mut images =
        ByteImages { height: SIDE, width: SIDE, channels: 3, pixels, labels, count: variant.classes() };
    for file in files {
        let path = file.as_ref();
        append(path, bytes::open(path)?, variant, &mut images)?;
    }
    Ok(images)
}

fn append(
    path: &Path,
    mut source: SourceBytes,
    variant: Variant,
    images: &mut ByteImages,
) -> Result<(), DataError> {
    let bytes = source.rest()?;
    let record = variant.record();
    if bytes.is_empty() || bytes.len() % record != 0 {
        let expected = format!("whole records of {record} bytes ({variant:?})");
        let found = format!("{} bytes", bytes.len());
        return Err(malformed(path, expected, found, "replace the file by a complete copy"));
    }
    images.pixels.reserve(bytes.len() / record * 3 * PLANE);
    for (number, record) in bytes.chunks_exact(record).enumerate() {
        let (labels, planes) = record.split_at(variant.label_bytes());
        // The fine label is the last of the two; there is at least one label byte.
        let label = labels[labels.len() - 1];
        if u32::from(label) >= variant.classes() {
            let expected = format!("labels from 0 to {}", variant.classes() - 1);
            let found = format!("label {label} in record {number}");
            return Err(malformed(path, expected, found, "give the official binary version"));
        }
        images.labels.push(label);
        for pixel in 0..PLANE {
            images.pixels.extend([planes[pixel], planes[PLANE + pixel], planes[2 * PLANE + pixel]]);
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Dataset, Labels, SampleShape};

    /// Red is the sample's number, green the pixel's row, blue its column.
    pub(in crate::data) fn file(labels: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, label) in labels.iter().enumerate() {
            bytes.extend_from_slice(label);
            bytes.extend([number as u8; PLANE]);
            bytes.extend((0..PLANE).map(|pixel| (pixel / SIDE) as u8));
            bytes.extend((0..PLANE).map(|pixel| (pixel % SIDE) as u8));
        }
        bytes
    }

    fn read(bytes: &[u8], variant: Variant) -> Result<Dataset, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.bin");
        std::fs::write(&path, bytes).unwrap();
        read_files(variant, &[path])?.into_dataset("batch".into(), &[], None)
    }

    #[test]
    fn planes_become_pixels() {
        let dataset = read(&file(&[&[3], &[9]]), Variant::Cifar10).unwrap();
        assert_eq!(dataset.shape, SampleShape::Image { height: 32, width: 32, channels: 3 });
        assert_eq!(dataset.labels, Labels::Classes { labels: vec![3, 9], count: 10 });
        let pixel = |sample: usize, row: usize, column: usize| {
            let start = (row * SIDE + column) * 3;
            [0, 1, 2].map(|channel| dataset.sample(sample)[start + channel] * 255.0)
        };
        assert_eq!(pixel(0, 0, 0), [0.0, 0.0, 0.0]);
        assert_eq!(pixel(1, 5, 30), [1.0, 5.0, 30.0]);
        assert_eq!(pixel(1, 31, 0), [1.0, 31.0, 0.0]);
    }

    #[test]
    fn the_hundred_are_the_fine_labels() {
        let dataset = read(&file(&[&[19, 99], &[0, 7]]), Variant::Cifar100).unwrap();
        assert_eq!(dataset.labels, Labels::Classes { labels: vec![99, 7], count: 100 });
        assert_eq!(dataset.sample(1)[0], 1.0 / 255.0);
    }

    #[test]
    fn files_follow_one_another() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&paths[0], file(&[&[1]])).unwrap();
        std::fs::write(&paths[1], file(&[&[2], &[3]])).unwrap();
        let dataset =
            read_files(Variant::Cifar10, &paths).unwrap().into_dataset("three".into(), &[], None).unwrap();
        assert_eq!(dataset.labels, Labels::Classes { labels: vec![1, 2, 3], count: 10 });
    }

    #[test]
    fn faults_say_what_was_expected_and_what_was_found() {
        let two = file(&[&[3], &[10]]);
        for (bytes, variant, expected) in [
            (&two[..], Variant::Cifar10, "expected labels from 0 to 9, found label 10 in record 1"),
            (&two[..3072], Variant::Cifar10, "whole records of 3073 bytes (Cifar10), found 3072 bytes"),
            (&two[..3074], Variant::Cifar10, "whole records of 3073 bytes (Cifar10), found 3074 bytes"),
            (&two[..], Variant::Cifar100, "whole records of 3074 bytes (Cifar100), found 6146 bytes"),
            (&[], Variant::Cifar10, "found 0 bytes"),
            (&file(&[&[0, 100]]), Variant::Cifar100, "found label 100 in record 0"),
        ] {
            let text = read(bytes, variant).unwrap_err().to_string();
            assert!(text.contains("batch.bin: ") && text.contains(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), whole: bool) {
            let bytes = if whole { bytes.iter().chain(&[0]).cycle().take(3073).copied().collect() } else { bytes };
            let path = Path::new("bytes");
            let source = SourceBytes::new(path, &bytes[..], bytes.len() as u64);
            let (pixels, labels) = (Vec::new(), Vec::new());
            let mut images = ByteImages { height: 32, width: 32, channels: 3, pixels, labels, count: 10 };
            let _ = source.and_then(|source| append(path, source, Variant::Cifar10, &mut images));
        }
    }
}
