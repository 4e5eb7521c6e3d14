//! Models that can be solved, on a user's data: what `etalon theory` asks of a spec.

pub mod linear;
pub mod pq;
pub mod scale_invariant;
pub mod separable;

pub use linear::{LinearRun, LinearRuns, linear_runs};
pub use scale_invariant::{Toy, ToyRun, ToyState, Toys, toy_runs};
pub use separable::{Alignment, Compass, SeparabilityReport, separability};

/// Why a spec's model cannot be solved.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// More than one output.
    #[error(
        "the two-layer linear model has one output, and this task has {0}; use data.encoding = \"sign\" with two classes"
    )]
    Outputs(usize),
    /// Not a scalar loss.
    #[error("the two-layer linear model takes loss = \"mse\", \"logistic\" or \"exponential\", not \"{0}\"")]
    Loss(&'static str),
    /// Labels that are no signs.
    #[error(
        "separability is a question about two classes; the labels here are not +1 and -1: use loss = \"logistic\" and data.classes = [0, 1]"
    )]
    NoSigns,
}
