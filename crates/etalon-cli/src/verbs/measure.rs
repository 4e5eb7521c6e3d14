//! `etalon measure`: curvature at a point, and the thresholds that follow from it.

use crate::args::Job;
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::curvature::{Estimate, Measurement};
use etalon::record::check_writable;
use etalon::spec::MeasureOptions;
use etalon::units::significant;
use std::path::PathBuf;

/// Measure curvature at a point: NTK, Hessian, and the learning rates at which something changes
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,

    /// Measure at these parameters (safetensors, PyTorch's names) instead of fresh ones
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    weights: Option<PathBuf>,

    /// Save the parameters (safetensors)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    save_weights: Option<PathBuf>,

    /// Save the samples that were measured, `inputs` and `targets` (safetensors): images of a convolutional network as
    /// N x C x H x W, for PyTorch's layers; inputs of an mlp as N x features, in the order of `layers.0.weight`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    save_batch: Option<PathBuf>,

    /// Measure each layer's block of the Hessian too
    #[arg(long)]
    by_layer: bool,
}

impl Arguments {
    pub fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec(context.seed)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        self.save_weights.iter().chain(&self.save_batch).try_for_each(|path| check_writable(path))?;
        if self.save_weights.is_some() && self.save_weights == self.save_batch {
            return Err("--save-weights and --save-batch name the same file; give each its own".into());
        }
        let options = MeasureOptions {
            weights: self.weights,
            save_weights: self.save_weights,
            save_batch: self.save_batch,
            by_layer: self.by_layer,
        };
        let spinner = context.progress.spinner("measuring");
        let measurement = spec.measure(&options)?;
        drop(spinner);
        for warning in &measurement.warnings {
            context.progress.say("warning", warning);
        }
        context.leave(directory, &measurement, text)?;
        Ok(Exit::Done)
    }
}

fn text(measurement: &Measurement) -> String {
    let Measurement { parameters, samples, loss, hessian, .. } = measurement;
    let mut text = format!(
        "{parameters} parameters; loss {} on the first {samples} training samples\n\n",
        significant(*loss, 4)
    );
    let mut rows = vec![
        row("NTK, largest", &measurement.ntk),
        row("Hessian, largest", &hessian.max),
        row("Hessian, smallest", &hessian.min),
        row("Gauss-Newton, largest", &measurement.gauss_newton),
    ];
    rows.extend(measurement.preconditioned.iter().map(|found| row("preconditioned Hessian, largest", found)));
    rows.extend(measurement.decayed.iter().map(|estimate| row("with factors and weight decay", estimate)));
    let others = hessian.top.iter().enumerate().skip(1);
    rows.extend(others.map(|(index, estimate)| row(&format!("Hessian, number {}", index + 1), estimate)));
    rows.extend(
        measurement.layers.iter().map(|layer| row(&format!("Hessian of {}", layer.layer), &layer.hessian)),
    );
    text += &table(["eigenvalue", "value", "residual", "iterations", ""], rows);
    text += "\nA residual is relative to the largest eigenvalue in magnitude.\n\n";
    if !measurement.thresholds.is_empty() {
        let rows = measurement.thresholds.iter();
        text += &table(
            ["threshold", "eta", "is"],
            rows.map(|threshold| {
                [threshold.name.clone(), significant(threshold.eta, 4), threshold.formula.clone()]
            }),
        );
        text += "\n";
    }
    for threshold in &measurement.thresholds {
        text += &format!("{} assumes {}\n", threshold.name, threshold.assumes);
    }
    for omitted in &measurement.omitted {
        text += &format!("no {}: {}\n", omitted.name, omitted.reason);
    }
    text
}

fn row(name: &str, estimate: &Estimate) -> [String; 5] {
    let number = |value: Option<f64>, digits| value.map_or("-".into(), |value| significant(value, digits));
    let note = if estimate.converged { "" } else { "not converged" };
    [
        name.into(),
        number(estimate.value, 5),
        number(estimate.residual, 2),
        estimate.iterations.to_string(),
        note.into(),
    ]
}
