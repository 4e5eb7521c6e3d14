//! The edge of stability: sharpness beside the optimiser's own limit while a network trains on all samples at once.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use crate::network::{Start, Subject, starts};
use etalon::statistics::median;
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

/// What a seed comes by.
struct Way {
    seed: u64,
    places: Vec<Place>,
}

/// One measurement on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    step: u64,
    /// The rate over the largest stable one: 1 at the edge.
    ratio: f64,
    loss: f64,
}

impl Way {
    /// The mean of the last quarter.
    fn end(&self) -> f64 {
        let late = &self.places[self.places.len() - self.places.len() / 4..];
        late.iter().map(|place| place.ratio).sum::<f64>() / late.len() as f64
    }

    /// The lowest of the first quarter: a preconditioner of one gradient is none yet, so a rise begins there.
    fn lowest(&self) -> f64 {
        self.places[..self.places.len() / 4].iter().map(|place| place.ratio).fold(f64::NAN, f64::min)
    }

    /// From where it first comes to the edge to where the loss is first below so much.
    fn plateau(&self, until: f64) -> &[Place] {
        let from = self.places.iter().position(|place| place.ratio >= 1.0).unwrap_or(self.places.len());
        let there = &self.places[from..];
        &there[..there.iter().position(|place| place.loss < until).unwrap_or(there.len())]
    }
}

/// How each seed's curvature moves beside the optimiser's limit.
fn ways(
    spec: &str,
    (seeds, every): (u64, u64),
    experiment: &mut Experiment<'_>,
) -> Result<Vec<Way>, ClaimError> {
    let subject = Subject::<f32>::new(spec)?;
    let starts = starts(experiment, &subject, seeds)?;
    let eta = subject.spec.optimizer.eta;
    let way = |start: &Start<f32>| {
        experiment.go_on()?;
        let observed = subject.observe(&subject.plan, start, eta * start.lambda, every)?;
        let place = |record: &Record| {
            let limit = subject.plan.stability_limit(record.preconditioned.or(record.hessian)?)?;
            let loss = record.loss.unwrap_or(f64::NAN);
            Some(Place { step: record.step, ratio: eta / limit, loss })
        };
        let places = observed.trajectory.records.iter().filter_map(place).collect();
        Ok(Way { seed: start.seed, places })
    };
    starts.par_iter().map(way).collect()
}

/// Where the curvature that limits each optimiser comes to, in units of its limit, and how far it has risen to there.
pub(crate) fn edge(
    Edge { seeds, every, optimizers }: Edge,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut rises, mut rows) = (Vec::new(), Vec::new());
    for (index, Optimised { name, keys }) in optimizers.into_iter().enumerate() {
        experiment.at(&name)?;
        let spec = experiment.spec_with(&[("optimizer", keys.into())])?;
        let ways = ways(&spec, (seeds, every), experiment)?;
        let ends: Vec<f64> = ways.iter().map(Way::end).collect();
        rises.extend(ways.iter().map(|way| way.end() / way.lowest()));
        for Way { seed, places } in &ways {
            let row = |place: &Place| vec![index as f64, *seed as f64, place.step as f64, place.ratio];
            rows.extend(places.iter().map(row));
        }
        experiment.measured(name, Measurement::farthest(&ends, 1.0));
    }
    experiment.measured("rise", Measurement::least(&rises));
    experiment.curve("paths", &["optimizer", "seed", "step", "rate_over_limit"], rows);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Departure {
    seeds: u64,
    /// Steps between two measurements.
    every: u64,
    /// The training loss below which the edge is left.
    until: f64,
}

/// Where curvature stays while there is something to learn, how far it has risen to there, and where it ends.
pub(crate) fn departure(
    Departure { seeds, every, until }: Departure,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let ways = ways(&experiment.spec()?, (seeds, every), experiment)?;
    let plateau = |way: &Way| median(way.plateau(until).iter().map(|place| place.ratio));
    let per_seed = |of: &dyn Fn(&Way) -> f64| ways.iter().map(of).collect::<Vec<f64>>();
    experiment.measured("plateau", Measurement::farthest(&per_seed(&plateau), 1.0));
    let steps = |way: &Way| (every * way.plateau(until).len() as u64) as f64;
    experiment.measured("steps", Measurement::least(&per_seed(&steps)));
    experiment.measured("rise", Measurement::least(&per_seed(&|way| plateau(way) / way.lowest())));
    let last = |way: &Way| way.places.last().map_or(f64::NAN, |place| place.ratio);
    experiment.measured("end", Measurement::most(&per_seed(&last)));
    let row = |seed: u64, at: &Place| vec![seed as f64, at.step as f64, at.ratio, at.loss];
    let rows = ways.iter().flat_map(|way| way.places.iter().map(|place| row(way.seed, place))).collect();
    experiment.curve("paths", &["seed", "step", "rate_over_limit", "loss"], rows);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plateau_begins_at_the_edge_and_ends_with_the_loss() {
        let ratios = [0.3, 0.8, 1.1, 0.9, 1.2, 0.6, 0.2, 0.1];
        let losses = [2.0, 1.0, 0.5, 0.3, 0.2, 0.09, 0.15, f64::NAN];
        let places: Vec<_> =
            (0..8).map(|at| Place { step: at as u64, ratio: ratios[at], loss: losses[at] }).collect();
        let way = Way { seed: 0, places };
        assert_eq!(way.plateau(0.1), &way.places[2..5]);
        assert_eq!(way.plateau(0.0).len(), 6);
        assert_eq!((way.lowest(), way.end()), (0.3, 0.15000000000000002));
        assert!(Way { seed: 0, places: way.places[..2].to_vec() }.plateau(0.1).is_empty());
    }
}
