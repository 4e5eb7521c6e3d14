//! NumPy's archives of arrays: inputs and labels, of the train and the test part or of one set, known by their names.

use std::path::Path;

use super::error::malformed;
use super::parts::Parts;
use super::zip::{Archive, Entry};
use super::{DataError, Dataset, ImageLayout, npy};

/// Names of arrays in lower case without signs: those of `x_train` and `train_images` are a part's and one of these.
const INPUTS: [&str; 6] = ["x", "images", "data", "features", "inputs", "arr0"];
const LABELS: [&str; 6] = ["y", "labels", "label", "targets", "target", "arr1"];
const TEST: [&str; 4] = ["test", "val", "valid", "validation"];

/// Reads an archive: `x_train`, `y_train`, `x_test`, `y_test`, or `train_images`, `train_labels`, ..., or `x`, `y`.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::Malformed`] for what is no archive, has no arrays of such names, and for arrays as
/// [`npy::read_pair`] refuses them.
pub(super) fn read(path: &Path, layout: Option<ImageLayout>) -> Result<Parts, DataError> {
    let mut archive = Archive::open(path)?;
    let plain = |entry: &Entry| -> String {
        let name = entry.name.strip_suffix(".npy").unwrap_or(&entry.name);
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let named: Vec<(String, Entry)> =
        archive.entries.iter().map(|entry| (plain(entry), entry.clone())).collect();
    let array = |part: &str, words: [&str; 6]| {
        let is_it = |name: &str| {
            words.iter().any(|word| name == format!("{part}{word}") || name == format!("{word}{part}"))
        };
        named.iter().find(|(name, _)| is_it(name)).map(|(_, entry)| entry)
    };
    let pair = |part: &str| array(part, INPUTS).zip(array(part, LABELS));
    let Some(train) = pair("train").or_else(|| pair("")) else {
        let names: Vec<&str> = archive.entries.iter().map(|entry| entry.name.as_str()).take(20).collect();
        let expected =
            "arrays x_train, y_train (and x_test, y_test), or train_images, train_labels, ..., or x, y";
        return Err(malformed(path, expected, names.join(", "), "save them under such names"));
    };
    let mut notes = Vec::new();
    let mut read = |(inputs, labels): (&Entry, &Entry), classes| -> Result<Dataset, DataError> {
        let [inputs_path, labels_path] = [inputs, labels].map(|entry| path.join(&entry.name));
        let inputs = npy::read_inputs(&inputs_path, archive.content(inputs, &inputs_path)?, layout)?;
        let labels = npy::read_labels(&labels_path, archive.content(labels, &labels_path)?, classes)?;
        let (data, note) = npy::pair(path, inputs, labels, [&inputs_path, &labels_path])?;
        notes.extend(note);
        Ok(data)
    };
    let train = read(train, None)?;
    let test = TEST.into_iter().find_map(pair).map(|test| read(test, train.classes())).transpose()?;
    Ok(Parts { train, test, notes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::npy::tests::file;
    use crate::data::zip::tests::archive;
    use crate::data::{Labels, SampleShape};

    fn read_files(files: &[(&str, &[u8])]) -> Result<Parts, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.npz");
        std::fs::write(&path, archive(files, true)).unwrap();
        read(&path, None)
    }

    #[test]
    fn parts_are_known_by_the_names_of_their_arrays() {
        let images = file(1, "|u1", "(2, 1, 2)", &[0, 255, 51, 0]);
        let labels = file(1, "|u1", "(2, 1)", &[1, 0]);
        for (x, y) in [
            ("x_train.npy", "y_train.npy"),
            ("train_images.npy", "train_labels.npy"),
            ("arr_0.npy", "arr_1.npy"),
        ] {
            let parts = read_files(&[(y, &labels), (x, &images)]).unwrap();
            assert_eq!(parts.train.inputs, [0.0, 1.0, 0.2, 0.0]);
            assert_eq!(parts.train.shape, SampleShape::Image { height: 1, width: 2, channels: 1 });
            assert_eq!(parts.train.labels, Labels::Classes { labels: vec![1, 0], count: 2 });
            assert!(parts.test.is_none());
        }
        let few = file(1, "|u1", "(1,)", &[1]);
        let image = file(1, "|u1", "(1, 1, 2)", &[255, 0]);
        let files = [
            ("X_train.npy", &images[..]),
            ("Y_train.npy", &labels),
            ("X_test.npy", &image),
            ("Y_test.npy", &few),
        ];
        assert_eq!(
            read_files(&files).unwrap().test.unwrap().labels,
            Labels::Classes { labels: vec![1], count: 2 }
        );
    }

    #[test]
    fn what_is_missing_or_broken_is_named() {
        let labels = file(1, "|u1", "(2,)", &[1, 0]);
        let text = read_files(&[("weights.npy", &labels)]).err().unwrap().to_string();
        assert!(text.contains("expected arrays x_train") && text.contains("found weights.npy"), "{text}");
        let text = read_files(&[("x.npy", &labels[..70]), ("y.npy", &labels)]).err().unwrap().to_string();
        assert!(text.contains("set.npz/x.npy: expected"), "{text}");
    }
}
