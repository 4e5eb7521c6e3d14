//! The operational boundaries of early training, for a map.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::phase::{Boundaries, Boundary, DEFINITION, Definition, MapBoundaries, Side, map_boundaries};
use etalon::theory::{Axis, Range, RunSettings, ScalarLoss, State};
use etalon::units::significant;

/// The loss of the map.
#[derive(Clone, Copy, clap::ValueEnum)]
enum LossName {
    Mse,
    Logistic,
    Exponential,
}

/// `etalon theory boundaries`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
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
    /// The NTK at the start
    #[arg(long, value_name = "X", default_value_t = 2.0, allow_hyphen_values = true)]
    lambda0: f64,
    /// Output at the start
    #[arg(long, value_name = "X", default_value_t = 0.1, allow_hyphen_values = true)]
    f0: f64,
    /// Where to look, as c_h = eta x sharpness at the start (the Hessian's top, not the NTK's)
    #[arg(long, value_name = "LOW", default_value_t = 0.1, allow_hyphen_values = true)]
    low: f64,
    /// The upper end
    #[arg(long, value_name = "HIGH", default_value_t = 100.0, allow_hyphen_values = true)]
    high: f64,
    /// Steps at most of a run
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: u64,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
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
        let found = MapBoundaries { definition: DEFINITION, loss, start, boundaries };
        context.leave(directory, &found, |found| self.text(found))?;
        Ok(Exit::Done)
    }

    fn text(&self, report: &MapBoundaries) -> String {
        let place = |boundary: &Boundary| match boundary {
            Boundary::Between(bracket) => significant(bracket.middle(), 6),
            Boundary::Outside { side: Side::Below, .. } => format!("<{}", self.low),
            Boundary::Outside { side: Side::Above, .. } => format!(">{}", self.high),
            Boundary::Outside { side: Side::Unknown, .. } => "?".into(),
        };
        let cells = |found: &Boundaries| {
            [
                significant(found.width, 4),
                found.sharpness.map_or("-".into(), |sharpness| significant(sharpness, 4)),
                place(&found.c_h_loss),
                place(&found.c_h_sharp),
                place(&found.c_h_max),
            ]
        };
        let headings = ["width", "sharpness", "c_h_loss", "c_h_sharp", "c_h_max"];
        let table = table(headings, report.boundaries.iter().map(cells));
        let notes: String = report.boundaries.iter().flat_map(notes).collect();
        let Definition { version, c_h, c_h_loss, c_h_sharp, c_h_max, .. } = DEFINITION;
        format!(
            "c_h = eta x sharpness at the start; the c of the other models is eta x lambda0 = c_h x {} / sharpness\n\n\
             {table}\n{notes}\nDefinition {version}:\n  c_h        {c_h}\n  c_h_loss   {c_h_loss}\n  \
             c_h_sharp  {c_h_sharp}\n  c_h_max    {c_h_max}\n",
            self.lambda0
        )
    }
}

/// What the table has no room for: why a boundary is not in the range, and what lies about the edge of divergence.
fn notes(found: &Boundaries) -> Vec<String> {
    let width = significant(found.width, 4);
    let named = [("c_h_loss", &found.c_h_loss), ("c_h_sharp", &found.c_h_sharp), ("c_h_max", &found.c_h_max)];
    let outside = |(name, boundary): (&str, &Boundary)| match boundary {
        Boundary::Between(_) => None,
        Boundary::Outside { reason, .. } => Some(format!("width {width}, {name}: {reason}\n")),
    };
    let mut notes: Vec<String> = named.into_iter().filter_map(outside).collect();
    if let Some(seen) = &found.divergence {
        let number = |value: f64| significant(value, 5);
        let above = match (seen.islands.first(), seen.islands.last()) {
            (Some([first, _]), Some([_, last])) => {
                let count = seen.islands.len();
                format!("{count} windows of survival above it, from {} to {}", number(*first), number(*last))
            }
            _ => "no survival above it".into(),
        };
        let [low, high] = seen.scanned.map(number);
        let (runs, step) = (seen.runs, 100.0 * (seen.resolution - 1.0));
        notes.push(format!(
            "width {width}, c_h_max: {above}, in {runs} runs from {low} to {high}, {} % apart\n",
            significant(step, 1)
        ));
    }
    notes
}
