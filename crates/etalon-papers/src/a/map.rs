//! The two-layer linear network with one input, solved.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, exponent, law, r_squared};
use etalon::Error;
use etalon::theory::{
    Dimensionless, Map, Modes, Phase, Range, Run, RunSettings, ScalarLoss, State, boundary,
};
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

const LOSS: ScalarLoss = ScalarLoss::Mse { target: 0.0 };

/// Output and curvature of weights that are drawn from N(0, 1).
pub(super) fn drawn(seed: u64, width: usize) -> State {
    let mut random = stream(seed, Purpose::Parameters, 0);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let (mut product, mut squares) = (0.0, 0.0);
    for _ in 0..width {
        let (u, v) = (normal(), normal());
        product += u * v;
        squares += u * u + v * v;
    }
    State { f: product / (width as f64).sqrt(), lambda: squares / width as f64 }
}

fn run(start: State, c: f64, width: f64) -> Result<Run, Error> {
    Ok(Map::new(LOSS, c / start.lambda, width)?.run(start, &RunSettings::default())?)
}

/// The `eta lambda_0` at which a start begins to diverge, from 3 to some number.
pub(super) fn divergence(start: State, width: usize, high: f64, tolerance: f64) -> Result<f64, ClaimError> {
    let range = Range { low: 3.0 / start.lambda, high: high / start.lambda, steps: 20, tolerance };
    let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
    let found = boundary(LOSS, width as f64, start, &range, &settings, |run| run.phase != Phase::Divergent)?;
    Ok(found.middle() * start.lambda)
}

/// `eta lambda` at the end of a run at `c`.
fn end(run: &Run, c: f64) -> f64 {
    c * run.last.lambda / run.start.lambda
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutAndBack {
    width: usize,
    seeds: u64,
    /// `eta lambda_0`.
    rates: Vec<f64>,
}

/// How far the loss climbs above 2/lambda0, and what is left of it and of curvature.
pub(crate) fn out_and_back(
    OutAndBack { width, seeds, rates }: OutAndBack,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut rises, mut rests, mut curvatures) = (Vec::new(), Vec::new(), Vec::new());
    for seed in experiment.seeds(seeds) {
        let start = drawn(seed, width);
        for &c in &rates {
            let run = run(start, c, width as f64)?;
            rises.push(run.peak_loss / run.initial_loss);
            rests.push(LOSS.value(run.last.f) / run.initial_loss);
            curvatures.push(run.last.lambda / start.lambda);
        }
    }
    experiment.measured("rise", Measurement::least(&rises));
    experiment.measured("rest", Measurement::most(&rests));
    experiment.measured("flattening", Measurement::most(&curvatures));
    let first = drawn(experiment.seed(), width);
    experiment.curve(
        "slice",
        &["step", "along_sum", "along_difference", "eta_lambda"],
        slice(first, 3.0, width as f64),
    );
    Ok(())
}

/// The trajectory in the plane in which it stays: the weights along `u = v` and along `u = -v`, in units in which
/// `eta lambda` is the sum of their squares.
fn slice(start: State, c: f64, width: f64) -> Vec<Vec<f64>> {
    let mut modes = Modes::from(Dimensionless::of(start, c / start.lambda, width));
    (0..60)
        .map(|step| {
            let row = vec![f64::from(step), modes.p.sqrt(), modes.q.sqrt(), modes.p + modes.q];
            modes = modes.step();
            row
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phases {
    widths: Vec<usize>,
    seeds: u64,
    /// How many.
    rates: usize,
}

/// The phases of runs over rates, and the rate at which runs begin to diverge.
pub(crate) fn phases(
    Phases { widths, seeds, rates }: Phases,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut changes, mut ends, mut converged, mut boundaries) = (vec![], vec![], vec![], vec![]);
    let mut rows = Vec::new();
    for &width in &widths {
        experiment.at(&format!("width {width}"))?;
        for seed in experiment.seeds(seeds) {
            let start = drawn(seed, width);
            for index in 0..rates {
                let c = 0.5 + 3.4 * index as f64 / (rates - 1) as f64;
                let run = run(start, c, width as f64)?;
                rows.push(vec![
                    width as f64,
                    seed as f64,
                    c,
                    end(&run, c),
                    run.peak_loss,
                    run.peak_step as f64,
                ]);
                if c <= 1.5 {
                    changes.push((run.last.lambda / start.lambda - 1.0).abs());
                } else if (2.1..=3.9).contains(&c) {
                    // A minimum may be so flat that all steps are spent on the way down to it.
                    converged.push(matches!(run.phase, Phase::Catapult | Phase::Unfinished));
                    ends.push(end(&run, c));
                }
            }
            boundaries.push(divergence(start, width, 5.0, 1e-4)?);
        }
    }
    // The same start at every width, so that the width alone differs.
    let start = State { f: 1.0, lambda: 2.0 };
    let change = |width: f64| Ok::<f64, Error>((run(start, 1.5, width)?.last.lambda / 2.0 - 1.0).abs());
    let points = [1e2, 1e3, 1e4, 1e5].map(|width| Ok((width, change(width)?)));
    let law = law("width", points.into_iter().collect::<Result<Vec<_>, Error>>()?)?;
    experiment.measured("lazy_change", Measurement::most(&changes));
    experiment.measured("lazy_exponent", Measurement::exponent(&law));
    experiment.measured("converged", Measurement::share(&converged));
    experiment.measured("final_c", Measurement::most(&ends));
    experiment.measured("boundary_low", Measurement::least(&boundaries));
    experiment.measured("boundary_high", Measurement::most(&boundaries));
    experiment.curve("runs", &["width", "seed", "c", "final_c", "peak_loss", "peak_step"], rows);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Widths {
    /// How many widths.
    points: usize,
    /// `eta lambda_0`.
    rates: Vec<f64>,
}

/// How the height of a catapult and the time to it grow with the width.
pub(crate) fn widths(
    Widths { points, rates }: Widths,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let start = State { f: 1.0, lambda: 2.0 };
    let (mut peaks, mut peak_fits, mut folds, mut time_fits) = (vec![], vec![], vec![], vec![]);
    let mut rows = Vec::new();
    for &c in &rates {
        let (mut losses, mut times) = (Vec::new(), Vec::new());
        for index in 0..points {
            let width = 10f64.powf(2.0 + 10.0 * index as f64 / (points - 1) as f64);
            let run = run(start, c, width)?;
            losses.push((width, run.peak_loss));
            // A line in log n is a power law of the exponential.
            times.push((width, (run.peak_step as f64).exp()));
            rows.push(vec![c, width, run.peak_loss, run.peak_step as f64]);
        }
        let (loss, time) = (law("width", losses)?, law("width", times)?);
        peaks.push(exponent(&loss));
        peak_fits.push(r_squared(&loss));
        folds.push(exponent(&time) * 2.0 * (c - 1.0).ln());
        time_fits.push(r_squared(&time));
    }
    experiment.measured("peak_exponent", Measurement::farthest(&peaks, 1.0));
    experiment.measured("peak_fit", Measurement::least(&peak_fits));
    experiment.measured("steps_per_fold", Measurement::farthest(&folds, 1.0));
    experiment.measured("time_fit", Measurement::least(&time_fits));
    experiment.curve("peaks", &["c", "width", "peak_loss", "peak_step"], rows);
    Ok(())
}
