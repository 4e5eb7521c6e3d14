//! Installing a collection from files that are already on this machine.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tempfile::TempDir;

use super::catalogue::{Collection, Published};
use super::cifar::PLANE;
use super::error::{io_error, malformed};
use super::store::{State, Store, sha256_of_file};
use super::{DataError, bytes, idx};

/// The train batches of the PNG edition of CIFAR-10, in order, and its test batch.
const TRAIN_BATCHES: [&str; 5] =
    ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"];
const TEST_BATCHES: [&str; 1] = ["test_batch"];
/// Its labels, under the names that it gives them.
const TRAIN_LABELS: &str = "train_lables.json";
const TEST_LABELS: &str = "test_lables.json";

/// Installs a collection from a folder: the four idx files, raw or gzipped, or the six official .bin files
/// of CIFAR-10, or its PNG edition (six PNGs of 10,000 rows by 1,024 colour
/// pixels, one image a row, and labels in two JSON lists). Files appear in the data directory only
/// after all of them have their published sha256; what was there before is replaced. Returns their folder.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Malformed`] for what cannot be read, [`DataError::Checksum`] for files
/// that are not the published ones.
pub fn import(store: &Store, collection: Collection, from: &Path) -> Result<PathBuf, DataError> {
    let scratch = scratch(store.root())?;
    // Not the scratch folder itself, which only its owner may enter.
    let stage = scratch.path().join("stage");
    fs::create_dir(&stage).map_err(io_error(&stage, "create the folder"))?;
    match collection {
        Collection::FashionMnist | Collection::Mnist => unpack_idx(collection, from, &stage)?,
        Collection::Cifar10 if from.join("data_batch_1.bin").is_file() => {
            for file in collection.files() {
                let (source, target) = (from.join(file.name), stage.join(file.name));
                fs::copy(&source, &target).map_err(io_error(&source, "copy the file"))?;
            }
        }
        Collection::Cifar10 => convert_batches(from, &stage)?,
    }
    verify(collection, from, &stage)?;
    install(store, collection, &stage, scratch.path())
}

/// A folder inside `place` (so that renaming out of it is atomic) that vanishes with the value.
pub(super) fn scratch(place: &Path) -> Result<TempDir, DataError> {
    fs::create_dir_all(place).map_err(io_error(place, "create the folder"))?;
    tempfile::Builder::new()
        .prefix(".unfinished-")
        .tempdir_in(place)
        .map_err(io_error(place, "create a folder inside"))
}

fn unpack_idx(collection: Collection, from: &Path, stage: &Path) -> Result<(), DataError> {
    for file in collection.files() {
        let source = idx::find(from, file.name).ok_or_else(|| {
            let expected = format!("{}, or the same with .gz", file.name);
            malformed(from, expected, "no such file", "put the four idx files into one folder")
        })?;
        // One byte more than expected is enough to make the sum differ.
        let content = bytes::open(&source)?.at_most(file.bytes + 1)?;
        let target = stage.join(file.name);
        fs::write(&target, content).map_err(io_error(&target, "write the file"))?;
    }
    Ok(())
}

/// Checks the files of `stage`; errors name the folder that they came `from`.
fn verify(collection: Collection, from: &Path, stage: &Path) -> Result<(), DataError> {
    collection.files().par_iter().try_for_each(|&Published { name, sha256, .. }| {
        let found = sha256_of_file(&stage.join(name))?;
        if found == sha256 {
            return Ok(());
        }
        let remedy = format!(
            "this is not the {name} of {collection}: run `{}`, or use a folder with the published files",
            collection.fetch_command()
        );
        Err(DataError::Checksum { path: from.join(name), expected: sha256, found, remedy })
    })
}

/// Moves a finished stage to its place, and what was there out of the way.
fn install(
    store: &Store,
    collection: Collection,
    stage: &Path,
    scratch: &Path,
) -> Result<PathBuf, DataError> {
    let target = store.folder(collection);
    let replaced = scratch.join("replaced");
    if target.exists() {
        fs::rename(&target, &replaced).map_err(io_error(&target, "replace the folder"))?;
    }
    match fs::rename(stage, &target) {
        Ok(()) => Ok(target),
        // Another process may have installed it just now, which is as good.
        Err(_) if store.check(collection)?.state == State::Sound => Ok(target),
        Err(error) => {
            // There may have been nothing to put back; the first error is the one to tell.
            let _ = fs::rename(&replaced, &target);
            Err(io_error(&target, "create the folder")(error))
        }
    }
}

