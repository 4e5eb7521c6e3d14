//! `etalon watch`: which phase a training log is in.

use crate::context::{Context, Exit, Failure};
use clap::ValueEnum;
use etalon::nn::optim::{AdamW, Optimizer, Rule, Sgd};
use etalon::record::Record;
use etalon::units::significant;
use etalon::watch::{
    Columns, Curve, Detector, Finding, Log, Settings, State, WatchError, Watched, WatchedLog, runs,
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// Say which phase a training log is in: lazy, catapult, edge of stability, norm-driven instability, diverging, stuck
///
/// Reads JSON (lines, or a document such as transformers' trainer_state.json), CSV with a header (exports of Weights &
/// Biases too), plain text (`step 100 loss: 0.31`), or TensorBoard event files (a file, a folder, or a root of several
/// runs), whatever trainer wrote them. Needs the loss; with the learning rate and the curvature (hessian, sharpness,
/// ...) it knows the edge of stability for sure. A rise of the loss that slows down is a catapult, not divergence.
/// With --out DIR it leaves a folder that `etalon report` draws.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Logs; - reads stdin
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::AnyPath, required = true)]
    logs: Vec<PathBuf>,

    /// Of a log with several runs this one; more may be given [default: all]
    #[arg(long, value_name = "NAME")]
    run: Vec<String>,

    /// Go on as the log grows, and print a line whenever the phase changes
    #[arg(short, long)]
    follow: bool,

    /// Seconds between two looks at the log
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,

    /// Exit with 3 (with --follow: at once) when the log is diverging, or in the states given
    #[arg(
        long, value_name = "STATES", value_delimiter = ',', num_args = 0..=1, require_equals = true,
        default_missing_value = "diverging"
    )]
    stop: Vec<Stop>,

    /// Momentum of the run, in PyTorch's form: the limit of stability is (2 + 2 momentum) / curvature
    #[arg(long, value_name = "B", default_value_t = 0.0, value_parser = share)]
    momentum: f64,

    /// The momentum is Nesterov's: the limit is (2 + 2 momentum) / ((1 + 2 momentum) curvature)
    #[arg(long, requires = "momentum")]
    nesterov: bool,

    /// The run is Adam's or AdamW's, with this beta1: the limit is (2 + 2 beta1) / ((1 - beta1) curvature), the curvature
    /// that of the preconditioned Hessian
    #[arg(long, value_name = "BETA1", value_parser = share, conflicts_with = "momentum")]
    adam: Option<f64>,

    /// Column or tag of the training loss [default: recognised by its name]
    #[arg(long, value_name = "NAME")]
    loss: Option<String>,

    /// Column of the step
    #[arg(long, value_name = "NAME")]
    step: Option<String>,

    /// Column of the learning rate, or the rate itself where no column has it
    #[arg(long, visible_alias = "lr", value_name = "NAME|RATE", value_parser = rate)]
    rate: Option<Rate>,

    /// Column of the curvature: the largest eigenvalue of the Hessian, with --adam of the preconditioned one
    #[arg(long, value_name = "NAME")]
    curvature: Option<String>,

    /// Column of the norm of the weights whose scale does not matter, or of its square
    #[arg(long, value_name = "NAME")]
    norm: Option<String>,
}

/// States that a run can be stopped at.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stop {
    Diverging,
    Stuck,
    Catapult,
}

/// The learning rate of a log.
#[derive(Clone)]
enum Rate {
    Column(String),
    Constant(f64),
}

