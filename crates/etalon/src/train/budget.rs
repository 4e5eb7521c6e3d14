//! How much a trial does: its samples a step, and how long it lasts.

use super::PlanError;

/// The samples of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// All of them.
    Full,
    /// So many, in a seeded order.
    Samples(usize),
}

impl BatchSize {
    /// How many that is of so many samples.
    ///
    /// # Errors
    /// When there are not so many, or none is asked for.
    pub fn of(self, samples: usize) -> Result<usize, PlanError> {
        match self {
            BatchSize::Full => Ok(samples),
            BatchSize::Samples(batch) if (1..=samples).contains(&batch) => Ok(batch),
            BatchSize::Samples(batch) => Err(PlanError::Batch { batch, samples }),
        }
    }
}

/// More steps no trial has.
pub(crate) const MOST_STEPS: f64 = 1e12;

/// How long training lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Optimiser updates.
    Steps(u64),
    /// Passes over the training set.
    Epochs(f64),
    /// The sum of the learning rates of all steps, eta x t.
    PhysicalTime(f64),
}

impl Budget {
    /// The number of steps at a base rate, with so many batches an epoch.
    ///
    /// # Errors
    /// When it is no number of steps that can be done.
    pub(crate) fn steps(self, eta: f64, batches: f64) -> Result<u64, PlanError> {
        let steps = match self {
            Budget::Steps(steps) => steps as f64,
            Budget::Epochs(epochs) => (epochs * batches).floor(),
            // A quotient that is whole but for rounding is not rounded up.
            Budget::PhysicalTime(time) => (time / eta * (1.0 - 4.0 * f64::EPSILON)).ceil(),
        };
        if (1.0..=MOST_STEPS).contains(&steps) { Ok(steps as u64) } else { Err(PlanError::Steps(steps)) }
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Budget::Steps(steps) => write!(f, "{steps} steps"),
            Budget::Epochs(epochs) => write!(f, "{epochs} epochs"),
            Budget::PhysicalTime(time) => write!(f, "a physical time of {time}"),
        }
    }
}
