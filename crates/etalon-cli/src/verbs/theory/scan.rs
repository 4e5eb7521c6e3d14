//! One scalar model over learning rates and widths: runs, trajectories, grids and pictures.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use crate::picture::{Picture, StyleArgumentsBesideWidth};
use etalon::memory;
use etalon::record::Record;
use etalon::record::write_whole;
use etalon::theory::{Axis, MapRuns, RunSettings, ScalarLoss, Scan, ScanRun, State, Summary, TheoryError};
use etalon::units::significant;
use etalon_report::figure::PhasePicture;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// More runs than this are counted, not listed, and run for fewer steps.
const LISTED: usize = 1000;
/// Steps at most of a run, for few runs and for many.
const STEPS: (usize, usize) = (200_000, 4_000);

/// What every scalar model takes.
#[derive(clap::Args)]
pub(super) struct Scalars {
    /// Learning rates, as c = eta x lambda0 (the NTK's, not the sharpness): a list
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    c: Option<Axis>,
    /// Widths: a list
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    width: Option<Axis>,
    /// The NTK at the start
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    lambda0: Option<f64>,
    /// Output at the start
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    f0: Option<f64>,
    /// Steps at most [default: 200000; 4000 for more than 1000 runs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: Option<u64>,
    /// Write the state at every step of every run to this CSV file
    #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath)]
    trajectory: Option<PathBuf>,
    /// Write all runs to this CSV file
    #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath)]
    grid: Option<PathBuf>,
    /// Draw the phases over c and width, as SVG, PNG or PDF, and write the runs as CSV beside it
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_hint = clap::ValueHint::FilePath)]
    figure: Option<Picture>,

    #[command(flatten)]
    style: StyleArgumentsBesideWidth,
}

/// `etalon theory map`.
#[derive(clap::Args)]
pub(crate) struct Map {
    #[command(flatten)]
    scalars: Scalars,
}

/// `etalon theory logistic`.
#[derive(clap::Args)]
pub(crate) struct Logistic {
    #[command(flatten)]
    scalars: Scalars,
    /// Share of positive labels, between 0 and 1
    #[arg(long, value_name = "P", default_value_t = 0.5, allow_hyphen_values = true)]
    share: f64,
}

/// `etalon theory exponential`.
#[derive(clap::Args)]
pub(crate) struct Exponential {
    #[command(flatten)]
    scalars: Scalars,
    /// Share of positive labels, between 0 and 1
    #[arg(long, value_name = "P", default_value_t = 0.5, allow_hyphen_values = true)]
    share: f64,
}

/// `etalon theory uv`.
#[derive(clap::Args)]
pub(crate) struct Uv {
    #[command(flatten)]
    scalars: Scalars,
    /// The value to learn
    #[arg(long, value_name = "Y", default_value_t = 1.0, allow_hyphen_values = true)]
    target: f64,
}

/// What a model runs where nothing is said: learning rates, width, output and curvature at the start.
struct Defaults {
    c: &'static str,
    width: f64,
    f0: f64,
    lambda0: f64,
}

impl Map {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let defaults = Defaults { c: "1,1.9,2.5,3,3.5,3.9,4.1", width: 1024.0, f0: 1.0, lambda0: 2.0 };
        self.scalars.run(context, "map", ScalarLoss::Mse { target: 0.0 }, &defaults)
    }
}

impl Logistic {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let defaults = Defaults { c: "4,7.5,9,20,100,170,200", width: 1000.0, f0: 1.0, lambda0: 2.0 };
        let loss = ScalarLoss::Logistic { positive: inner_share(self.share)? };
        self.scalars.run(context, "logistic", loss, &defaults)
    }
}

impl Exponential {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let defaults = Defaults { c: "1,1.9,2.01,2.02,2.1,2.5", width: 100.0, f0: 0.1, lambda0: 2.0 };
        let loss = ScalarLoss::Exponential { positive: inner_share(self.share)? };
        self.scalars.run(context, "exponential", loss, &defaults)
    }
}

impl Uv {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let defaults = Defaults { c: "1,1.5,1.9,2.1,2.3,2.5,3", width: 4.0, f0: 0.9, lambda0: 1.0 };
        self.scalars.run(context, "uv", ScalarLoss::Mse { target: self.target }, &defaults)
    }
}

/// A share that leaves both labels: with one alone there is no minimum, and no phase to tell.
fn inner_share(share: f64) -> Result<f64, Failure> {
    if share > 0.0 && share < 1.0 {
        return Ok(share);
    }
    Err(format!(
        "--share is {share}; it must lie between 0 and 1, both excluded: with one label alone the classes are \
         separable and the loss has no minimum"
    )
    .into())
}

impl Scalars {
    fn scan(&self, loss: ScalarLoss, defaults: &Defaults) -> Result<Scan, Failure> {
        let c = match &self.c {
            Some(c) => c.clone(),
            None => defaults.c.parse()?,
        };
        let widths = self.width.clone().unwrap_or_else(|| vec![defaults.width].into());
        let start =
            State { f: self.f0.unwrap_or(defaults.f0), lambda: self.lambda0.unwrap_or(defaults.lambda0) };
        let mut scan = Scan { loss, start, c, widths, settings: RunSettings::default() };
        let few = scan.len() <= LISTED;
        let steps = self.steps.map_or(if few { STEPS.0 } else { STEPS.1 }, |steps| steps as usize);
        scan.settings.max_steps = steps;
        Ok(scan)
    }

