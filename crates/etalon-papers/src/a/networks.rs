//! Networks of images, trained at rates from below 2/lambda0 to above 12/lambda0.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use crate::network::{Ran, Subject, changes, starts, trained, trials};
use etalon::theory::Range;
use serde::Deserialize;

/// The columns of [`row`].
const COLUMNS: &[&str] = &["seed", "c", "first_loss", "peak_loss", "peak_step", "final_loss", "final_c"];

fn row(ran: &Ran<f32>) -> Vec<f64> {
    let verdict = &ran.observed.verdict;
    let peak = verdict.peak_loss.unwrap_or(f64::NAN);
    let end = verdict.final_loss.unwrap_or(f64::NAN);
    vec![ran.seed as f64, ran.c, verdict.first_loss, peak, verdict.peak_step as f64, end, ran.final_c()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByCurvature {
    seeds: u64,
    /// `eta lambda_0` above 2.
    rates: Vec<f64>,
    /// `eta lambda_0 t` at which curvature is taken.
    time: f64,
    /// How many times as wide the wider network is.
    wider: usize,
}

/// What curvature does below and above 2/lambda0, and up to which rate networks train.
pub(crate) fn by_curvature(
    ByCurvature { seeds, rates, time, wider }: ByCurvature,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let seed = experiment.seed();
    let subject = Subject::new(&experiment.spec()?)?;
    let starts = starts(experiment, &subject, seeds)?;
    experiment.at("trials at rates around 2/lambda0")?;
    let rates = [&[1.0], &rates[..]].concat();
    let mut ran =
        trials(experiment, &subject, &starts, &rates, (|start: &_| subject.lasting(time, start), 0))?;
    experiment.at("a wider network")?;
    let width = (wider * subject.spec.network.width) as i64;
    let wide = Subject::new(&experiment.spec_with(&[("width", width.into())])?)?;
    let wide_ran =
        trials(experiment, &wide, &[wide.start(seed)?], &[1.0], (|start: &_| wide.lasting(time, start), 0))?;
    let change = |ran: &Ran<f32>| (ran.fall() - 1.0).abs();
    let (low, high): (Vec<&Ran<f32>>, Vec<&Ran<f32>>) = ran.iter().partition(|ran| ran.c < 2.0);
    let same: Vec<f64> = low.iter().filter(|ran| ran.seed == seed).map(|ran| change(ran)).collect();
    let wider: Vec<f64> = wide_ran.iter().map(change).collect();
    let narrowing = Measurement::median(&wider).value.zip(Measurement::median(&same).value);
    let trained_ones: Vec<&&Ran<f32>> = high.iter().filter(|ran| ran.settled()).collect();
    let ends: Vec<f64> = trained_ones.iter().map(|ran| ran.final_c()).collect();
    let peaks: Vec<f64> = trained_ones.iter().map(|ran| ran.observed.verdict.peak_step as f64).collect();
    let all_settled = Measurement::share(&high.iter().map(|ran| ran.settled()).collect::<Vec<_>>());
    experiment.at("the largest rate that trains")?;
    let range = Range { low: 6.0, high: 32.0, steps: 6, tolerance: 0.1 };
    let limits = changes(experiment, &subject, &starts, &range, trained)?;
    experiment.measured("lazy_change", Measurement::most(&wider));
    experiment.measured(
        "lazy_narrowing",
        Measurement::one(narrowing.map_or(f64::NAN, |(wide, narrow)| wide / narrow)),
    );
    experiment.measured("settled", all_settled);
    experiment.measured("final_c", Measurement::most(&ends));
    experiment.measured("peak_step", Measurement::most(&peaks));
    experiment.measured("c_max", Measurement::median(&limits));
    ran.extend(wide_ran);
    experiment.curve("trials", COLUMNS, ran.iter().map(row).collect());
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByLoss {
    seeds: u64,
    /// `eta lambda_0`.
    rates: Vec<f64>,
    /// `eta lambda_0 t` for which networks are trained.
    time: f64,
}

/// What the loss does below and above 2/lambda0, and curvature at the end.
pub(crate) fn by_loss(
    ByLoss { seeds, rates, time }: ByLoss,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let subject = Subject::new(&experiment.spec()?)?;
    let starts = starts(experiment, &subject, seeds)?;
    experiment.at("trials at rates around 2/lambda0")?;
    let ran = trials(experiment, &subject, &starts, &rates, (|start: &_| subject.lasting(time, start), 0))?;
    // Of the batch with its own statistics: at the end of a short training running ones are those of the beginning.
    let comes_back = |ran: &Ran<f32>| {
        let trajectory = &ran.observed.trajectory;
        let last = trajectory.records.iter().rev().find_map(|record| record.loss);
        !trajectory.stop.diverged() && last.is_some_and(|last| last < trajectory.first_loss)
    };
    let (low, high): (Vec<&Ran<f32>>, Vec<&Ran<f32>>) = ran.iter().partition(|ran| ran.c < 2.0);
    let of = |ran: &[&Ran<f32>], what: &dyn Fn(&Ran<f32>) -> f64| {
        ran.iter().map(|ran| what(ran)).collect::<Vec<_>>()
    };
    let back: Vec<&Ran<f32>> = high.iter().copied().filter(|ran| comes_back(ran)).collect();
    experiment.measured("lazy_rise", Measurement::most(&of(&low, &Ran::rise)));
    experiment.measured("rise", Measurement::least(&of(&high, &Ran::rise)));
    experiment.measured("final_c", Measurement::most(&of(&back, &Ran::final_c)));
    experiment.measured("fall", Measurement::most(&of(&back, &Ran::fall)));
    let all: Vec<bool> = high.iter().map(|ran| comes_back(ran)).collect();
    experiment.measured("settled", Measurement::share(&all));
    experiment.curve("trials", COLUMNS, ran.iter().map(row).collect());
    let steps = ran.iter().flat_map(|ran| {
        let records = ran.observed.trajectory.records.iter();
        records.filter_map(move |record| Some(vec![ran.seed as f64, ran.c, record.step as f64, record.loss?]))
    });
    experiment.curve("steps", &["seed", "c", "step", "loss"], steps.collect());
    Ok(())
}
