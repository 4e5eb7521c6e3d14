//! `etalon schedule`: learning rates step by step, and weight decay as a growing rate.

mod convert;
mod export;
mod show;
mod source;
mod verify;

use crate::context::{Context, Exit, Failure};

/// Learning-rate schedules: show them, and trade weight decay for a growing rate where scale does not matter
///
/// In a network whose weights are followed by normalisation, SGD with weight decay learns the same functions as SGD
/// without it under another rate, which grows exponentially (Li and Arora 2020).
#[derive(clap::Subcommand)]
pub(crate) enum Action {
    Show(show::Arguments),
    Convert(convert::Arguments),
    Export(export::Arguments),
    Verify(verify::Arguments),
}

impl Action {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Action::Show(arguments) => arguments.run(context),
            Action::Convert(arguments) => arguments.run(context),
            Action::Export(arguments) => arguments.run(context),
            Action::Verify(arguments) => arguments.run(context),
        }
    }
}
