//! The program as its users meet it: what it prints where, and how it exits.

mod browser;
mod completions;
mod data;
mod docs;
mod environment;
mod export;
mod find;
mod fit;
mod help;
mod images;
#[cfg(unix)]
mod kill;
mod man;
mod measure;
mod optimizer;
mod patches;
mod plot;
mod record;
mod report;
mod reproduce;
mod run_directory;
mod safety;
mod schedule;
mod spec;
mod streams;
mod sweep;
mod theory;
mod train;
#[cfg(target_os = "linux")]
mod trainer;
mod watch;
mod worker;

use assert_cmd::Command;
use std::path::Path;
use tempfile::TempDir;

/// `etalon` with nothing of the tester's environment that changes what it prints, and an empty data directory.
struct Etalon {
    folder: TempDir,
}

/// How a run of it ended.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Etalon {
    fn new() -> Self {
        Etalon { folder: tempfile::tempdir().unwrap() }
    }

    /// Its working folder, in which `data` is its data directory.
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    fn command(&self) -> Command {
        Command::from_std(self.plain_command(env!("CARGO_BIN_EXE_etalon")))
    }

    /// Any program in the same surroundings.
    fn plain_command(&self, program: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.current_dir(self.path()).env("ETALON_DATA", self.path().join("data")).env("TERM", "xterm");
        for name in ["ETALON_CPU", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RAYON_NUM_THREADS"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command().args(arguments))
    }
}

/// A process that does not outlive its test, even where that has stopped it and fails.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Outcome {
    fn of(command: &mut Command) -> Self {
        Outcome::from(command.output().unwrap())
    }

    fn from(output: std::process::Output) -> Self {
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What it printed, where it must have succeeded.
    fn printed(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_eq!(self.stderr, "");
        self.stdout
    }

    /// What it complained of, where it must have failed as it does for wrong input.
    fn complaint(self) -> String {
        assert_eq!(self.code, Some(2), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        self.stderr
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
