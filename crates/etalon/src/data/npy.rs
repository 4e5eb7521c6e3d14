//! NumPy arrays as data sets: inputs in `NAME-x.npy`, labels in `NAME-y.npy`; a folder holds train-x.npy,
//! train-y.npy, test-x.npy and test-y.npy.

use std::path::{Path, PathBuf};

use super::bytes::{self, SourceBytes};
use super::error::malformed;
use super::layout::Arranged;
use super::npy_header::{self, Element};
use super::{DataError, Dataset, ImageLayout, Labels, SampleShape};

/// Labels that are integers stand for classes. So many may be with fewer samples; more classes than these and than
/// samples mean that they do not.
const SURELY_CLASSES: u32 = 1000;

/// The elements of one array, in C order.
enum Elements {
    /// From f4 and f8; bytes are pixels and have been scaled to [0, 1].
    Floats(Vec<f32>),
    Integers(Vec<i64>),
}

/// Reads `STEM-x.npy` and `STEM-y.npy`.
///
/// Inputs: samples x features, samples x height x width, or images of four axes in `layout`; f4, f8,
/// i4 or i8 as they are, u1 as pixels scaled to [0, 1]. If no layout is given, the axis of 1, 3 or 4 is the
/// channels; where this has brought about a transposition, a sentence that says so comes with the data. Labels: integers (u1, i4, i8; one per sample) are
/// classes, of which there are `classes` or one more than the largest; f4 and f8 (samples or samples x
/// width) are values.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for anything but a C-ordered array of these types and
/// shapes, for four axes of which both or none may be the channels, for a layout without four axes, for truncation, trailing bytes, counts that differ, labels out of range, NaN and infinities.
pub(super) fn read_pair(
    stem: &Path,
    classes: Option<u32>,
    layout: Option<ImageLayout>,
) -> Result<(Dataset, Option<String>), DataError> {
    let (inputs_path, labels_path) = paths(stem);
    let inputs = read_inputs(&inputs_path, bytes::open(&inputs_path)?, layout)?;
    let labels = read_labels(&labels_path, bytes::open(&labels_path)?, classes)?;
    pair(stem, inputs, labels, [&inputs_path, &labels_path])
}

/// Inputs with their labels, from these two places.
pub(super) fn pair(
    name: &Path,
    inputs: Inputs,
    labels: Labels,
    [inputs_path, labels_path]: [&Path; 2],
) -> Result<(Dataset, Option<String>), DataError> {
    let Inputs { shape, samples, inputs, note } = inputs;
    let labelled = match &labels {
        Labels::Classes { labels, .. } => labels.len(),
        Labels::Values { values, width } => values.len() / width,
    };
    if labelled != samples {
        return Err(malformed(
            labels_path,
            format!("{samples} labels for the samples of {}", inputs_path.display()),
            format!("{labelled} labels"),
            "save one label (row) for each sample",
        ));
    }
    Ok((Dataset::new(name.display().to_string(), shape, inputs, labels)?, note))
}

/// The two files of a pair.
pub(super) fn paths(stem: &Path) -> (PathBuf, PathBuf) {
    let name = stem.file_name().unwrap_or_default().to_string_lossy();
    (stem.with_file_name(format!("{name}-x.npy")), stem.with_file_name(format!("{name}-y.npy")))
}

/// The stem of a pair in a folder, the first by name.
pub(super) fn pair_in(folder: &Path) -> Option<PathBuf> {
    let names = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name());
    let stems = names.filter_map(|name| name.to_str()?.strip_suffix("-x.npy").map(|stem| folder.join(stem)));
    stems.min()
}

/// What an array of inputs holds.
#[derive(Debug, PartialEq)]
pub(super) struct Inputs {
    shape: SampleShape,
    samples: usize,
    /// Samples x features; images in NHWC order.
    inputs: Vec<f32>,
    /// That its axes were recognised and transposed.
    note: Option<String>,
}

pub(super) fn read_inputs(
    path: &Path,
    source: SourceBytes,
    layout: Option<ImageLayout>,
) -> Result<Inputs, DataError> {
    let (axes, elements) = read_array(path, source, true)?;
    let inputs = match elements {
        Elements::Floats(values) => values,
        Elements::Integers(values) => values.into_iter().map(|value| value as f32).collect(),
    };
    let Arranged { shape, inputs, note } = Arranged::of(path, &axes, inputs, layout)?;
    Ok(Inputs { shape, samples: axes[0], inputs, note })
}

