//! `etalon find`: the rate to use, and the maximal initial learning rate.

use crate::args::{Job, Trainer};
use crate::context::{Context, Exit, Failure};
use crate::interrupt;
use crate::output::{OutputError, table};
use etalon::jobs::News;
use etalon::record::Record;
use etalon::search::{Ended, EtaStarSummary, Found, Provisional, Recommendation, Saved};
use etalon::spec::Spec;
use etalon::units::significant;
use serde::Serialize;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Find the learning rate to use, and the largest at which a fresh network trains
///
/// Tells a rate from curvature at once, then the rate to use with all that are as good, then eta*. The last line has the
/// rate to use; with --quiet it is the only one, and the number alone. Ctrl-C tells what is known by then; with --out the
/// same command goes on from there.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    job: Job,

    /// Choose the rate by short trainings alone, for at most half of what one training costs (or one short training, where
    /// the schedule rises for so long), without eta*; the same as search.trainings=0 search.eta_star=no
    #[arg(long, conflicts_with = "thorough")]
    quick: bool,

    /// Choose the rate by up to 10 full trainings; the same as search.trainings=10
    #[arg(long)]
    thorough: bool,

    /// Whether to search eta*; the same as search.eta_star
    #[arg(long, value_name = "WHETHER", value_parser = ["only", "also", "no"])]
    eta_star: Option<String>,

    #[command(flatten)]
    trainer: Trainer,

    /// The rate of the trainer's first training; the same as trainer.start
    #[arg(long, value_name = "RATE")]
    start: Option<f64>,

    /// Trainings of the trainer side by side; results do not depend on it; the same as trainer.slots
    #[arg(long, value_name = "N")]
    slots: Option<u16>,

    /// Print each answer as a line of JSON as soon as it is known
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    stream: bool,
}

