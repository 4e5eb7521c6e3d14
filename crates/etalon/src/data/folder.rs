//! A data set from a folder, whose files tell what it is.

use std::path::{Path, PathBuf};

use super::cifar::{self, Variant};
use super::error::malformed;
use super::{DataError, Dataset, ImageLayout, Labels, Split, idx, npy};

/// The file by which a folder of CIFAR files is known.
const CIFAR: [(Variant, &str); 2] =
    [(Variant::Cifar10, "data_batch_1.bin"), (Variant::Cifar100, "train.bin")];

/// Loads what `path` holds; see [`Origin::Path`](super::Origin::Path). `classes`, `layout`, `train` and `test` are
/// those of [`Source`](super::Source).
///
/// # Errors
/// [`DataError::Malformed`] for a path that holds no data set, and the errors of the readers.
pub(super) fn load(
    path: &Path,
    name: &str,
    classes: &[u32],
    layout: Option<ImageLayout>,
    [train, test]: [Option<usize>; 2],
) -> Result<Split, DataError> {
    let (train_name, test_name) = (format!("{name} (train)"), format!("{name} (test)"));
    let has = |file: &str| path.join(file).is_file();
    let no_layout = |found: &str| match layout {
        Some(_) => {
            Err(malformed(path, "npy files, to which data.layout belongs", found, "remove data.layout"))
        }
        None => Ok(()),
    };
    if idx::find(path, "train-images-idx3-ubyte").is_some() {
        no_layout("idx files")?;
        // Among all classes, the first samples are the first ones of the file.
        let most = |asked: Option<usize>| asked.filter(|_| classes.is_empty()).unwrap_or(usize::MAX);
        let train_images = idx::read_part(path, "train", None, most(train))?;
        // The test part may lack a class; it must not have one that was never trained on.
        let test_images = idx::read_part(path, "t10k", Some(train_images.count), most(test))?;
        return Split::new(
            train_images.into_dataset(train_name, classes, train)?,
            test_images.into_dataset(test_name, classes, test)?,
        );
    }
    if let Some((variant, _)) = CIFAR.into_iter().find(|(_, file)| has(file)) {
        no_layout("CIFAR files")?;
        let (train_files, test_files) = variant.files();
        let read = |files: &[&str]| {
            let files: Vec<_> = files.iter().map(|file| path.join(file)).collect();
            cifar::read_files(variant, &files)
        };
        return Split::new(
            read(train_files)?.into_dataset(train_name, classes, train)?,
            read(test_files)?.into_dataset(test_name, classes, test)?,
        );
    }
    if has("train-x.npy") {
        let (whole_train, note) = npy::read_pair(&path.join("train"), None, layout)?;
        let count = match whole_train.labels {
            Labels::Classes { count, .. } => Some(count),
            Labels::Values { .. } => None,
        };
        let (whole_test, test_note) = npy::read_pair(&path.join("test"), count, layout)?;
        let split = Split::new(
            keep(whole_train, train_name, classes, train)?,
            keep(whole_test, test_name, classes, test)?,
        )?;
        return Ok(Split { notes: note.into_iter().chain(test_note).collect(), ..split });
    }
    if path.file_name().is_some() && npy::paths(path).0.is_file() {
        let (whole, note) = npy::read_pair(path, None, layout)?;
        let split = hold_out(whole, name, classes, train, test)?;
        return Ok(Split { notes: note.into_iter().collect(), ..split });
    }
    let expected = "a folder of idx files (train-images-idx3-ubyte ...), CIFAR files (data_batch_1.bin ... or \
                    train.bin) or npy files (train-x.npy ...), or PATH-x.npy";
    let found = if path.is_dir() { "a folder without these" } else { "nothing of the kind" };
    Err(malformed(path, expected, found, "see that the path is right and the files have these names"))
}

/// The files that [`load`] reads; none where the path holds no data set.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    let has = |file: &str| path.join(file).is_file();
    let pairs =
        |parts: [&str; 2]| parts.map(|part| <[PathBuf; 2]>::from(npy::paths(&path.join(part)))).concat();
    if idx::find(path, "train-images-idx3-ubyte").is_some() {
        let kinds = ["images-idx3", "labels-idx1"];
        let names = ["train", "t10k"].map(|part| kinds.map(|kind| format!("{part}-{kind}-ubyte"))).concat();
        return names.iter().filter_map(|name| idx::find(path, name)).collect();
    }
    if let Some((variant, _)) = CIFAR.into_iter().find(|(_, file)| has(file)) {
        let (train, test) = variant.files();
        return train.iter().chain(test).map(|file| path.join(file)).collect();
    }
    if has("train-x.npy") {
        return pairs(["train", "test"]);
    }
    let pair = path.file_name().map(|_| <[PathBuf; 2]>::from(npy::paths(path)));
    pair.filter(|pair| pair[0].is_file()).map_or(Vec::new(), Vec::from)
}

fn keep(whole: Dataset, name: String, classes: &[u32], n: Option<usize>) -> Result<Dataset, DataError> {
    let named = Dataset { name, ..whole };
    let chosen = if classes.is_empty() { named } else { named.restrict_to_classes(classes)? };
    match n {
        Some(n) => chosen.take(n),
        None => Ok(chosen),
    }
}

