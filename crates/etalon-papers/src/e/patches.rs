//! Patches on images, and noise before the activations.

use crate::experiment::{ClaimError, Experiment};
use crate::functions::Nothing;
use crate::measurement::Measurement;
use crate::sweeps::Trained;

/// How a network is trained.
#[derive(Clone, Copy, PartialEq)]
enum Training {
    /// A large rate, lowered.
    Large,
    /// The small one throughout.
    Small,
    /// The small one, at first with noise.
    Noise,
}

impl Training {
    fn of(trial: &Trained) -> Training {
        match (trial.spec.schedule.factor < 1.0, trial.spec.noise.level > 0.0) {
            (true, _) => Training::Large,
            (false, false) => Training::Small,
            (false, true) => Training::Noise,
        }
    }
}

/// A number of the trials of one training, on images with a patch or without one, seed by seed.
fn numbers(trials: &[Trained], patched: bool, training: Training, of: fn(&Trained) -> f64) -> Vec<f64> {
    let is_patched = |trial: &Trained| trial.spec.data.patch.size > 0;
    let chosen = trials.iter().filter(|trial| Training::of(trial) == training);
    chosen.filter(|trial| is_patched(trial) == patched).map(of).collect()
}

/// Held-out accuracies of the three trainings, seed by seed.
fn accuracies(trials: &[Trained], patched: bool) -> [Vec<f64>; 3] {
    [Training::Large, Training::Small, Training::Noise]
        .map(|training| numbers(trials, patched, training, |trial| trial.accuracy))
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The accuracy of a large rate that is lowered and of a small one, without a patch.
pub(crate) fn rate_and_accuracy(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let [large, small, _] = accuracies(&experiment.trained()?, false);
    experiment.measured("gap", Measurement::median(&differences(&large, &small)));
    experiment.measured("large", Measurement::median(&large));
    experiment.measured("small", Measurement::median(&small));
    Ok(())
}

/// By how much noise lies between both, without a patch.
pub(crate) fn order_of_accuracies(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let [large, small, noise] = accuracies(&experiment.trained()?, false);
    experiment.measured("over_noise", Measurement::median(&differences(&large, &noise)));
    experiment.measured("over_small", Measurement::median(&differences(&noise, &small)));
    Ok(())
}

/// When either rate learns a patch, and the accuracy on clean images that it comes to.
pub(crate) fn order_of_patterns(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    let learnt = |training| numbers(&trials, true, training, |trial| trial.patch_learnt_at);
    let (late, early) = (learnt(Training::Large), learnt(Training::Small));
    // What was never learnt was learnt after the end.
    let end = numbers(&trials, true, Training::Large, |trial| trial.steps);
    let late: Vec<f64> =
        late.iter().zip(&end).map(|(&step, &end)| if step.is_nan() { end } else { step }).collect();
    let ratios: Vec<f64> = late.iter().zip(&early).map(|(late, early)| late / early).collect();
    experiment.measured("later", Measurement::least(&ratios));
    let ([large, small, _], [plain_large, plain_small, _]) =
        (accuracies(&trials, true), accuracies(&trials, false));
    let gaps = differences(&large, &small);
    experiment.measured("gap", Measurement::median(&gaps));
    let of_patch = differences(&gaps, &differences(&plain_large, &plain_small));
    experiment.measured("of_patch", Measurement::median(&of_patch));
    experiment.measured("large", Measurement::median(&late));
    experiment.measured("small", Measurement::median(&early));
    Ok(())
}

/// How much of what the small rate loses on images with patches noise recovers.
pub(crate) fn noise_recovers(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let [large, small, noise] = accuracies(&experiment.trained()?, true);
    let (gaps, gains) = (differences(&large, &small), differences(&noise, &small));
    let shares: Vec<f64> = gains.iter().zip(&gaps).map(|(gain, gap)| gain / gap).collect();
    experiment.measured("share", Measurement::median(&shares));
    experiment.measured("gap", Measurement::median(&gaps));
    experiment.measured("gain", Measurement::median(&gains));
    Ok(())
}
