//! A training's process with all that it starts.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// The variable that marks the processes of a training, and with them those of a search.
pub(super) const MARK: &str = "ETALON_PROBE";

/// A process, the group that it leads, and on Linux every descendant, whatever group or session it has made.
pub(super) struct Process {
    child: Child,
    /// What the environment of each has.
    #[cfg_attr(not(unix), expect(dead_code, reason = "processes are not looked for"))]
    mark: String,
}

impl Process {
    /// Starts a command; `mark` is that of no other process.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub(super) fn start(command: &mut Command, mark: &str) -> io::Result<Process> {
        command.env(MARK, mark);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        Ok(Process { child: command.spawn()?, mark: format!("{MARK}={mark}") })
    }

    /// How it ended, once it has.
    ///
    /// # Errors
    /// When the system does not tell.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

#[cfg(unix)]
mod ends {
    use super::{Duration, Process};
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};
    use std::thread::sleep;
    use std::time::Instant;

    /// Between two looks at whether all have ended.
    const PAUSE: Duration = Duration::from_millis(10);
    /// What the system may take to end what is killed.
    const DEATH: Duration = Duration::from_secs(5);

    impl Process {
        /// Asks all to end, and kills what has not while there is patience, which is asked with the time so far.
        pub(in super::super) fn end(&mut self, is_patient: impl Fn(Duration) -> bool) {
            let start = Instant::now();
            self.signal(Signal::TERM);
            while is_patient(start.elapsed()) {
                if matches!(self.child.try_wait(), Ok(Some(_))) && self.marked().is_empty() {
                    break;
                }
                sleep(PAUSE);
            }
            self.kill();
        }

        /// Kills all that is left.
        fn kill(&mut self) {
            let start = Instant::now();
            loop {
                self.signal(Signal::KILL);
                let is_gone = matches!(self.child.try_wait(), Ok(Some(_)));
                if is_gone && self.marked().is_empty() || start.elapsed() > DEATH {
                    break;
                }
                sleep(PAUSE);
            }
        }

        fn signal(&mut self, signal: Signal) {
            // While its leader is not waited for, no other group can have its number.
            if matches!(self.child.try_wait(), Ok(None))
                && let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
            {
                let _ = kill_process_group(group, signal);
            }
            for process in self.marked() {
                let _ = kill_process(process, signal);
            }
        }

        /// The living processes with the mark; none where there is no `/proc`.
        fn marked(&self) -> Vec<Pid> {
            let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
            let is_marked = |pid: &i32| {
                let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environment.split(|&byte| byte == 0).any(|variable| variable == self.mark.as_bytes())
            };
            let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
            pids.filter(is_marked).filter_map(Pid::from_raw).collect()
        }
    }

    impl Drop for Process {
        /// What a training leaves behind ends with it.
        fn drop(&mut self) {
            self.kill();
        }
    }
}

#[cfg(not(unix))]
impl Process {
    pub(super) fn end(&mut self, _: impl Fn(Duration) -> bool) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Starts a shell, and waits for its line in a file.
    fn shell(script: &str, mark: &str) -> (Process, Vec<u32>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids");
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&file).stdout(std::process::Stdio::null());
        let process = Process::start(&mut command, &format!("test-{}-{mark}", std::process::id())).unwrap();
        let start = Instant::now();
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.ends_with('\n') {
                return (process, text.split_whitespace().map(|pid| pid.parse().unwrap()).collect());
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{text}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_alive(pid: &u32) -> bool {
        // A zombie has no command line.
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
    }

    #[test]
    fn one_that_ignores_the_request_is_killed_with_all_that_it_started() {
        // One in its group, one in a session of its own whose parent has gone.
        let script = "trap '' TERM; sleep 300 & one=$!; (setsid sh -c 'echo $$ > \"$1.own\"; exec sleep 300' sh \"$1\" &); \
                      while [ ! -s \"$1.own\" ]; do sleep 0.01; done; echo $one $$ $(cat \"$1.own\") > \"$1\"; \
                      while :; do sleep 0.05; done";
        let (mut process, pids) = shell(script, "stubborn");
        assert!(pids.len() == 3 && pids.iter().all(is_alive), "{pids:?}");
        let start = Instant::now();
        process.end(|time| time < Duration::from_millis(200));
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(!pids.iter().any(is_alive), "{pids:?}");
    }

    #[test]
    fn one_that_listens_is_not_killed() {
        let (mut process, pids) =
            shell("trap 'exit 7' TERM; echo $$ > \"$1\"; while :; do sleep 0.01; done", "mild");
        process.end(|time| time < Duration::from_secs(60));
        assert_eq!(process.ended().unwrap().and_then(|status| status.code()), Some(7));
        assert!(!is_alive(&pids[0]));
    }

    #[test]
    fn what_a_training_leaves_behind_ends_with_it() {
        let (mut process, pids) = shell("sleep 300 & echo $! > \"$1\"", "behind");
        while process.ended().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(is_alive(&pids[0]));
        drop(process);
        assert!(!is_alive(&pids[0]));
    }
}