/// A line of `--stream`.
#[derive(Serialize)]
#[serde(tag = "news", rename_all = "snake_case")]
enum Line<'a> {
    Provisional(&'a Provisional),
    Recommended(&'a Recommendation),
    Found(serde_json::Value),
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec_and(&[], &self.overrides(), context.seed)?;
        let seeds: Vec<u64> =
            (0..spec.search.seeds as u64).map(|index| spec.seed.wrapping_add(index)).collect();
        let directory = context.run_directory(Some(&spec), &seeds)?;
        let stop = interrupt::listen_for(&context.progress, "stopping; press Ctrl-C again to stop at once")?;
        for unheeded in spec.unheeded() {
            context.progress.insist("warning", &unheeded);
        }
        let journal = directory.as_ref().map(|folder| folder.path().join(journal_name(&spec)));
        let spinner = context.progress.spinner(if spec.trainer.is_given() {
            "the first training"
        } else {
            "measuring curvature"
        });
        // Once the rate to use is known, where training ends is searched.
        let is_chosen = AtomicBool::new(false);
        let (started, steps, trials) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        let unprinted = Mutex::new(None);
        let is_text = !context.json && !context.quiet && !self.stream;
        let print = |result: Result<(), OutputError>| {
            if let Err(error) = result {
                unprinted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                stop.store(true, Ordering::Relaxed);
            }
        };
        let show = |line: Line<'_>, text: &dyn Fn() -> String| {
            if self.stream {
                print(stream(context, &line));
            } else if is_text {
                spinner.suspend(|| print(context.output.print(&text())));
            }
        };
        let found = spec.find(journal.as_deref(), &|news| {
            match news {
                News::Provisional(found) => show(Line::Provisional(found), &|| provisional(found)),
                News::Recommended(found) => {
                    is_chosen.store(true, Ordering::Relaxed);
                    show(Line::Recommended(found), &|| recommended(found));
                }
                News::Trial(trial) => {
                    let steps = steps.fetch_add(trial.steps, Ordering::Relaxed) + trial.steps;
                    let trials = trials.fetch_add(1, Ordering::Relaxed) + 1;
                    let eta = significant(trial.eta, 3);
                    let stage = if is_chosen.load(Ordering::Relaxed) { "eta*: " } else { "" };
                    spinner.set_message(format!(
                        "{stage}{trials} trials, {steps} gradient steps, the last at eta = {eta}"
                    ));
                }
                News::Step => {}
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        drop(spinner);
        if let Some(error) = unprinted.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        let found = Found { seconds: Some(started.elapsed().as_secs_f64()), ..found };
        let is_done = found.stopped == Ended::Done;
        advise(context, &found);
        let eta = found.recommended.as_ref().and_then(|choice| choice.eta);
        let star = found.eta_star.as_ref().and_then(|star| star.median);
        let record = Record::from(found.clone());
        if self.stream {
            // As its file has it, with its kind and schema.
            stream(context, &Line::Found(serde_json::from_str(&record.to_json()?)?))?;
        } else if context.json {
            context.output.show_record(&record, String::new)?;
        } else if is_text {
            context.output.print(&rest(&found))?;
        } else if let Some(rate) = eta {
            // eta* is an edge, not a rate to use: alone it would be taken for one.
            context.output.print(&rate.to_string())?;
        }
        // What was found is told before it is written: a full disk loses no answer.
        if let (Some(folder), true) = (&directory, is_done) {
            folder.write_record(&record)?;
            if let Some(journal) = &journal {
                let _ = std::fs::remove_file(journal);
            }
        }
        if !is_done {
            let next = match directory {
                Some(_) => "the same command goes on from here",
                None => "with --out DIR the same command would go on from here",
            };
            return Err(format!("the search was stopped before its end; {next}").into());
        }
        Ok(if eta.or(star).is_some() { Exit::Done } else { Exit::Negative })
    }

    /// The verb's own flags, as overrides.
    fn overrides(&self) -> Vec<String> {
        let mut overrides = Vec::new();
        if self.quick {
            overrides.push("search.trainings=0".into());
            overrides.push("search.eta_star=no".into());
        }
        if self.thorough {
            overrides.push("search.trainings=10".into());
        }
        overrides.extend(self.trainer.overrides());
        overrides.extend(self.start.map(|start| format!("trainer.start={start:?}")));
        overrides.extend(self.slots.map(|slots| format!("trainer.slots={slots}")));
        overrides.extend(self.eta_star.iter().map(|whether| format!("search.eta_star={whether}")));
        overrides
    }
}

/// Where the trials of a search under way are kept in its folder: by what it searches, so that another's are not taken for
/// its own.
fn journal_name(spec: &Spec) -> String {
    format!("probes-{}.jsonl", spec.search_hash())
}

fn stream(context: &Context, line: &Line<'_>) -> Result<(), OutputError> {
    context.output.print(&serde_json::to_string(line)?)
}

fn advise(context: &Context, found: &Found) {
    for warning in &found.warnings {
        context.progress.insist("warning", warning);
    }
    let Some(star) = &found.eta_star else { return };
    if let Some(reason) = &star.reason {
        context.progress.say("warning", reason);
    }
    if star.with_islands > 0 {
        let (islands, seeds) = (star.with_islands, star.seeds);
        let text = format!(
            "{islands} of {seeds} seeds also train somewhere above their eta*; such islands do not count"
        );
        context.progress.say("note", &text);
    }
}

fn provisional(found: &Provisional) -> String {
    format!("to begin with: eta = {}, {}\n", significant(found.eta, 3), found.rule)
}

/// The rate to use, with what it rests on.
fn recommended(choice: &Recommendation) -> String {
    let rows = choice.curve.iter().map(|point| {
        let number = |value: f64| if value.is_finite() { significant(value, 4) } else { "-".into() };
        [
            significant(point.eta, 3),
            point.seed.to_string(),
            point.role.name().into(),
            number(point.train_loss),
            number(point.validation),
            number(point.test),
            point.failure.clone().unwrap_or_default(),
        ]
    });
    let validation = format!("validation {}", choice.metric);
    let mut text = "\n".to_string();
    text += &table(["eta", "seed", "training", "training loss", &validation, "test", ""], rows);
    let _ = match choice.eta {
        Some(eta) => {
            writeln!(text, "\nuse eta = {}{}: {}", significant(eta, 3), set(choice), choice.why)
        }
        None => writeln!(text, "\nno rate to use: {}", choice.why),
    };
    text
}

/// The rates that are as good.
fn set(choice: &Recommendation) -> String {
    let number = |end: Option<f64>| end.map(|end| significant(end, 3));
    match (number(choice.low), number(choice.high)) {
        (Some(low), Some(high)) => format!(", or any from {low} to {high}"),
        (Some(low), None) => {
            format!(", or any from {low} on (open above: no training there has shown an end)")
        }
        (None, Some(high)) => {
            format!(", or any up to {high} (open below: no training there has shown an end)")
        }
        (None, None) if choice.validation.is_some() => {
            ", others as good open below and above (no training there has shown an end)".into()
        }
        (None, None) => String::new(),
    }
}

/// What is told at the end: eta*, the cost, and once more the rate to use.
fn rest(found: &Found) -> String {
    let mut text = String::new();
    if let Some(star) = &found.eta_star {
        text += &eta_star(star);
        let (ratio, limit) = match &found.limit {
            Some(limit) => (found.eta_star_over_limit, limit.as_str()),
            None => (found.eta_star_over_2_lambda, "2/lambda"),
        };
        let lambda = found.lambda.as_ref().and_then(|lambda| Some((lambda.of, lambda.median?)));
        if let (Some(ratio), Some((of, lambda))) = (ratio, lambda) {
            let (ratio, lambda) = (significant(ratio, 3), significant(lambda, 4));
            let _ = writeln!(
                text,
                "     = {ratio} x {limit}, with lambda = {lambda}, the {of}'s largest eigenvalue at the start"
            );
        }
        if let Some(criterion) = &found.criterion {
            let _ = writeln!(text, "trained means: {criterion}");
        }
        if let Some(evidence) = &found.phase_evidence {
            let _ =
                writeln!(text, "just below it, over the full budget: {}, {}", evidence.phase, evidence.why);
        }
    }
    if let Some(Saved { trainings, steps, seconds }) = &found.saved {
        let time = seconds.map_or(String::new(), |seconds| match seconds / 3600.0 {
            hours if hours < 1.0 => format!(", {} s of a slot", significant(seconds, 3)),
            hours => format!(", {} hours of a slot", significant(hours, 3)),
        });
        let _ = writeln!(text, "{trainings} trainings were ended early, which saved {steps} steps{time}");
    }
    let _ = writeln!(
        text,
        "{} trainings' worth, {} gradient steps in {} s",
        significant(found.budgets, 3),
        found.gradient_steps,
        found.seconds.map_or("?".into(), |seconds| significant(seconds, 3))
    );
    match &found.recommended {
        Some(Recommendation { eta: Some(eta), .. }) => {
            let _ = writeln!(text, "use eta = {}", significant(*eta, 3));
        }
        Some(_) => text += "no rate to use\n",
        None => {}
    }
    text
}

fn eta_star(summary: &EtaStarSummary) -> String {
    let number = |value: Option<f64>| value.map_or("?".into(), |value| significant(value, 3));
    let EtaStarSummary { median, low, high, coverage, seeds, censored, undefined, zone, .. } = summary;
    let mut text = match median {
        Some(median) => format!("eta* = {}", significant(*median, 3)),
        None => "eta* was not found".into(),
    };
    if *seeds > 1 {
        let percent = (100.0 * coverage).round();
        text += &format!(
            "   ({} to {}, {percent} % interval of the median of {seeds} seeds)",
            number(*low),
            number(*high)
        );
    }
    if censored + undefined > 0 {
        text += &format!("; {censored} seeds trained up to the end of the range, {undefined} at no rate");
    }
    if let Some(zone) = zone {
        let [low, high] = [zone.low, zone.high].map(|end| significant(end, 3));
        text += &format!("; between {low} and {high} some trainings succeed and some do not");
    }
    text + "\n"
}
