//! A converted schedule for other programs.

use super::source::{Method, Source};
use crate::context::{Context, Exit, Failure};
use crate::output::json;
use etalon::equivalence::convert;
use etalon::record::write_whole;
use etalon::schedule::Conversion;
use etalon::schedule::export::Export;
use std::path::PathBuf;

/// Write the schedule without weight decay for another program: CSV, JSON, or Python that needs nothing but PyTorch
#[derive(clap::Args)]
pub(crate) struct Arguments {
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
    /// A class that sets the rates of torch.optim.SGD, keeps weights and rates within the numbers, and lengthens running
    /// statistics with the weights
    Pytorch,
}

impl Format {
    /// What the reader has to see to, and what the schedule does not stand for.
    fn advice(self) -> &'static [&'static str] {
        match self {
            Format::Pytorch => &[
                "set eps=1e-30 in normalisations, as PyTorch's BatchNorm refuses 0; at 1e-5 both trainings part",
                "running statistics of BatchNorm are lengthened with the weights after every schedule.step(); where a bias \
                 that is not scaled stands before one, a warning names it: call torch.optim.swa_utils.update_bn there",
                "not covered: Nesterov momentum, decoupled weight decay, clipped gradients, averages of weights, and \
                 normalisations kept in eval() while training",
            ],
            Format::Csv | Format::Json => &[
                "running statistics of batch normalisation lag behind weights that grow: lengthen them with the weights, as \
                 --format pytorch does, or take them anew before evaluation",
            ],
        }
    }
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.source.convertible(context)?;
        let conversion = Method::of(self.conversion, &spec);
        let converted = convert(&spec, conversion, self.source.steps_per_epoch()?)?;
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
        if conversion == Conversion::GrowthOnly {
            let advice = "growth-only is not equivalent, and running statistics are only nearly right";
            context.progress.say("advice", advice);
        }
        for advice in format.advice() {
            context.progress.say("advice", advice);
        }
        Ok(Exit::Done)
    }
}
