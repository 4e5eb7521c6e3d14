//! Where the trials of a search start.

use super::{After, JobError};
use crate::search::SearchError;
use crate::train::{Budget, Plan, State, Stop, Task, Trial};
use etalon_nn::Scalar;
use rayon::prelude::*;

/// Parameters and running statistics.
pub(super) type Start<T> = [Vec<T>; 2];

/// The start of each seed: afresh, or where the training before the search leaves it.
pub(super) struct Starts<'a, T> {
    task: &'a Task<T>,
    before: Option<(After, Plan)>,
    /// Those that were trained ahead; other seeds are trained when they are asked for.
    known: Vec<(u64, Start<T>)>,
}

impl<'a, T: Scalar> Starts<'a, T> {
    /// Trains these seeds, if there is training before the search.
    ///
    /// # Errors
    /// When training does not survive it.
    pub(super) fn new(
        after: Option<After>,
        task: &'a Task<T>,
        plan: &Plan,
        seeds: &[u64],
    ) -> Result<Self, JobError> {
        let before = after.map(|after| {
            let budget = Budget::Epochs(after.epochs);
            (after, Plan { goal: None, budget, ..plan.clone() })
        });
        let mut starts = Starts { task, before, known: Vec::new() };
        if starts.before.is_some() {
            let start = |&seed: &u64| Ok((seed, starts.of(seed)?));
            starts.known = seeds.par_iter().map(start).collect::<Result<_, JobError>>()?;
        }
        Ok(starts)
    }

    /// Where a seed starts.
    ///
    /// # Errors
    /// When the training before the search does not survive it.
    pub(super) fn of(&self, seed: u64) -> Result<Start<T>, JobError> {
        if let Some((_, start)) = self.known.iter().find(|(other, _)| *other == seed) {
            return Ok(start.clone());
        }
        let network = &self.task.network;
        let Some((After { epochs, eta }, plan)) = &self.before else {
            return Ok([network.layout().initialise(seed), network.state_layout().initialise(seed)]);
        };
        let mut end = [Vec::new(), Vec::new()];
        let trial = Trial::new(self.task, plan, *eta, seed, false)?;
        let trajectory = trial.run(&mut |state: State<T>, _| {
            if state.last {
                end = [state.parameters, state.running].map(<[T]>::to_vec);
            }
        });
        match trajectory.stop {
            Stop::Budget { .. } => Ok(end),
            stop => {
                let why = stop.to_string();
                Err(SearchError::Start { epochs: *epochs, eta: *eta, seed, why }.into())
            }
        }
    }
}