/// Cuts one data set in two: the last `test` samples (a fifth if not given) are the test part, the first
/// `train` (all others if not given) the train part.
fn hold_out(
    whole: Dataset,
    name: &str,
    classes: &[u32],
    train: Option<usize>,
    test: Option<usize>,
) -> Result<Split, DataError> {
    let whole = keep(whole, name.to_string(), classes, None)?;
    let samples = whole.len();
    let held_out = test.unwrap_or(samples.div_ceil(5));
    let trained = train.unwrap_or(samples.saturating_sub(held_out));
    let asked = trained.saturating_add(held_out);
    if trained == 0 || held_out == 0 || asked > samples {
        let problem = format!(
            "{trained} training and {held_out} test samples were asked for, but there are {samples} for both: \
             choose at least one of each and no more than these"
        );
        return Err(DataError::Inconsistent { name: whole.name, problem });
    }
    let start = samples - held_out;
    let labels = match &whole.labels {
        Labels::Classes { labels, count } => {
            Labels::Classes { labels: labels[start..].to_vec(), count: *count }
        }
        Labels::Values { values, width } => {
            Labels::Values { values: values[start * width..].to_vec(), width: *width }
        }
    };
    let inputs = whole.inputs[start * whole.features()..].to_vec();
    let test_part = Dataset::new(format!("{name} (test)"), whole.shape, inputs, labels)?;
    Split::new(keep(whole, format!("{name} (train)"), &[], Some(trained))?, test_part)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::data::cifar::tests::file as cifar_file;
    use crate::data::idx::tests::{gzip, images_file, labels_file};
    use crate::data::npy::tests::file as npy_file;
    use crate::data::{Source, load as load_source};

    fn load_path(path: PathBuf) -> Result<Split, DataError> {
        load_source(&Source::of(super::super::Origin::Path(path)))
    }

    fn classes(labels: &[u32], count: u32) -> Labels {
        Labels::Classes { labels: labels.to_vec(), count }
    }

    #[test]
    fn idx_files_raw_gzipped_and_with_either_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        write("train-images-idx3-ubyte.gz", gzip(&images_file(3, 1, 2, &[0, 255, 1, 2, 3, 4])));
        write("train-labels.idx1-ubyte", labels_file(&[2, 0, 1]));
        write("t10k-images-idx3-ubyte", images_file(1, 1, 2, &[51, 0]));
        write("t10k-labels-idx1-ubyte.gz", gzip(&labels_file(&[0])));
        let split = load_path(folder.path().into()).unwrap();
        assert_eq!(split.train.inputs[..2], [0.0, 1.0]);
        assert_eq!((split.train.labels, split.test.labels), (classes(&[2, 0, 1], 3), classes(&[0], 3)));

        write("t10k-labels-idx1-ubyte.gz", gzip(&labels_file(&[3])));
        let text = load_path(folder.path().into()).unwrap_err().to_string();
        assert!(text.contains("expected labels from 0 to 2, found label 3 at sample 0"), "{text}");
        fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
        let text = load_path(folder.path().into()).unwrap_err().to_string();
        assert!(text.contains("expected t10k-labels-idx1-ubyte, or the same with .gz"), "{text}");
    }

    #[test]
    fn both_cifars() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        write("train.bin", cifar_file(&[&[3, 70], &[4, 80]]));
        write("test.bin", cifar_file(&[&[3, 80]]));
        let split = load_path(folder.path().into()).unwrap();
        assert_eq!((split.train.labels, split.test.labels), (classes(&[70, 80], 100), classes(&[80], 100)));
        for batch in 1..=5 {
            write(&format!("data_batch_{batch}.bin"), cifar_file(&[&[batch]]));
        }
        write("test_batch.bin", cifar_file(&[&[9]]));
        let split = load_path(folder.path().into()).unwrap();
        assert_eq!(split.train.labels, classes(&[1, 2, 3, 4, 5], 10));
        fs::remove_file(folder.path().join("data_batch_4.bin")).unwrap();
        let text = load_path(folder.path().into()).unwrap_err().to_string();
        assert!(text.contains("data_batch_4.bin: cannot open the file"), "{text}");
    }

    #[test]
    fn npy_folders_and_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        write("train-x.npy", npy_file(1, "|u1", "(4, 1)", &[0, 51, 102, 255]));
        write("train-y.npy", npy_file(1, "|u1", "(4,)", &[0, 1, 2, 1]));
        write("test-x.npy", npy_file(1, "|u1", "(1, 1)", &[0]));
        write("test-y.npy", npy_file(1, "|u1", "(1,)", &[1]));
        let split = load_path(folder.path().into()).unwrap();
        assert_eq!((split.train.len(), split.test.labels), (4, classes(&[1], 3)));
        write("test-y.npy", npy_file(1, "|u1", "(1,)", &[3]));
        assert!(load_path(folder.path().into()).unwrap_err().to_string().contains("found label 3"));

        let mut pair = Source::named(&folder.path().join("train").display().to_string()).unwrap();
        let split = load_source(&pair).unwrap();
        assert_eq!((split.train.inputs, split.test.inputs), (vec![0.0, 0.2, 0.4], vec![1.0]));
        (pair.train, pair.test) = (Some(1), Some(2));
        let split = load_source(&pair).unwrap();
        assert_eq!((split.train.inputs, split.test.inputs), (vec![0.0], vec![0.4, 1.0]));
        pair.train = Some(3);
        let text = load_source(&pair).unwrap_err().to_string();
        assert!(text.contains("3 training and 2 test samples were asked for, but there are 4"), "{text}");
        (pair.train, pair.test, pair.classes) = (None, None, vec![1]);
        let split = load_source(&pair).unwrap();
        assert_eq!((split.train.inputs, split.test.inputs), (vec![0.2], vec![1.0]));
    }

    #[test]
    fn a_path_without_a_data_set_says_what_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let text = load_path(folder.path().into()).unwrap_err().to_string();
        assert!(
            text.contains("train-images-idx3-ubyte") && text.contains("a folder without these"),
            "{text}"
        );
        let text = load_path(folder.path().join("none")).unwrap_err().to_string();
        assert!(text.contains("found nothing of the kind"), "{text}");
    }
}
