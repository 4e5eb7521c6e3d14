//! Two patterns and two groups of neurons.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use etalon::Error;
use etalon::models::pq::{Algorithm, PqRun, PqSetting, pq_runs};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwoPatterns {
    seeds: u64,
}

/// Test errors on either pattern alone after a large and after a small rate.
pub(crate) fn two_patterns(
    TwoPatterns { seeds }: TwoPatterns,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let seeds = experiment.seeds(seeds);
    let run = |what: &str, algorithm| -> Result<Vec<PqRun>, ClaimError> {
        experiment.at(what)?;
        Ok(pq_runs(&PqSetting::default(), &[algorithm], &seeds, 0).map_err(Error::from)?)
    };
    let large = run("a large rate", Algorithm::LargeSmall)?;
    let small = run("a small rate", Algorithm::Small)?;
    // By kind: the linear pattern alone, the clustered one alone, both.
    let at_boundary = |runs: &[PqRun], kind: usize| -> Vec<f64> {
        runs.iter().map(|run| run.boundary.test_errors[kind]).collect()
    };
    let at_end = |runs: &[PqRun]| -> Vec<f64> { runs.iter().map(|run| run.end.test_errors[0]).collect() };
    experiment.measured("large_p", Measurement::most(&at_boundary(&large, 0)));
    experiment.measured("large_q", Measurement::least(&at_boundary(&large, 1)));
    experiment.measured("small_q", Measurement::most(&at_boundary(&small, 1)));
    experiment.measured("small_p", Measurement::least(&at_boundary(&small, 0)));
    let (of_large, of_small) = (at_end(&large), at_end(&small));
    let ratios: Vec<f64> = of_small.iter().zip(&of_large).map(|(small, large)| small / large).collect();
    experiment.measured("gap", Measurement::mean(&ratios));
    experiment.measured("end_large", Measurement::median(&of_large));
    experiment.measured("end_small", Measurement::median(&of_small));
    Ok(())
}
