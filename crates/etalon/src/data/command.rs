//! Running a program that fetches.

use super::DataError;
use crate::program;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What a program gets before it counts as hung: two minutes, and two seconds for each megabyte (half a
/// megabyte a second) that it has to move.
pub(super) const fn time_limit(megabytes: u64) -> Duration {
    Duration::from_secs(120 + 2 * megabytes)
}

/// Runs `program` in `folder` and returns what it printed. `remedy` is the advice of every error.
///
/// # Errors
/// [`DataError::Program`] when it is not installed, fails (with the end of what it complained) or runs
/// longer than `limit`, after which it is killed.
pub(super) fn run(
    program: &str,
    arguments: &[&str],
    folder: &Path,
    limit: Duration,
    remedy: &str,
) -> Result<String, DataError> {
    let mut command = Command::new(program);
    program::run(command.args(arguments).current_dir(folder), limit).map_err(|error| DataError::Program {
        program: [&[program], arguments].concat().join(" "),
        problem: error.to_string(),
        remedy: remedy.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let text = run("etalon-no-such-program", &["x"], folder.path(), time_limit(0), "install it");
        let text = text.unwrap_err().to_string();
        assert_eq!(text, "etalon-no-such-program x: the program is not installed; install it");
    }
}
