//! What `etalon measure` tells: curvature at a point, and the thresholds that follow from it.

use super::{Eigenvalue, Ends, Instrument, StopReason};
use crate::error::Error;
use crate::memory;
use crate::spec::{BatchSize, Precision, Spec};
use crate::theory::thresholds::{self, Threshold, ThresholdInputs};
use crate::train::Task;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::parameters::{load, save};
use etalon_nn::{Loss, Scalar};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Curvature at a point.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// The number of parameters.
    pub parameters: usize,
    /// The number of training samples it was measured on: the first so many.
    pub samples: usize,
    /// The number of outputs.
    pub outputs: usize,
    /// The mean loss on them.
    pub loss: f64,
    /// The largest eigenvalue of the neural tangent kernel `J J^T / m`.
    pub ntk: Estimate,
    /// The ends of the Hessian's spectrum.
    pub hessian: HessianEnds,
    /// The largest eigenvalue of the Hessian's Gauss-Newton part.
    pub gauss_newton: Estimate,
    /// The largest eigenvalue of what learning-rate factors and weight decay make of it, where both are there; see
    /// [`Reading::decayed`](super::Reading::decayed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decayed: Option<Estimate>,
    /// The largest eigenvalue of each layer's block of the Hessian, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerCurvature>,
    /// Learning rates at which something changes.
    pub thresholds: Vec<Threshold>,
    /// Thresholds that cannot be given, with the reason.
    pub omitted: Vec<thresholds::Omitted>,
    /// What to keep in mind; empty where there is nothing.
    pub warnings: Vec<String>,
}

/// The ends of the Hessian's spectrum: largest and smallest *algebraic* eigenvalues.
#[derive(Clone, Debug, Serialize)]
pub struct HessianEnds {
    /// The largest.
    pub max: Estimate,
    /// The smallest.
    pub min: Estimate,
    /// The largest `measure.top`, in descending order, where more than one was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Estimate>,
}

/// An eigenvalue that carries its accuracy.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Estimate {
    /// The value; none where none was found.
    pub value: Option<f64>,
    /// Its relative residual, see [`Eigenvalue::residual`].
    pub residual: Option<f64>,
    /// Lanczos iterations, each one product.
    pub iterations: usize,
    /// Whether the residual is within `measure.tolerance`.
    pub converged: bool,
}

/// A layer's block of the Hessian.
#[derive(Clone, Debug, Serialize)]
pub struct LayerCurvature {
    /// The layer, such as `layers.0`.
    pub layer: String,
    /// The largest eigenvalue of its block.
    pub hessian: Estimate,
}

/// What to measure and where to leave it.
#[derive(Clone, Debug, Default)]
pub struct MeasureOptions {
    /// Parameters to measure at instead of fresh ones.
    pub weights: Option<PathBuf>,
    /// Where to save the parameters.
    pub save_weights: Option<PathBuf>,
    /// Where to save the samples, `inputs` and `targets`.
    pub save_batch: Option<PathBuf>,
    /// Whether to measure each layer's block.
    pub by_layer: bool,
}

impl Estimate {
    fn of(eigenvalue: Option<&Eigenvalue>, iterations: usize) -> Self {
        Estimate {
            value: eigenvalue.map(|found| found.value),
            residual: eigenvalue.map(|found| found.residual),
            iterations: eigenvalue.map_or(iterations, |found| found.iterations),
            converged: eigenvalue.is_some_and(|found| found.converged),
        }
    }
}

/// Measures a spec's network at its start, or at given weights.
///
/// # Errors
/// When the spec makes no task, memory does not suffice, or a file cannot be read or written.
pub fn measure(spec: &Spec, options: &MeasureOptions) -> Result<Measurement, Error> {
    match spec.precision {
        Precision::F32 => measure_in::<f32>(spec, options),
        Precision::F64 => measure_in::<f64>(spec, options),
    }
}

