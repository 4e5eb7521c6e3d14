//! Everything that can stop a job of a spec.

use crate::curvature::LanczosError;
use crate::equivalence::RatesError;
use crate::jobs::JobError;
use crate::memory::MemoryError;
use crate::models::ModelError;
use crate::schedule::{ConversionError, FileError as ScheduleError};
use crate::search::SearchError;
use crate::spec::{SpecError, TaskError, words};
use crate::theory::TheoryError;
use crate::train::PlanError;
use crate::trainer::TrainerError;
use etalon_nn::parameters::FileError;

/// Why a job of a spec could not be done; each says what to do, by the keys of the spec.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is another module's error")]
pub enum Error {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Task(#[from] TaskError),
    // Not their own texts, which speak of no key; hence no source either, which would be told beside it.
    #[error("{}", words::plan(.0))]
    Plan(PlanError),
    #[error("{}", words::search(.0))]
    Search(SearchError),
    #[error(transparent)]
    Rates(#[from] RatesError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    #[error("{}", words::memory(.0))]
    Memory(MemoryError),
    #[error(transparent)]
    Lanczos(#[from] LanczosError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Theory(#[from] TheoryError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}", words::trainer(.0))]
    Trainer(TrainerError),
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Error::Plan(error)
    }
}

impl From<SearchError> for Error {
    fn from(error: SearchError) -> Self {
        Error::Search(error)
    }
}

impl From<TrainerError> for Error {
    fn from(error: TrainerError) -> Self {
        Error::Trainer(error)
    }
}

impl From<MemoryError> for Error {
    fn from(error: MemoryError) -> Self {
        Error::Memory(error)
    }
}

impl From<JobError> for Error {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Plan(error) => error.into(),
            JobError::Memory(error) => error.into(),
            JobError::Lanczos(error) => error.into(),
            JobError::Search(error) => error.into(),
            JobError::Theory(error) => error.into(),
            JobError::File(error) => error.into(),
        }
    }
}