    fn run(
        self,
        context: &Context,
        model: &'static str,
        loss: ScalarLoss,
        defaults: &Defaults,
    ) -> Result<Exit, Failure> {
        let scan = self.scan(loss, defaults)?;
        memory::check(
            "this scan",
            scan.bytes(),
            "take fewer points of c or of the width; 400 x 400 fill a picture",
        )?;
        let directory = context.run_directory(None, &[])?;
        let spinner = context.progress.spinner(format!("running {} maps", scan.len()));
        let runs = scan.runs()?;
        drop(spinner);
        if runs.iter().any(ScanRun::is_at_rest) {
            let at_minimum = TheoryError::AtMinimum { f: scan.start.f };
            context.progress.say("warning", &format!("{at_minimum} (--f0)"));
        }
        let edges = scan.widths.values().map(|width| scan.edges(width)).collect();
        let found = MapRuns {
            model: model.into(),
            loss,
            start: scan.start,
            max_steps: scan.settings.max_steps,
            edges,
            runs: runs.iter().map(ScanRun::summary).collect(),
        };
        if let Some(file) = &self.figure {
            let picture = PhasePicture::new(title(model, &scan), &scan, &runs)?;
            file.write(&picture.figure(), &(&self.style).into(), &grid(&found.runs))?;
        }
        if let Some(path) = &self.grid {
            write_whole(path, grid(&found.runs).as_bytes())?;
        }
        if let Some(path) = &self.trajectory {
            write_whole(path, trajectories(&runs)?.as_bytes())?;
        }
        let record = Record::from(found.clone());
        if let Some(folder) = directory {
            folder.write_record(&record)?;
            folder.write("runs.csv", grid(&found.runs).as_bytes())?;
        }
        context.output.show_record(&record, || text(&found))?;
        Ok(Exit::Done)
    }
}

fn title(model: &str, scan: &Scan) -> String {
    let loss = match scan.loss {
        ScalarLoss::Mse { target: 0.0 } => "squared loss".to_string(),
        ScalarLoss::Mse { target } => format!("squared loss, target {target}"),
        ScalarLoss::Logistic { positive } => format!("logistic loss, share {positive} positive"),
        ScalarLoss::Exponential { positive } => {
            format!("exponential loss, share {positive} positive")
        }
    };
    let State { f, lambda } = scan.start;
    let steps = scan.settings.max_steps;
    format!("The {model} model: {loss}; from output {f}, curvature {lambda}; at most {steps} steps")
}

/// All runs as CSV.
fn grid(runs: &[Summary]) -> String {
    let mut csv = format!("{}\n", Summary::CSV);
    for run in runs {
        csv.push_str(&run.csv());
        csv.push('\n');
    }
    csv
}

/// Every state of every run as CSV.
fn trajectories(runs: &[ScanRun]) -> Result<String, Failure> {
    const HEADER: &str = "width,c,step,f,loss,lambda,eta_lambda\n";
    // Five numbers of up to 24 characters and two short ones.
    const LINE: u64 = 120;
    let lines = runs.iter().fold(0u64, |sum, run| sum.saturating_add(run.run.steps as u64 + 1));
    memory::check("the trajectories' file", lines.saturating_mul(LINE), "take fewer runs, or fewer --steps")?;
    let mut csv = HEADER.to_string();
    for run in runs {
        let (width, c) = (run.map.width(), run.c);
        for (step, State { f, lambda }) in run.states().enumerate() {
            let (loss, product) = (run.map.loss().value(f), run.map.eta() * lambda);
            writeln!(csv, "{width:?},{c:?},{step},{f:?},{loss:?},{lambda:?},{product:?}")?;
        }
    }
    Ok(csv)
}

fn text(report: &MapRuns) -> String {
    let mut text = String::new();
    for edges in report.edges.iter().take(3) {
        let name = |c: Option<f64>| c.map_or("no closed form".into(), |c| significant(c, 4));
        text.push_str(&format!(
            "width {}: the minimum is unstable above c = {}, training diverges above c = {}\n",
            significant(edges.width, 4),
            name(edges.critical_c),
            name(edges.catapult_c)
        ));
    }
    if report.edges.len() > 3 {
        text.push_str(&format!("and {} more widths\n", report.edges.len() - 3));
    }
    text.push('\n');
    if report.runs.len() > LISTED {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        report.runs.iter().for_each(|run| *counts.entry(run.phase.name()).or_default() += 1);
        let share = |count: usize| significant(100.0 * count as f64 / report.runs.len() as f64, 3);
        let rows = counts.into_iter().map(|(name, count)| [name.into(), count.to_string(), share(count)]);
        return text + &table(["phase", "runs", "percent"], rows);
    }
    let number = |value: Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
    let cells = |run: &Summary| {
        let phase = run.phase.period().map_or(run.phase.name().into(), |period| format!("{period}-cycle"));
        [
            significant(run.width, 4),
            significant(run.c, 4),
            phase,
            significant(run.peak_loss, 4),
            run.peak_step.to_string(),
            number(run.final_lambda),
            number(run.final_c),
            run.steps.to_string(),
        ]
    };
    let headings = ["width", "c", "phase", "peak loss", "at step", "final lambda", "final c", "steps"];
    text + &table(headings, report.runs.iter().map(cells))
}
