//! `etalon completions`: what a shell needs to complete `etalon`'s arguments.

use super::Cli;
use crate::context::{Context, Exit, Failure};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Command, CommandFactory};
use clap_complete::{Generator, Shell};
use etalon::record::write_whole;
use etalon::spec::KEYS;
use etalon_papers::catalogue;

/// Print a script that lets a shell complete arguments; in bash and zsh keys of a spec and claims, too
///
/// For bash: etalon completions bash > ~/.local/share/bash-completion/completions/etalon
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "etalon", &mut script);
        if let Some(folder) = &context.out {
            write_whole(&folder.join(self.shell.file_name("etalon")), &script)?;
        }
        let script = String::from_utf8(script)?;
        context.output.show(&script, || script.clone())?;
        Ok(Exit::Done)
    }
}

/// The command line with what its free words can be: keys of a spec, claims.
fn command() -> Command {
    // Names of values must live as long as the program, which ends here.
    let keys = || KEYS.iter().map(|key| PossibleValue::new(&*format!("{}=", key.path).leak()));
    let claims = || std::iter::once("list").chain(catalogue().iter().map(|claim| claim.id.as_str()));
    Cli::command().mut_subcommands(|verb| {
        let has = |name: &str| verb.get_positionals().any(|argument| argument.get_id() == name);
        if has("arguments") {
            verb.mut_arg("arguments", |argument| argument.value_parser(PossibleValuesParser::new(keys())))
        } else if has("names") && verb.get_name() == "reproduce" {
            verb.mut_arg("names", |argument| argument.value_parser(PossibleValuesParser::new(claims())))
        } else {
            verb
        }
    })
}
