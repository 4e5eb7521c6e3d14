//! Curvature at a point, and the thresholds that follow from it.

use super::{JobError, Problem};
use crate::curvature::{
    CurvatureSettings, Ends, Estimate, HessianEnds, Instrument, LayerCurvature, Measurement, Quantity,
    Spectrum, StopReason,
};
use crate::data::{SampleShape, transpose};
use crate::memory;
use crate::theory::thresholds::{self, ThresholdInputs};
use crate::train::Task;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::parameters::{load, save};
use etalon_nn::{Batch, Loss, Scalar};
use std::path::{Path, PathBuf};

/// What needs the memory of a measurement.
pub(crate) const MEASURING: &str = "measuring this network";

/// What to measure and where to leave it.
#[derive(Clone, Debug)]
pub struct MeasureSettings {
    /// On which samples, and how exactly; its seed is that of fresh parameters, too.
    pub curvature: CurvatureSettings,
    /// Parameters to measure at instead of fresh ones.
    pub weights: Option<PathBuf>,
    /// Where to save the parameters.
    pub save_weights: Option<PathBuf>,
    /// Where to save the samples as they were measured: `inputs` (samples x channels x height x width where the task's
    /// samples are images, else samples x features in the order of the first layer's weights) and `targets`
    /// (samples x outputs).
    pub save_batch: Option<PathBuf>,
    /// What to measure. Default: what thresholds follow from.
    pub quantities: Vec<Quantity>,
}

impl Default for MeasureSettings {
    fn default() -> Self {
        MeasureSettings {
            curvature: CurvatureSettings::default(),
            weights: None,
            save_weights: None,
            save_batch: None,
            quantities: Quantity::OF_THRESHOLDS.into(),
        }
    }
}

/// Measures a problem's network at its start, or at given weights.
///
/// # Errors
/// When memory does not suffice, Lanczos cannot start, or a file cannot be read or written.
pub fn measure<T: Scalar>(problem: &Problem<T>, settings: &MeasureSettings) -> Result<Measurement, JobError> {
    // In the pool, whose idle threads then take parts of large products.
    rayon::scope(|_| measured(problem, settings))
}

