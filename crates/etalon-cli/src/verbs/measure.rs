//! `etalon measure`: curvature at a point, and the thresholds that follow from it.

use crate::args::Job;
use crate::context::{Context, Exit, Failure};
use crate::output::table;
use etalon::curvature::{Estimate, Measurement, Quantity};
use etalon::record::check_writable;
use etalon::spec::MeasureOptions;
use etalon::units::significant;
use std::path::PathBuf;

/// Measure curvature at a point: NTK, Hessian, and the learning rates at which something changes
#[derive(clap::Args)]
pub(crate) struct Arguments {
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

    /// Measure these alone (ntk, hessian.max, hessian.min, gauss_newton, preconditioned, decayed, layers) instead of what
    /// thresholds follow from, which is all but hessian.min, gauss_newton and layers
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Option<Vec<Quantity>>,

    /// Measure each layer's block of the Hessian too
    #[arg(long)]
    by_layer: bool,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let spec = self.job.spec(context.seed)?;
        let directory = context.run_directory(Some(&spec), &[spec.seed])?;
        self.save_weights.iter().chain(&self.save_batch).try_for_each(|path| check_writable(path))?;
        if self.save_weights.is_some() && self.save_weights == self.save_batch {
            return Err("--save-weights and --save-batch name the same file; give each its own".into());
        }
        let mut quantities = self.only.unwrap_or(Quantity::OF_THRESHOLDS.into());
        quantities.extend(self.by_layer.then_some(Quantity::Layers));
        let names = quantities.iter().map(|quantity| quantity.name()).collect::<Vec<_>>().join(", ");
        let task = format!("measuring {names} on {} samples", spec.measure.samples);
        let options = MeasureOptions {
            weights: self.weights,
            save_weights: self.save_weights,
            save_batch: self.save_batch,
            quantities: Some(quantities),
        };
        let spinner = context.progress.spinner(task);
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
    let Measurement { parameters, samples, loss, .. } = measurement;
    let mut text = format!(
        "{parameters} parameters; loss {} on the first {samples} training samples\n\n",
        significant(*loss, 4)
    );
    let rows = measurement.estimates().into_iter().map(|(name, estimate)| row(name, estimate));
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

fn row(name: String, estimate: &Estimate) -> [String; 5] {
    let number = |value: Option<f64>, digits| value.map_or("-".into(), |value| significant(value, digits));
    let note = if estimate.converged { "" } else { "not converged" };
    [
        name,
        number(estimate.value, 5),
        number(estimate.residual, 2),
        estimate.iterations.to_string(),
        note.into(),
    ]
}
