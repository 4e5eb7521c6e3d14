//! How a file comes to be there: written aside, synced, renamed, and its folder synced, so that neither a full disk nor
//! a loss of power leaves half of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

/// A step on the way of a file, each of which the system may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Reading a file that is there.
    Read,
    /// Making the file aside.
    Create,
    /// Writing it.
    Write,
    /// Bringing it to the disk.
    Sync,
    /// Giving it its name.
    Rename,
    /// Bringing the name to the disk.
    SyncFolder,
}

/// Whether files are synced before they count: unless `ETALON_SYNC` is `no`, which is faster, and safe as long as the
/// power stays on.
fn syncs() -> bool {
    static SYNCS: OnceLock<bool> = OnceLock::new();
    *SYNCS.get_or_init(|| std::env::var_os("ETALON_SYNC").is_none_or(|value| value != "no"))
}

/// Reads a whole file.
///
/// # Errors
/// When the system refuses.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    step(Step::Read, path)?;
    fs::read(path)
}

/// Puts a file at a place, from one that is made in the folder `aside` with a name that begins and ends like this. What
/// was there before is there until the new one is whole.
///
/// # Errors
/// When the system refuses; what was there before then is as it was, but for the last step, in which the system cannot say
/// whether the new name will outlast a loss of power.
pub(crate) fn put(
    aside: &Path,
    [prefix, suffix]: [&str; 2],
    target: &Path,
    content: &[u8],
) -> io::Result<()> {
    step(Step::Create, target)?;
    let mut file = make(aside, [prefix, suffix])?;
    step(Step::Write, target)?;
    file.write_all(content)?;
    if syncs() {
        step(Step::Sync, target)?;
        file.as_file().sync_all()?;
    }
    step(Step::Rename, target)?;
    file.persist(target).map_err(|error| error.error)?;
    if syncs() {
        step(Step::SyncFolder, target)?;
        sync_folder(target)?;
    }
    Ok(())
}

/// A file in a folder that vanishes unless it is renamed.
pub(super) fn make(folder: &Path, [prefix, suffix]: [&str; 2]) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(suffix);
    // What the user's umask leaves of it, as for any other file; the default of `tempfile` is the owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Elsewhere than on unix, folders cannot be opened, and names are synced with their files.
fn sync_folder(file: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // File systems that keep no such promise say that they cannot.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            other => return other,
        }
    }
    Ok(())
}

/// Takes a step; tests make it fail.
///
/// # Errors
/// None but those of tests.
#[cfg(not(test))]
pub(crate) fn step(_: Step, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use faults::step;

/// Disks that fail on request.
#[cfg(test)]
pub(crate) mod faults {
    use super::*;
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    /// What happens to the files of a folder.
    struct Plan {
        root: PathBuf,
        /// The steps that were taken, with their files.
        steps: Vec<(Step, PathBuf)>,
        /// The step that fails.
        fails: Option<usize>,
    }

    static PLANS: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

    fn plans() -> std::sync::MutexGuard<'static, Vec<Plan>> {
        PLANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in a folder of which the step of this number fails, if any is given; what comes of it, and the steps.
    pub(crate) fn with<T>(
        root: &Path,
        fails: Option<usize>,
        work: impl FnOnce() -> T,
    ) -> (T, Vec<(Step, PathBuf)>) {
        plans().push(Plan { root: root.into(), steps: Vec::new(), fails });
        let found = work();
        let mut plans = plans();
        let place = plans.iter().position(|plan| plan.root == root).unwrap();
        (found, plans.remove(place).steps)
    }

    pub(crate) fn step(step: Step, path: &Path) -> io::Result<()> {
        let mut plans = plans();
        let Some(plan) = plans.iter_mut().find(|plan| path.starts_with(&plan.root)) else { return Ok(()) };
        plan.steps.push((step, path.into()));
        match plan.fails {
            Some(fails) if fails + 1 == plan.steps.len() => Err(io::Error::other("the disk is broken")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_to_what_is_on_the_disk_and_then_brought_there() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("a");
        let put = || put(root.path(), [".", ""], &target, b"new");
        let (done, steps) = faults::with(root.path(), None, put);
        done.unwrap();
        let steps: Vec<Step> = steps.into_iter().map(|(step, _)| step).collect();
        assert_eq!(steps, [Step::Create, Step::Write, Step::Sync, Step::Rename, Step::SyncFolder]);
        for (fails, step) in steps.into_iter().enumerate() {
            fs::write(&target, "old").unwrap();
            faults::with(root.path(), Some(fails), put).0.unwrap_err();
            let wanted = if step == Step::SyncFolder { "new" } else { "old" };
            assert_eq!(fs::read_to_string(&target).unwrap(), wanted, "{step:?}");
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "{step:?}: nothing is left aside");
        }
    }
}
