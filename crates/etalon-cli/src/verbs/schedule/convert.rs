//! A schedule without its weight decay.

use super::source::{Method, Source, exponential, heading, phases, shown};
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use crate::picture::{Picture, StyleArguments};
use etalon::equivalence::{Converted, Undone, convert, undo};
use etalon::record::Record;
use etalon::schedule::Conversion;
use etalon::schedule::export::Export;
use etalon_report::figure::RatePicture;

/// Give the schedule without weight decay that trains the same functions, and the way back
///
/// `log_eta` in JSON is the natural logarithm of the rate, one a step: the rate itself soon passes every number.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// How [default: schedule.conversion of the spec, or exact]
    #[arg(long, value_name = "HOW")]
    conversion: Option<Method>,
    /// The way back: take the schedule as one without weight decay, and give the rates that train the same functions
    /// with --weight-decay
    #[arg(long, conflicts_with = "conversion")]
    undo: bool,
    /// What to print; --json is the same as --format json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Draw both schedules, as SVG, PNG or PDF, and write their numbers as CSV beside it
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_hint = clap::ValueHint::FilePath)]
    figure: Option<Picture>,

    #[command(flatten)]
    style: StyleArguments,
}

/// What `convert` prints.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.source.convertible(context)?;
        let directory = context.run_directory(Some(&spec), &[])?;
        let format = if context.json { Format::Json } else { self.format };
        let epoch = self.source.steps_per_epoch()?;
        if self.undo {
            let undone = undo(&spec, epoch)?;
            self.draw([("without weight decay", &undone.given.log_eta), ("with", &undone.log_eta)])?;
            let record = Record::from(undone.clone());
            if let Some(folder) = directory {
                folder.write_record(&record)?;
            }
            context.output.print(&match format {
                Format::Text => undone_text(&undone),
                Format::Json => record.to_json()?,
                Format::Csv => undone.csv(),
            })?;
            return Ok(Exit::Done);
        }
        let converted = convert(&spec, Method::of(self.conversion, &spec), epoch)?;
        self.draw([
            ("with weight decay", &converted.rates.log_eta),
            ("without: same functions where scale does not matter", &converted.without.log_eta),
        ])?;
        let record = Record::from(converted.clone());
        if let Some(folder) = directory {
            folder.write_record(&record)?;
        }
        context.output.print(&match format {
            Format::Text => text(&converted),
            Format::Json => record.to_json()?,
            Format::Csv => {
                Export::of(&converted.rates.log_eta, spec.optimizer.weight_decay, &converted.without).csv()
            }
        })?;
        Ok(Exit::Done)
    }

    fn draw(&self, curves: [(&str, &Vec<f64>); 2]) -> Result<(), Failure> {
        let Some(file) = &self.figure else { return Ok(()) };
        let curves = curves.map(|(name, rates)| (name, &rates[..])).to_vec();
        let title = "Learning rates with and without weight decay".into();
        let figure = RatePicture { title, curves }.figure()?;
        file.write(&figure, &self.style, &figure.table().to_csv())
    }
}

fn text(converted: &Converted) -> String {
    let (rates, without) = (&converted.rates, &converted.without);
    let how = match converted.conversion {
        Conversion::Exact => "the same functions without weight decay, exactly",
        Conversion::Phases => {
            "the same functions without weight decay, with the momentum corrections that --json lists"
        }
        Conversion::GrowthOnly => {
            "growth alone, without the drops of the rate: the same functions only until the first one"
        }
    };
    let row = |step: usize| {
        let [plain, rate] = [rates.log_eta[step], without.log_eta[step]].map(exponential);
        [step.to_string(), plain, rate, exponential(without.log_scale[step])]
    };
    let mut text = heading(rates) + "\n" + &phases(rates) + "\n" + how + "\n\n";
    text += &table(
        ["step", "eta with decay", "eta without", "weights longer by"],
        shown(&without.log_eta).into_iter().map(row),
    );
    text += &match (converted.leaves_f32, converted.leaves_f64) {
        (None, _) => "\nevery rate is a number in f32\n".to_string(),
        (Some(step), None) => format!("\nthe rate leaves f32 at step {step}\n"),
        (Some(single), Some(double)) => {
            format!("\nthe rate leaves f32 at step {single}, f64 at step {double}\n")
        }
    };
    text
}

fn undone_text(undone: &Undone) -> String {
    let row = |step: usize| {
        let [given, rate] = [undone.given.log_eta[step], undone.log_eta[step]].map(exponential);
        [step.to_string(), given, rate]
    };
    format!(
        "{} steps, momentum {}, from no weight decay to {}\n\n{}",
        undone.given.steps,
        undone.given.momentum,
        undone.weight_decay,
        table(["step", "eta without decay", "eta with"], shown(&undone.log_eta).into_iter().map(row))
    )
}
