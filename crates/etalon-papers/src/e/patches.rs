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

/// Looks at the held-out images over which an accuracy is averaged: those of the last epochs. The specs ask for no others,
/// which cost half of a trial.
const LAST: usize = 4;

/// Held-out accuracy at the end.
fn at_end(trial: &Trained) -> f64 {
    until(trial, u64::MAX)
}

/// Held-out accuracy before the rate is lowered.
fn before_the_fall(trial: &Trained) -> f64 {
    until(trial, trial.spec.schedule.milestones.first().copied().unwrap_or(0))
}

fn until(trial: &Trained, step: u64) -> f64 {
    let accuracies = trial.accuracies.iter().filter(|(at, _)| *at <= step).map(|(_, accuracy)| accuracy);
    let last: Vec<&f64> = accuracies.rev().take(LAST).collect();
    last.iter().copied().sum::<f64>() / last.len() as f64
}

/// Accuracies of the three trainings at the end, seed by seed.
fn ends(trials: &[Trained], patched: bool) -> [Vec<f64>; 3] {
    [Training::Large, Training::Small, Training::Noise]
        .map(|training| numbers(trials, patched, training, at_end))
}

/// So many held-out images; 0 for all.
fn images(trials: &[Trained]) -> usize {
    trials.first().map_or(0, |trial| trial.spec.data.test)
}

/// The accuracy of a large rate that is lowered and of a small one, without a patch, before the rate falls and at the end.
pub(crate) fn rate_and_accuracy(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    let images = images(&trials);
    let early = |training| numbers(&trials, false, training, before_the_fall);
    let (early_large, early_small) = (early(Training::Large), early(Training::Small));
    let [large, small, _] = ends(&trials, false);
    let one = |accuracies: &[f64]| Measurement::contrast(&[(1.0, accuracies)], images);
    experiment
        .measured("before", Measurement::contrast(&[(1.0, &early_small), (-1.0, &early_large)], images));
    experiment.measured("gap", Measurement::contrast(&[(1.0, &large), (-1.0, &small)], images));
    experiment.measured("large", one(&large));
    experiment.measured("small", one(&small));
    Ok(())
}

/// By how much noise lies between both, without a patch.
pub(crate) fn order_of_accuracies(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    let [large, small, noise] = ends(&trials, false);
    let less = |a: &[f64], b: &[f64]| Measurement::contrast(&[(1.0, a), (-1.0, b)], images(&trials));
    experiment.measured("over_noise", less(&large, &noise));
    experiment.measured("over_small", less(&noise, &small));
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
    let ([large, small, _], [plain_large, plain_small, _]) = (ends(&trials, true), ends(&trials, false));
    let images = images(&trials);
    let gap: [(f64, &[f64]); 2] = [(1.0, &large), (-1.0, &small)];
    let plain: [(f64, &[f64]); 2] = [(-1.0, &plain_large), (1.0, &plain_small)];
    experiment.measured("gap", Measurement::contrast(&gap, images));
    experiment.measured("of_patch", Measurement::contrast(&[gap, plain].concat(), images));
    experiment.measured("large", Measurement::median(&late));
    experiment.measured("small", Measurement::median(&early));
    Ok(())
}

/// How much of what the patch itself costs the small rate noise recovers: the gap between large and small with the patch, less
/// that without it.
pub(crate) fn noise_recovers(_: Nothing, experiment: &mut Experiment<'_>) -> Result<(), ClaimError> {
    let trials = experiment.trained()?;
    let images = images(&trials);
    let ([large, small, noise], [plain_large, plain_small, plain_noise]) =
        (ends(&trials, true), ends(&trials, false));
    let of_patch = |factors: [f64; 3]| {
        let with = factors.into_iter().zip([&large[..], &small, &noise]);
        let without = factors.into_iter().zip([&plain_large[..], &plain_small, &plain_noise]);
        let terms: Vec<(f64, &[f64])> = with.chain(without.map(|(factor, plain)| (-factor, plain))).collect();
        Measurement::contrast(&terms, images)
    };
    let (gap, gain) = (of_patch([1.0, -1.0, 0.0]), of_patch([0.0, -1.0, 1.0]));
    experiment.measured("share", Measurement::one(gain.number() / gap.number()));
    // More than half is most. As a difference it has an interval, which a ratio of small numbers has not.
    experiment.measured("over_half", of_patch([-0.5, -0.5, 1.0]));
    experiment.measured("gap", gap);
    experiment.measured("gain", gain);
    Ok(())
}
