//! Exact gradient descent of a two-layer linear network on the data of a spec.

use super::ModelError;
use crate::curvature::{DenseOperator, LanczosSettings, lanczos};
use crate::error::Error;
use crate::memory;
use crate::spec::Spec;
use crate::theory::{Axis, LinearModel, LinearState, Phase, ScalarLoss, TheoryError};
use etalon_nn::Loss;
use etalon_nn::kernels::activation::Activation;
use etalon_nn::network::{Initialisation, Parametrization};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A loss above this has diverged.
const LIMIT: f64 = 1e100;
/// A loss that has fallen to this share of its start is done.
const DONE: f64 = 1e-12;
/// Curvature that ends below this share of its start has fallen; in the lazy phase it moves by O(1/width).
const FALL: f64 = 0.9;

/// Runs from one start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearRuns {
    /// The number of hidden units.
    pub width: usize,
    /// How many training samples there are.
    pub samples: usize,
    /// Numbers of an input.
    pub dimension: usize,
    /// The largest NTK eigenvalue at the start.
    pub lambda0: f64,
    /// The runs, in the order asked.
    pub runs: Vec<LinearRun>,
}

/// One run. What is not finite is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearRun {
    /// `eta lambda_0`, with the NTK's.
    pub c: f64,
    /// The number of hidden units.
    pub width: usize,
    /// The constant learning rate, `c / lambda0`.
    pub eta: f64,
    /// Lazy, catapult or divergent.
    pub phase: Phase,
    /// The largest loss, the start's included.
    #[serde(deserialize_with = "crate::units::number")]
    pub peak_loss: f64,
    /// The step of the largest loss.
    pub peak_step: usize,
    /// The largest NTK eigenvalue at the end.
    pub final_lambda: Option<f64>,
    /// The learning rate times that.
    pub final_c: Option<f64>,
    /// The loss at the end.
    pub final_loss: Option<f64>,
    /// The loss at the start.
    #[serde(deserialize_with = "crate::units::number")]
    pub initial_loss: f64,
    /// Steps taken until it settled, diverged, or spent them all.
    pub steps: usize,
    /// The reason for the phase, with its numbers.
    pub why: String,
}

/// Runs the two-layer linear network of the spec's width on the spec's data at each `c`, for `steps` steps at most.
/// The network is in NTK parametrisation with hidden gain 1 and no biases, whatever the spec says of them; its weights
/// are those that training a spec of that network starts from.
///
/// # Errors
/// When the spec makes no task with one output and a loss of one output, or memory does not suffice.
pub fn linear_runs(spec: &Spec, c: &Axis, steps: usize) -> Result<LinearRuns, Error> {
    let mut spec = spec.clone();
    let network = &mut spec.network;
    (network.depth, network.activation, network.bias) = (1, Activation::Identity, false);
    (network.parametrization, network.init) = (Parametrization::Ntk, Initialisation::LeCun);
    (network.residual, network.output_gain) = (false, 1.0);
    let task = spec.task::<f64>()?;
    let outputs = task.network.output_len();
    if outputs != 1 {
        return Err(ModelError::Outputs(outputs).into());
    }
    let (samples, dim, width) = (task.train.len, task.network.input_len(), spec.network.width);
    let kernel = 3 * (samples * samples * size_of::<f64>()) as u64;
    let run = (c.len() as u64).saturating_mul(size_of::<LinearRun>() as u64 + 400);
    let square = (rayon::current_num_threads() * dim * dim * size_of::<f64>()) as u64;
    let advice = "take fewer values of c or fewer samples (data.train)";
    memory::check("this scan", kernel.saturating_add(run).saturating_add(square), advice)?;
    let scalar = |&target: &f64| match task.loss {
        Loss::Mse => Ok(ScalarLoss::Mse { target }),
        Loss::Logistic => Ok(ScalarLoss::Logistic { positive: f64::from(target > 0.0) }),
        Loss::Exponential => Ok(ScalarLoss::Exponential { positive: f64::from(target > 0.0) }),
        Loss::CrossEntropy => Err(ModelError::Loss(task.loss.name())),
    };
    let losses = task.train.targets.iter().map(scalar).collect::<Result<_, _>>()?;
    let model = LinearModel::new(width as f64, dim, task.train.inputs.clone(), losses)?;
    let parameters: Vec<f64> = task.network.layout().initialise(spec.seed);
    let (u, v) = parameters.split_at(width * dim);
    let start = model.condense(u, v)?;
    let lambda0 = top(&model, &start, samples)?;
    if !(lambda0 > 0.0 && lambda0.is_finite()) {
        let (name, range) = ("lambda0", "positive and finite: are all inputs zero?");
        return Err(TheoryError::OutOfRange { name, got: lambda0, range }.into());
    }
    let values: Vec<f64> = c.values().collect();
    let runs = values.into_par_iter().map(|c| run_at(&model, &start, samples, lambda0, c, steps));
    let mut runs = runs.collect::<Result<Vec<_>, Error>>()?;
    runs.iter_mut().for_each(|run| run.width = width);
    Ok(LinearRuns { width, samples, dimension: dim, lambda0, runs })
}

