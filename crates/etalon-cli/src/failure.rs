//! How errors reach the user: `error: ...` on stderr, and the exit code.

use crate::output::{OutputError, visible};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use etalon::spec::KEYS;
use std::borrow::Cow;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Usage, input, input or output.
const FAILED: u8 = 2;

/// Prints an error with its causes. A reader who closed the pipe has all that was wanted, which is no failure.
pub(crate) fn report(failure: &(dyn Error + Send + Sync + 'static)) -> ExitCode {
    if let Some(OutputError::Closed) = failure.downcast_ref() {
        return ExitCode::SUCCESS;
    }
    let heading = if coloured() { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
    // A stderr that takes nothing leaves no place to complain.
    let _ = writeln!(io::stderr(), "{heading} {}", visible(&with_causes(failure)));
    ExitCode::from(FAILED)
}

/// What to do about a trainer's command that is missing, or not one argument.
const COMMAND: &str = "the trainer's whole command is one argument, in quotes: \
                       --trainer 'python train.py --lr {eta} --seed {seed} --log {log}'";

/// Prints what the command line parser has to say: help and version on stdout, complaints on stderr.
pub(crate) fn show_usage(mut message: clap::Error) -> ExitCode {
    if is_about_command(&message) {
        message.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![COMMAND.into()]));
    } else if let Some(key) = key_meant(&message) {
        let advice = format!("a setting is a key with its value, without dashes: {key}=VALUE");
        message.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice.into()]));
    }
    let plain = message.render().to_string();
    let printed = match visible(&plain) {
        Cow::Borrowed(_) => message.print().and_then(|()| io::stdout().flush()),
        // It quotes an argument that would control the terminal.
        Cow::Owned(text) => io::stderr().write_all(text.as_bytes()),
    };
    match printed {
        Err(error) if !message.use_stderr() => report(&OutputError::from(error)),
        _ => ExitCode::from(message.exit_code() as u8),
    }
}

/// Whether a complaint is about `--trainer` without a command, or about a flag of a program that belongs into one.
fn is_about_command(message: &clap::Error) -> bool {
    let is_program = |word: std::ffi::OsString| {
        let word = word.to_string_lossy();
        word == "--trainer" || word.ends_with(".py") || word.ends_with(".sh")
    };
    match (message.kind(), message.get(ContextKind::InvalidArg)) {
        (ErrorKind::InvalidValue, Some(ContextValue::String(flag))) => flag.starts_with("--trainer "),
        // One that resembles a flag of the verb is a mistyped one.
        (ErrorKind::UnknownArgument, _) => {
            message.get(ContextKind::SuggestedArg).is_none() && std::env::args_os().any(is_program)
        }
        _ => false,
    }
}

/// The key that an unknown flag stands for, where the verb takes keys.
fn key_meant(message: &clap::Error) -> Option<&'static str> {
    let takes_keys =
        message.get(ContextKind::Usage).is_some_and(|usage| usage.to_string().contains("KEY=VALUE"));
    let Some(ContextValue::String(flag)) = message.get(ContextKind::InvalidArg) else { return None };
    let name = flag.trim_start_matches('-').replace('-', "_");
    let is_rate = ["lr", "learning_rate"].contains(&name.as_str());
    let is_meant = |path: &&str| match path.rsplit_once('.') {
        Some((_, last)) => last == name || is_rate && *path == "optimizer.eta",
        None => *path == name,
    };
    let is_unknown =
        message.kind() == ErrorKind::UnknownArgument && message.get(ContextKind::SuggestedArg).is_none();
    KEYS.iter().map(|key| key.path).find(is_meant).filter(|_| takes_keys && is_unknown)
}

/// An error's text, then each cause on a line of its own, unless the text above already quotes it.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let line = error.to_string();
        if !text.contains(&line) {
            text.push_str("\ncaused by: ");
            text.push_str(&line);
        }
        cause = error.source();
    }
    text
}

fn coloured() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    io::stderr().is_terminal() && !set("NO_COLOR") && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_are_told_once() {
        let disk = Layer { text: "disk full", source: None };
        let file = Layer { text: "cannot write a.csv: disk full", source: Some(Box::new(disk)) };
        let run = Layer { text: "the run stopped", source: Some(Box::new(file)) };
        assert_eq!(with_causes(&run), "the run stopped\ncaused by: cannot write a.csv: disk full");
    }
}
