//! A converted schedule for other programs.

use super::source::{Method, Source};
use crate::context::{Context, Failure, Verdict};
use crate::output::json;
use etalon::record::write_whole;
use etalon::equivalence::convert;
use etalon::schedule::export::Export;
use std::path::PathBuf;

/// Write the schedule without weight decay for another program: CSV, JSON, or Python that needs nothing but PyTorch
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// How [default: schedule.conversion of the spec, or exact]
    #[arg(long, value_name = "HOW")]
    conversion: Option<Method>,
    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "pytorch")]
    format: Format,
    /// Where to; stdout unless given
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    to: Option<PathBuf>,
}

/// What `export` writes.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Columns step, log_eta, eta, plain_eta
    Csv,
    /// As `convert --json`
    Json,
    /// A class that sets the rates of torch.optim.SGD and keeps weights and rates within the numbers
    Pytorch,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Verdict, Failure> {
        let spec = self.source.convertible(context)?;
        let converted = convert(&spec, Method::of(self.conversion, &spec), self.source.steps_per_epoch()?)?;
        let export = Export::of(&converted.rates.log_eta, spec.optimizer.weight_decay, &converted.without);
        let format = if context.json { Format::Json } else { self.format };
        let text = match format {
            Format::Csv => export.csv(),
            Format::Json => json(&converted)?,
            Format::Pytorch => export.pytorch(&format!(
                "Learning rates without weight decay, equivalent to {:?} with weight decay {:?} on parameters whose scale \
                 does not matter. Made by etalon schedule export.",
                spec.optimizer.eta, spec.optimizer.weight_decay
            )),
        };
        match &self.to {
            Some(path) => write_whole(path, text.as_bytes())?,
            None => context.output.print(&text)?,
        }
        Ok(Verdict::Done)
    }
}
