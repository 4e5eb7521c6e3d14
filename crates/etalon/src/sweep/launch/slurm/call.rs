//! Calls of Slurm's programs, none of which is waited for without end, and whose silence is never an answer.

use crate::program::{ProgramError, run};
use crate::sweep::LaunchError;
use std::ffi::OsStr;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// What an error about a program that is missing advises.
const INSTALL: &str = "log in where Slurm is installed, or run the sweep on this machine with --on local";
/// About a controller that does not answer.
const LATER: &str = "nothing is known of the jobs, which go on by themselves; try again later";
/// About a refusal.
const CHANGE: &str = "these are Slurm's own words; options are given with --slurm KEY=VALUE";

/// How long to wait for an answer, and how often to ask.
pub(super) struct Caller {
    /// For one call.
    pub(super) limit: Duration,
    /// Before the second attempt, the third, and so on.
    pub(super) pauses: &'static [Duration],
}

/// Slurm's programs give up by themselves after about ten seconds; with their patience, a controller may be away for half
/// a minute.
pub(super) const CALLER: Caller =
    Caller { limit: Duration::from_secs(30), pauses: &[Duration::from_secs(1), Duration::from_secs(4)] };

impl Caller {
    /// Calls a program whose call may be repeated.
    ///
    /// # Errors
    /// When it is missing or refuses; when it gives no answer however often it is asked.
    pub(super) fn ask(&self, program: &'static str, arguments: &[&str]) -> Result<String, LaunchError> {
        self.attempt(program, arguments, || Ok(None))
    }

    /// As [`Caller::ask`] for a call that may have worked although no answer came: before it is repeated, `worked` tells
    /// what the answer would have been if it has.
    ///
    /// # Errors
    /// As [`Caller::ask`], and those of `worked`.
    pub(super) fn attempt(
        &self,
        program: &'static str,
        arguments: &[&str],
        worked: impl Fn() -> Result<Option<String>, LaunchError>,
    ) -> Result<String, LaunchError> {
        let mut pauses = self.pauses.iter();
        loop {
            let mut command = Command::new(program);
            command.args(arguments);
            std::env::vars_os().filter(|(name, _)| speaks(name)).for_each(|(name, _)| {
                command.env_remove(name);
            });
            let source = match run(&mut command, self.limit) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match pauses.next().filter(|_| passes(&source)) {
                Some(&pause) => sleep(pause),
                None => return Err(LaunchError::Slurm { program, remedy: remedy(&source), source }),
            }
            if let Some(answer) = worked()? {
                return Ok(answer);
            }
        }
    }
}

/// Whether a variable of the environment is an option of Slurm's programs, which would change what is printed, or the name
/// by which a job is found again: it wins over what a script says. Where Slurm is, and who asks, it must know.
fn speaks(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_option = ["SBATCH_", "SQUEUE_", "SCONTROL_", "SLURM_"].iter().any(|start| name.starts_with(start));
    is_option && !["SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"].contains(&name.as_ref())
}

/// Whether an error may pass by itself: the controller is down, busy or far.
fn passes(error: &ProgramError) -> bool {
    const SIGNS: [&str; 7] =
        ["contact", "timed out", "temporarily", "refused", "communication", "try again", "zero bytes"];
    match error {
        ProgramError::Hung(_) => true,
        ProgramError::Failed { complaint, .. } => {
            let complaint = complaint.to_lowercase();
            SIGNS.iter().any(|sign| complaint.contains(sign))
        }
        ProgramError::Missing | ProgramError::Io { .. } => false,
    }
}

fn remedy(error: &ProgramError) -> &'static str {
    match error {
        ProgramError::Missing => INSTALL,
        error if passes(error) => LATER,
        _ => CHANGE,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::cell::Cell;

    const HASTY: Caller =
        Caller { limit: Duration::from_millis(300), pauses: &[Duration::ZERO, Duration::ZERO] };

    fn shell(script: &str) -> Result<String, LaunchError> {
        HASTY.ask("sh", &["-c", script])
    }

    /// A script that fails until it was called so often, with the folder that counts.
    fn failing(times: usize, complaint: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "cd '{}'; touch $$; [ $(ls | wc -l) -gt {times} ] && echo answer || {{ {complaint}; exit 1; }}",
            folder.path().display()
        );
        (folder, script)
    }

    #[test]
    fn what_passes_is_asked_again_and_what_does_not_is_passed_on() {
        let (_folder, script) = failing(2, "echo 'Unable to contact slurm controller' >&2");
        assert_eq!(shell(&script).unwrap(), "answer\n");
        let (folder, script) = failing(2, "echo 'Invalid partition name specified' >&2");
        let error = shell(&script).unwrap_err().to_string();
        assert!(error.contains("Invalid partition name specified; these are Slurm's own words"), "{error}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "it was asked once");
    }

    #[test]
    fn silence_is_an_error_and_no_answer() {
        let error = shell("exec sleep 60").unwrap_err().to_string();
        assert!(
            error.contains("still ran after 0.3 s") && error.contains("nothing is known of the jobs"),
            "{error}"
        );
    }

    #[test]
    fn a_call_that_worked_without_an_answer_is_not_repeated() {
        let looks = Cell::new(0);
        let worked = || {
            looks.set(looks.get() + 1);
            Ok((looks.get() == 2).then(|| "12".to_string()))
        };
        assert_eq!(HASTY.attempt("sh", &["-c", "exec sleep 60"], worked).unwrap(), "12");
    }

    #[test]
    fn options_in_the_environment_are_taken_away_and_the_place_of_slurm_is_not() {
        for name in ["SBATCH_JOB_NAME", "SLURM_CLUSTERS", "SLURM_JOB_NAME", "SQUEUE_FORMAT2", "SBATCH_WRAP_X"]
        {
            assert!(speaks(name.as_ref()), "{name}");
        }
        for name in ["SLURM_CONF", "SLURM_JWT", "PATH", "HOME", "SLURMX"] {
            assert!(!speaks(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn a_missing_program_is_told_with_another_engine() {
        let error = HASTY.ask("etalon-no-such-program", &[]).unwrap_err().to_string();
        assert!(error.contains("not installed") && error.contains("--on local"), "{error}");
    }
}
