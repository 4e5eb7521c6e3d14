//! `etalon man`: manual pages, made from what the command line says of itself.

use super::Cli;
use crate::context::{Context, Exit, Failure};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use etalon::record::write_whole;

/// Print the manual page of etalon, or of a verb: etalon man find | man -l -
///
/// With --out DIR the pages of all verbs are written there, etalon.1, etalon-find.1 and so on.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The verb, and what stands below it, such as theory map [default: etalon itself]
    verb: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut root = Cli::command().term_width(0).disable_help_subcommand(true);
        root.build();
        if let Some(folder) = &context.out {
            for (name, page) in pages(&root)? {
                write_whole(&folder.join(format!("{name}.1")), page.as_bytes())?;
            }
        }
        let mut command = &root;
        for word in &self.verb {
            command = command.find_subcommand(word).ok_or_else(|| {
                let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                format!("no verb `{word}` of {}; there is {known}", command.get_name())
            })?;
        }
        let page = page(command)?;
        context.output.show(&page, || page.clone())?;
        Ok(Exit::Done)
    }
}

/// The page of a command.
fn page(command: &Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    let name = command.get_display_name().unwrap_or(command.get_name()).to_string();
    Man::new(command.clone()).title(name).render(&mut text)?;
    Ok(String::from_utf8(text)?)
}

/// The pages of a command and of all below it, by name.
fn pages(command: &Command) -> Result<Vec<(String, String)>, Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_string();
    let mut all = vec![(name, page(command)?)];
    for below in command.get_subcommands() {
        all.extend(pages(below)?);
    }
    Ok(all)
}
