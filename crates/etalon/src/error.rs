//! Everything that can stop a job.

use crate::curvature::LanczosError;
use crate::memory::MemoryError;
use crate::models::ModelError;
use crate::schedule::{ConversionError, FileError as ScheduleError};
use crate::search::SearchError;
use crate::spec::SpecError;
use crate::theory::TheoryError;
use crate::train::{PlanError, TaskError};
use etalon_nn::parameters::FileError;

/// Why a job could not be done; each says what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is another module's error")]
pub enum Error {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Task(#[from] TaskError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error(transparent)]
    Lanczos(#[from] LanczosError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Theory(#[from] TheoryError),
    #[error(transparent)]
    File(#[from] FileError),
}
