//! The edge of stability of mini-batches: the curvature of batches along their own gradients, beside that of the whole set.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use crate::network::Subject;
use etalon::Error;
use etalon::curvature::{BatchSharpness, Ends};
use etalon::train::{State, Trial};
use rayon::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batches {
    seeds: u64,
    /// Measurements on the way.
    readings: u64,
    /// Batches of a measurement.
    batches: usize,
}

/// A measurement on the way: all in units of `2 / eta`.
struct Reading {
    step: u64,
    /// The mean curvature of batches along their gradients.
    batches: f64,
    /// The same with batches in proportion to their squared gradients.
    weighted: f64,
    /// The largest eigenvalue of the whole set's Hessian.
    full: f64,
}

/// Where the curvature of batches along their gradients comes to, in units of `2 / eta`, and the sharpness of the whole set.
pub(crate) fn batch_sharpness(
    Batches { seeds, readings, batches }: Batches,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let subject = Subject::<f32>::new(&experiment.spec()?)?;
    experiment.at("trials with batch sharpness on the way")?;
    let run = |seed: u64| {
        experiment.go_on()?;
        path(&subject, seed, readings, batches)
    };
    let seeds = experiment.seeds(seeds);
    let paths = seeds.par_iter().map(|&seed| run(seed)).collect::<Result<Vec<_>, ClaimError>>()?;
    let ends = |of: fn(&Reading) -> f64| paths.iter().map(|path| late(path, of)).collect::<Vec<f64>>();
    let rises = |of: fn(&Reading) -> f64| {
        paths.iter().map(|path| late(path, of) / lowest(path, of)).collect::<Vec<f64>>()
    };
    experiment.measured("batches", Measurement::mean(&ends(|reading| reading.batches)));
    experiment.measured("weighted", Measurement::mean(&ends(|reading| reading.weighted)));
    experiment.measured("full", Measurement::mean(&ends(|reading| reading.full)));
    experiment.measured("rise", Measurement::least(&rises(|reading| reading.batches)));
    experiment.measured("full_rise", Measurement::mean(&rises(|reading| reading.full)));
    let row = |seed: u64, reading: &Reading| {
        let Reading { step, batches, weighted, full } = *reading;
        vec![seed as f64, step as f64, batches, weighted, full]
    };
    let paths = seeds.iter().zip(&paths);
    let rows = paths.flat_map(|(&seed, path)| path.iter().map(move |reading| row(seed, reading)));
    experiment.curve("paths", &["seed", "step", "batches", "weighted", "full"], rows.collect());
    Ok(())
}

/// The mean of the last quarter; none of a path that ended at once.
fn late(path: &[Reading], of: fn(&Reading) -> f64) -> f64 {
    let late = &path[path.len() - path.len() / 4..];
    late.iter().map(of).sum::<f64>() / late.len() as f64
}

/// The lowest of the first quarter.
fn lowest(path: &[Reading], of: fn(&Reading) -> f64) -> f64 {
    path[..path.len() / 4].iter().map(of).fold(f64::NAN, f64::min)
}

/// Trains from a seed's start, measuring so many times, the last time at the end.
fn path(
    subject: &Subject<f32>,
    seed: u64,
    readings: u64,
    batches: usize,
) -> Result<Vec<Reading>, ClaimError> {
    let Subject { spec, task, plan } = subject;
    let (eta, instrument) = (spec.optimizer.eta, subject.instrument()?);
    let trial = Trial::new(task, plan, eta, seed, false).map_err(Error::from)?;
    let every = (trial.total() / readings).max(1);
    let read = |State { step, parameters, .. }: &State<f32>| {
        let spectrum = instrument.at(parameters).hessian(Ends::Largest, 1).map_err(Error::from)?;
        let full = spectrum.largest.first().map_or(f64::NAN, |top| top.value);
        // Other batches each time.
        let found = BatchSharpness::measure(task, parameters, (plan.batch, batches), *step)
            .map_err(|error| ClaimError::Other(error.to_string()))?;
        let [batches, weighted, full] =
            [found.mean, found.weighted, full].map(|curvature| 0.5 * eta * curvature);
        Ok(Reading { step: *step, batches, weighted, full })
    };
    let mut found = Vec::new();
    trial.run(&mut |state, _| {
        if state.step > 0 && state.step.is_multiple_of(every) && !state.diverged {
            found.push(read(&state));
        }
    });
    found.into_iter().collect()
}
