//! One trial: a task, a plan, a rate and a seed in, a trajectory out.

mod anneal;
mod budget;
mod goal;
mod groups;
mod metrics;
mod motion;
mod noise;
mod plan;
mod rescaling;
mod scores;
mod task;
mod trajectory;
mod trial;
mod twin;

pub use anneal::{Anneal, Annealed};
pub(crate) use budget::MOST_STEPS;
pub use budget::{BatchSize, Budget};
pub use goal::{Goal, Metric};
pub use groups::{Groups, Learning, LearntAt, Patches};
pub(crate) use metrics::majority;
pub use metrics::{Metrics, accuracy};
pub use motion::Motion;
pub(crate) use motion::{direction_distance, norm};
pub use noise::Noise;
pub(crate) use plan::factors;
pub use plan::{Plan, PlanError};
pub(crate) use scores::{Scores, test_part};
pub use task::{Samples, Task};
pub(crate) use task::{Target, gather};
pub use trajectory::{Reason, Record, Stop, Trajectory};
pub(crate) use trial::{Checkpoint, trial_bytes};
pub use trial::{State, Trial, run};
pub use twin::Twin;