/// The kernel's largest eigenvalue, by Lanczos: dense rotations would cost the cube of the samples.
fn top(model: &LinearModel, state: &LinearState, samples: usize) -> Result<f64, Error> {
    let kernel = model.ntk(state);
    if !kernel.iter().all(|entry| entry.is_finite()) {
        return Ok(f64::NAN);
    }
    // Symmetric by construction; what fails the check of it has overflowed.
    let Ok(mut kernel) = DenseOperator::new(samples, kernel) else { return Ok(f64::NAN) };
    let settings = LanczosSettings { tolerance: 1e-10, max_iterations: 300, ..LanczosSettings::default() };
    Ok(lanczos(&mut kernel, &settings, None)?.largest.first().map_or(f64::NAN, |top| top.value))
}

fn run_at(
    model: &LinearModel,
    start: &LinearState,
    samples: usize,
    lambda0: f64,
    c: f64,
    steps: usize,
) -> Result<LinearRun, Error> {
    let eta = c / lambda0;
    let mut state = start.clone();
    let initial_loss = model.loss(&state);
    let (mut loss, mut peak, mut taken) = (initial_loss, (initial_loss, 0), 0);
    while taken < steps && loss > DONE * initial_loss {
        model.step(eta, &mut state);
        taken += 1;
        loss = model.loss(&state);
        // The negation catches NaN.
        if !(loss <= LIMIT) {
            break;
        }
        if loss > peak.0 {
            peak = (loss, taken);
        }
    }
    let diverged = !(loss <= LIMIT);
    let lambda = if diverged { f64::NAN } else { top(model, &state, samples)? };
    let rose = peak.1 > 0;
    let rise = if rose {
        format!("the loss rose {:.3}-fold to {:.4} at step {}", peak.0 / initial_loss, peak.0, peak.1)
    } else {
        format!("the loss fell from {initial_loss:.4} to {loss:.3e} without a rise")
    };
    let (phase, why) = if diverged {
        (Phase::Divergent, format!("the loss passed every bound at step {taken}"))
    } else {
        let fell = lambda < FALL * lambda0;
        let phase = if rose || fell { Phase::Catapult } else { Phase::Lazy };
        (phase, format!("{rise}; eta lambda went from {c:.4} to {:.4} in {taken} steps", eta * lambda))
    };
    let finite = |value: f64| value.is_finite().then_some(value);
    Ok(LinearRun {
        c,
        width: 0,
        eta,
        phase,
        peak_loss: peak.0,
        peak_step: peak.1,
        final_lambda: finite(lambda),
        final_c: finite(eta * lambda),
        final_loss: finite(loss),
        initial_loss,
        steps: taken,
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(more: &[&str]) -> Spec {
        let base =
            ["loss=mse", "data.name=teacher", "data.dimension=5", "data.train=8", "network.width=2000"];
        Spec::load(None, &base.iter().chain(more).map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn many_samples_are_lazy_below_two_and_catapult_above() {
        let axis = "1,1.8,3,6".parse().unwrap();
        let scan = linear_runs(&spec(&[]), &axis, 5000).unwrap();
        assert_eq!((scan.samples, scan.dimension, scan.width), (8, 5, 2000));
        let phases: Vec<_> = scan.runs.iter().map(|run| run.phase).collect();
        assert_eq!(phases, [Phase::Lazy, Phase::Lazy, Phase::Catapult, Phase::Divergent]);
        assert!(scan.runs[2].final_c.unwrap() < 2.0 && scan.runs[3].final_c.is_none());
    }

    #[test]
    fn signs_are_learnt_under_logistic_loss() {
        let gaussians = ["loss=logistic", "data.name=two-gaussians", "data.margin=-1", "data.train=60"];
        let runs = linear_runs(&spec(&gaussians), &"4,4000".parse().unwrap(), 2000).unwrap().runs;
        assert_eq!((runs[0].phase, runs[1].phase), (Phase::Lazy, Phase::Divergent));
        assert!(runs[0].final_loss.unwrap() < 2f64.ln());
    }

    #[test]
    fn what_is_no_such_model_is_refused() {
        let axis: Axis = "1".parse().unwrap();
        let text = |spec: &Spec| linear_runs(spec, &axis, 10).unwrap_err().to_string();
        assert!(text(&Spec::default()).contains("has one output, and this task has 10"));
        let one_hot = spec(&["loss=cross_entropy", "data.name=two-gaussians", "data.noise=0"]);
        assert!(text(&one_hot).contains("noise"), "{}", text(&one_hot));
    }
}
