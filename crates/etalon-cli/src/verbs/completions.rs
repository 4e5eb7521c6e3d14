//! `etalon completions`: what a shell needs to complete `etalon`'s arguments.

use super::Cli;
use crate::context::{Context, Exit, Failure};
use clap::CommandFactory;
use clap_complete::{Generator, Shell};
use etalon::record::write_whole;

/// Print a script that lets a shell complete arguments
///
/// For bash: etalon completions bash > ~/.local/share/bash-completion/completions/etalon
#[derive(clap::Args)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "etalon", &mut script);
        if let Some(folder) = &context.out {
            write_whole(&folder.join(self.shell.file_name("etalon")), &script)?;
        }
        let script = String::from_utf8(script)?;
        context.output.show(&script, || script.clone())?;
        Ok(Exit::Done)
    }
}
