//! Running another program without waiting for ever.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Lines of a complaint that an error quotes.
const QUOTED: usize = 3;

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there.
    #[error("the program is not installed")]
    Missing,
    /// The system refuses.
    #[error("cannot be {action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The system's own words.
        source: io::Error,
    },
    /// It ended with a failure.
    #[error("failed ({status}): {}", last_lines(complaint, QUOTED).join(" | "))]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// All that it complained of.
        complaint: String,
    },
    /// It did not end, and was stopped.
    #[error("still ran after {} s and was stopped", _0.as_secs_f64())]
    Hung(Duration),
}

/// Runs a program and returns what it printed. Its input is empty.
///
/// # Errors
/// When it cannot be run, fails, or runs longer than `limit`, after which it is killed.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<String, ProgramError> {
    let fault = |action| move |source| ProgramError::Io { action, source };
    // Into files, not pipes: a pipe can fill up, and a grandchild can hold it open after a kill.
    let file = || -> io::Result<(File, File)> {
        let file = tempfile::tempfile()?;
        let handle = file.try_clone()?;
        Ok((file, handle))
    };
    let (output, stdout) = file().map_err(fault("given a file for its output"))?;
    let (complaint, stderr) = file().map_err(fault("given a file for its complaints"))?;
    let spawned = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn();
    let mut child = spawned.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ProgramError::Missing,
        _ => fault("started")(source),
    })?;
    let status = wait(&mut child, limit)?;
    let read = |mut file: File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(fault("read from"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    if !status.success() {
        return Err(ProgramError::Failed { status, complaint: read(complaint)? });
    }
    read(output)
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, ProgramError> {
    let start = Instant::now();
    loop {
        match child.try_wait().map_err(|source| ProgramError::Io { action: "watched", source })? {
            Some(status) => return Ok(status),
            None if start.elapsed() >= limit => {
                // It may have ended by itself just now; either way it is gone afterwards.
                let _ = child.kill();
                let _ = child.wait();
                return Err(ProgramError::Hung(limit));
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The end of what a program has printed into a file, of which there may be more than memory holds.
pub(crate) fn end_of(path: &Path) -> io::Result<String> {
    const MOST: u64 = 1 << 16;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut end = Vec::new();
    file.take(MOST).read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

/// The last lines of a text that say something.
pub(crate) fn last_lines(text: &str, count: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, limit: Duration) -> Result<String, ProgramError> {
        run(Command::new("sh").args(["-c", script]), limit)
    }

    #[test]
    fn what_a_program_prints_is_returned() {
        assert_eq!(shell("echo one; echo two >&2", LONG).unwrap(), "one\n");
    }

    #[test]
    fn of_a_long_complaint_the_end_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a".repeat(100_000) + "the end").unwrap();
        let end = end_of(file.path()).unwrap();
        assert!(end.len() == 1 << 16 && end.ends_with("the end"));
        assert_eq!(end_of("/dev/zero".as_ref()).unwrap().len(), 1 << 16);
    }

    #[test]
    fn a_failure_quotes_the_end_of_the_complaint() {
        let text = shell("for k in 1 2 3 4; do echo no $k >&2; done; exit 3", LONG).unwrap_err().to_string();
        assert_eq!(text, "failed (exit status: 3): no 2 | no 3 | no 4");
    }

    #[test]
    fn a_missing_program_is_told() {
        let error = run(&mut Command::new("etalon-no-such-program"), LONG).unwrap_err();
        assert!(matches!(error, ProgramError::Missing), "{error}");
    }

    #[test]
    fn a_hung_program_is_stopped() {
        let start = Instant::now();
        let text = shell("exec sleep 60", Duration::from_millis(200)).unwrap_err().to_string();
        assert_eq!(text, "still ran after 0.2 s and was stopped");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
