//! A data set of the user's own: what its files tell that it is.

use std::fmt;
use std::path::{Path, PathBuf};

use super::cifar::{self, Variant};
use super::error::malformed;
use super::parts::Parts;
use super::{DataError, Source, Split, idx, npy, npz, table, tree};

/// The file by which a folder of CIFAR files is known.
const CIFAR: [(Variant, &str); 2] =
    [(Variant::Cifar10, "data_batch_1.bin"), (Variant::Cifar100, "train.bin")];
/// What folders of images to test with are called.
const TEST: [&str; 4] = ["test", "val", "valid", "validation"];

/// What a path holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// A folder of idx files.
    Idx,
    /// A folder of CIFAR files.
    Cifar(Variant),
    /// A folder with train-x.npy and the like.
    Arrays,
    /// Two files, `PATH-x.npy` and `PATH-y.npy`.
    Pair,
    /// A file of several arrays.
    Archive,
    /// A file of comma-separated values, and one to test with.
    Table(PathBuf, Option<PathBuf>),
    /// Parquet files of the train part, and of the test part.
    Parquet(Vec<PathBuf>, Vec<PathBuf>),
    /// A folder with one of images for each class, and one to test with.
    Images(PathBuf, Option<PathBuf>),
}

impl Form {
    /// What a path holds; none where it is nothing that is read.
    pub(super) fn of(path: &Path) -> Option<Form> {
        let has = |file: &str| path.join(file).is_file();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("csv" | "tsv") if path.is_file() => return Some(Form::Table(path.into(), None)),
            Some("npz") if path.is_file() => return Some(Form::Archive),
            Some("parquet") if path.is_file() => return Some(Form::Parquet(vec![path.into()], Vec::new())),
            _ => {}
        }
        if idx::find(path, "train-images-idx3-ubyte").is_some() {
            return Some(Form::Idx);
        }
        if let Some((variant, _)) = CIFAR.into_iter().find(|(_, file)| has(file)) {
            return Some(Form::Cifar(variant));
        }
        if has("train-x.npy") {
            return Some(Form::Arrays);
        }
        if has("train.csv") {
            return Some(Form::Table(
                path.join("train.csv"),
                Some(path.join("test.csv")).filter(|test| test.is_file()),
            ));
        }
        // As the hub has them: train-00000-of-00002.parquet, in the folder or in one called data.
        for folder in [path.to_path_buf(), path.join("data")] {
            let part = |name: &str| parquet_files(&folder, name);
            let train = part("train");
            if !train.is_empty() {
                let test = TEST.map(part).into_iter().find(|files| !files.is_empty());
                return Some(Form::Parquet(train, test.unwrap_or_default()));
            }
        }
        if path.file_name().is_some() && npy::paths(path).0.is_file() {
            return Some(Form::Pair);
        }
        let has_classes = |folder: &PathBuf| !tree::classes(folder).is_empty();
        let train = Some(path.join("train")).filter(has_classes);
        let test = || TEST.map(|name| path.join(name)).into_iter().find(has_classes);
        match train {
            Some(train) => Some(Form::Images(train, test())),
            None => Some(path.to_path_buf()).filter(has_classes).map(|path| Form::Images(path, None)),
        }
    }

    /// Whether its test part may be drawn from the one set that it holds.
    pub(super) fn may_be_drawn(&self) -> bool {
        matches!(self, Form::Pair | Form::Archive | Form::Table(_, None) | Form::Images(_, None))
    }

    /// The files that are read.
    pub(super) fn files(&self, path: &Path) -> Vec<PathBuf> {
        let pair = |stem: &Path| <[PathBuf; 2]>::from(npy::paths(stem));
        match self {
            Form::Idx => {
                let kinds = ["images-idx3", "labels-idx1"];
                let names =
                    ["train", "t10k"].map(|part| kinds.map(|kind| format!("{part}-{kind}-ubyte"))).concat();
                names.iter().filter_map(|name| idx::find(path, name)).collect()
            }
            Form::Cifar(variant) => {
                let (train, test) = variant.files();
                train.iter().chain(test).map(|file| path.join(file)).collect()
            }
            Form::Arrays => ["train", "test"].map(|part| pair(&path.join(part))).concat(),
            Form::Pair => pair(path).into(),
            Form::Archive => vec![path.into()],
            Form::Table(train, test) => [train].into_iter().chain(test).cloned().collect(),
            Form::Parquet(train, test) => train.iter().chain(test).cloned().collect(),
            Form::Images(train, test) => {
                let folders = [train].into_iter().chain(test);
                folders.flat_map(|folder| tree::classes(folder)).flat_map(|(_, images)| images).collect()
            }
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Idx => "idx files",
            Form::Cifar(Variant::Cifar10) => "CIFAR-10's files",
            Form::Cifar(Variant::Cifar100) => "CIFAR-100's files",
            Form::Arrays => "npy files of a train and a test part",
            Form::Pair => "a pair of npy files",
            Form::Archive => "an npz file",
            Form::Table(_, None) => "a table of comma-separated values",
            Form::Table(_, Some(_)) => "tables of comma-separated values",
            Form::Parquet(..) => "Parquet files",
            Form::Images(..) => "folders of images",
        })
    }
}

