//! The idx format of MNIST and its relatives: idx3 images and idx1 labels of unsigned bytes, raw or gzipped
//! (LeCun, Cortes and Burges, "The MNIST database"; big-endian words: magic, one length per dimension).

use std::path::{Path, PathBuf};

use super::DataError;
use super::bytes::{self, SourceBytes};
use super::error::malformed;
use super::images::ByteImages;

/// Two zero bytes, the element type (8: unsigned byte), the number of dimensions.
const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// The images of one idx3 file, not yet scaled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// count x height x width bytes.
    pub pixels: Vec<u8>,
}

/// Reads an idx1 file of unsigned bytes, raw or gzipped.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for a wrong magic, an empty dimension, truncation or
/// trailing bytes.
fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    parse_labels(path, bytes::open(path)?)
}

/// Keeps the pixels of the first `most` images.
fn parse_images(path: &Path, mut source: SourceBytes, most: usize) -> Result<IdxImages, DataError> {
    let magic = u32::from_be_bytes(source.header("idx magic")?);
    check_magic(path, magic, IMAGES)?;
    let lengths: [u8; 12] = source.header("idx3 header")?;
    // The chunks are four bytes long, so that the conversion cannot fail.
    let word = |k: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| lengths[4 * k + byte]));
    let (count, height, width) = (word(0), word(1), word(2));
    let claim = format!("{count} images of {height} x {width}");
    let bytes = u64::from(count).checked_mul(u64::from(height) * u64::from(width));
    let Some(bytes) = bytes.filter(|&bytes| bytes > 0) else {
        let remedy = "replace the file by a complete copy";
        return Err(malformed(path, "at least one image that memory can hold", claim, remedy));
    };
    let kept = bytes / u64::from(count) * u64::from(count).min(most as u64);
    let pixels = source.exactly(kept, &claim)?;
    source.skip(bytes - kept, &claim)?;
    source.end(&claim)?;
    Ok(IdxImages { count: count as usize, height: height as usize, width: width as usize, pixels })
}

fn parse_labels(path: &Path, mut source: SourceBytes) -> Result<Vec<u8>, DataError> {
    let magic = u32::from_be_bytes(source.header("idx magic")?);
    check_magic(path, magic, LABELS)?;
    let count = u32::from_be_bytes(source.header("idx1 header")?);
    let claim = format!("{count} labels");
    if count == 0 {
        return Err(malformed(path, "at least one label", claim, "replace the file by a complete copy"));
    }
    let labels = source.exactly(u64::from(count), &claim)?;
    source.end(&claim)?;
    Ok(labels)
}

fn check_magic(path: &Path, found: u32, expected: u32) -> Result<(), DataError> {
    let remedy = match found {
        _ if found == expected => return Ok(()),
        IMAGES => "these are images: give the labels file here",
        LABELS => "these are labels: give the images file here",
        _ => "give an idx file of unsigned bytes, raw or gzipped",
    };
    Err(malformed(path, format!("idx magic {expected:#010x}"), format!("{found:#010x}"), remedy))
}

/// Images and labels of a pair of files, the pixels of the first `most` only. The number of classes is `classes`, or one
/// more than the largest label.
fn read_pair(
    images: &Path,
    labels: &Path,
    classes: Option<u32>,
    most: usize,
) -> Result<ByteImages, DataError> {
    let IdxImages { count, height, width, pixels } = parse_images(images, bytes::open(images)?, most)?;
    let classes_of = read_labels(labels)?;
    if classes_of.len() != count {
        return Err(malformed(
            labels,
            format!("{count} labels for the images of {}", images.display()),
            format!("{} labels", classes_of.len()),
            "take both files from the same source",
        ));
    }
    let largest = classes_of.iter().copied().max().map_or(0, u32::from);
    let number = classes.unwrap_or(largest + 1);
    if let Some(sample) = classes_of.iter().position(|&label| u32::from(label) >= number) {
        let expected = format!("labels from 0 to {}", number - 1);
        let found = format!("label {} at sample {sample}", classes_of[sample]);
        return Err(malformed(labels, expected, found, "take both parts from the same source"));
    }
    Ok(ByteImages { height, width, channels: 1, pixels, labels: classes_of, count: number })
}

