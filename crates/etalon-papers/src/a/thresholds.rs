//! The learning rates at which something changes.

use super::map;
use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, spread};
use crate::network::{Subject, changes, rises, starts, trained};
use etalon::models::linear_runs;
use etalon::theory::thresholds::{Activation, Batch, Loss, ThresholdInputs, thresholds};
use etalon::theory::{Axis, Phase, Range};
use etalon::train::Trajectory;
use etalon_nn::optim::{Rule, Sgd};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstRise {
    seeds: u64,
}

/// The rate at which the loss begins to rise, at three depths.
pub(crate) fn first_rise_by_depth(
    FirstRise { seeds }: FirstRise,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let range = Range { low: 1.4, high: 4.0, steps: 4, tolerance: 0.02 };
    for (depth, name) in [(1, "one"), (2, "two"), (3, "three")] {
        let subject = Subject::<f32>::new(&experiment.spec_with(&[("depth", depth.into())])?)?;
        let starts = starts(experiment, &subject, seeds)?;
        experiment.at(&format!("{depth} hidden layers"))?;
        let found = changes(experiment, &subject, &starts, &range, rises)?;
        experiment.measured(name, Measurement::median(&found));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Divergence {
    seeds: u64,
    /// Of the solved network with one input.
    widths: Vec<usize>,
    /// The spec of the solved network with many inputs.
    teacher: String,
}

/// The rate from which on training diverges: of two solved networks, and of the claim's own.
pub(crate) fn divergence(
    Divergence { seeds, widths, teacher }: Divergence,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    experiment.at("the solved networks")?;
    let mut exact = Vec::new();
    for seed in experiment.seeds(seeds) {
        for &width in &widths {
            exact.push(map::divergence(map::drawn(seed, width), width, 6.0, 1e-5)?);
        }
    }
    experiment.measured("one_input", Measurement::farthest(&exact, 4.0));
    let spec = experiment.parsed(&teacher)?;
    let axis: Axis = "3..6/60".parse().map_err(|error| ClaimError::Other(format!("{error}")))?;
    let solved = linear_runs(&spec, &axis, 2000)?;
    let diverged = solved.runs.iter().find(|run| run.phase == Phase::Divergent);
    experiment.measured("many_inputs", Measurement::one(diverged.map_or(f64::NAN, |run| run.c)));
    let subject = Subject::<f32>::new(&experiment.spec()?)?;
    let starts = starts(experiment, &subject, seeds)?;
    experiment.at("the ReLU network")?;
    let range = Range { low: 2.5, high: 10.0, steps: 6, tolerance: 0.05 };
    experiment
        .measured("relu", Measurement::median(&changes(experiment, &subject, &starts, &range, trained)?));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivationLimits {
    seeds: u64,
    /// The networks by the names of their quantities.
    networks: Vec<Limited>,
}

/// A network whose largest rate is looked for, as the spec names its parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limited {
    name: String,
    activation: String,
    depth: i64,
    classes: String,
}

/// The largest rate that trains, by nonlinearity, depth and number of classes.
pub(crate) fn activation_limits(
    ActivationLimits { seeds, networks }: ActivationLimits,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let mut limits: Vec<(&str, Vec<f64>)> = Vec::new();
    for Limited { name, activation, depth, classes } in &networks {
        let others = [
            ("activation", activation.as_str().into()),
            ("depth", (*depth).into()),
            ("classes", classes.as_str().into()),
        ];
        let subject = Subject::<f32>::new(&experiment.spec_with(&others)?)?;
        let starts = starts(experiment, &subject, seeds)?;
        experiment.at(name)?;
        let range = Range { low: 1.5, high: 48.0, steps: 12, tolerance: 0.1 };
        // At low rates 60 steps may be too few: a walk from below looks for where training ends.
        let settled = |trajectory: &Trajectory| {
            !trajectory.stop.diverged() && trajectory.train.loss < trajectory.start.loss
        };
        let found = changes(experiment, &subject, &starts, &range, settled)?;
        experiment.measured(name.clone(), Measurement::median(&found));
        limits.push((name, found));
    }
    let of = |wanted: &str| limits.iter().find(|(name, _)| *name == wanted).map(|(_, found)| found);
    if let Some((relu, tanh)) = of("relu").zip(of("tanh")) {
        let ratios: Vec<f64> = relu.iter().zip(tanh).map(|(relu, tanh)| relu / tanh).collect();
        experiment.measured("relu_over_tanh", Measurement::mean(&ratios));
    }
    // Of one nonlinearity, seed by seed.
    let relu: Vec<&Vec<f64>> =
        limits.iter().filter(|(name, _)| name.starts_with("relu")).map(|(_, found)| found).collect();
    let of_seed = |seed: usize| spread(&relu.iter().map(|found| found[seed]).collect::<Vec<_>>());
    let spreads: Vec<f64> = (0..seeds as usize).map(of_seed).collect();
    experiment.measured("spread", Measurement::mean(&spreads));
    let rows = limits.iter().zip(&networks).enumerate().flat_map(|(index, ((_, found), network))| {
        let row = move |(seed, c): (usize, &f64)| vec![index as f64, network.depth as f64, seed as f64, *c];
        found.iter().enumerate().map(row)
    });
    let rows = rows.collect();
    experiment.curve("limits", &["network", "depth", "seed", "c_act"], rows);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MomentumLimits {
    seeds: u64,
    momenta: Vec<f64>,
}

/// The rate from which on training with momentum diverges, over the one that theory gives.
pub(crate) fn momentum_limits(
    MomentumLimits { seeds, momenta }: MomentumLimits,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    for (name, nesterov, averaged, momenta) in [
        ("none", false, false, &[0.0][..]),
        ("heavy_ball", false, false, &momenta),
        ("nesterov", true, false, &momenta),
        ("averaged", false, true, &momenta),
    ] {
        experiment.at(name)?;
        let mut ratios = Vec::new();
        for &b in momenta {
            let subject = Subject::<f64>::new(
                &experiment.spec_with(&[("momentum", b.into()), ("nesterov", nesterov.into())])?,
            )?;
            for seed in experiment.seeds(seeds) {
                experiment.go_on()?;
                let start = subject.start(seed)?;
                let predicted = limit(start.lambda, b, (nesterov, averaged)) * start.lambda;
                // An average of gradients by 1 - b is a heavy ball at 1 - b times the rate.
                let scale = if averaged { 1.0 - b } else { 1.0 };
                let expected = predicted * scale;
                let range = Range { low: 0.8 * expected, high: 1.25 * expected, steps: 1, tolerance: 0.005 };
                let bounded = |trajectory: &Trajectory| !trajectory.stop.diverged();
                ratios.push(subject.change(&start, &range, bounded)? / expected);
            }
        }
        experiment.measured(name, Measurement::farthest(&ratios, 1.0));
    }
    Ok(())
}

/// The limit that theory gives for a curvature.
fn limit(lambda: f64, momentum: f64, (nesterov, averaged): (bool, bool)) -> f64 {
    let inputs = ThresholdInputs {
        loss: Loss::Mse,
        ntk_top: Some(lambda),
        hessian_max: None,
        preconditioned_max: None,
        activation: Activation::Identity,
        hidden_layers: Some(0),
        outputs: 1,
        optimizer: Rule::Sgd(Sgd { momentum, nesterov }),
        weight_decay: 0.0,
        decayed: None,
        batch: Batch::Full,
        bias: false,
        scale: 1.0,
    };
    let name = match (momentum > 0.0, nesterov, averaged) {
        (false, ..) => "lazy-limit",
        (true, true, _) => "lazy-limit-nesterov",
        (true, false, true) => "lazy-limit-ema",
        (true, false, false) => "lazy-limit-heavy-ball",
    };
    thresholds(&inputs).eta(name).unwrap_or(f64::NAN)
}