pub(super) fn read_labels(
    path: &Path,
    source: SourceBytes,
    classes: Option<u32>,
) -> Result<Labels, DataError> {
    let (shape, elements) = read_array(path, source, false)?;
    let width: usize = shape[1..].iter().product();
    let integers = match elements {
        Elements::Floats(values) => return Ok(Labels::Values { values, width }),
        Elements::Integers(_) if width != 1 => {
            let remedy = "give class numbers, or floats if these are values";
            return Err(malformed(path, "one class per sample", format!("shape {shape:?}"), remedy));
        }
        Elements::Integers(integers) => integers,
    };
    // A class that no sample is of may be left out by accident, a million of them may not.
    let most = u32::try_from(integers.len()).unwrap_or(u32::MAX).max(SURELY_CLASSES);
    let limit = classes.unwrap_or(most);
    let labels: Result<Vec<u32>, DataError> = integers
        .into_iter()
        .enumerate()
        .map(|(sample, value)| match u32::try_from(value) {
            Ok(label) if label < limit => Ok(label),
            _ => Err(malformed(
                path,
                format!("labels from 0 to {}", limit - 1),
                format!("label {value} at sample {sample}"),
                "number the classes from 0, in the train part too; save values as floats",
            )),
        })
        .collect();
    let labels = labels?;
    let count = classes.unwrap_or_else(|| labels.iter().copied().max().map_or(0, |largest| largest + 1));
    Ok(Labels::Classes { labels, count })
}

/// The shape, which has at least one dimension and no empty one, and the elements.
fn read_array(
    path: &Path,
    mut source: SourceBytes,
    pixels: bool,
) -> Result<(Vec<usize>, Elements), DataError> {
    let header = npy_header::read(path, &mut source)?;
    let claim = format!("an array of shape {:?}", header.shape);
    let mut bytes = header.element.bytes();
    for &length in &header.shape {
        let product = bytes.checked_mul(length as u64).filter(|&product| product > 0);
        bytes = product.ok_or_else(|| {
            malformed(
                path,
                "no empty dimension, and a size that memory can hold",
                &claim,
                "save another array",
            )
        })?;
    }
    if header.shape.is_empty() {
        return Err(malformed(path, "one row per sample", "a single number", "save an array"));
    }
    let data = source.exactly(bytes, &claim)?;
    source.end(&claim)?;
    let elements = match header.element {
        Element::F4 => Elements::Floats(words(&data).map(f32::from_le_bytes).collect()),
        // What f32 cannot hold becomes infinite and is found below.
        Element::F8 => Elements::Floats(words(&data).map(|word| f64::from_le_bytes(word) as f32).collect()),
        Element::U1 if pixels => {
            Elements::Floats(data.iter().map(|&pixel| f32::from(pixel) / 255.0).collect())
        }
        Element::U1 => Elements::Integers(data.iter().map(|&byte| i64::from(byte)).collect()),
        Element::I4 => {
            Elements::Integers(words(&data).map(|word| i64::from(i32::from_le_bytes(word))).collect())
        }
        Element::I8 => Elements::Integers(words(&data).map(i64::from_le_bytes).collect()),
    };
    if let Elements::Floats(values) = &elements
        && let Some(place) = values.iter().position(|value| !value.is_finite())
    {
        let found = format!("{} at element {place}", values[place]);
        return Err(malformed(path, "numbers that are finite in f32", found, "remove or mend these samples"));
    }
    Ok((header.shape, elements))
}

