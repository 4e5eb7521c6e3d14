//! What the directions of the weights feel, and how long it takes them to settle.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, law};
use crate::network::Subject;
use etalon::Error;
use etalon::schedule::equilibrium;
use etalon::train::{Motion, Record, Trajectory, run};
use rayon::prelude::*;
use serde::Deserialize;

fn trajectory(experiment: &Experiment<'_>, text: &str) -> Result<Trajectory, ClaimError> {
    experiment.go_on()?;
    let subject = Subject::<f32>::new(text)?;
    let eta = subject.spec.optimizer.eta;
    Ok(run(&subject.task, &subject.plan, eta, subject.spec.seed, false).map_err(Error::from)?)
}

/// The motion of the second layer's weights.
fn motion(record: &Record) -> Option<&Motion> {
    record.weights.as_ref()?.iter().find(|motion| motion.segment == HIDDEN)
}

const HIDDEN: &str = "layers.2.weight";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaperedSchedules {
    /// The keys of the schedule without weight decay whose growth alone follows the one with it.
    growth_only: String,
}

/// What a step schedule's equivalents do that change growth and rate by themselves.
pub(crate) fn tapered_schedules(
    TaperedSchedules { growth_only }: TaperedSchedules,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    experiment.at("three schedules")?;
    let growth_only = experiment.spec_with(&[("schedule", growth_only.into())])?;
    let texts = [experiment.spec()?, growth_only, dropped(experiment)?];
    let runs = texts
        .into_par_iter()
        .map(|text| trajectory(experiment, &text))
        .collect::<Result<Vec<_>, ClaimError>>()?;
    // The mean of the logarithms of the effective rate over the steps before one.
    let before = |run: &Trajectory, end: u64| {
        let rates = run.records.iter().filter(|record| (end.saturating_sub(100)..end).contains(&record.step));
        let logs: Vec<f64> = rates.filter_map(|record| Some(motion(record)?.effective_rate?.ln())).collect();
        (logs.iter().sum::<f64>() / logs.len() as f64).exp()
    };
    let ratio = |end: u64| before(&runs[1], end) / before(&runs[0], end);
    experiment.measured("fast", Measurement::one(ratio(1600)));
    experiment.measured("slow", Measurement::one(ratio(2800)));
    let start = before(&runs[2], 400);
    let at = |step: u64| {
        let found = runs[2].records.iter().find(|record| record.step >= step);
        found.and_then(|record| motion(record)?.effective_rate).unwrap_or(f64::NAN)
    };
    experiment.measured("dropped", Measurement::one(at(402) / start));
    experiment.measured("reverted", Measurement::one(before(&runs[2], 1600) / start));
    let rows = runs.iter().zip(0u8..).flat_map(|(run, index)| {
        run.records.iter().filter_map(move |record| {
            Some(vec![f64::from(index), record.step as f64, record.loss?, motion(record)?.effective_rate?])
        })
    });
    experiment.curve("rates", &["schedule", "step", "loss", "effective_rate"], rows.collect());
    Ok(())
}

/// Without weight decay: the rate grows as its equivalent does, falls tenfold after 400 steps, and grows on.
fn dropped(experiment: &Experiment<'_>) -> Result<String, ClaimError> {
    // Without momentum a step of eta lambda = 0.01 grows by (1 - 0.01)^-2.
    let grown = |steps: i32| 0.99f64.powi(-2 * steps);
    let factors = [1.0, grown(399), 0.1 * grown(400), 0.1 * grown(1599)];
    let schedule = format!(
        "kind = \"piecewise\"\nmilestones = [0, 399, 400, 1599]\nfactors = {factors:?}\ninterpolation = \"log\""
    );
    experiment.spec_with(&[("schedule", schedule.into()), ("decay", 0.0.into()), ("steps", 1600.into())])
}

/// Relaxation times until norms have come down from their initial values, far above those of equilibrium.
const SETTLING: f64 = 24.0;

/// Steps of so many relaxation times of |w|^4 at a rate.
fn times(eta: f64, decay: f64, count: f64) -> u64 {
    (count / (4.0 * eta * decay)).round() as u64
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relaxation {
    /// Learning rates.
    rates: Vec<f64>,
    /// Weight decay.
    decay: f64,
}

/// How far weights turn in a step in equilibrium, and how long it takes to come to a new one.
pub(crate) fn relaxation(
    Relaxation { rates, decay }: Relaxation,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    experiment.at("rates of 0.5 to 0.0625")?;
    let one = |&eta: &f64| -> Result<[f64; 3], ClaimError> {
        let (first, second) = (times(eta, decay, SETTLING), times(eta / 4.0, decay, 8.0));
        let others = [
            ("eta", eta.into()),
            ("fall", (first as i64).into()),
            ("steps", ((first + second) as i64).into()),
        ];
        let run = trajectory(experiment, &experiment.spec_with(&others)?)?;
        let settled = run.records.iter().filter(|record| (first * 2 / 3..first).contains(&record.step));
        let angles: Vec<f64> = settled.filter_map(|record| motion(record)?.angle).collect();
        let angle = (angles.iter().map(|angle| angle * angle).sum::<f64>() / angles.len() as f64).sqrt();
        let fourth = |record: &Record| motion(record).map(|motion| (4.0 * motion.log_norm).exp());
        let after: Vec<(u64, f64)> = run
            .records
            .iter()
            .filter(|record| record.step >= first)
            .filter_map(|record| Some((record.step - first, fourth(record)?)))
            .collect();
        let (Some(&(_, start)), Some(&(_, end))) = (after.first(), after.last()) else {
            return Ok([f64::NAN; 3]);
        };
        let way = start + (end - start) * (1.0 - (-1.0f64).exp());
        let reached = after.iter().find(|(_, value)| (value - start) / (way - start) >= 1.0);
        Ok([eta, angle, reached.map_or(f64::NAN, |(step, _)| *step as f64)])
    };
    let rows = rates.par_iter().map(one).collect::<Result<Vec<[f64; 3]>, ClaimError>>()?;
    let fitted = |what: &dyn Fn(&[f64; 3]) -> (f64, f64)| law("eta lambda", rows.iter().map(what));
    let angles: Vec<f64> = rows.iter().map(|row| row[1] / equilibrium::angle(row[0], decay, 0.0)).collect();
    let spans: Vec<f64> = rows.iter().map(|row| row[2] * row[0] * decay).collect();
    experiment.measured("exponent", Measurement::exponent(&fitted(&|row| (row[0] * decay, row[1]))?));
    experiment.measured("angle", Measurement::farthest(&angles, 1.0));
    experiment.measured("time_exponent", Measurement::exponent(&fitted(&|row| (row[0] * decay, row[2]))?));
    // After the fall the rate is a quarter: 4 eta lambda is what it was before.
    experiment.measured("time", Measurement::farthest(&spans, 1.0));
    experiment.curve("relaxation", &["eta", "angle", "steps"], rows.iter().map(|row| row.to_vec()).collect());
    Ok(())
}
