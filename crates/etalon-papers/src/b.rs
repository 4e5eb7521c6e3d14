//! Large learning rates under logistic and exponential loss.

mod limits;
mod networks;
mod phases;

use super::{Claim, Paper};
use etalon::Error;
use etalon::theory::{Map, Run, RunSettings, ScalarLoss, State};

/// Huang, Wang and Liu 2020.
static PAPER: Paper = Paper {
    letter: 'B',
    title: "Implicit bias of deep linear networks in the large learning rate phase",
    authors: "Huang, Wang and Liu 2020",
    arxiv: "2011.12547",
};

/// The claims of this paper.
pub(super) const CLAIMS: &[Claim] = &[
    phases::PREDICTOR,
    phases::NETWORK,
    phases::SCAN,
    networks::SHARPNESS,
    networks::ACCURACY,
    limits::RATES,
    limits::EXPONENTIAL,
    limits::SEPARABLE,
];

const BALANCED: ScalarLoss = ScalarLoss::Logistic { positive: 0.5 };

/// A run of the solved network from an output and a curvature, of so many steps at most.
fn run(loss: ScalarLoss, eta: f64, width: f64, start: State, max_steps: usize) -> Result<Run, Error> {
    Ok(Map::new(loss, eta, width)?.run(start, &RunSettings { max_steps, ..RunSettings::default() })?)
}
