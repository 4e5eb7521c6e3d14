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
    /// What is trained, each with the beginning of the names of its quantities.
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    name: String,
    eta: f64,
    batch: i64,
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
    Batches { seeds, readings, batches, runs }: Batches,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut rises, mut rows) = (Vec::new(), Vec::new());
    for (index, Run { name, eta, batch }) in runs.into_iter().enumerate() {
        let subject =
            Subject::<f32>::new(&experiment.spec_with(&[("eta", eta.into()), ("batch", batch.into())])?)?;
        experiment.at(&name)?;
        let run = |seed: u64| {
            experiment.go_on()?;
            path(&subject, seed, readings, batches)
        };
        let seeds = experiment.seeds(seeds);
        let paths = seeds.par_iter().map(|&seed| run(seed)).collect::<Result<Vec<_>, ClaimError>>()?;
        let late = |of: fn(&Reading) -> f64| {
            let of_path = |path: &Vec<Reading>| {
                let late = &path[path.len() - path.len() / 4..];
                late.iter().map(of).sum::<f64>() / late.len() as f64
            };
            paths.iter().map(of_path).collect::<Vec<f64>>()
        };
        let ends = late(|reading| reading.batches);
        let lowest = |path: &Vec<Reading>| {
            path[..path.len() / 4].iter().map(|reading| reading.batches).fold(f64::NAN, f64::min)
        };
        rises.extend(paths.iter().zip(&ends).map(|(path, end)| end / lowest(path)));
        experiment.measured(format!("{name}_batches"), Measurement::mean(&ends));
        experiment.measured(format!("{name}_weighted"), Measurement::mean(&late(|reading| reading.weighted)));
        experiment.measured(format!("{name}_full"), Measurement::mean(&late(|reading| reading.full)));
        rows.extend(seeds.iter().zip(&paths).flat_map(|(&seed, path)| {
            path.iter().map(move |Reading { step, batches, weighted, full }| {
                vec![index as f64, seed as f64, *step as f64, *batches, *weighted, *full]
            })
        }));
    }
    experiment.measured("rise", Measurement::least(&rises));
    experiment.curve("paths", &["run", "seed", "step", "batches", "weighted", "full"], rows);
    Ok(())
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
        // Other batches each time, and those of no trial in their order.
        let found = BatchSharpness::measure(task, parameters, (plan.batch, batches), *step)
            .map_err(|error| ClaimError::Other(error.to_string()))?;
        let [batches, weighted, full] =
            [found.mean, found.weighted, full].map(|curvature| 0.5 * eta * curvature);
        Ok(Reading { step: *step, batches, weighted, full })
    };
    let mut readings = Vec::new();
    trial.run(&mut |state, _| {
        if state.step > 0 && state.step.is_multiple_of(every) && !state.diverged {
            readings.push(read(&state));
        }
    });
    readings.into_iter().collect()
}
