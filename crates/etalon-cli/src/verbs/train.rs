//! `etalon train`: one trial, its trajectory and its phase.

mod trainer;

use crate::args::{Job, Trainer};
use crate::context::{Context, Exit, Failure};
use crate::interrupt;
use crate::output::table;
use etalon::jobs::Keep;
use etalon::phase::TrialReport;
use etalon::record::{Record, RunFolder, check_writable, write_whole};
use etalon::spec::TrainOptions;
use etalon::train::{Learning, Metrics, Stop, Trajectory};
use etalon::units::significant;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a trial under way is kept in its folder.
const CHECKPOINT: &str = "checkpoint";

/// Train once and say what happened: lazy, catapult, divergent or stuck, with the evidence
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    job: Job,

    #[command(flatten)]
    trainer: Trainer,

    /// Print each row of the trainer's log as a line of JSON as it comes, and in the end the result
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    stream: bool,

    /// Write the trajectory: one line of JSON a recorded step
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    trajectory: Option<PathBuf>,

    /// Start from these parameters (safetensors, PyTorch's names) instead of fresh ones
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    weights: Option<PathBuf>,

    /// Save the parameters at the end (safetensors)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    save_weights: Option<PathBuf>,

    /// Seconds from one checkpoint to the next; with --out, the same command goes on from the last one
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    checkpoint_every: u64,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec_and(&[], &self.trainer.overrides(), context.seed)?;
        if spec.trainer.is_given() {
            return trainer::run(&self, &spec, context);
        }
        if self.stream {
            return Err("--stream is for a trainer's log; what Etalon trains has --trajectory FILE".into());
        }
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        // A path that cannot be written must not cost a training run.
        self.trajectory.iter().chain(&self.save_weights).try_for_each(|path| check_writable(path))?;
        let checkpoint = directory.as_ref().map(|folder| folder.path().join(CHECKPOINT));
        let stop = interrupt::listen_for(&context.progress, "stopping; press Ctrl-C again to stop at once")?;
        let options = TrainOptions {
            weights: self.weights,
            save_weights: self.save_weights,
            keep: Keep {
                checkpoint: checkpoint.clone(),
                trajectory: self.trajectory.clone(),
                every: Duration::from_secs(self.checkpoint_every),
            },
            stop: Some(stop),
        };
        let bar = context.progress.bar("training", 0);
        let (report, trajectory) = spec.train(&options, &mut |step, total| {
            bar.set_length(total);
            bar.set_position(step);
        })?;
        drop(bar);
        if let Stop::Interrupted { steps, total } = report.stop {
            context.output.tell(&report, || text(&report))?;
            let kept = checkpoint
                .map_or("lost: with --out DIR it would go on", |_| "kept: the same command goes on");
            return Err(format!("stopped after {steps} of {total} steps, which are {kept}").into());
        }
        let record = Record::from(report.clone());
        // Told before it is written: a full disk loses no answer.
        let shown = context.output.show_record(&record, || text(&report));
        keep(&record, &report, &trajectory, directory, self.trajectory.as_deref())?;
        // There may be none; one that stays is found at the end of its steps.
        let _ = checkpoint.map(std::fs::remove_file);
        for warning in &report.warnings {
            context.progress.say("warning", warning);
        }
        shown?;
        if let Some(annealed) = report.annealed.filter(|annealed| annealed.step.is_none()) {
            context.progress.say("warning", &annealed.to_string());
        }
        Ok(Exit::Done)
    }
}

/// Writes what a trial came to into its folder, and its trajectory to where that is asked for.
fn keep(
    record: &Record,
    report: &TrialReport,
    trajectory: &Trajectory,
    directory: Option<RunFolder>,
    path: Option<&Path>,
) -> Result<(), Failure> {
    let lines = lines(trajectory)?;
    if let Some(path) = path {
        write_whole(path, &lines)?;
    }
    if let Some(directory) = directory {
        directory.write_record(record)?;
        directory.write(&format!("trials/{}.jsonl", report.trial), &lines)?;
    }
    Ok(())
}

fn lines(trajectory: &Trajectory) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in &trajectory.records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn text(report: &TrialReport) -> String {
    let TrialReport { phase, evidence, stop, last, eta, steps, .. } = report;
    let number = |value: Option<f64>, digits| value.map_or("-".into(), |value| significant(value, digits));
    let c = report.c.map_or(String::new(), |c| {
        format!(" (c = eta lambda0 = {}, lambda0 the NTK's at the start)", significant(c, 4))
    });
    let rows = [
        ["training".to_string(), number(last.train_loss, 4), number(last.train_accuracy, 3)],
        ["held-out".to_string(), number(last.test_loss, 4), number(last.test_accuracy, 3)],
    ];
    let groups = report.groups.as_ref().map_or(String::new(), groups);
    let annealed = report.annealed.filter(|annealed| annealed.step.is_some());
    let annealed = annealed.map_or(String::new(), |annealed| format!("{annealed}\n"));
    let preconditioned = last.preconditioned.map_or(String::new(), |found| {
        let limit = number(report.limit, 4);
        format!(
            "preconditioned Hessian {} at the end; stable up to eta = {limit} at the start\n",
            significant(found, 4)
        )
    });
    let statistics = report.statistics.map_or(
        "",
        |_| "metrics are those of evaluation, with the running statistics of batch normalisation\n",
    );
    format!(
        "{phase}: {}\n\nended after {steps} steps at eta = {}{c}: {stop}\n{annealed}\n{}\n{groups}{statistics}NTK {} and Hessian {} at the end\n{preconditioned}",
        evidence.why,
        significant(*eta, 4),
        table(["set", "loss", "accuracy"], rows),
        number(last.ntk, 4),
        number(last.hessian, 4),
    )
}

/// The groups of samples with and without patches, and the order in which they were learnt.
fn groups(learning: &Learning) -> String {
    let Learning { threshold, learnt_at, last } = learning;
    let row = |name: &str, metrics: Option<Metrics>, learnt_at: Option<Option<u64>>| {
        let number =
            |value: Option<f64>, digits| value.map_or("-".into(), |value| significant(value, digits));
        [
            name.to_string(),
            number(metrics.map(|metrics| metrics.loss), 4),
            number(metrics.and_then(|metrics| metrics.accuracy), 3),
            learnt_at.map_or(String::new(), |step| step.map_or("never".into(), |step| step.to_string())),
        ]
    };
    let rows = [
        row("training, without a patch", last.unpatched, Some(learnt_at.unpatched)),
        row("training, image and patch", last.patched, Some(learnt_at.patched)),
        row("training, patch only", last.patch_only, Some(learnt_at.patch_only)),
        row("held-out, in these shares", last.test_mixed, None),
        row("held-out, patch only", last.test_patch_only, None),
    ];
    let learnt = format!("learnt at step (accuracy {threshold})");
    format!("{}\n", table(["group", "loss", "accuracy", &learnt], rows))
}
