//! `etalon watch`: which phase a training log is in.

use crate::context::{Context, Exit, Failure};
use clap::ValueEnum;
use etalon::nn::optim::{AdamW, Rule, Sgd};
use etalon::units::significant;
use etalon::watch::{Columns, Detector, Finding, Log, Settings, State};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

/// Say which phase a training log is in: lazy, catapult in progress, edge of stability, diverging, stuck
///
/// Reads JSON lines, CSV with a header, or TensorBoard event files (a file or their folder), whatever trainer
/// wrote them. Needs the loss; with the learning rate and the curvature (hessian, sharpness, ...) it knows the
/// edge of stability for sure. A rise of the loss that slows down is a catapult, not divergence.
#[derive(clap::Args)]
pub struct Arguments {
    /// The log; - reads stdin
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    log: PathBuf,

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

    /// Column of the learning rate
    #[arg(long, value_name = "NAME")]
    rate: Option<String>,

    /// Column of the curvature: the largest eigenvalue of the Hessian, with --adam of the preconditioned one
    #[arg(long, value_name = "NAME")]
    curvature: Option<String>,
}

/// States that a run can be stopped at.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stop {
    Diverging,
    Stuck,
    Catapult,
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
    pub fn run(self, context: &Context) -> Result<Exit, Failure> {
        let path = if self.log.as_os_str() == "-" { "/dev/stdin".into() } else { self.log.clone() };
        let [loss, step, rate, curvature] =
            [&self.loss, &self.step, &self.rate, &self.curvature].map(Option::clone);
        let preconditioned = self.adam.is_some();
        let columns = Columns { step, loss, rate, curvature, metric: None, preconditioned };
        let mut log = Log::open(&path, columns)?;
        if self.follow { self.follow(&mut log, context) } else { self.once(&mut log, context) }
    }

    fn detector(&self) -> Detector {
        let (momentum, nesterov) = (self.momentum, self.nesterov);
        let optimizer = match self.adam {
            Some(beta1) => Rule::AdamW(AdamW { beta1, ..AdamW::default() }),
            None => Rule::Sgd(Sgd { momentum, nesterov }),
        };
        Detector::new(Settings { optimizer })
    }

    fn stops_at(&self, state: State) -> bool {
        self.stop.iter().any(|stop| match stop {
            Stop::Diverging => state == State::Diverging,
            Stop::Stuck => state == State::Stuck,
            Stop::Catapult => state == State::CatapultInProgress,
        })
    }

    fn once(&self, log: &mut Log, context: &Context) -> Result<Exit, Failure> {
        let mut detector = self.detector();
        log.read(true, |point| detector.push(point))?;
        if let Some((rate, curvature)) = log.after() {
            detector.measured(rate, curvature);
        }
        if let (skipped @ 1.., Some(problem)) = log.skipped() {
            context
                .progress
                .say("warning", &format!("{skipped} lines are no rows of the log; the first: {problem}"));
        }
        let finding = detector.finding();
        context.output.show(&finding, || text(&finding))?;
        Ok(if self.stops_at(finding.state) { Exit::Stop } else { Exit::Done })
    }

    fn follow(&self, log: &mut Log, context: &Context) -> Result<Exit, Failure> {
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
    let Finding { greatest_rise, rises, .. } = finding;
    let number = |value: &Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
    let mut text = format!("{state}: {why}\n\n");
    if let (Some(step), Some(_)) = (step, first_loss) {
        text +=
            &format!("{rows} losses up to step {step}: first {}, last {}", number(first_loss), number(loss));
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
    if let Some(advice) = advice {
        text += &format!("{advice}\n");
    }
    text
}
