//! The data directory: where collections are installed, and whether they are sound.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::catalogue::{Collection, Published};
use super::digest::facts;
use super::error::io_error;
use super::{DataError, embedded, procedural_names};

/// What is known of the files of a collection.
const NOTE: &str = ".verified";

/// A data directory. Each collection has a folder of its own, which appears whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

/// How a collection stands in the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    Missing,
    /// Every file has its published sha256.
    Sound,
    /// What is wrong, file by file.
    Broken(Vec<String>),
}

/// The outcome of [`Store::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub collection: Collection,
    /// What was found.
    pub state: State,
    /// The command that installs or mends it, unless it is sound.
    pub remedy: Option<String>,
}

/// Where a data set of [`Store::list`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of this program.
    Embedded,
    /// Made from a seed.
    Procedural,
    /// In the data directory.
    Installed,
    /// Can be fetched into the data directory.
    Missing,
}

/// One line of [`Store::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name to ask for it by.
    pub name: &'static str,
    /// Where it comes from.
    pub kind: Kind,
    /// Samples of the train and test part, where these are given.
    pub samples: Option<(usize, usize)>,
    /// Bytes it takes, or would take, on disk or in this program.
    pub bytes: u64,
    /// Under which terms it is published.
    pub licence: &'static str,
}

impl Store {
    /// The data directory at this place; it is made when something is installed.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Store { root: root.into() }
    }

    /// The data directory of the user: `ETALON_DATA` if set, else `etalon` in the platform's place for data.
    ///
    /// # Errors
    /// [`DataError::NoDataDirectory`] when neither is known.
    pub fn of_user() -> Result<Self, DataError> {
        // An empty variable counts as unset, as the XDG specification wants it.
        match env::var_os("ETALON_DATA").filter(|value| !value.is_empty()) {
            Some(root) => Ok(Store::at(root)),
            None => {
                let places = directories::BaseDirs::new().ok_or(DataError::NoDataDirectory)?;
                Ok(Store::at(places.data_dir().join("etalon")))
            }
        }
    }

    /// The data directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a collection, whether it exists or not.
    pub fn folder(&self, collection: Collection) -> PathBuf {
        self.root.join(collection.name())
    }

    /// The folder of an installed collection.
    ///
    /// # Errors
    /// [`DataError::NotInstalled`].
    pub fn installed(&self, collection: Collection) -> Result<PathBuf, DataError> {
        let folder = self.folder(collection);
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(DataError::NotInstalled { name: collection.name(), root: self.root.clone() })
    }

    /// The folder of an installed collection whose files are those that were published. They are hashed when that is not
    /// known of them: a note in the folder has the length and the time of writing with which they were found sound.
    ///
    /// # Errors
    /// As [`Store::installed`], and [`DataError::Inconsistent`] with what is wrong and what mends it.
    pub fn verified(&self, collection: Collection) -> Result<PathBuf, DataError> {
        let folder = self.installed(collection)?;
        let note = folder.join(NOTE);
        let facts = || -> Option<String> {
            let file = |file: &Published| {
                let (_, bytes, written) = facts(&folder.join(file.name)).ok()?;
                let since = written?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
                Some(format!("{} {bytes} {} {:?}\n", file.sha256, file.name, since))
            };
            collection.files().iter().map(file).collect()
        };
        // Before they are hashed, so that what is written meanwhile is hashed again.
        let now = facts();
        if now.is_some() && fs::read_to_string(&note).ok() == now {
            return Ok(folder);
        }
        match self.check(collection)?.state {
            State::Sound => {
                // Where nothing can be written, they are hashed every time.
                let _ = now.map(|now| fs::write(&note, now));
                Ok(folder)
            }
            State::Missing => self.installed(collection),
            State::Broken(faults) => Err(DataError::Inconsistent {
                name: folder.display().to_string(),
                problem: format!("{}; `{}` mends it", faults.join(", "), collection.fetch_command()),
            }),
        }
    }

    /// Hashes the files of a collection again.
    ///
    /// # Errors
    /// [`DataError::Io`] when a file is there but cannot be read.
    pub fn check(&self, collection: Collection) -> Result<Check, DataError> {
        let folder = self.folder(collection);
        let state = if folder.is_dir() {
            let mut faults = Vec::new();
            for file in collection.files() {
                faults.extend(fault(&folder.join(file.name), file)?);
            }
            if faults.is_empty() { State::Sound } else { State::Broken(faults) }
        } else {
            State::Missing
        };
        let remedy = (state != State::Sound).then(|| collection.fetch_command());
        Ok(Check { collection, state, remedy })
    }

    /// Every data set that has a name, with where it comes from.
    pub fn list(&self) -> Vec<Entry> {
        let embedded = Entry {
            name: embedded::NAME,
            kind: Kind::Embedded,
            samples: Some((embedded::TRAIN, embedded::TEST)),
            bytes: embedded::SHEET.len() as u64,
            licence: Collection::FashionMnist.licence(),
        };
        let collections = Collection::ALL.into_iter().map(|collection| Entry {
            name: collection.name(),
            kind: if self.folder(collection).is_dir() { Kind::Installed } else { Kind::Missing },
            samples: Some(collection.samples()),
            bytes: collection.files().iter().map(|file| file.bytes).sum(),
            licence: collection.licence(),
        });
        let procedural = procedural_names().map(|name| Entry {
            name,
            kind: Kind::Procedural,
            samples: None,
            bytes: 0,
            licence: "made by this program",
        });
        std::iter::once(embedded).chain(collections).chain(procedural).collect()
    }
}