/// The files of a part among those of Parquet in a folder, by name.
fn parquet_files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".parquet").and_then(|stem| stem.strip_prefix(part));
        stem.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) && path.is_file()
    };
    let mut files: Vec<PathBuf> = paths.filter(is_one).collect();
    files.sort();
    files
}

#[cfg(feature = "parquet")]
use super::parquet::read as read_parquet;

#[cfg(not(feature = "parquet"))]
fn read_parquet(
    train: &[PathBuf],
    _: &[PathBuf],
    _: Option<&str>,
    _: Option<super::ImageLayout>,
) -> Result<Parts, DataError> {
    let remedy = "install it with `--features parquet`, or give the set as .csv or .npz";
    Err(malformed(&train[0], "a program built with Parquet", "one without", remedy))
}

/// Loads what `path` holds; see [`Origin::Path`](super::Origin::Path).
///
/// # Errors
/// [`DataError::Malformed`] for a path that holds no data set, and the errors of the readers.
pub(super) fn load(path: &Path, name: &str, source: &Source) -> Result<Split, DataError> {
    let Source { classes, train, test, layout, label, .. } = source;
    let Some(form) = Form::of(path) else {
        if !path.exists() {
            let remedy = "see that the path is right; `etalon data list` has the names that need none";
            return Err(malformed(
                path,
                "data of your own",
                "neither a file nor a folder of this name",
                remedy,
            ));
        }
        let expected = "a folder of idx files (train-images-idx3-ubyte ...), CIFAR files (data_batch_1.bin ... or \
                        train.bin), npy files (train-x.npy ...), CSV files (train.csv, test.csv), Parquet files \
                        (train-00000-of-00001.parquet, test-...) or folders of PNG or JPEG images (one a class, in train/ \
                        and test/ or alone), a .csv, .npz or .parquet file, or PATH-x.npy";
        let found = match npy::pair_in(path) {
            Some(pair) => format!("{0}-x.npy, which is the set {0}", pair.display()),
            None if path.is_dir() => "a folder without these".into(),
            None => "nothing of the kind".into(),
        };
        return Err(malformed(
            path,
            expected,
            found,
            "see that the path is right and the files have these names",
        ));
    };
    if layout.is_some() && !matches!(form, Form::Arrays | Form::Pair | Form::Archive | Form::Parquet(..)) {
        let expected = "npy files or Parquet, to which data.layout belongs";
        return Err(malformed(path, expected, form.to_string(), "remove data.layout"));
    }
    if label.is_some() && !matches!(form, Form::Table(..) | Form::Parquet(..)) {
        let expected = "a table (CSV, Parquet), to which data.label belongs";
        return Err(malformed(path, expected, form.to_string(), "remove data.label"));
    }
    let (train_name, test_name) = (format!("{name} (train)"), format!("{name} (test)"));
    match form {
        Form::Idx => {
            // Among all classes, the first samples are the first ones of the file.
            let most = |asked: Option<usize>| asked.filter(|_| classes.is_empty()).unwrap_or(usize::MAX);
            let train_images = idx::read_part(path, "train", None, most(*train))?;
            // The test part may lack a class; it must not have one that was never trained on.
            let test_images = idx::read_part(path, "t10k", Some(train_images.count), most(*test))?;
            Split::new(
                train_images.into_dataset(train_name, classes, *train)?,
                test_images.into_dataset(test_name, classes, *test)?,
            )
        }
        Form::Cifar(variant) => {
            let (train_files, test_files) = variant.files();
            let read = |files: &[&str]| {
                let files: Vec<_> = files.iter().map(|file| path.join(file)).collect();
                cifar::read_files(variant, &files)
            };
            Split::new(
                read(train_files)?.into_dataset(train_name, classes, *train)?,
                read(test_files)?.into_dataset(test_name, classes, *test)?,
            )
        }
        Form::Arrays => {
            let (train, note) = npy::read_pair(&path.join("train"), None, *layout)?;
            let (test, test_note) = npy::read_pair(&path.join("test"), train.classes(), *layout)?;
            let notes = note.into_iter().chain(test_note).collect();
            Parts { train, test: Some(test), notes }.split(name, source)
        }
        Form::Pair => {
            let (train, note) = npy::read_pair(path, None, *layout)?;
            Parts { train, test: None, notes: note.into_iter().collect() }.split(name, source)
        }
        Form::Archive => npz::read(path, *layout)?.split(name, source),
        Form::Table(train, test) => {
            table::read(&train, test.as_deref(), label.as_deref())?.split(name, source)
        }
        Form::Parquet(train, test) => {
            read_parquet(&train, &test, label.as_deref(), *layout)?.split(name, source)
        }
        Form::Images(train, test) => tree::read(&train, test.as_deref())?.split(name, source),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::data::Labels;
    use crate::data::cifar::tests::file as cifar_file;
    use crate::data::digest::digest;
    use crate::data::idx::tests::{gzip, images_file, labels_file};
    use crate::data::npy::tests::file as npy_file;
    use crate::data::{Origin, Source, load as load_source};

    fn load_path(path: PathBuf) -> Result<Split, DataError> {
        load_source(&Source::of(Origin::Path(path)))
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
        assert_eq!((split.train.len(), split.test.len()), (3, 1));
        assert!(
            split.notes[0].contains("of its 4 samples, 1 drawn by data.seed = 0 are held out"),
            "{:?}",
            split.notes
        );
        (pair.train, pair.test, pair.classes) = (Some(100), None, vec![1]);
        let split = load_source(&pair).unwrap();
        let mut both = [split.train.inputs, split.test.inputs];
        both.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(both, [[0.2], [1.0]]);
        // The rule that draws is part of what a set is, where it may draw.
        for (source, is_drawn) in [(&pair, true), (&Source::of(Origin::Path(folder.path().into())), false)] {
            let Origin::Path(path) = &source.origin else { panic!("a path") };
            let plain = digest(&Form::of(path).unwrap().files(path), 1, "").unwrap();
            assert_eq!(source.digest().unwrap() != Some(plain), is_drawn);
        }
    }

    #[test]
    fn tables_archives_and_folders_of_images() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, bytes: &[u8]| {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), bytes).unwrap();
        };
        write("iris.csv", b"a,species\n1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n");
        let split = load_path(root.join("iris.csv")).unwrap();
        assert_eq!((split.train.len(), split.test.len(), split.notes.len()), (4, 2, 3));
        write("both/train.csv", b"a,label\n1,0\n2,1\n");
        write("both/test.csv", b"a,label\n3,1\n");
        let split = load_path(root.join("both")).unwrap();
        assert_eq!((split.train.inputs, split.test.inputs), (vec![1.0, 2.0], vec![3.0]));
        let wrong = Source { label: Some("a".into()), ..Source::named("fashion-mini").unwrap() };
        assert!(load_source(&wrong).unwrap_err().to_string().contains("`data.label` belongs to tables"));

        // A red image of a JPEG file, lossy as it is, a grey PNG, and a PNG with transparency.
        write("pictures/train/cat/1.JPG", include_bytes!("../../assets/test/red.jpg"));
        write("pictures/train/dog/1.png", &png(png::ColorType::Grayscale, &[7; 256]));
        write("pictures/train/dog/2.png", &png(png::ColorType::Rgba, &[1, 2, 3, 4].repeat(256)));
        write("pictures/val/dog/3.png", &png(png::ColorType::Grayscale, &[9; 256]));
        let path = root.join("pictures");
        let text = load_path(path.clone()).unwrap_err().to_string();
        assert!(text.contains("Image { height: 16, width: 16, channels: 3 } in the train part"), "{text}");
        write("pictures/val/dog/4.png", &png(png::ColorType::Rgb, &[255; 768]));
        let split = load_path(path.clone()).unwrap();
        assert_eq!((split.train.labels, split.test.labels), (classes(&[0, 1, 1], 2), classes(&[1, 1], 2)));
        let (red, grey) = (&split.train.inputs[..3], &split.train.inputs[768..771]);
        assert!(red[0] > 0.98 && red[1] < 0.02 && red[2] < 0.02, "{red:?}");
        assert_eq!(
            (grey, &split.train.inputs[1536..1539]),
            (&[7.0 / 255.0; 3][..], &[1.0 / 255.0, 2.0 / 255.0, 3.0 / 255.0][..])
        );
        assert!(split.notes[0].contains("cat = 0, dog = 1"));
        // A class that changes its folder is another set.
        let digest = |path: &PathBuf| Source::named(&path.display().to_string()).unwrap().digest().unwrap();
        let before = digest(&path);
        fs::rename(path.join("train/dog/1.png"), path.join("train/cat/2.png")).unwrap();
        assert!(before.is_some() && before != digest(&path));
        write("pictures/val/bird/3.png", b"GIF89a");
        assert!(load_path(path.clone()).unwrap_err().to_string().contains("found bird"));
        write("pictures/train/dog/3.png", b"GIF89a");
        assert!(load_path(path).unwrap_err().to_string().contains("dog/3.png: expected a PNG or a JPEG"));
    }

    /// 16 x 16 pixels.
    fn png(colours: png::ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 16, 16);
        encoder.set_color(colours);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        file
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
        assert!(text.contains("found neither a file nor a folder of this name"), "{text}");
        let text = Source::named("none.csv").map(|source| load_source(&source)).unwrap().unwrap_err();
        assert!(text.to_string().starts_with("none.csv: expected data of your own"), "{text}");
        fs::write(folder.path().join("all-x.npy"), "").unwrap();
        let (text, set) = (load_path(folder.path().into()).unwrap_err(), folder.path().join("all"));
        assert!(text.to_string().contains(&format!("which is the set {}", set.display())), "{text}");
        fs::write(folder.path().join("file"), "").unwrap();
        let text = load_path(folder.path().join("file")).unwrap_err().to_string();
        assert!(text.contains("found nothing of the kind"), "{text}");
    }
}
