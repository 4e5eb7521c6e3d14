//! The edge of stability: sharpness beside the optimiser's own limit while a network trains on all samples at once.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use crate::network::{Subject, starts};
use etalon::train::Record;
use rayon::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edge {
    seeds: u64,
    /// Steps between two measurements.
    every: u64,
    /// The optimisers by the names of their quantities, each with its keys.
    optimizers: Vec<Optimised>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Optimised {
    name: String,
    keys: String,
}

/// Where the curvature that limits each optimiser comes to, in units of its limit, and how far it has risen to there.
pub(crate) fn edge(
    Edge { seeds, every, optimizers }: Edge,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut rises, mut rows) = (Vec::new(), Vec::new());
    for (index, Optimised { name, keys }) in optimizers.into_iter().enumerate() {
        let subject = Subject::<f32>::new(&experiment.spec_with(&[("optimizer", keys.into())])?)?;
        let starts = starts(experiment, &subject, seeds)?;
        experiment.at(&name)?;
        let eta = subject.spec.optimizer.eta;
        let run = |start: &_| {
            experiment.go_on()?;
            subject.observe(&subject.plan, start, eta * start.lambda, every)
        };
        let observed = starts.par_iter().map(run).collect::<Result<Vec<_>, ClaimError>>()?;
        let mut ends = Vec::new();
        for (start, observed) in starts.iter().zip(observed) {
            // The rate over the largest stable one: 1 at the edge.
            let over_limit = |record: &Record| {
                let limit = subject.plan.stability_limit(record.preconditioned.or(record.hessian)?)?;
                Some((record.step, eta / limit))
            };
            let path: Vec<(u64, f64)> = observed.trajectory.records.iter().filter_map(over_limit).collect();
            let late = &path[path.len() - path.len() / 4..];
            let end = late.iter().map(|(_, ratio)| ratio).sum::<f64>() / late.len() as f64;
            // A preconditioner of one gradient is none yet: the lowest of the first quarter is where the rise begins.
            let early = path[..path.len() / 4].iter().map(|(_, ratio)| *ratio).fold(f64::NAN, f64::min);
            ends.push(end);
            rises.push(end / early);
            rows.extend(
                path.iter().map(|(step, ratio)| vec![index as f64, start.seed as f64, *step as f64, *ratio]),
            );
        }
        experiment.measured(name, Measurement::farthest(&ends, 1.0));
    }
    experiment.measured("rise", Measurement::least(&rises));
    experiment.curve("paths", &["optimizer", "seed", "step", "rate_over_limit"], rows);
    Ok(())
}
