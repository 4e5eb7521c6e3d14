//! Trials of a network, as a search asks for them.

use super::{After, JobError};
use crate::search::{Outcome, Probe, Score, Scored, SearchError, Verdict};
use crate::train::{Budget, Plan, State, Stop, Task, Trajectory, Trial};
use etalon_nn::Scalar;
use rayon::prelude::*;
use std::convert::Infallible;

/// What became of probes made earlier, so that a search that was interrupted makes none of them twice.
pub trait Memory: Sync {
    /// The outcome of a probe, if it was kept.
    fn recall(&self, eta: f64, seed: u64) -> Option<Outcome>;

    /// Keeps an outcome.
    fn keep(&self, eta: f64, seed: u64, outcome: &Outcome);
}

/// The memory that keeps nothing.
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _: f64, _: u64) -> Option<Outcome> {
        None
    }

    fn keep(&self, _: f64, _: u64, _: &Outcome) {}
}

/// Parameters and running statistics.
pub(super) type Start<T> = [Vec<T>; 2];

/// Trials as the search asks for them.
pub(super) struct Trials<'a, T> {
    pub(super) task: &'a Task<T>,
    /// With the early stop.
    pub(super) plan: &'a Plan,
    /// Without.
    pub(super) full: Plan,
    /// Where each seed starts, if not afresh.
    pub(super) starts: Vec<(u64, Start<T>)>,
    pub(super) memory: &'a dyn Memory,
}

impl<T: Scalar> Trials<'_, T> {
    /// Where a seed starts.
    pub(super) fn start(&self, seed: u64) -> Start<T> {
        let network = &self.task.network;
        let fresh = || [network.layout().initialise(seed), network.state_layout().initialise(seed)];
        self.starts.iter().find(|(other, _)| *other == seed).map_or_else(fresh, |(_, start)| start.clone())
    }

    fn run(&self, plan: &Plan, eta: f64, seed: u64) -> Result<Trajectory, Outcome> {
        // One thread each: the search runs its trials side by side.
        Trial::from_checkpoint(self.task, plan, eta, seed, self.start(seed), false)
            .map(|trial| trial.run(&mut |_, _| {}))
            // A physical time that makes too many steps: the rate is too low.
            .map_err(|_| Outcome { verdict: Verdict::TooSlow, steps: 0 })
    }
}

impl<T: Scalar> Probe for Trials<'_, T> {
    type Error = Infallible;

    fn probe(&self, eta: f64, seed: u64) -> Result<Outcome, Infallible> {
        if let Some(known) = self.memory.recall(eta, seed) {
            return Ok(known);
        }
        let outcome = match self.run(self.plan, eta, seed) {
            Ok(trajectory) => Outcome { verdict: verdict(&trajectory.stop), steps: trajectory.steps },
            Err(outcome) => outcome,
        };
        self.memory.keep(eta, seed, &outcome);
        Ok(outcome)
    }
}

impl<T: Scalar> Score for Trials<'_, T> {
    type Error = Infallible;

    fn score(&self, eta: f64, seed: u64) -> Result<Scored, Infallible> {
        Ok(match self.run(&self.full, eta, seed) {
            Ok(trajectory) => Scored {
                verdict: match trajectory.stop {
                    // The full budget was spent on purpose.
                    Stop::Budget { .. } => Verdict::Trained,
                    ref stop => verdict(stop),
                },
                metric: trajectory.test.accuracy.unwrap_or(trajectory.test.loss),
                loss: trajectory.test.loss,
                steps: trajectory.steps,
            },
            Err(Outcome { verdict, steps }) => Scored { verdict, metric: f64::NAN, loss: f64::NAN, steps },
        })
    }

    fn metric(&self) -> &str {
        if self.task.classes { "test_accuracy" } else { "test_loss" }
    }

    fn higher_is_better(&self) -> bool {
        self.task.classes
    }
}

fn verdict(stop: &Stop) -> Verdict {
    match stop {
        Stop::Goal { .. } => Verdict::Trained,
        Stop::Budget { .. } => Verdict::TooSlow,
        Stop::Diverged { .. } | Stop::NotFinite { .. } | Stop::Dead { .. } => {
            Verdict::TooFast(stop.to_string())
        }
    }
}

/// The state of each seed after the training before the search; none where there is none.
///
/// # Errors
/// When training does not survive them.
pub(super) fn trained_starts<T: Scalar>(
    after: Option<After>,
    task: &Task<T>,
    plan: &Plan,
    seeds: &[u64],
) -> Result<Vec<(u64, Start<T>)>, JobError> {
    let Some(After { epochs, eta }) = after else { return Ok(Vec::new()) };
    let plan = Plan { goal: None, budget: Budget::Epochs(epochs), ..plan.clone() };
    let train = |&seed: &u64| {
        let mut end = [Vec::new(), Vec::new()];
        let trial = Trial::new(task, &plan, eta, seed, false)?;
        let trajectory = trial.run(&mut |state: State<T>, _| {
            if state.last {
                end = [state.parameters, state.running].map(<[T]>::to_vec);
            }
        });
        match trajectory.stop {
            Stop::Budget { .. } => Ok((seed, end)),
            stop => Err(SearchError::Start { epochs, eta, seed, why: stop.to_string() }.into()),
        }
    };
    seeds.par_iter().map(train).collect()
}
