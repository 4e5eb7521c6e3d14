//! What ends the trainings of a search that was itself killed.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

/// A shell that waits at the other end of a pipe. A line says that the search has ended in good order; the end of the pipe
/// without one, that the search is gone. Then it ends every process that carries the search's mark in its environment, as all
/// descendants of a training do, whatever groups and sessions they have made.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
read -r line && exit 0
round=0 empty=0
while [ $round -lt 100 ] && [ $empty -lt 3 ]; do
    round=$((round + 1))
    found=$(grep -ls "ETALON_PROBE=$1-" /proc/[0-9]*/environ | tr -dc '0-9\n')
    if [ -z "$found" ]; then
        empty=$((empty + 1))
    else
        empty=0
        if [ $round -lt 10 ]; then kill -TERM $found; else kill -KILL $found; fi
    fi
    sleep 0.1
done
"#;

/// Ends what is left of a search when that is gone.
pub(super) struct Guard(Child);

impl Guard {
    /// Begins to watch over the processes marked with `id`.
    ///
    /// # Errors
    /// When there is no shell.
    pub(super) fn new(id: &str) -> io::Result<Guard> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "etalon-guard", id]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends a search from a terminal must not end its guard.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map(Guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.0.wait();
    }
}