/// The file that has this official name in a folder, or another of its usual names: with .gz, or with a dot
/// before `idx`.
pub(super) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    [name, dotted.as_str()]
        .iter()
        .flat_map(|name| ["", ".gz"].map(|end| folder.join(format!("{name}{end}"))))
        .find(|path| path.is_file())
}

/// Reads one part (train or t10k) of a folder of idx files.
///
/// # Errors
/// [`DataError::Malformed`] when one of its two files is missing, or as [`read_labels`].
pub(super) fn read_part(
    folder: &Path,
    part: &str,
    classes: Option<u32>,
    most: usize,
) -> Result<ByteImages, DataError> {
    let file = |kind: &str| {
        let name = format!("{part}-{kind}-ubyte");
        find(folder, &name).ok_or_else(|| {
            let expected = format!("{name}, or the same with .gz");
            malformed(folder, expected, "no such file", "put the four idx files into one folder")
        })
    };
    read_pair(&file("images-idx3")?, &file("labels-idx1")?, classes, most)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Labels, SampleShape};

    pub(in crate::data) fn images_file(count: u32, height: u32, width: u32, pixels: &[u8]) -> Vec<u8> {
        let words = [IMAGES, count, height, width].map(u32::to_be_bytes).concat();
        [words, pixels.to_vec()].concat()
    }

    pub(in crate::data) fn labels_file(labels: &[u8]) -> Vec<u8> {
        let words = [LABELS, labels.len() as u32].map(u32::to_be_bytes).concat();
        [words, labels.to_vec()].concat()
    }

    pub(in crate::data) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images(bytes: &[u8]) -> Result<IdxImages, DataError> {
        let path = Path::new("images");
        parse_images(path, SourceBytes::new(path, bytes, bytes.len() as u64)?, usize::MAX)
    }

    fn labels(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
        let path = Path::new("labels");
        parse_labels(path, SourceBytes::new(path, bytes, bytes.len() as u64)?)
    }

    #[test]
    fn raw_and_gzipped_files_read_alike() {
        let file = images_file(2, 1, 3, &[1, 2, 3, 4, 5, 6]);
        let expected = IdxImages { count: 2, height: 1, width: 3, pixels: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(images(&file).unwrap(), expected);
        assert_eq!(images(&gzip(&file)).unwrap(), expected);
        assert_eq!(labels(&labels_file(&[3, 1])).unwrap(), [3, 1]);
        assert_eq!(labels(&gzip(&labels_file(&[3, 1]))).unwrap(), [3, 1]);
    }

    #[test]
    fn faults_say_what_was_expected_and_what_was_found() {
        let whole = images_file(2, 1, 2, &[1, 2, 3, 4]);
        let longer = [whole.clone(), vec![9]].concat();
        for (file, expected) in [
            (whole[..19].to_vec(), "expected 4 bytes of 2 images of 1 x 2, found only 3 bytes"),
            (gzip(&whole[..19]), "expected 4 bytes of 2 images of 1 x 2, found only 3 bytes"),
            (longer.clone(), "expected the end of the file after 2 images of 1 x 2, found 1 more bytes"),
            (gzip(&longer), "expected the end of the file after 2 images of 1 x 2, found more bytes"),
            (whole[..9].to_vec(), "expected 12 bytes of idx3 header, found only 5 bytes"),
            (vec![], "expected 4 bytes of idx magic, found only 0 bytes"),
            (b"\x89PNG....".to_vec(), "expected idx magic 0x00000803, found 0x89504e47"),
            (labels_file(&[1]), "these are labels: give the images file here"),
            (images_file(0, 28, 28, &[]), "found 0 images of 28 x 28"),
        ] {
            let text = images(&file).unwrap_err().to_string();
            assert!(text.starts_with("images: ") && text.contains(expected), "{text}");
        }
        let text = labels(&whole).unwrap_err().to_string();
        assert!(text.contains("these are images: give the labels file here"), "{text}");
        assert!(labels(&labels_file(&[])).unwrap_err().to_string().contains("at least one label"));
    }

    #[test]
    fn images_that_are_not_wanted_are_checked_and_not_kept() {
        let path = Path::new("images");
        for file in
            [images_file(3, 1, 2, &[1, 2, 3, 4, 5, 6]), gzip(&images_file(3, 1, 2, &[1, 2, 3, 4, 5, 6]))]
        {
            let first = |file: &[u8], most| {
                parse_images(path, SourceBytes::new(path, file, file.len() as u64)?, most)
            };
            let images = first(&file, 2).unwrap();
            assert_eq!((images.count, &images.pixels[..]), (3, &[1, 2, 3, 4][..]));
            assert_eq!(first(&file, 9).unwrap().pixels.len(), 6);
            assert!(first(&file[..file.len() - 1], 1).is_err(), "the rest is read");
        }
    }

    #[test]
    fn a_header_that_lies_about_size_allocates_nothing() {
        let most = u32::MAX;
        let text = images(&images_file(most, most, most, &[0; 8])).unwrap_err().to_string();
        assert!(text.contains("at least one image that memory can hold"), "{text}");
        let text = images(&images_file(most, 28, 28, &[0; 8])).unwrap_err().to_string();
        assert!(text.contains("found only 8 bytes"), "{text}");
        let text = images(&gzip(&images_file(most, 28, 28, &[0; 8]))).unwrap_err().to_string();
        assert!(text.contains("a gzip file that cannot unpack to more than"), "{text}");
    }

    #[test]
    fn a_cut_gzip_file_is_an_error() {
        let whole = gzip(&images_file(2, 8, 8, &[7; 128]));
        let error = images(&whole[..whole.len() - 12]).unwrap_err();
        assert!(matches!(error, DataError::Io { action: "unpack the gzip file", .. }), "{error}");
    }

    #[test]
    fn a_pair_of_files_makes_a_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let (x, y) = (folder.path().join("x"), folder.path().join("y.gz"));
        std::fs::write(&x, images_file(2, 1, 2, &[0, 255, 51, 102])).unwrap();
        std::fs::write(&y, gzip(&labels_file(&[4, 0]))).unwrap();
        let dataset =
            read_pair(&x, &y, None, usize::MAX).unwrap().into_dataset("two".into(), &[], None).unwrap();
        assert_eq!(dataset.inputs, [0.0, 1.0, 0.2, 0.4]);
        assert_eq!(dataset.labels, Labels::Classes { labels: vec![4, 0], count: 5 });
        assert_eq!(dataset.shape, SampleShape::Image { height: 1, width: 2, channels: 1 });

        let text = read_pair(&x, &y, Some(3), usize::MAX).err().unwrap().to_string();
        assert!(text.contains("expected labels from 0 to 2, found label 4 at sample 0"), "{text}");
        std::fs::write(&y, labels_file(&[1, 2, 3])).unwrap();
        let text = read_pair(&x, &y, None, usize::MAX).err().unwrap().to_string();
        assert!(text.contains("expected 2 labels for the images of"), "{text}");
        assert!(matches!(
            read_pair(&folder.path().join("none"), &y, None, usize::MAX),
            Err(DataError::Io { .. })
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = images(&bytes);
            let _ = labels(&bytes);
        }

        #[test]
        fn no_lengths_make_it_panic(words: [u32; 3], pixels in proptest::collection::vec(any::<u8>(), 0..64)) {
            let file = images_file(words[0], words[1], words[2], &pixels);
            let _ = images(&file);
            let _ = images(&gzip(&file));
        }

        #[test]
        fn what_is_written_is_read(height in 1u32..5, width in 1u32..5, count in 1u32..5, zipped: bool) {
            let pixels: Vec<u8> = (0..count * height * width).map(|k| k as u8).collect();
            let file = images_file(count, height, width, &pixels);
            let read = images(&if zipped { gzip(&file) } else { file }).unwrap();
            prop_assert_eq!(read.pixels, pixels);
        }
    }
}
