//! Data and networks that several trials share.

use crate::error::Error;
use crate::spec::{Precision, Spec};
use crate::train::Task;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A task in the spec's precision.
pub(super) enum AnyTask {
    F32(Arc<Task<f32>>),
    F64(Arc<Task<f64>>),
}

/// A task being made or made; the text is the reason why it cannot be.
type Slot = Arc<OnceLock<Result<AnyTask, String>>>;

/// The tasks that were used last.
pub(super) struct Tasks {
    capacity: usize,
    recent: Mutex<VecDeque<(String, Slot)>>,
}

impl Tasks {
    /// Keeps at most so many tasks beyond those that trials are using.
    pub(super) fn new(capacity: usize) -> Tasks {
        Tasks { capacity, recent: Mutex::new(VecDeque::new()) }
    }

    /// Calls `then` with the task of a spec, which is made once for all specs that agree in what it is made from.
    pub(super) fn with<R>(
        &self,
        spec: &Spec,
        then: impl FnOnce(&AnyTask) -> Result<R, String>,
    ) -> Result<R, String> {
        let slot = self.slot(spec);
        match slot.get_or_init(|| make(spec).map_err(|error| error.to_string())) {
            Ok(task) => then(task),
            Err(reason) => Err(reason.clone()),
        }
    }

    fn slot(&self, spec: &Spec) -> Slot {
        let made_from = |path: &str| {
            path == "precision" || path == "loss" || path.starts_with("data.") || path.starts_with("network.")
        };
        let key = spec.to_toml_of(|key| made_from(key.path));
        // A panic elsewhere leaves the queue whole: it changes between two calls only.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = recent.iter().position(|(other, _)| *other == key).and_then(|place| recent.remove(place));
        let (key, slot) = found.unwrap_or_else(|| (key, Slot::default()));
        recent.push_front((key, slot.clone()));
        recent.truncate(self.capacity);
        slot
    }
}

fn make(spec: &Spec) -> Result<AnyTask, Error> {
    Ok(match spec.precision {
        Precision::F32 => AnyTask::F32(spec.task()?.into()),
        Precision::F64 => AnyTask::F64(spec.task()?.into()),
    })
}
