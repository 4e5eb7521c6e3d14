//! What `etalon measure` tells: curvature at a point, and the thresholds that follow from it.

use super::{Eigenvalue, Ends, Instrument, StopReason};
use crate::data::{SampleShape, transpose};
use crate::error::Error;
use crate::memory;
use crate::spec::{BatchSize, NetworkKind, Precision, Spec};
use crate::theory::thresholds::{self, Threshold, ThresholdInputs};
use crate::train::Task;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::parameters::{load, save};
use etalon_nn::{Batch, Loss, Scalar};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Curvature at a point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The number of parameters.
    pub parameters: usize,
    /// The number of training samples it was measured on: the first so many.
    pub samples: usize,
    /// The number of outputs.
    pub outputs: usize,
    /// The mean loss on them.
    #[serde(deserialize_with = "crate::units::number")]
    pub loss: f64,
    /// The largest eigenvalue of the neural tangent kernel `J J^T / m`.
    pub ntk: Estimate,
    /// The ends of the Hessian's spectrum.
    pub hessian: HessianEnds,
    /// The largest eigenvalue of the Hessian's Gauss-Newton part.
    pub gauss_newton: Estimate,
    /// The largest eigenvalue of the Hessian in the optimiser's coordinates, where it has a preconditioner: the one after
    /// a first update with the gradient of these samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditioned: Option<Estimate>,
    /// The largest eigenvalue of what learning-rate factors and weight decay make of it, where both are there; see
    /// [`Reading::decayed`](super::Reading::decayed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decayed: Option<Estimate>,
    /// The largest eigenvalue of each layer's block of the Hessian, where asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerCurvature>,
    /// Learning rates at which something changes.
    pub thresholds: Vec<Threshold>,
    /// The name of the one at which this optimiser becomes unstable, where it is among them.
    pub limit: Option<String>,
    /// Thresholds that cannot be given, with the reason.
    pub omitted: Vec<thresholds::Omitted>,
    /// What to keep in mind; empty where there is nothing.
    pub warnings: Vec<String>,
}

/// The ends of the Hessian's spectrum: largest and smallest *algebraic* eigenvalues.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HessianEnds {
    /// The largest.
    pub max: Estimate,
    /// The smallest.
    pub min: Estimate,
    /// The largest `measure.top`, in descending order, where more than one was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Estimate>,
}

/// An eigenvalue that carries its accuracy.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// Where to save the samples as they were measured: `inputs` (samples x channels x height x width of images in a
    /// convolutional network, else samples x features in the order of the first layer's weights) and `targets`
    /// (samples x outputs).
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
        let shape = (spec.network.kind != NetworkKind::Mlp).then_some(task.shape);
        save_samples(path, instrument.batch(), instrument.samples(), shape)?;
    }
    let mut reading = instrument.at(&parameters);
    let loss = reading.loss();
    let ntk = reading.ntk()?;
    let hessian = reading.hessian(Ends::Both, spec.measure.top)?;
    let gauss_newton = reading.gauss_newton()?;
    let preconditioned = reading.preconditioned(None)?;
    let decayed = reading.decayed()?;
    let layers = if options.by_layer { reading.layers()? } else { Vec::new() };
    let mut warnings = task.notes.clone();
    let measured = [("ntk", &ntk), ("hessian", &hessian), ("gauss_newton", &gauss_newton)];
    let more = preconditioned.iter().map(|found| ("preconditioned", found));
    let more = more.chain(decayed.iter().map(|found| ("decayed", found)));
    for (what, spectrum) in measured.into_iter().chain(more) {
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
    let varied = [("data.augment", task.augmentation.is_some()), ("data.patch", task.patches.is_some())];
    let varied: Vec<&str> = varied.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect();
    if !varied.is_empty() {
        warnings.push(format!(
            "{}: measured on images as the first epoch of seed {} sees them; every epoch sees others",
            varied.join(" and "),
            spec.seed
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
        preconditioned_max: preconditioned.as_ref().and_then(value),
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
        preconditioned: preconditioned.map(|found| Estimate::of(found.largest.first(), found.iterations)),
        decayed: decayed.map(|found| Estimate::of(found.largest.first(), found.iterations)),
        layers: layers
            .into_iter()
            .map(|(layer, found)| LayerCurvature { layer, hessian: Estimate::of(Some(&found), 0) })
            .collect(),
        thresholds: thresholds.entries,
        limit: thresholds.limit,
        omitted: thresholds.omitted,
        warnings,
    })
}

/// The samples of a measurement as tensors `inputs` and `targets`, so that it can be repeated elsewhere: images of a
/// network that takes such (with their shape) in PyTorch's order, inputs of another one in that of its weights.
fn save_samples<T: Scalar>(
    path: &Path,
    Batch { inputs, targets }: Batch<'_, T>,
    samples: usize,
    shape: Option<SampleShape>,
) -> Result<(), Error> {
    let flat = |values: &[T]| vec![samples, values.len() / samples];
    let save = |shape: Vec<usize>, inputs: &[T]| {
        let tensors = [("inputs", shape, inputs), ("targets", flat(targets), targets)];
        etalon_nn::parameters::save_tensors(path, &tensors)
    };
    Ok(match shape {
        Some(SampleShape::Image { height, width, channels }) => {
            let planes = transpose(inputs, height * width, channels);
            save(vec![samples, channels, height, width], &planes)
        }
        _ => save(flat(inputs), inputs),
    }?)
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
        preconditioned_max: None,
        activation: match spec.network.activation {
            Activation::Identity => thresholds::Activation::Identity,
            Activation::Relu => thresholds::Activation::Relu,
            Activation::Tanh => thresholds::Activation::Tanh,
            Activation::Gelu => thresholds::Activation::Gelu,
        },
        hidden_layers: spec.network.depth,
        outputs: task.network.output_len(),
        optimizer: spec.optimizer.rule(),
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
