//! The command line of Etalon: arguments, printing, progress. No mathematics.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::todo))]

mod args;
mod context;
mod failure;
mod interrupt;
mod output;
mod picture;
mod progress;
mod verbs;

use clap::Parser;
use context::{Context, Exit};
use std::process::ExitCode;
use verbs::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => return failure::show_usage(message),
    };
    let exit = Context::new(&cli.flags).and_then(|context| cli.verb.run(&context));
    match exit {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Negative) => ExitCode::from(1),
        Ok(Exit::Stop) => ExitCode::from(3),
        Err(failure) => failure::report(&*failure),
    }
}
