//! The operational boundaries of early training, for a map.

use crate::context::{Context, Failure, Verdict};
use crate::output::table;
use etalon::phase::{Boundaries, DEFINITION, Definition, map_boundaries};
use etalon::theory::{Axis, Bracket, Range, RunSettings, ScalarLoss, State};
use etalon::units::significant;
use serde::Serialize;

/// The loss of the map.
#[derive(Clone, Copy, clap::ValueEnum)]
enum LossName {
    Mse,
    Logistic,
    Exponential,
}

/// `etalon theory boundaries`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The loss
    #[arg(long, value_enum, default_value = "mse")]
    loss: LossName,
    /// The value to learn, under squared loss
    #[arg(long, value_name = "Y", default_value_t = 0.0, allow_hyphen_values = true)]
    target: f64,
    /// Share of positive labels, under the other losses
    #[arg(long, value_name = "P", default_value_t = 0.5, allow_hyphen_values = true)]
    share: f64,
    /// Widths: a list
    #[arg(long, value_name = "LIST", default_value = "10,100,1000,1e4,1e6", allow_hyphen_values = true)]
    width: Axis,
    /// Curvature at the start
    #[arg(long, value_name = "X", default_value_t = 2.0, allow_hyphen_values = true)]
    lambda0: f64,
    /// Output at the start
    #[arg(long, value_name = "X", default_value_t = 0.1, allow_hyphen_values = true)]
    f0: f64,
    /// Where to look, as c = eta x sharpness at the start
    #[arg(long, value_name = "LOW", default_value_t = 0.1, allow_hyphen_values = true)]
    low: f64,
    /// The upper end
    #[arg(long, value_name = "HIGH", default_value_t = 100.0, allow_hyphen_values = true)]
    high: f64,
    /// Steps at most of a run
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: u64,
}

#[derive(Serialize)]
struct Report {
    definition: Definition,
    loss: ScalarLoss,
    start: State,
    boundaries: Vec<Boundaries>,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Verdict, Failure> {
        let loss = match self.loss {
            LossName::Mse => ScalarLoss::Mse { target: self.target },
            LossName::Logistic => ScalarLoss::Logistic { positive: self.share },
            LossName::Exponential => ScalarLoss::Exponential { positive: self.share },
        };
        let start = State { f: self.f0, lambda: self.lambda0 };
        let range = Range { low: self.low, high: self.high, steps: 200, tolerance: 1e-6 };
        let settings = RunSettings { max_steps: self.steps as usize, ..RunSettings::default() };
        let directory = context.run_directory(None, &[])?;
        let bar = context.progress.bar("widths", self.width.len() as u64);
        let mut boundaries = Vec::new();
        for width in self.width.values() {
            boundaries.push(map_boundaries(loss, width, start, &range, &settings)?);
            bar.inc(1);
        }
        drop(bar);
        let report = Report { definition: DEFINITION, loss, start, boundaries };
        if let Some(directory) = directory {
            directory.write_json("boundaries.json", &report)?;
        }
        let place = |bracket: Option<Bracket>| bracket.map_or("-".into(), |at| significant(at.middle(), 6));
        let cells = |found: &Boundaries| {
            [
                significant(found.width, 4),
                significant(found.sharpness, 4),
                place(found.c_loss),
                place(found.c_sharp),
                place(found.c_max),
            ]
        };
        context.output.show(&report, || {
            let Definition { version, c_loss, c_sharp, c_max, .. } = DEFINITION;
            let table = table(
                ["width", "sharpness", "c_loss", "c_sharp", "c_max"],
                report.boundaries.iter().map(cells),
            );
            format!(
                "c = eta x sharpness at the start; a dash: no such change between {} and {}\n\n{table}\nDefinition {version}:\n  \
                 c_loss   {c_loss}\n  c_sharp  {c_sharp}\n  c_max    {c_max}\n",
                self.low, self.high
            )
        })?;
        Ok(Verdict::Done)
    }
}