/// Turns the PNG edition of CIFAR-10 into the six official .bin files, for batches of any equal size.
fn convert_batches(from: &Path, to: &Path) -> Result<(), DataError> {
    let mut jobs = Vec::new();
    for (list, batches) in [(TRAIN_LABELS, &TRAIN_BATCHES[..]), (TEST_LABELS, &TEST_BATCHES[..])] {
        let labels = read_labels(&from.join(list), batches.len())?;
        for (batch, labels) in batches.iter().zip(labels.chunks(labels.len() / batches.len())) {
            jobs.push((from.join(format!("{batch}.png")), labels.to_vec(), to.join(format!("{batch}.bin"))));
        }
    }
    jobs.par_iter().try_for_each(|(picture, labels, target)| convert(picture, labels, target))
}

/// Labels for `batches` batches of equal size.
fn read_labels(path: &Path, batches: usize) -> Result<Vec<u8>, DataError> {
    let text = fs::read(path).map_err(io_error(path, "read the file"))?;
    let remedy = "replace the file by a complete copy";
    let labels: Vec<u8> = serde_json::from_slice(&text)
        .map_err(|error| malformed(path, "a JSON list of labels", error.to_string(), remedy))?;
    if let Some(sample) = labels.iter().position(|&label| label >= 10) {
        let found = format!("label {} at sample {sample}", labels[sample]);
        return Err(malformed(path, "labels from 0 to 9", found, remedy));
    }
    if labels.is_empty() || !labels.len().is_multiple_of(batches) {
        let expected = format!("labels for {batches} batches of equal size");
        return Err(malformed(path, expected, format!("{} labels", labels.len()), remedy));
    }
    Ok(labels)
}

