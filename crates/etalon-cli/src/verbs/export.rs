//! `etalon export`: trajectories in other formats.

use crate::context::{Context, Exit, Failure};
use etalon_report::export::{Exported, Format, export};
use std::path::PathBuf;

/// Write the trajectories of a run or sweep as one CSV or Parquet table, or as TensorBoard event files
///
/// The table has a row a recorded step, with its trial's name and values of the grid's keys. TensorBoard gets a folder a
/// trial; its numbers are in single precision.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a sweep, or of `etalon train --out`
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,

    /// The format
    format: Kind,

    /// Where to write [default: trajectories.csv, trajectories.parquet or tensorboard/ in DIR]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    to: Option<PathBuf>,

    /// Replace what is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Csv,
    Parquet,
    Tensorboard,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = match self.format {
            Kind::Csv => Format::Csv,
            Kind::Parquet => Format::Parquet,
            Kind::Tensorboard => Format::Tensorboard,
        };
        let exported = export(&self.folder, format, self.to.as_deref(), self.force)?;
        if exported.unfinished > 0 {
            let text = format!("{} trials have no result yet and are left out", exported.unfinished);
            context.progress.say("note", &text);
        }
        context.output.tell(&exported, || text(&exported))?;
        Ok(Exit::Done)
    }
}

fn text(exported: &Exported) -> String {
    let Exported { path, trials, rows, .. } = exported;
    format!("{}: {rows} recorded steps of {trials} trials\n", path.display())
}
