//! What training does at a rate.

use super::{BALANCED, run};
use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, law};
use crate::network::{Ran, Subject, settled, starts, trials};
use etalon::Error;
use etalon::theory::{Phase, ScalarLoss, State, critical_eta};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Predictor {
    /// How many.
    rates: u32,
    /// The largest, in units of the critical one.
    most: f64,
    /// Shares of positive labels beside a half.
    unequal: Vec<f64>,
}

/// What a linear predictor does below and above its critical rate.
pub(crate) fn predictor(
    Predictor { rates, most, unequal }: Predictor,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let over = |low: f64, high: f64| {
        (0..rates).map(move |at| low * (high / low).powf(f64::from(at) / f64::from(rates - 1)))
    };
    // Off the minimum by little: further off, the exponential loss is steeper than at it.
    let at = |loss: ScalarLoss, factor: f64, off: f64| -> Result<Phase, Error> {
        let eta = factor * critical_eta(loss, 1.0).unwrap_or(1.0);
        let start = State { f: loss.minimizer().unwrap_or(0.0) + off, lambda: 1.0 };
        Ok(run(loss, eta, f64::INFINITY, start, 50_000)?.phase)
    };
    let exponential = ScalarLoss::Exponential { positive: 0.5 };
    let (mut converged, mut cycles, mut bounded, mut diverged) = (vec![], vec![], vec![], vec![]);
    let mut separable = Vec::new();
    for factor in over(0.05, 0.98) {
        for loss in [BALANCED, exponential] {
            converged.push(settled(at(loss, factor, 0.1)?));
        }
    }
    for factor in over(1.05, most) {
        cycles.push(at(BALANCED, factor, 1.0)? == Phase::Cycle(2));
        diverged.push(at(exponential, factor, 0.1)? == Phase::Divergent);
        for &positive in &unequal {
            bounded.push(at(ScalarLoss::Logistic { positive }, factor, 1.0)? != Phase::Divergent);
        }
        let (loss, start) = (ScalarLoss::Logistic { positive: 1.0 }, State { f: 0.5, lambda: 1.0 });
        let end = run(loss, 8.0 * factor, f64::INFINITY, start, 50_000)?;
        separable.push(loss.value(end.last.f) / end.initial_loss);
    }
    experiment.measured("converged", Measurement::share(&converged));
    experiment.measured("cycles", Measurement::share(&cycles));
    experiment.measured("bounded", Measurement::share(&bounded));
    experiment.measured("diverged", Measurement::share(&diverged));
    experiment.measured("separable", Measurement::most(&separable));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    seeds: u64,
    /// `eta lambda_0` under logistic loss.
    rates: Vec<f64>,
    /// The same of the solved network under exponential loss.
    exponential_rates: Vec<f64>,
}

/// The catapult of a two-layer linear network above its critical rate.
pub(crate) fn network(
    Network { seeds, rates, exponential_rates }: Network,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let subject = Subject::<f64>::new(&experiment.spec()?)?;
    let starts = starts(experiment, &subject, seeds)?;
    experiment.at("logistic loss")?;
    let runs = trials(experiment, &subject, &starts, &rates, (|_: &_| subject.plan.clone(), 0))?;
    let of = |what: &dyn Fn(&Ran<f64>) -> f64| runs.iter().map(what).collect::<Vec<_>>();
    let hessian = |run: &Ran<f64>| {
        let end = run.observed.trajectory.records.last();
        end.and_then(|record| Some(record.hessian? / record.ntk?)).unwrap_or(f64::NAN)
    };
    let minimum = BALANCED.minimum();
    experiment.measured("rise", Measurement::least(&of(&Ran::rise)));
    experiment.measured("rest", Measurement::most(&of(&|run| run.observed.trajectory.train.loss / minimum)));
    experiment.measured("flattening", Measurement::most(&of(&Ran::fall)));
    experiment.measured("final_c", Measurement::most(&of(&Ran::final_c)));
    experiment.measured("hessian", Measurement::farthest(&of(&hessian), 0.25));
    experiment.at("exponential loss")?;
    let mut catapults = Vec::new();
    for c in exponential_rates {
        let start = State { f: 0.1, lambda: 2.0 };
        let run = run(ScalarLoss::Exponential { positive: 0.5 }, c / 2.0, 20.0, start, 50_000)?;
        let flatter = run.last.lambda < 0.99 * start.lambda && c * run.last.lambda / 2.0 <= 2.0;
        catapults.push(run.phase == Phase::Catapult && run.peak_step > 0 && flatter);
    }
    experiment.measured("exponential", Measurement::share(&catapults));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateScan {
    width: f64,
    /// How many on either side of the critical one.
    rates: u32,
}

/// The curvature at which training ends, against the rate.
pub(crate) fn scan(
    RateScan { width, rates }: RateScan,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let start = State { f: 1.0, lambda: 2.0 };
    let mut rows = Vec::new();
    for (low, high) in [(1.0f64, 7.5f64), (9.0, 40.0)] {
        for index in 0..rates {
            experiment.go_on()?;
            let c = low * (high / low).powf(f64::from(index) / f64::from(rates - 1));
            let run = run(BALANCED, c / 2.0, width, start, 30 * width as usize)?;
            // Without convergence there is no final curvature.
            let ended = settled(run.phase);
            rows.push(vec![c, if ended { run.last.lambda } else { f64::NAN }]);
        }
    }
    let (low, high): (Vec<&Vec<f64>>, Vec<&Vec<f64>>) = rows.iter().partition(|row| row[0] < 8.0);
    let changes: Vec<f64> = low.iter().map(|row| (row[1] / 2.0 - 1.0).abs()).collect();
    let ends: Vec<f64> = high.iter().map(|row| row[0] * row[1] / 2.0).collect();
    let law = law("c", high.iter().map(|row| (row[0], row[1])))?;
    experiment.measured("lazy_change", Measurement::most(&changes));
    experiment.measured("exponent", Measurement::exponent(&law));
    experiment.measured("final_c_low", Measurement::least(&ends));
    experiment.measured("final_c_high", Measurement::most(&ends));
    experiment.curve("curvature", &["c", "final_lambda"], rows);
    Ok(())
}
