//! The rates at which something changes.

use super::{BALANCED, run};
use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, law, spread};
use etalon::theory::{
    Phase, Range, Run, RunSettings, ScalarLoss, State, boundary, catapult_eta, critical_eta,
};
use serde::Deserialize;

/// The rate near an expected one at which an answer about the run changes.
fn change(
    loss: ScalarLoss,
    width: f64,
    start: State,
    expected: f64,
    accept: impl Fn(&Run) -> bool,
) -> Result<f64, ClaimError> {
    let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
    let range = Range { low: 0.6 * expected, high: 1.5 * expected, steps: 100, tolerance: 1e-5 };
    Ok(boundary(loss, width, start, &range, &settings, accept)?.middle())
}

fn bounded(run: &Run) -> bool {
    run.phase != Phase::Divergent
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rates {
    /// Of positive labels.
    shares: Vec<f64>,
    widths: Vec<f64>,
}

/// The critical and the largest rate under logistic loss, over those that theory gives.
pub(crate) fn rates(
    Rates { shares, widths }: Rates,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let mut critical = Vec::new();
    for positive in shares {
        let loss = ScalarLoss::Logistic { positive };
        let (Some(expected), Some(minimizer)) = (critical_eta(loss, 2.0), loss.minimizer()) else {
            continue;
        };
        let start = State { f: minimizer + 1e-3, lambda: 2.0 };
        // A loss that never rises: judged by the loss, not by the formula.
        critical.push(change(loss, 1e12, start, expected, |run| run.peak_step == 0)? / expected);
    }
    let (mut ratios, mut points, mut spreads, mut rows) = (vec![], vec![], vec![], vec![]);
    for width in widths {
        experiment.at(&format!("width {width}"))?;
        let expected = catapult_eta(BALANCED, 2.0, width).unwrap_or(f64::NAN);
        let found = [1.0, 2.0, 4.0]
            .map(|lambda| change(BALANCED, width, State { f: 1.0, lambda }, expected, bounded));
        let found = found.into_iter().collect::<Result<Vec<f64>, ClaimError>>()?;
        points.push((width, found[1]));
        spreads.push(spread(&found));
        rows.push([vec![width, expected], found.clone()].concat());
        ratios.extend(found.iter().map(|found| found / expected));
    }
    let law = law("width", points)?;
    experiment.measured("critical", Measurement::farthest(&critical, 1.0));
    experiment.measured("maximal", Measurement::farthest(&ratios, 1.0));
    experiment.measured("exponent", Measurement::exponent(&law));
    experiment.measured("spread", Measurement::most(&spreads));
    experiment.curve("maximal", &["width", "predicted", "lambda_1", "lambda_2", "lambda_4"], rows);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExponentialWindow {
    widths: Vec<f64>,
    /// One of them, at which the window is open.
    open: f64,
    /// A width at which it is closed.
    closed: f64,
}

/// How wide the window of catapults above the critical rate is under exponential loss.
pub(crate) fn exponential_window(
    ExponentialWindow { widths, open, closed }: ExponentialWindow,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let loss = ScalarLoss::Exponential { positive: 0.5 };
    let start = State { f: 0.1, lambda: 2.0 };
    let excess = |width: f64| Ok::<f64, ClaimError>(change(loss, width, start, 1.0, bounded)? - 1.0);
    let points: Result<Vec<(f64, f64)>, ClaimError> =
        widths.into_iter().map(|width| Ok((width, excess(width)?))).collect();
    let points = points?;
    let law = law("width", points.iter().copied())?;
    experiment.measured("open", Measurement::one(excess(open)?));
    experiment.measured("exponent", Measurement::exponent(&law));
    experiment.measured("closed", Measurement::one(excess(closed)?));
    let rows = points.into_iter().map(|(width, excess)| vec![width, excess]);
    experiment.curve("excess", &["width", "excess"], rows.collect());
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Separable {
    width: f64,
    /// `eta lambda_0`.
    rates: Vec<f64>,
    steps: usize,
}

/// What is left of loss and curvature on separable data.
pub(crate) fn separable(
    Separable { width, rates, steps }: Separable,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (loss, start) = (ScalarLoss::Logistic { positive: 1.0 }, State { f: 0.5, lambda: 2.0 });
    let (mut rests, mut kernels, mut hessians) = (vec![], vec![], vec![]);
    for c in rates {
        let run = run(loss, c / 2.0, width, start, steps)?;
        let bend = |state: State| state.lambda * loss.curvature(state.f);
        rests.push(loss.value(run.last.f) / run.initial_loss);
        kernels.push(run.last.lambda / start.lambda);
        hessians.push(bend(run.last) / bend(start));
    }
    experiment.measured("rest", Measurement::most(&rests));
    experiment.measured("kernel_low", Measurement::least(&kernels));
    experiment.measured("kernel_high", Measurement::most(&kernels));
    experiment.measured("hessian", Measurement::most(&hessians));
    Ok(())
}