fn measure_in<T: Scalar>(spec: &Spec, options: &MeasureOptions) -> Result<Measurement, Error> {
    let task = Task::<T>::new(spec)?;
    let instrument = Instrument::new(spec, &task, true)?;
    let advice = "take fewer measure.samples or measure.iterations, or a smaller network";
    memory::check("measuring this network", instrument.bytes(), advice)?;
    let (layout, state) = (task.network.layout(), task.network.state_layout());
    let [parameters, running] = match &options.weights {
        Some(path) => load(path, [layout, state])?,
        None => [layout.initialise(spec.seed), state.initialise(spec.seed)],
    };
    if let Some(path) = &options.save_weights {
        save(path, [(layout, &parameters), (state, &running)])?;
    }
    if let Some(path) = &options.save_batch {
        save_samples(path, &task, instrument.samples())?;
    }
    let mut reading = instrument.at(&parameters);
    let loss = reading.loss();
    let ntk = reading.ntk()?;
    let hessian = reading.hessian(Ends::Both, spec.measure.top)?;
    let gauss_newton = reading.gauss_newton()?;
    let decayed = reading.decayed()?;
    let layers = if options.by_layer { reading.layers()? } else { Vec::new() };
    let mut warnings = Vec::new();
    let spectra = [("ntk", &ntk), ("hessian", &hessian), ("gauss_newton", &gauss_newton)];
    for (what, spectrum) in spectra.into_iter().chain(decayed.iter().map(|found| ("decayed", found))) {
        if let StopReason::MaxIterations(_) | StopReason::NotFinite(_) = spectrum.stop {
            warnings.push(format!("{what}: {}", spectrum.stop));
        }
    }
    if task.network.is_coupled() {
        warnings.push(format!(
            "batch normalisation took its statistics from the {} samples measured, as in a training step on them",
            instrument.samples()
        ));
    }
    let is_scaled = spec.optimizer.input_factor != 1.0 || !spec.optimizer.factors.is_empty();
    if is_scaled {
        warnings.push(
            "curvature is that of R^1/2 H R^1/2 with the learning-rate factors R, which is what limits the rate".into(),
        );
    }
    let value = |spectrum: &super::Spectrum| spectrum.largest.first().map(|top| top.value);
    let inputs = ThresholdInputs {
        decayed: decayed.as_ref().map(|found| value(found).unwrap_or(f64::NAN)),
        ..threshold_inputs(spec, &task, value(&ntk), value(&hessian))
    };
    let thresholds = thresholds::thresholds(&inputs);
    let top = if spec.measure.top > 1 { &hessian.largest[..] } else { &[] };
    Ok(Measurement {
        parameters: task.network.parameters(),
        samples: instrument.samples(),
        outputs: task.network.output_len(),
        loss,
        ntk: Estimate::of(ntk.largest.first(), ntk.iterations),
        hessian: HessianEnds {
            max: Estimate::of(hessian.largest.first(), hessian.iterations),
            min: Estimate::of(hessian.smallest.first(), hessian.iterations),
            top: top.iter().map(|found| Estimate::of(Some(found), hessian.iterations)).collect(),
        },
        gauss_newton: Estimate::of(gauss_newton.largest.first(), gauss_newton.iterations),
        decayed: decayed.map(|found| Estimate::of(found.largest.first(), found.iterations)),
        layers: layers
            .into_iter()
            .map(|(layer, found)| LayerCurvature { layer, hessian: Estimate::of(Some(&found), 0) })
            .collect(),
        thresholds: thresholds.entries,
        omitted: thresholds.omitted,
        warnings,
    })
}

/// The samples of a measurement as tensors `inputs` and `targets`, so that it can be repeated elsewhere.
fn save_samples<T: Scalar>(path: &Path, task: &Task<T>, samples: usize) -> Result<(), Error> {
    let batch = task.train.first(samples);
    let shape = |values: &[T]| vec![samples, values.len() / samples];
    let tensors =
        [("inputs", shape(batch.inputs), batch.inputs), ("targets", shape(batch.targets), batch.targets)];
    Ok(etalon_nn::parameters::save_tensors(path, &tensors)?)
}

/// What theory needs to know of a task.
pub(crate) fn threshold_inputs<T: Scalar>(
    spec: &Spec,
    task: &Task<T>,
    ntk: Option<f64>,
    hessian: Option<f64>,
) -> ThresholdInputs {
    ThresholdInputs {
        loss: match spec.loss {
            Loss::Mse => thresholds::Loss::Mse,
            Loss::CrossEntropy => thresholds::Loss::CrossEntropy,
            Loss::Logistic => thresholds::Loss::Logistic,
            Loss::Exponential => thresholds::Loss::Exponential,
        },
        ntk_top: ntk,
        hessian_max: hessian,
        activation: match spec.network.activation {
            Activation::Identity => thresholds::Activation::Identity,
            Activation::Relu => thresholds::Activation::Relu,
            Activation::Tanh => thresholds::Activation::Tanh,
            Activation::Gelu => thresholds::Activation::Gelu,
        },
        hidden_layers: spec.network.depth,
        outputs: task.network.output_len(),
        momentum: spec.optimizer.momentum,
        nesterov: spec.optimizer.nesterov,
        batch: match spec.train.batch {
            BatchSize::Full => thresholds::Batch::Full,
            BatchSize::Samples(size) if size >= task.train.len => thresholds::Batch::Full,
            BatchSize::Samples(size) => thresholds::Batch::Size(size),
        },
        weight_decay: spec.optimizer.weight_decay,
        decayed: None,
        bias: spec.network.bias,
        scale: scale(task),
    }
}

/// The product of the layers' multipliers and of the root mean square norm of the training inputs.
fn scale<T: Scalar>(task: &Task<T>) -> f64 {
    // A normaliser's weight is a vector.
    let weights = task.network.layout().segments().iter().filter(|segment| segment.shape.len() > 1);
    let multipliers: f64 = weights.map(|weight| weight.multiplier).product();
    let batch = task.train.first(task.train.len);
    let squares: f64 = batch.inputs.iter().map(|x| x.to_f64() * x.to_f64()).sum();
    multipliers * (squares / task.train.len as f64).sqrt()
}
