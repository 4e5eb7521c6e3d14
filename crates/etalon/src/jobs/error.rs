//! What can stop a job.

use crate::curvature::LanczosError;
use crate::memory::MemoryError;
use crate::search::SearchError;
use crate::theory::TheoryError;
use crate::train::PlanError;
use etalon_nn::parameters::FileError;

/// Why a job could not be done; each says what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is another module's error")]
pub enum JobError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error(transparent)]
    Lanczos(#[from] LanczosError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Theory(#[from] TheoryError),
    #[error(transparent)]
    File(#[from] FileError),
}
