//! How a file comes to be there: written aside, synced, renamed, and its folder synced, so that neither a full disk nor
//! a loss of power leaves half of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// A step on the way of a file, each of which the system may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Reading a file that is there.
    Read,
    /// Making the file aside.
    Create,
    /// Writing it, or at its end.
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
#[cfg(not(test))]
fn syncs(_: &Path) -> bool {
    static SYNCS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
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
    if syncs(target) {
        step(Step::Sync, target)?;
        file.as_file().sync_all()?;
    }
    step(Step::Rename, target)?;
    file.persist(target).map_err(|error| error.error)?;
    if syncs(target) {
        step(Step::SyncFolder, target)?;
        sync_folder(target)?;
    }
    Ok(())
}

/// Makes a folder and those above it where they are missing, and brings their names to the disk.
///
/// # Errors
/// When the system refuses.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path)?;
    // Below what is there, the first to have a name is the last of these.
    for folder in missing.into_iter().rev().filter(|folder| !folder.as_os_str().is_empty() && syncs(folder)) {
        step(Step::SyncFolder, folder)?;
        sync_folder(folder)?;
    }
    Ok(())
}

/// Writes at the end of a file that saves time and is not synced: what a loss of power leaves of it is anything.
///
/// # Errors
/// When the system refuses.
pub(crate) fn append(file: &mut File, path: &Path, content: &[u8]) -> io::Result<()> {
    step(Step::Write, path)?;
    file.write_all(content)
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
pub(crate) use faults::{step, syncs};

/// Disks that fail on request, and what they keep when the power goes.
#[cfg(test)]
pub(crate) mod faults {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    /// What goes wrong at the step of a number, from 0.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Fault {
        /// It fails, and no other.
        Once(usize),
        /// From it on, there is no room for anything.
        Full(usize),
        /// The power goes before it; what was not brought to the disk by then is lost in one of these ways.
        Power(usize, Loss),
    }

    /// What becomes of that which was not brought to the disk: of each file what it says in turn, beginning at the number.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Loss {
        pub(crate) first: usize,
        /// Whether files are synced before they count.
        pub(crate) syncs: bool,
    }

    /// What happens to the files of a folder, which one thread writes.
    struct Plan {
        root: PathBuf,
        /// The steps that were taken, with their files.
        steps: Vec<(Step, PathBuf)>,
        fault: Option<Fault>,
        /// What was there before the names that are not on the disk yet.
        before: BTreeMap<PathBuf, Option<Vec<u8>>>,
        /// Files that were written at their end.
        appended: Vec<PathBuf>,
    }

    static PLANS: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

    fn plans() -> std::sync::MutexGuard<'static, Vec<Plan>> {
        PLANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in a folder in which this goes wrong, if anything does; what comes of it, and the steps.
    pub(crate) fn with<T>(
        root: &Path,
        fault: Option<Fault>,
        work: impl FnOnce() -> T,
    ) -> (T, Vec<(Step, PathBuf)>) {
        let (before, appended) = (BTreeMap::new(), Vec::new());
        plans().push(Plan { root: root.into(), steps: Vec::new(), fault, before, appended });
        let found = work();
        let mut plans = plans();
        let place = plans.iter().position(|plan| plan.root == root).unwrap();
        let mut plan = plans.remove(place);
        if let Some(Fault::Power(at, loss)) = plan.fault {
            if let (true, Some((Step::SyncFolder, file))) = (plan.steps.len() <= at, plan.steps.last()) {
                plan.before.remove(file);
            }
            plan.lose(loss);
        }
        (found, plan.steps)
    }

    impl Plan {
        /// Leaves of the files what a disk without power may have.
        fn lose(&self, Loss { first, syncs }: Loss) {
            // What was taken away again is left so.
            let renamed = self.before.iter().filter(|(path, _)| path.exists());
            for (place, (path, before)) in (first..).zip(renamed) {
                match place % if syncs { 2 } else { 4 } {
                    // The new name has come to the disk by itself.
                    0 => {}
                    1 => match before {
                        Some(content) => fs::write(path, content).unwrap(),
                        None => fs::remove_file(path).unwrap(),
                    },
                    // So it has, but what it names has not.
                    2 => fs::write(path, "").unwrap(),
                    _ => cut(path),
                }
            }
            self.appended.iter().filter(|path| path.exists()).for_each(|path| cut(path));
        }
    }

    fn cut(path: &Path) {
        let content = fs::read(path).unwrap();
        fs::write(path, &content[..content.len() / 2]).unwrap();
    }

    pub(crate) fn syncs(path: &Path) -> bool {
        let plans = plans();
        let plan = plans.iter().find(|plan| path.starts_with(&plan.root));
        !matches!(plan.and_then(|plan| plan.fault), Some(Fault::Power(_, Loss { syncs: false, .. })))
    }

    pub(crate) fn step(step: Step, path: &Path) -> io::Result<()> {
        let mut plans = plans();
        let Some(plan) = plans.iter_mut().find(|plan| path.starts_with(&plan.root)) else { return Ok(()) };
        let number = plan.steps.len();
        if let Some((Step::SyncFolder, file)) = plan.steps.last() {
            // It was taken.
            plan.before.remove(file);
        }
        plan.steps.push((step, path.into()));
        let is_write = matches!(step, Step::Create | Step::Write);
        match plan.fault {
            Some(Fault::Once(at)) if number == at => Err(io::Error::other("the disk is broken")),
            Some(Fault::Full(at)) if number >= at && is_write => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Power(at, _)) if number >= at => Err(io::Error::other("the power is off")),
            _ => {
                if step == Step::Rename {
                    plan.before.entry(path.into()).or_insert_with(|| fs::read(path).ok());
                }
                let is_put = matches!(plan.steps.iter().rev().nth(1), Some((Step::Create, of)) if of == path);
                if step == Step::Write && !is_put {
                    plan.appended.push(path.into());
                }
                Ok(())
            }
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
            faults::with(root.path(), Some(faults::Fault::Once(fails)), put).0.unwrap_err();
            let wanted = if step == Step::SyncFolder { "new" } else { "old" };
            assert_eq!(fs::read_to_string(&target).unwrap(), wanted, "{step:?}");
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "{step:?}: nothing is left aside");
        }
    }
}
