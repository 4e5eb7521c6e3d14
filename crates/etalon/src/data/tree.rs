//! Folders of images: a folder for each class, with its images in it.

use std::fs::read_dir;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::malformed;
use super::images::ByteImages;
use super::parts::Parts;
use super::picture::{ENDINGS, Picture, decode, joined};
use super::{DataError, Dataset};
use crate::memory;

/// Classes that labels of images can number.
const MOST_CLASSES: usize = 256;

/// The folders of classes in a folder, by name, each with its images; empty where there are none.
pub(super) fn classes(folder: &Path) -> Vec<(String, Vec<PathBuf>)> {
    let inside = |folder: &Path| {
        let mut names: Vec<_> =
            read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
        names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
        names.sort();
        names
    };
    let class = |name: std::ffi::OsString| {
        let folder = folder.join(&name);
        let is_image = |file: &PathBuf| {
            let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
        };
        let images: Vec<PathBuf> =
            inside(&folder).into_iter().map(|file| folder.join(file)).filter(is_image).collect();
        (!images.is_empty()).then(|| (name.to_string_lossy().into_owned(), images))
    };
    inside(folder).into_iter().filter_map(class).collect()
}

/// Reads a folder of classes, and that of the test part if there is one. All images have the same size; where some are grey and
/// others have colours, all get three channels.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Malformed`] for what is no image, images of different sizes, and a class that the train
/// part has not, [`DataError::Memory`].
pub(super) fn read(train: &Path, test: Option<&Path>) -> Result<Parts, DataError> {
    let found = classes(train);
    let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
    let named: Vec<String> =
        names.iter().take(12).enumerate().map(|(number, name)| format!("{name} = {number}")).collect();
    let more = if names.len() > named.len() { ", ..." } else { "" };
    let notes = vec![format!("the classes of {} are numbered: {}{more}", train.display(), named.join(", "))];
    let read_part = |folder: &Path| -> Result<Dataset, DataError> { images(folder, &names) };
    Ok(Parts { train: read_part(train)?, test: test.map(read_part).transpose()?, notes })
}

fn images(folder: &Path, names: &[String]) -> Result<Dataset, DataError> {
    if names.len() > MOST_CLASSES {
        let found = format!("{} folders", names.len());
        return Err(malformed(folder, "up to 256 folders of classes", found, "take fewer classes"));
    }
    let (mut files, mut labels) = (Vec::new(), Vec::new());
    for (name, images) in classes(folder) {
        let Some(label) = names.iter().position(|known| *known == name) else {
            let expected = format!("the classes of the train part, {}", names.join(", "));
            return Err(malformed(folder, expected, name, "remove it, or have it in the train part too"));
        };
        labels.resize(labels.len() + images.len(), label as u8); // below MOST_CLASSES
        files.extend(images);
    }
    let Some(first) = files.first() else {
        return Err(malformed(
            folder,
            "a folder with images for each class",
            "none",
            "see that the path is right",
        ));
    };
    let Picture { height, width, .. } = decode(first)?;
    let pixels_of_each = height * width;
    // As bytes, then as f32.
    let bytes = (files.len() as u64).saturating_mul(15 * pixels_of_each as u64);
    memory::check("reading these images", bytes, "take fewer or smaller ones")
        .map_err(|source| DataError::Memory { path: folder.into(), source })?;
    let read = |file: &PathBuf| {
        let picture = decode(file)?;
        if (picture.height, picture.width) == (height, width) {
            return Ok(picture);
        }
        let expected = format!("{height} x {width} pixels, as {} has", first.display());
        let found = format!("{} x {}", picture.height, picture.width);
        Err(malformed(file, expected, found, "bring all images to one size first"))
    };
    let pictures: Vec<Picture> = files.par_iter().map(read).collect::<Result<_, _>>()?;
    let (channels, pixels) = joined(&pictures);
    let count = names.len() as u32; // at most MOST_CLASSES
    let images = ByteImages { height, width, channels, pixels, labels, count };
    images.into_dataset(folder.display().to_string(), &[], None)
}
