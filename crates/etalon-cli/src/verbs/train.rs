//! `etalon train`: one trial, its trajectory and its phase.

use crate::args::Job;
use crate::context::{Context, Failure, Verdict};
use crate::output::table;
use crate::run_directory::{check_writable, write_whole};
use etalon::phase::{Report, TrainOptions, train};
use etalon::train::Trajectory;
use etalon::units::significant;
use std::path::PathBuf;

/// Train once and say what happened: lazy, catapult, divergent or stuck, with the evidence
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,

    /// Write the trajectory: one line of JSON a recorded step
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    trajectory: Option<PathBuf>,

    /// Start from these parameters (safetensors, PyTorch's names) instead of fresh ones
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    weights: Option<PathBuf>,

    /// Save the parameters at the end (safetensors)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    save_weights: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Verdict, Failure> {
        let spec = self.job.spec(context.seed)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        // A path that cannot be written must not cost a training run.
        self.trajectory.iter().chain(&self.save_weights).try_for_each(|path| check_writable(path))?;
        let options = TrainOptions { weights: self.weights, save_weights: self.save_weights };
        let bar = context.progress.bar("training", 0);
        let (report, trajectory) = train(&spec, &options, &mut |step, total| {
            bar.set_length(total);
            bar.set_position(step);
        })?;
        drop(bar);
        let lines = lines(&trajectory)?;
        if let Some(path) = &self.trajectory {
            write_whole(path, &lines)?;
        }
        if let Some(directory) = directory {
            directory.write_json("train.json", &report)?;
            directory.write(&format!("trials/{}.jsonl", report.trial), &lines)?;
        }
        context.output.show(&report, || text(&report))?;
        Ok(Verdict::Done)
    }
}

fn lines(trajectory: &Trajectory) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in &trajectory.records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn text(report: &Report) -> String {
    let Report { phase, evidence, stop, last, eta, steps, .. } = report;
    let number = |value: Option<f64>, digits| value.map_or("-".into(), |value| significant(value, digits));
    let c = report.c.map_or(String::new(), |c| {
        format!(" (c = eta lambda0 = {}, lambda0 the NTK's at the start)", significant(c, 4))
    });
    let rows = [
        ["training".to_string(), number(last.train_loss, 4), number(last.train_accuracy, 3)],
        ["held-out".to_string(), number(last.test_loss, 4), number(last.test_accuracy, 3)],
    ];
    let statistics = report.statistics.map_or(
        "",
        |_| "metrics are those of evaluation, with the running statistics of batch normalisation\n",
    );
    format!(
        "{phase}: {}\n\nended after {steps} steps at eta = {}{c}: {stop}\n\n{}\n{statistics}NTK {} and Hessian {} at the end\n",
        evidence.why,
        significant(*eta, 4),
        table(["set", "loss", "accuracy"], rows),
        number(last.ntk, 4),
        number(last.hessian, 4),
    )
}