/// One picture, one image a row, to records of a label and three planes.
fn convert(picture: &Path, labels: &[u8], target: &Path) -> Result<(), DataError> {
    let remedy = "replace the file by a complete copy";
    let unreadable = |error: png::DecodingError| malformed(picture, "a PNG", error.to_string(), remedy);
    let file = File::open(picture).map_err(io_error(picture, "open the file"))?;
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().map_err(unreadable)?;
    let info = reader.info();
    let form = (info.width as usize, info.height as usize, info.color_type, info.bit_depth, info.interlaced);
    if form != (PLANE, labels.len(), png::ColorType::Rgb, png::BitDepth::Eight, false) {
        let expected = format!("{} rows of {PLANE} pixels, Rgb, Eight bits, not interlaced", labels.len());
        let (width, height, colour, depth, interlaced) = form;
        let found = format!("{height} rows of {width}, {colour:?}, {depth:?} bits, interlaced: {interlaced}");
        return Err(malformed(picture, expected, found, "give the PNG edition of CIFAR-10"));
    }
    let mut output = BufWriter::new(File::create(target).map_err(io_error(target, "create the file"))?);
    let mut write = |bytes: &[u8]| output.write_all(bytes).map_err(io_error(target, "write the file"));
    for &label in labels {
        let row = reader.next_row().map_err(unreadable)?;
        let Some(row) = row.filter(|row| row.data().len() == 3 * PLANE) else {
            return Err(malformed(picture, "one row for each label", "fewer", remedy));
        };
        let mut record = [label; 1 + 3 * PLANE];
        for (pixel, colours) in row.data().chunks_exact(3).enumerate() {
            for (channel, &colour) in colours.iter().enumerate() {
                record[1 + channel * PLANE + pixel] = colour;
            }
        }
        write(&record)?;
    }
    output.flush().map_err(io_error(target, "write the file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::cifar::tests::file as cifar_file;
    use crate::data::idx::tests::{gzip, images_file, labels_file};

    /// The PNG edition of what `cifar_file` writes: two images a batch.
    fn picture(path: &Path, width: u32, rows: u32) {
        let file = File::create(path).unwrap();
        let mut encoder = png::Encoder::new(file, width, rows);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let row = |number: u32| {
            (0..width).flat_map(move |pixel| [number as u8, (pixel / 32) as u8, (pixel % 32) as u8])
        };
        let data: Vec<u8> = (0..rows).flat_map(row).collect();
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
    }

    fn edition(folder: &Path) {
        for batch in TRAIN_BATCHES.iter().chain(&TEST_BATCHES) {
            picture(&folder.join(format!("{batch}.png")), 1024, 2);
        }
        fs::write(folder.join(TRAIN_LABELS), "[0,1,2,3,4,5,6,7,8,9]").unwrap();
        fs::write(folder.join(TEST_LABELS), "[7,0]").unwrap();
    }

    #[test]
    fn pictures_become_records() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        edition(from.path());
        convert_batches(from.path(), to.path()).unwrap();
        let read = |name: &str| fs::read(to.path().join(name)).unwrap();
        assert_eq!(read("data_batch_1.bin"), cifar_file(&[&[0], &[1]]));
        assert_eq!(read("data_batch_5.bin"), cifar_file(&[&[8], &[9]]));
        assert_eq!(read("test_batch.bin"), cifar_file(&[&[7], &[0]]));
    }

    #[test]
    fn pictures_that_are_not_the_published_ones_leave_nothing_behind() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        edition(from.path());
        let error = import(&Store::at(to.path()), Collection::Cifar10, from.path()).unwrap_err();
        assert!(matches!(error, DataError::Checksum { .. }), "{error}");
        assert!(error.to_string().contains("run `etalon data fetch cifar10`"), "{error}");
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
    }

    #[test]
    fn faulty_pictures_and_lists_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        let text = || convert_batches(folder.path(), to.path()).unwrap_err().to_string();
        assert!(text().contains("train_lables.json: cannot read the file"), "{}", text());
        edition(folder.path());
        for (list, expected) in [
            ("[0,1,2,3,4,5,6,7,8,10]", "expected labels from 0 to 9, found label 10 at sample 9"),
            ("[0,1,2]", "expected labels for 5 batches of equal size, found 3 labels"),
            ("[]", "found 0 labels"),
            ("[1,2", "expected a JSON list of labels"),
            ("[1,2,3,4,5]", "expected 1 rows of 1024 pixels, Rgb, Eight bits, not interlaced, found 2 rows"),
        ] {
            fs::write(folder.path().join(TRAIN_LABELS), list).unwrap();
            assert!(text().contains(expected), "{}", text());
        }
        edition(folder.path());
        picture(&folder.path().join("data_batch_3.png"), 1023, 2);
        assert!(text().contains("data_batch_3.png") && text().contains("found 2 rows of 1023"), "{}", text());
        picture(&folder.path().join("data_batch_3.png"), 1024, 2);
        let whole = fs::read(folder.path().join("data_batch_3.png")).unwrap();
        fs::write(folder.path().join("data_batch_3.png"), &whole[..whole.len() / 2]).unwrap();
        assert!(text().contains("data_batch_3.png: expected a PNG"), "{}", text());
        fs::write(folder.path().join("data_batch_3.png"), "GIF89a").unwrap();
        assert!(text().contains("data_batch_3.png: expected a PNG"), "{}", text());
    }

    #[test]
    fn idx_files_are_checked_before_they_are_installed() {
        let (from, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Store::at(root.path().join("data"));
        let text = import(&store, Collection::Mnist, from.path()).unwrap_err().to_string();
        assert!(text.contains("expected train-images-idx3-ubyte, or the same with .gz"), "{text}");
        for part in ["train", "t10k"] {
            let write =
                |kind: &str, bytes: Vec<u8>| fs::write(from.path().join(format!("{part}-{kind}")), bytes);
            write("images-idx3-ubyte.gz", gzip(&images_file(1, 1, 1, &[0]))).unwrap();
            write("labels-idx1-ubyte", labels_file(&[0])).unwrap();
        }
        let error = import(&store, Collection::Mnist, from.path()).unwrap_err();
        assert!(matches!(error, DataError::Checksum { .. }), "{error}");
        assert_eq!(store.check(Collection::Mnist).unwrap().state, State::Missing);
    }

    #[test]
    fn what_was_installed_before_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::at(root.path());
        let target = store.folder(Collection::Mnist);
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "").unwrap();
        let scratch = scratch(store.root()).unwrap();
        let stage = scratch.path().join("stage");
        fs::create_dir(&stage).unwrap();
        fs::write(stage.join("new"), "").unwrap();
        install(&store, Collection::Mnist, &stage, scratch.path()).unwrap();
        assert!(target.join("new").is_file() && !target.join("old").exists());
    }
}
