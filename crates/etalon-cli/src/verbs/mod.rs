//! The verbs. Each is one file, with its arguments as a struct (clap's derive) and a method
//! `run(self, &Context) -> Result<Exit, Failure>`; [`Verb`] names it, [`Verb::run`] calls it.

mod completions;
mod data;
mod export;
mod find;
mod fit;
mod man;
mod measure;
mod plot;
mod report;
mod reproduce;
mod schedule;
mod spec;
mod status;
mod sweep;
mod theory;
mod train;
mod watch;
mod worker;

use crate::args::Flags;
use crate::context::{Context, Exit, Failure};
use crate::output::WIDEST;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  done, and the verdict is negative
  2  wrong usage or input, or a file cannot be read or written
  3  `watch --stop` has seen what to stop at

Environment:
  ETALON_DATA  folder of fetched data sets
  ETALON_CPU   kernels to use: portable, avx2 or avx512 [default: the fastest];
               results have the same bits only where they use the same ones
  NO_COLOR     no colours";

/// What learning rate a neural network can take, why, and what happens there
#[derive(clap::Parser)]
#[command(name = "etalon", version = env!("ETALON_VERSION"), after_help = EXIT_CODES, max_term_width = usize::from(WIDEST))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub flags: Flags,
}

/// Everything that `etalon` can be told to do.
#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    Find(find::Arguments),
    Measure(measure::Arguments),
    Train(train::Arguments),
    #[command(subcommand)]
    Theory(theory::Model),
    #[command(subcommand)]
    Schedule(schedule::Action),
    Sweep(sweep::Arguments),
    Worker(worker::Arguments),
    Status(status::Arguments),
    Fit(fit::Arguments),
    Plot(plot::Arguments),
    Reproduce(reproduce::Arguments),
    Report(report::Arguments),
    Export(export::Arguments),
    Watch(watch::Arguments),
    Spec(spec::Arguments),
    #[command(subcommand)]
    Data(data::Action),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Verb {
    /// Does it.
    ///
    /// # Errors
    /// Whatever hinders the verb; the text says where, what, and what to do.
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Verb::Find(arguments) => arguments.run(context),
            Verb::Measure(arguments) => arguments.run(context),
            Verb::Train(arguments) => arguments.run(context),
            Verb::Theory(model) => model.run(context),
            Verb::Schedule(action) => action.run(context),
            Verb::Sweep(arguments) => arguments.run(context),
            Verb::Worker(arguments) => arguments.run(context),
            Verb::Status(arguments) => arguments.run(context),
            Verb::Fit(arguments) => arguments.run(context),
            Verb::Plot(arguments) => arguments.run(context),
            Verb::Reproduce(arguments) => arguments.run(context),
            Verb::Report(arguments) => arguments.run(context),
            Verb::Export(arguments) => arguments.run(context),
            Verb::Watch(arguments) => arguments.run(context),
            Verb::Spec(arguments) => arguments.run(context),
            Verb::Data(action) => action.run(context),
            Verb::Completions(arguments) => arguments.run(context),
            Verb::Man(arguments) => arguments.run(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