/// What is wrong with a file, in words, if anything is.
fn fault(path: &Path, published: &Published) -> Result<Option<String>, DataError> {
    let bytes = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Some(format!("{} is missing", published.name)));
        }
        Err(error) => return Err(io_error(path, "read the file's size")(error)),
    };
    if bytes != published.bytes {
        return Ok(Some(format!("{} has {bytes} bytes instead of {}", published.name, published.bytes)));
    }
    let found = sha256_of_file(path)?;
    let fault = format!("{} has sha256 {found} instead of {}", published.name, published.sha256);
    Ok((found != published.sha256).then_some(fault))
}

/// The sha256 of a file, in lower-case hexadecimal.
pub(super) fn sha256_of_file(path: &Path) -> Result<String, DataError> {
    let mut file = File::open(path).map_err(io_error(path, "open the file"))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(io_error(path, "read the file"))?;
        if read == 0 {
            return Ok(hexadecimal(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

/// Bytes as lower-case hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of_file(&path).unwrap(), abc);
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_fetches_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        let text = store.installed(Collection::Mnist).unwrap_err().to_string();
        assert!(text.ends_with("run `etalon data fetch mnist`"), "{text}");
        let check = store.check(Collection::Mnist).unwrap();
        let remedy = Some("etalon data fetch mnist".to_string());
        assert_eq!(check, Check { collection: Collection::Mnist, state: State::Missing, remedy });
    }

    #[test]
    fn what_is_broken_is_named_file_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        let mnist = store.folder(Collection::Mnist);
        fs::create_dir(&mnist).unwrap();
        fs::write(mnist.join("train-labels-idx1-ubyte"), [0; 7]).unwrap();
        fs::write(mnist.join("t10k-labels-idx1-ubyte"), [0; 10_008]).unwrap();
        let State::Broken(faults) = store.check(Collection::Mnist).unwrap().state else {
            panic!("three files of four are missing or wrong");
        };
        assert_eq!(faults[0], "train-images-idx3-ubyte is missing");
        assert_eq!(faults[1], "train-labels-idx1-ubyte has 7 bytes instead of 60008");
        assert!(faults[3].starts_with("t10k-labels-idx1-ubyte has sha256 "), "{}", faults[3]);
    }

    #[test]
    fn the_list_tells_where_each_data_set_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        fs::create_dir(store.folder(Collection::Cifar10)).unwrap();
        let kinds: Vec<(&str, Kind)> =
            store.list().into_iter().map(|entry| (entry.name, entry.kind)).collect();
        let expected = [
            ("fashion-mini", Kind::Embedded),
            ("fashion-mnist", Kind::Missing),
            ("mnist", Kind::Missing),
            ("cifar10", Kind::Installed),
            ("mnist1d", Kind::Procedural),
            ("two-gaussians", Kind::Procedural),
            ("teacher", Kind::Procedural),
            ("point", Kind::Procedural),
            ("degenerate", Kind::Procedural),
        ];
        assert_eq!(kinds, expected);
    }
}
