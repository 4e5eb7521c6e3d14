//! Running another program without waiting for ever.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::DataError;
use super::error::io_error;

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
    let fault = |problem: String| DataError::Program {
        program: [&[program], arguments].concat().join(" "),
        problem,
        remedy: remedy.to_string(),
    };
    // Into files, not pipes: a pipe can fill up, and a grandchild can hold it open after a kill.
    let (output, complaint) = (folder.join(".stdout"), folder.join(".stderr"));
    let create = |path: &Path| File::create(path).map_err(io_error(path, "create the file"));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(create(&output)?)
        .stderr(create(&complaint)?)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => fault("the program is not installed".into()),
            _ => fault(format!("cannot be started: {error}")),
        })?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| fault(format!("cannot be watched: {error}")))? {
            Some(status) => break status,
            None if start.elapsed() >= limit => {
                // It may have ended by itself just now; either way it is gone afterwards.
                let _ = child.kill();
                let _ = child.wait();
                return Err(fault(format!("still ran after {} s and was stopped", limit.as_secs_f64())));
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    let read = |path: &Path| {
        let bytes = fs::read(path).map_err(io_error(path, "read the file"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    if !status.success() {
        let complaint = read(&complaint)?;
        let lines: Vec<&str> = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines[lines.len().saturating_sub(3)..].join(" | ");
        return Err(fault(format!("failed ({status}): {last}")));
    }
    read(&output)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<String, DataError> {
        let folder = tempfile::tempdir().unwrap();
        run("sh", &["-c", script], folder.path(), limit, "do this")
    }

    #[test]
    fn what_a_program_prints_is_returned() {
        assert_eq!(shell("echo one; echo two >&2", time_limit(0)).unwrap(), "one\n");
    }

    #[test]
    fn a_failure_quotes_the_end_of_the_complaint() {
        let text = shell("for k in 1 2 3 4; do echo no $k >&2; done; exit 3", time_limit(0))
            .unwrap_err()
            .to_string();
        assert!(text.contains("failed (exit status: 3): no 2 | no 3 | no 4; do this"), "{text}");
    }

    #[test]
    fn a_missing_program_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let text = run("etalon-no-such-program", &["x"], folder.path(), time_limit(0), "install it");
        let text = text.unwrap_err().to_string();
        assert_eq!(text, "etalon-no-such-program x: the program is not installed; install it");
    }

    #[test]
    fn a_hung_program_is_stopped() {
        let start = Instant::now();
        let text = shell("exec sleep 60", Duration::from_millis(200)).unwrap_err().to_string();
        assert!(text.contains("still ran after 0.2 s and was stopped; do this"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
