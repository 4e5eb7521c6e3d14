//! Large learning rates under logistic and exponential loss.

pub(crate) mod limits;
pub(crate) mod networks;
pub(crate) mod phases;
pub(crate) mod predictor;

use etalon::Error;
use etalon::theory::{Map, Run, RunSettings, ScalarLoss, State};

const BALANCED: ScalarLoss = ScalarLoss::Logistic { positive: 0.5 };

/// A run of the solved network from an output and a curvature, of so many steps at most.
fn run(loss: ScalarLoss, eta: f64, width: f64, start: State, max_steps: usize) -> Result<Run, Error> {
    Ok(Map::new(loss, eta, width)?.run(start, &RunSettings { max_steps, ..RunSettings::default() })?)
}