fn measured<T: Scalar>(problem: &Problem<T>, settings: &MeasureSettings) -> Result<Measurement, JobError> {
    let (task, plan, seed) = (problem.task(), problem.plan(), settings.curvature.seed);
    let instrument = Instrument::new(task, plan, &settings.curvature, true);
    let advice = "measure on fewer samples, allow fewer Lanczos iterations, or take a smaller network";
    let needed = instrument.bytes();
    memory::check_with(MEASURING, needed, |limit| instrument.relief(limit, needed, |bytes| bytes), advice)?;
    let (layout, state) = (task.network.layout(), task.network.state_layout());
    let [parameters, running] = match &settings.weights {
        Some(path) => load(path, [layout, state])?,
        None => [layout.initialise(seed), state.initialise(seed)],
    };
    if let Some(path) = &settings.save_weights {
        save(path, [(layout, &parameters), (state, &running)])?;
    }
    if let Some(path) = &settings.save_batch {
        save_samples(path, instrument.batch(), instrument.samples(), task.shape)?;
    }
    let mut reading = instrument.at(&parameters);
    let loss = reading.loss();
    let asked = |quantity| settings.quantities.contains(&quantity);
    let ntk = asked(Quantity::Ntk).then(|| reading.ntk()).transpose()?;
    let ends = match [Quantity::HessianMax, Quantity::HessianMin].map(asked) {
        [true, true] => Some(Ends::Both),
        [true, false] => Some(Ends::Largest),
        [false, true] => Some(Ends::Smallest),
        [false, false] => None,
    };
    let hessian = ends.map(|ends| reading.hessian(ends, settings.curvature.top)).transpose()?;
    let gauss_newton = asked(Quantity::GaussNewton).then(|| reading.gauss_newton()).transpose()?;
    let preconditioned = if asked(Quantity::Preconditioned) { reading.preconditioned(None)? } else { None };
    let decayed = if asked(Quantity::Decayed) { reading.decayed()? } else { None };
    let layers = if asked(Quantity::Layers) { reading.layers()? } else { Vec::new() };
    let mut warnings = task.notes.clone();
    let spectra = [
        ("ntk", &ntk),
        ("hessian", &hessian),
        ("gauss_newton", &gauss_newton),
        ("preconditioned", &preconditioned),
        ("decayed", &decayed),
    ];
    for (what, spectrum) in spectra.iter().filter_map(|(what, found)| Some((what, found.as_ref()?))) {
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
    warnings.extend(varied(task, ["augmentation", "patches"], seed));
    if plan.factors.iter().any(|&factor| factor != 1.0) {
        warnings.push(
            "curvature is that of R^1/2 H R^1/2 with the learning-rate factors R, which is what limits the rate".into(),
        );
    }
    let largest = |spectrum: &Spectrum<Vec<T>>| Estimate::of(spectrum.largest.first(), spectrum.iterations);
    let [ntk, gauss_newton, preconditioned, decayed] =
        [ntk, gauss_newton, preconditioned, decayed].map(|found| found.as_ref().map(largest));
    let hessian = hessian.map_or_else(HessianEnds::default, |found| {
        let top = if settings.curvature.top > 1 { &found.largest[..] } else { &[] };
        HessianEnds {
            max: asked(Quantity::HessianMax).then(|| largest(&found)),
            min: asked(Quantity::HessianMin).then(|| Estimate::of(found.smallest.first(), found.iterations)),
            top: top.iter().map(|top| Estimate::of(Some(top), found.iterations)).collect(),
        }
    });
    let value = |found: &Option<Estimate>| found.and_then(|found| found.value);
    let inputs = ThresholdInputs {
        preconditioned_max: value(&preconditioned),
        decayed: decayed.map(|found| found.value.unwrap_or(f64::NAN)),
        ..threshold_inputs(problem, value(&ntk), value(&hessian.max))
    };
    let thresholds = thresholds::thresholds(&inputs);
    Ok(Measurement {
        parameters: task.network.parameters(),
        samples: instrument.samples(),
        outputs: task.network.output_len(),
        loss,
        ntk,
        hessian,
        gauss_newton,
        preconditioned,
        decayed,
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

/// That training sees its samples otherwise at each visit, because of its augmentation or patches, which have these names.
pub(crate) fn varied<T>(task: &Task<T>, [augmentation, patches]: [&str; 2], seed: u64) -> Option<String> {
    let varied = [(augmentation, task.augmentation.is_some()), (patches, task.patches.is_some())];
    let varied: Vec<&str> = varied.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect();
    (!varied.is_empty()).then(|| {
        format!(
            "{}: measured on images as the first epoch of seed {seed} sees them; every epoch sees others",
            varied.join(" and ")
        )
    })
}

/// The samples of a measurement as tensors `inputs` and `targets`, so that it can be repeated elsewhere: images of a
/// network that takes such (with their shape) in PyTorch's order, inputs of another one in that of its weights.
fn save_samples<T: Scalar>(
    path: &Path,
    Batch { inputs, targets }: Batch<'_, T>,
    samples: usize,
    shape: SampleShape,
) -> Result<(), JobError> {
    let flat = |values: &[T]| vec![samples, values.len() / samples];
    let save = |shape: Vec<usize>, inputs: &[T]| {
        let tensors = [("inputs", shape, inputs), ("targets", flat(targets), targets)];
        etalon_nn::parameters::save_tensors(path, &tensors)
    };
    Ok(match shape {
        SampleShape::Image { height, width, channels } => {
            let planes = transpose(inputs, height * width, channels);
            save(vec![samples, channels, height, width], &planes)
        }
        SampleShape::Flat(_) => save(flat(inputs), inputs),
    }?)
}

/// What theory needs to know of a problem.
fn threshold_inputs<T: Scalar>(
    problem: &Problem<T>,
    ntk: Option<f64>,
    hessian: Option<f64>,
) -> ThresholdInputs {
    let (task, plan, architecture) = (problem.task(), problem.plan(), problem.architecture());
    ThresholdInputs {
        loss: match task.loss {
            Loss::Mse => thresholds::Loss::Mse,
            Loss::CrossEntropy => thresholds::Loss::CrossEntropy,
            Loss::Logistic => thresholds::Loss::Logistic,
            Loss::Exponential => thresholds::Loss::Exponential,
        },
        ntk_top: ntk,
        hessian_max: hessian,
        preconditioned_max: None,
        activation: match architecture.map_or(Activation::Identity, |known| known.activation) {
            Activation::Identity => thresholds::Activation::Identity,
            Activation::Relu => thresholds::Activation::Relu,
            Activation::Tanh => thresholds::Activation::Tanh,
            Activation::Gelu => thresholds::Activation::Gelu,
        },
        hidden_layers: architecture.map(|known| known.hidden_layers),
        outputs: task.network.output_len(),
        optimizer: plan.optimizer,
        batch: match plan.batch {
            batch if batch >= task.train.len => thresholds::Batch::Full,
            batch => thresholds::Batch::Size(batch),
        },
        weight_decay: plan.weight_decay,
        decayed: None,
        bias: architecture.is_some_and(|known| known.bias),
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