fn rate(text: &str) -> Result<Rate, String> {
    match text.parse() {
        Err(_) => Ok(Rate::Column(text.into())),
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(Rate::Constant(rate)),
        Ok(_) => Err("a rate must be a positive number".into()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "is no number".to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(interval) if interval >= Duration::from_millis(10) => Ok(interval),
        _ => Err("must be at least 0.01 seconds".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 up to, but not, 1".into()),
    }
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.follow { self.follow(context) } else { self.once(context) }
    }

    fn columns(&self, run: Option<String>) -> Columns {
        let [loss, step, curvature, norm] =
            [&self.loss, &self.step, &self.curvature, &self.norm].map(Option::clone);
        let (rate, constant_rate) = match &self.rate {
            Some(Rate::Column(name)) => (Some(name.clone()), None),
            Some(Rate::Constant(rate)) => (None, Some(*rate)),
            None => (None, None),
        };
        let preconditioned = self.adam.is_some();
        Columns { step, loss, rate, constant_rate, curvature, norm, metric: None, preconditioned, run }
    }

    /// The runs of a log that are to be read; none in the place of a single one.
    fn runs(&self, path: &Path) -> Result<Vec<Option<String>>, Failure> {
        let found = if self.run.is_empty() { runs(path, &self.columns(None))? } else { self.run.clone() };
        let found: Vec<_> = found.into_iter().map(Some).collect();
        Ok(if found.is_empty() { vec![None] } else { found })
    }

    fn optimizer(&self) -> Rule {
        let (momentum, nesterov) = (self.momentum, self.nesterov);
        match self.adam {
            Some(beta1) => Rule::AdamW(AdamW { beta1, ..AdamW::default() }),
            None => Rule::Sgd(Sgd { momentum, nesterov }),
        }
    }

    fn detector(&self) -> Detector {
        Detector::new(Settings { optimizer: self.optimizer() })
    }

    fn stops_at(&self, state: State) -> bool {
        self.stop.iter().any(|stop| match stop {
            Stop::Diverging => state == State::Diverging,
            Stop::Stuck => state == State::Stuck,
            Stop::Catapult => state == State::CatapultInProgress,
        })
    }

    fn once(&self, context: &Context) -> Result<Exit, Failure> {
        let folder = context.run_directory(None, &[])?;
        let (mut logs, mut unread) = (Vec::new(), None);
        for path in &self.logs {
            let runs = self.runs(path)?;
            let is_one = runs.len() == 1;
            for run in runs {
                let shown = path.display();
                let name = run.as_ref().map_or(shown.to_string(), |run| format!("{shown}: {run}"));
                match self.read(path, run, name, context) {
                    Ok(log) => logs.push(log),
                    // Of many runs below a folder some may be of something else.
                    Err(error @ WatchError::NoColumn { .. }) if !is_one => {
                        context.progress.say("warning", &format!("left out: {error}"));
                        unread = Some(error);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if let (true, Some(error)) = (logs.is_empty(), unread) {
            return Err(error.into());
        }
        let stops = logs.iter().any(|log| self.stops_at(log.finding.state));
        match logs.as_slice() {
            [log] => context.output.tell(&log.finding, || text(&log.finding))?,
            logs => {
                let named: Vec<_> = logs
                    .iter()
                    .map(|WatchedLog { name, finding, .. }| Named { log: name, finding })
                    .collect();
                context.output.tell(&named, || named.iter().map(Named::text).collect())?;
            }
        }
        if let Some(folder) = folder {
            let limit = self.optimizer().stability().map(|stability| stability.limit(1.0)).ok();
            folder.write_record(&Record::from(Watched { logs, limit }))?;
        }
        Ok(if stops { Exit::Stop } else { Exit::Done })
    }

    fn read(
        &self,
        path: &Path,
        run: Option<String>,
        name: String,
        context: &Context,
    ) -> Result<WatchedLog, WatchError> {
        let mut log = Log::open(stream(path), self.columns(run))?;
        let (mut detector, mut curve) = (self.detector(), Curve::default());
        log.read(true, |point| {
            detector.push(point);
            curve.push(point);
        })?;
        if let Some((rate, curvature)) = log.after() {
            detector.measured(rate, curvature);
        }
        if let (skipped @ 1.., Some(problem)) = log.skipped() {
            let text = match skipped {
                1 => format!("a line is no row of {name}: {problem}"),
                _ => format!("{skipped} lines are no rows of {name}; the first: {problem}"),
            };
            context.progress.say("warning", &text);
        }
        Ok(WatchedLog { name, finding: detector.finding(), points: curve.points() })
    }

    fn follow(&self, context: &Context) -> Result<Exit, Failure> {
        if context.out.is_some() {
            return Err(
                "--follow leaves no folder; run it with --out and without --follow when the log has ended"
                    .into(),
            );
        }
        let ([path], [] | [_]) = (self.logs.as_slice(), self.run.as_slice()) else {
            return Err("--follow follows one run of one log; give one".into());
        };
        let mut log = Log::open(stream(path), self.columns(self.run.first().cloned()))?;
        let mut detector = self.detector();
        let mut shown = None;
        loop {
            if log.began_anew()? {
                context.progress.say("note", "the log was begun anew");
                detector = self.detector();
            }
            let mut result = Ok(());
            log.read(false, |point| {
                detector.push(point);
                let finding = detector.finding();
                // What comes after the end of the run that was asked for is not looked at.
                let over = result.is_err() || shown.is_some_and(|state| self.stops_at(state));
                if !over && shown != Some(finding.state) {
                    shown = Some(finding.state);
                    result = print(&finding, context);
                }
            })?;
            result?;
            if shown.is_some_and(|state| self.stops_at(state)) {
                return Ok(Exit::Stop);
            }
            sleep(self.interval);
        }
    }
}

/// The path that stands for stdin, or the path.
fn stream(path: &Path) -> &Path {
    if path.as_os_str() == "-" { Path::new("/dev/stdin") } else { path }
}

/// A finding among others.
#[derive(Serialize)]
struct Named<'a> {
    log: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl Named<'_> {
    fn text(&self) -> String {
        let Finding { state, why, advice, .. } = self.finding;
        let advice = advice.as_ref().map_or(String::new(), |advice| format!("  {advice}\n"));
        format!("{}: {state}: {why}\n{advice}", self.log)
    }
}

/// One line a finding.
fn print(finding: &Finding, context: &Context) -> Result<(), Failure> {
    let line = if context.json { serde_json::to_string(finding)? } else { line(finding) };
    Ok(context.output.print(&line)?)
}

fn line(finding: &Finding) -> String {
    let step = finding.step.map_or("-".into(), |step| step.to_string());
    format!("step {step}: {}: {}", finding.state, finding.why)
}

fn text(finding: &Finding) -> String {
    let Finding { state, why, advice, rows, step, loss, first_loss, noise, rate, over_limit, .. } = finding;
    let Finding { greatest_rise, rises, norm_driven, .. } = finding;
    let number = |value: &Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
    let mut text = format!("{state}: {why}\n\n");
    if let (Some(step), Some(_)) = (step, first_loss) {
        let losses = if *rows == 1 { "loss" } else { "losses" };
        text += &format!(
            "{rows} {losses} up to step {step}: first {}, last {}",
            number(first_loss),
            number(loss)
        );
        if let Some(noise) = noise {
            text += &format!(", noise {} % of the first", significant(100.0 * noise, 2));
        }
        text += "\n";
    }
    if rate.is_some() {
        text += &format!("learning rate {}", number(rate));
        if over_limit.is_some() {
            text += &format!(", {} of the limit of stability", number(over_limit));
        }
        text += "\n";
    }
    if let Some(rise) = greatest_rise {
        text += &format!(
            "rises that came back: {rises}; the largest {}-fold, to {} at step {}\n",
            significant(rise.peak / rise.from, 3),
            significant(rise.peak, 4),
            rise.peak_step
        );
    }
    if *norm_driven > 0 {
        text +=
            &format!("of them {norm_driven} after the norm of the weights had shrunk, which grew in them\n");
    }
    if let Some(advice) = advice {
        text += &format!("{advice}\n");
    }
    text
}
