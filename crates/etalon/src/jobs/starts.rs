//! Where the trials of a search start.

use super::{After, JobError};
use crate::search::SearchError;
use crate::train::{Budget, Plan, State, Stop, Task, Trial};
use etalon_nn::Scalar;
use rayon::prelude::*;
use std::sync::OnceLock;

/// Parameters and running statistics.
pub(super) type Start<T> = [Vec<T>; 2];

/// Starts of so many bytes altogether are kept; larger ones are drawn anew for each trial.
const KEPT: u64 = 1 << 28;

/// The start of each seed: afresh, or where the training before the search leaves it.
pub(super) struct Starts<'a, T> {
    task: &'a Task<T>,
    before: Option<(After, Plan)>,
    /// Those that are kept once they are known; others are made when they are asked for.
    known: Vec<(u64, OnceLock<Start<T>>)>,
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
        let known = match Self::bytes(after, task, seeds.len()) {
            0 => Vec::new(),
            _ => seeds.iter().map(|&seed| (seed, OnceLock::new())).collect(),
        };
        let starts = Starts { task, before, known };
        if starts.before.is_some() {
            seeds.par_iter().try_for_each(|&seed| starts.of(seed).map(drop))?;
        }
        Ok(starts)
    }

    /// The bytes of what is kept.
    pub(super) fn bytes(after: Option<After>, task: &Task<T>, seeds: usize) -> u64 {
        let bytes = (task.network.parameters() * size_of::<T>()) as u64 * seeds as u64;
        if after.is_some() || bytes <= KEPT { bytes } else { 0 }
    }

    /// Where a seed starts.
    ///
    /// # Errors
    /// When the training before the search does not survive it.
    pub(super) fn of(&self, seed: u64) -> Result<Start<T>, JobError> {
        let Some((_, kept)) = self.known.iter().find(|(other, _)| *other == seed) else {
            return self.make(seed);
        };
        if let Some(start) = kept.get() {
            return Ok(start.clone());
        }
        let start = self.make(seed)?;
        Ok(kept.get_or_init(|| start).clone())
    }

    fn make(&self, seed: u64) -> Result<Start<T>, JobError> {
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
