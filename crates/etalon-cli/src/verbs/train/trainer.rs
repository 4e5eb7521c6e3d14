//! One training of a program that is not Etalon's.

use super::{Arguments, keep};
use crate::context::{Context, Exit, Failure};
use crate::interrupt;
use crate::output::OutputError;
use etalon::phase::TrialReport;
use etalon::record::{Record, check_writable};
use etalon::spec::Spec;
use etalon::units::significant;
use serde::Serialize;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

/// Where a trainer leaves its files in the run's folder.
const TRAINING: &str = "training";

/// A line of `--stream`.
#[derive(Serialize)]
#[serde(tag = "news", rename_all = "snake_case")]
enum Line {
    /// A row of the log; a number that is not finite is none.
    Row {
        step: u64,
        loss: Option<f64>,
        rate: Option<f64>,
        curvature: Option<f64>,
        metric: Option<f64>,
    },
    Trained(serde_json::Value),
}

pub(super) fn run(arguments: &Arguments, spec: &Spec, context: &Context) -> Result<Exit, Failure> {
    for (flag, path) in [("--weights", &arguments.weights), ("--save-weights", &arguments.save_weights)] {
        if path.is_some() {
            return Err(format!("{flag} is for what Etalon trains; leave it to the trainer's command").into());
        }
    }
    for idle in spec.idle() {
        context.progress.insist("warning", &idle);
    }
    let directory = context.run_directory(Some(spec), &[spec.seed])?;
    arguments.trajectory.iter().try_for_each(|path| check_writable(path))?;
    let folder = directory.as_ref().map(|folder| folder.path().join(TRAINING));
    let stop = interrupt::listen_for(&context.progress, "stopping; press Ctrl-C again to stop at once")?;
    let going = || match stop.load(Ordering::Relaxed) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let spinner = context.progress.spinner("training");
    // The steps that its command is told, if any are.
    let of = if spec.trainer.steps > 0 { format!(" of {}", spec.trainer.steps) } else { String::new() };
    let mut unprinted: Result<(), OutputError> = Ok(());
    let trained = spec.train_with(folder.as_deref(), 0, &going, &mut |row| {
        let loss = row.loss.map_or("-".into(), |loss| significant(loss, 4));
        spinner.set_message(format!("training: step {}{of}, loss {loss}", row.step));
        if arguments.stream && unprinted.is_ok() {
            let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
            unprinted = print(
                context,
                &Line::Row {
                    step: row.step,
                    loss: finite(row.loss),
                    rate: finite(row.rate),
                    curvature: finite(row.curvature),
                    metric: finite(row.metric),
                },
            );
            if unprinted.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    drop(spinner);
    // Where nobody reads its rows it was ended for that.
    unprinted?;
    let (report, trajectory) = trained?;
    let record = Record::from(report.clone());
    keep(&record, &report, &trajectory, directory, arguments.trajectory.as_deref())?;
    if arguments.stream {
        print(context, &Line::Trained(serde_json::from_str(&record.to_json()?)?))?;
    } else {
        context.output.show_record(&record, || text(&report))?;
    }
    Ok(Exit::Done)
}

fn print(context: &Context, line: &Line) -> Result<(), OutputError> {
    context.output.print(&serde_json::to_string(line)?)
}

fn text(report: &TrialReport) -> String {
    let TrialReport { phase, evidence, stop, last, eta, steps, .. } = report;
    let number = |value: Option<f64>| value.map_or("-".into(), |value| significant(value, 4));
    let mut end = vec![format!("training loss {}", number(last.train_loss))];
    end.extend(report.metric.iter().map(|score| format!("{} {}", score.name, number(score.value))));
    end.extend(last.hessian.map(|curvature| format!("curvature {}", significant(curvature, 4))));
    let (eta, end) = (significant(*eta, 4), end.join(", "));
    format!(
        "{phase}: {}\n\nended after {steps} steps at eta = {eta}: {stop}\nat the end: {end}\n",
        evidence.why
    )
}
