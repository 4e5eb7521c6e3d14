//! Files and folders that are whole or not there.

use super::ExportError;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes a file aside, and renames it when `write` has filled it; the number that `write` gives.
pub(super) fn write_file(
    target: &Path,
    force: bool,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<usize, ExportError>,
) -> Result<usize, ExportError> {
    let folder = folder_of(target)?;
    let aside = aside(0o666).tempfile_in(folder).map_err(ExportError::io(target, "create the file"))?;
    let file = aside.reopen().map_err(ExportError::io(target, "create the file"))?;
    let mut file = BufWriter::new(file);
    let number = write(&mut file)?;
    let fault = || ExportError::io(target, "write the file");
    file.flush().map_err(fault())?;
    if force {
        aside.persist(target).map_err(|error| fault()(error.error))?;
    } else {
        aside.persist_noclobber(target).map_err(|error| fault()(error.error))?;
    }
    Ok(number)
}

/// Fills a folder aside, and puts it in the place of what was there.
pub(super) fn write_folder(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<usize, ExportError>,
) -> Result<usize, ExportError> {
    let folder = folder_of(target)?;
    let fault = || ExportError::io(target, "create the folder");
    let aside = aside(0o777).tempdir_in(folder).map_err(fault())?;
    let new = aside.path().join("new");
    fs::create_dir(&new).map_err(fault())?;
    let number = write(&new)?;
    if target.exists() {
        // It goes with the rest of the aside.
        fs::rename(target, aside.path().join("old")).map_err(fault())?;
    }
    fs::rename(&new, target).map_err(fault())?;
    Ok(number)
}

/// The folder that a target lies in, made where it is missing.
fn folder_of(target: &Path) -> Result<&Path, ExportError> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ExportError::io(folder, "create the folder"))?;
    Ok(folder)
}

/// Something that vanishes unless it is renamed, with what the user's umask leaves of `mode`.
fn aside(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unfinished-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}
