//! What is told of a search on a network.

use super::{EtaStar, Recommendation};
use crate::phase;
use crate::train::{Plan, Task};
use etalon_nn::Loss;
use etalon_nn::optim::Optimizer;
use serde::{Deserialize, Serialize};

/// The maximal initial learning rate of a network, and the rate to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The maximal initial learning rate.
    pub eta_star: EtaStarSummary,
    /// The median over seeds of eta* in units of 2 / lambda of the same seed.
    pub eta_star_over_2_lambda: Option<f64>,
    /// The same in units of the optimiser's own limit of stability, where that is not 2 / lambda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_star_over_limit: Option<f64>,
    /// That limit in plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Which lambda.
    pub lambda: Lambda,
    /// What training does just below eta*: at the lower end of the bracket of the seed nearest to the median.
    pub phase: Option<phase::Phase>,
    /// The evidence for it.
    pub phase_evidence: Option<phase::Verdict>,
    /// The rate to use.
    pub recommended: Option<Recommended>,
    /// Why no rate is recommended, where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_recommendation: Option<String>,
    /// What counted as trained.
    pub criterion: String,
    /// What to keep in mind; empty where there is nothing.
    pub warnings: Vec<String>,
    /// All gradient steps spent: search, choice, and the trial that tells the phase.
    pub gradient_steps: u64,
    /// The search in full: every probe of every seed.
    pub search: EtaStar,
    /// The choice in full: the curve of the held-out metric against the rate.
    pub choice: Option<Recommendation>,
    /// Wall-clock seconds, where they are of interest: the rest does not depend on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// What a search takes curvature from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curved {
    /// The neural tangent kernel: for MSE, where it is the curvature that does not depend on the residuals.
    Ntk,
    /// The Hessian: for other losses, which have a curvature of their own.
    Hessian,
    /// The Hessian in the coordinates of an optimiser with a preconditioner, the one after a first update with the gradient
    /// of the measured samples: for any loss.
    PreconditionedHessian,
}

/// The curvature that the search is measured in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lambda {
    /// Of what it is an eigenvalue.
    pub of: Curved,
    /// Its median over seeds, at the start, in the coordinates of the learning-rate factors.
    pub median: Option<f64>,
    /// Each seed's.
    pub seeds: Vec<Option<f64>>,
}

/// eta* without its probes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtaStarSummary {
    /// The median over seeds; none where it lies beyond the range.
    pub median: Option<f64>,
    /// The lower end of the interval for the median.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The probability with which such an interval covers the median.
    pub coverage: f64,
    /// How many seeds.
    pub seeds: usize,
    /// How many trained up to the end of the range.
    pub censored: usize,
    /// How many trained at no rate.
    pub undefined: usize,
    /// How many have trained above their boundary again (lucky islands, which do not count).
    pub with_islands: usize,
    /// Why there is no median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The rate to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommended {
    /// The rate.
    pub eta: f64,
    /// The held-out metric by which it was chosen.
    pub metric: String,
    /// Its median over seeds at that rate.
    pub value: Option<f64>,
    /// The reason, with its numbers.
    pub why: String,
}

impl Curved {
    pub(crate) fn of<T>(task: &Task<T>, plan: &Plan) -> Self {
        match plan.optimizer.preconditions() {
            true => Curved::PreconditionedHessian,
            false if task.loss == Loss::Mse => Curved::Ntk,
            false => Curved::Hessian,
        }
    }
}

impl std::fmt::Display for Curved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Curved::Ntk => "NTK",
            Curved::Hessian => "Hessian",
            Curved::PreconditionedHessian => "preconditioned Hessian",
        })
    }
}