fn words<const N: usize>(data: &[u8]) -> impl Iterator<Item = [u8; N]> {
    data.as_chunks().0.iter().copied()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An npy file as numpy.save writes it.
    pub(in crate::data) fn file(version: u8, descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let before = if version == 1 { 10 } else { 12 };
        text.extend(std::iter::repeat_n(' ', 63 - (before + text.len()) % 64));
        text.push('\n');
        let length = match version {
            1 => (text.len() as u16).to_le_bytes().to_vec(),
            _ => (text.len() as u32).to_le_bytes().to_vec(),
        };
        [b"\x93NUMPY", &[version, 0][..], &length, text.as_bytes(), data].concat()
    }

    fn f4(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn f8(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn images(bytes: &[u8], layout: Option<ImageLayout>) -> Result<Inputs, DataError> {
        let path = Path::new("x.npy");
        read_inputs(path, SourceBytes::new(path, bytes, bytes.len() as u64)?, layout)
    }

    fn inputs(bytes: &[u8]) -> Result<(SampleShape, usize, Vec<f32>), DataError> {
        images(bytes, None).map(|Inputs { shape, samples, inputs, .. }| (shape, samples, inputs))
    }

    fn labels(bytes: &[u8], classes: Option<u32>) -> Result<Labels, DataError> {
        let path = Path::new("y.npy");
        read_labels(path, SourceBytes::new(path, bytes, bytes.len() as u64)?, classes)
    }

    #[test]
    fn every_type_and_both_versions_are_read_as_inputs() {
        let expected = (SampleShape::Flat(2), 2, vec![1.0, -2.5, 0.0, 4.0]);
        let values = [1.0f32, -2.5, 0.0, 4.0];
        for version in [1, 2] {
            assert_eq!(inputs(&file(version, "<f4", "(2, 2)", &f4(&values))).unwrap(), expected);
            let doubles = f8(&values.map(f64::from));
            assert_eq!(inputs(&file(version, "<f8", "(2, 2)", &doubles)).unwrap(), expected);
        }
        let integers: Vec<u8> = [-3i32, 7].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(
            inputs(&file(1, "<i4", "(2,)", &integers)).unwrap(),
            (SampleShape::Flat(1), 2, vec![-3.0, 7.0])
        );
        let pixels = inputs(&file(1, "|u1", "(1, 2, 1, 1)", &[0, 51])).unwrap();
        assert_eq!(pixels, (SampleShape::Image { height: 2, width: 1, channels: 1 }, 1, vec![0.0, 0.2]));
    }

    #[test]
    fn images_in_pytorchs_order_are_recognised_transposed_and_told() {
        // Three channels of two rows with two pixels: of pixel p, channel k has 10 k + p.
        let planes =
            file(1, "<f4", "(1, 3, 2, 2)", &f4(&[0., 1., 2., 3., 10., 11., 12., 13., 20., 21., 22., 23.]));
        let pixels = [0., 10., 20., 1., 11., 21., 2., 12., 22., 3., 13., 23.];
        let shape = SampleShape::Image { height: 2, width: 2, channels: 3 };
        let read = images(&planes, None).unwrap();
        assert_eq!((read.shape, read.samples, &read.inputs[..]), (shape, 1, &pixels[..]));
        assert!(read.note.as_ref().is_some_and(|note| note.contains("[1, 3, 2, 2]")), "{read:?}");
        // What is said is not told.
        let said = images(&planes, Some(ImageLayout::Nchw)).unwrap();
        assert_eq!(said, Inputs { note: None, ..read });
        let last = file(1, "<f4", "(1, 2, 2, 3)", &f4(&pixels));
        for layout in [None, Some(ImageLayout::Nhwc)] {
            assert_eq!(images(&last, layout).unwrap(), said);
        }
    }

    #[test]
    fn images_whose_channels_cannot_be_told_are_asked_about() {
        let two = file(1, "<f4", "(1, 1, 1, 2)", &f4(&[5.0, 6.0]));
        let both = file(1, "<f4", "(1, 3, 2, 1)", &f4(&[0.0; 6]));
        let none = file(1, "<f4", "(1, 2, 2, 2)", &f4(&[0.0; 8]));
        for bytes in [&both, &none] {
            let text = images(bytes, None).unwrap_err().to_string();
            assert!(
                text.contains("data.layout = \"nhwc\"") && text.contains("data.layout = \"nchw\""),
                "{text}"
            );
        }
        let image = |height, width, channels| SampleShape::Image { height, width, channels };
        assert_eq!(images(&both, Some(ImageLayout::Nhwc)).unwrap().shape, image(3, 2, 1));
        assert_eq!(images(&both, Some(ImageLayout::Nchw)).unwrap().shape, image(2, 1, 3));
        assert_eq!(images(&two, Some(ImageLayout::Nhwc)).unwrap().shape, image(1, 1, 2));
        let flat = file(1, "<f4", "(2, 2)", &f4(&[0.0; 4]));
        let text = images(&flat, Some(ImageLayout::Nchw)).unwrap_err().to_string();
        assert!(text.contains("remove data.layout"), "{text}");
    }

    #[test]
    fn integers_are_classes_and_floats_are_values() {
        let classes = |labels: &[u32], count| Labels::Classes { labels: labels.to_vec(), count };
        let eights: Vec<u8> = [4i64, 0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(labels(&file(1, "<i8", "(2,)", &eights), None).unwrap(), classes(&[4, 0], 5));
        assert_eq!(labels(&file(1, "|u1", "(2, 1)", &[1, 0]), Some(3)).unwrap(), classes(&[1, 0], 3));
        let values = labels(&file(1, "<f8", "(1, 2)", &f8(&[0.5, -1.0])), None).unwrap();
        assert_eq!(values, Labels::Values { values: vec![0.5, -1.0], width: 2 });
    }

    #[test]
    fn faults_say_what_was_expected_and_what_was_found() {
        let whole = file(1, "<f4", "(2, 2)", &f4(&[0.0; 4]));
        let longer = [whole.clone(), vec![0]].concat();
        for (bytes, expected) in [
            (whole[..whole.len() - 1].to_vec(), "16 bytes of an array of shape [2, 2], found only 15 bytes"),
            (longer, "the end of the file after an array of shape [2, 2], found 1 more bytes"),
            (b"PK\x03\x04....".to_vec(), "expected an npy file"),
            (b"\x93NUM".to_vec(), "8 bytes of npy magic and version, found only 4"),
            (b"\x93NUMPY\x03\x00".to_vec(), "expected npy version 1 or 2, found version 3"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(), "bytes of npy header, found only 1 bytes"),
            (file(1, "<f4", "(2, 0)", &[]), "no empty dimension"),
            (file(1, "<f4", "()", &[0; 4]), "found a single number"),
            (file(1, "<f4", "(9999999999, 9999999999, 9)", &[0; 4]), "a size that memory can hold"),
            (file(1, "<f4", "(9999999999,)", &[0; 4]), "found only 4 bytes"),
            (file(1, "<f4", "(1, 1, 1, 1, 1)", &[0; 4]), "found shape [1, 1, 1, 1, 1]"),
            (file(1, "<f4", "(2,)", &f4(&[1.0, f32::NAN])), "found NaN at element 1"),
            (file(1, "<f8", "(1,)", &f8(&[1e300])), "finite in f32, found inf at element 0"),
        ] {
            let text = inputs(&bytes).unwrap_err().to_string();
            assert!(text.starts_with("x.npy: ") && text.contains(expected), "{text}");
        }
        let negative = (-1i32).to_le_bytes();
        for (bytes, classes, expected) in [
            (file(1, "<i4", "(1,)", &negative), None, "found label -1 at sample 0"),
            (file(1, "|u1", "(2,)", &[1, 3]), Some(3), "labels from 0 to 2, found label 3 at sample 1"),
            (file(1, "|u1", "(1, 2)", &[1, 3]), None, "one class per sample, found shape [1, 2]"),
            (file(1, "<f4", "(1,)", &f4(&[f32::NEG_INFINITY])), None, "found -inf at element 0"),
        ] {
            let text = labels(&bytes, classes).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_pair_is_found_by_its_stem() {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("digits");
        std::fs::write(folder.path().join("digits-x.npy"), file(1, "<f4", "(2, 1)", &f4(&[1.0, 2.0])))
            .unwrap();
        std::fs::write(folder.path().join("digits-y.npy"), file(1, "|u1", "(2,)", &[1, 0])).unwrap();
        assert_eq!(read_pair(&stem, None, None).unwrap().0.len(), 2);
        std::fs::write(folder.path().join("digits-y.npy"), file(1, "|u1", "(3,)", &[1, 0, 1])).unwrap();
        let text = read_pair(&stem, None, None).unwrap_err().to_string();
        assert!(
            text.contains("expected 2 labels for the samples of") && text.contains("found 3 labels"),
            "{text}"
        );
        let text = read_pair(&folder.path().join("none"), None, None).unwrap_err().to_string();
        assert!(text.contains("none-x.npy: cannot open the file"), "{text}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = inputs(&bytes);
            let _ = labels(&[b"\x93NUMPY\x01\x00", &bytes[..]].concat(), None);
        }

        #[test]
        fn no_header_makes_it_panic(text in "[{}()':, a-z0-9<|]{0,60}", shape in "[(]([0-9]{1,20}, ?){0,4}[)]") {
            let length = (text.len() as u16).to_le_bytes();
            let _ = inputs(&[b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat());
            let _ = inputs(&file(2, "<f8", &shape, &[0; 16]));
        }

        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec(-1e9f32..1e9, 1..50)) {
            let read = inputs(&file(1, "<f4", &format!("({}, )", values.len()), &f4(&values))).unwrap();
            prop_assert_eq!(read.2, values);
        }
    }
}
