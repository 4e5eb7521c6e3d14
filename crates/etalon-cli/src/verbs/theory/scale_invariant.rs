//! Normalisation and weight decay in toys.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::memory;
use etalon::models::{Toy, ToyRun, ToyState, Toys, toy_runs};
use etalon::record::write_whole;
use etalon::theory::scale_invariant::Training;
use etalon::units::significant;
use etalon_report::figure::{Point, thin};
use std::path::PathBuf;

/// `etalon theory scale-invariant`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which toy
    #[arg(long, value_name = "TOY", default_value = "ratio")]
    problem: Problem,
    /// Learning rates, separated by commas
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "0.1",
        allow_hyphen_values = true
    )]
    eta: Vec<f64>,
    /// Weight decays, separated by commas [default: 0,0.03,0.1 of the ratio, 0,0.01,0.1 of the classifier]
    #[arg(long, value_name = "LIST", value_delimiter = ',', allow_hyphen_values = true)]
    weight_decay: Vec<f64>,
    /// Steps [default: 100000 of the ratio, 60000 of the classifier]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: Option<u64>,
    /// Deviation of the ratio's gradient noise along the circle
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_hyphen_values = true)]
    noise: f64,
    /// Samples a step of the classifier
    #[arg(long, value_name = "N", default_value_t = 16)]
    batch: usize,
    /// Numbers of a sample of the classifier
    #[arg(long, value_name = "N", default_value_t = 20)]
    dimension: usize,
    /// Write states of every run to this CSV file
    #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath)]
    trajectory: Option<PathBuf>,
    /// Steps between two states of --trajectory
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

/// The toys.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Problem {
    /// L = x^2 / (x^2 + y^2), against L = x^2
    Ratio,
    /// A linear classifier of Gaussian samples behind a normalisation, against one without
    Classifier,
}

/// States of a run that a folder has at most, and the steps at most that they are chosen from.
const STATES: usize = 1000;
const SEEN: u64 = 100_000;
/// The loss of the ratio bursts every hundred steps or so: a folder has its first steps, where a picture shows that.
const RATIO_STEPS: u64 = 3000;

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (toy, steps, decays) = match self.problem {
            Problem::Ratio => (Toy::Ratio { noise: self.noise }, 100_000, [0.0, 0.03, 0.1]),
            Problem::Classifier => {
                (Toy::Classifier { batch: self.batch, dimension: self.dimension }, 60_000, [0.0, 0.01, 0.1])
            }
        };
        let (steps, seed) = (self.steps.unwrap_or(steps), context.seed.unwrap_or(0));
        let decays = if self.weight_decay.is_empty() { &decays[..] } else { &self.weight_decay };
        let mut trainings = Vec::new();
        for normalized in [true, false] {
            for &eta in &self.eta {
                trainings.extend(decays.iter().map(|&weight_decay| Training {
                    normalized,
                    eta,
                    weight_decay,
                }));
            }
        }
        let every = match (&self.trajectory, &context.out) {
            (Some(_), _) => self.every,
            (None, Some(_)) => steps.div_ceil(SEEN).max(1),
            (None, None) => 0,
        };
        let states = steps.checked_div(every).unwrap_or(0).saturating_mul(trainings.len() as u64);
        memory::check(
            "the trajectories",
            states.saturating_mul(120),
            "take fewer --steps, or a larger --every",
        )?;
        if let Toy::Classifier { batch, dimension } = toy {
            let numbers =
                (batch as u64).saturating_mul(dimension as u64).saturating_mul(trainings.len() as u64);
            memory::check("the classifier's batches", numbers.saturating_mul(8), "take a smaller --batch")?;
        }
        let directory = context.run_directory(None, &[seed])?;
        let task = format!("running {} toys of {steps} steps", trainings.len());
        let spinner = context.progress.spinner(task);
        let runs = toy_runs(toy, &trainings, steps, seed, every)?;
        drop(spinner);
        if let Some(path) = &self.trajectory {
            write_whole(path, trajectories(&runs).as_bytes())?;
        }
        let toys = Toys { toy, steps, seed, runs, curves: Vec::new() };
        if let Some(folder) = directory {
            let curves = toys.runs.iter().map(|run| curve(run, toy)).collect();
            folder.write_record(&Toys { curves, ..toys.clone() }.into())?;
        }
        context.output.show_record(&toys.clone().into(), || text(&toys))?;
        Ok(Exit::Done)
    }
}

/// The states that a picture shows.
fn curve(run: &ToyRun, toy: Toy) -> Vec<ToyState> {
    let end = if matches!(toy, Toy::Ratio { .. }) { RATIO_STEPS } else { u64::MAX };
    // What is no number has no form in JSON, and behind it nothing is one any more.
    let is_shown =
        |&&(step, value, square): &&ToyState| step <= end && value.is_finite() && square.is_finite();
    let shown = run.states.iter().take_while(is_shown);
    let point =
        |&(step, value, _): &ToyState| Point { x: step as f64, y: value, spread: None, hollow: false };
    let few = thin(&shown.map(point).collect::<Vec<_>>(), STATES);
    let mut kept = few.iter().map(|point| point.x as u64).peekable();
    run.states.iter().filter(|state| kept.next_if_eq(&state.0).is_some()).copied().collect()
}

fn trajectories(runs: &[ToyRun]) -> String {
    let mut csv = "normalized,eta,weight_decay,step,value,square\n".to_string();
    for ToyRun { normalized, eta, weight_decay, states, .. } in runs {
        for (step, value, square) in states {
            csv += &format!("{normalized},{eta:?},{weight_decay:?},{step},{value:?},{square:?}\n");
        }
    }
    csv
}

fn text(report: &Toys) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
    let (mean, is_ratio) = match report.toy {
        Toy::Ratio { .. } => ("mean loss", true),
        Toy::Classifier { .. } => ("mean error", false),
    };
    let cells = |run: &ToyRun| {
        [
            if run.normalized { "yes" } else { "no" }.into(),
            significant(run.eta, 4),
            significant(run.weight_decay, 4),
            number(run.mean),
            number(run.largest),
            if is_ratio { run.bursts.to_string() } else { "-".into() },
            number(run.square),
            number(run.effective_rate),
        ]
    };
    let headings = ["normalised", "eta", "weight decay", mean, "largest", "bursts", "|w|^2", "eta / |w|^2"];
    format!(
        "{} steps; means and largest over the last sixth of them\n\n{}",
        report.steps,
        table(headings, report.runs.iter().map(cells))
    )
}
