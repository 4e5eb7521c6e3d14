//! What is told of a search on a network.

use super::{EtaStar, Recommendation, SeedResult};
use crate::phase;
use crate::train::{Plan, Task};
use etalon_nn::Loss;
use etalon_nn::optim::Optimizer;
use serde::{Deserialize, Serialize};

/// What is known of the rates of a network: a first guess, the rate to use, and the maximal initial one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The guess from curvature, before any training.
    pub provisional: Provisional,
    /// The rate to use, with all that are as good; none where it was not asked for.
    pub recommended: Option<Recommendation>,
    /// The maximal initial learning rate; none where it was not asked for, or the search was stopped before.
    pub eta_star: Option<EtaStarSummary>,
    /// What it cost, in trainings of the full budget; curvature is not in it.
    pub budgets: f64,
    /// All gradient steps spent: choice, search, and the trial that tells the phase.
    pub gradient_steps: u64,
    /// Whether it came to its end.
    pub stopped: Ended,
    /// The median over seeds of eta* in units of 2 / lambda of the same seed.
    pub eta_star_over_2_lambda: Option<f64>,
    /// The same in units of the optimiser's own limit of stability, where that is not 2 / lambda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_star_over_limit: Option<f64>,
    /// That limit in plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Which lambda; none without eta*.
    pub lambda: Option<Lambda>,
    /// What training does just below eta*: at the lower end of the bracket of the seed nearest to the median.
    pub phase: Option<phase::Phase>,
    /// The evidence for it.
    pub phase_evidence: Option<phase::PhaseVerdict>,
    /// What counted as trained in the search of eta*.
    pub criterion: Option<String>,
    /// What to keep in mind; empty where there is nothing.
    pub warnings: Vec<String>,
    /// The search of eta* in full: every probe of every seed.
    pub search: Option<EtaStar>,
    /// What ending trainings early has saved, of a trainer that is not Etalon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
    /// Wall-clock seconds, where they are of interest: the rest does not depend on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Found {
    /// What is known before any training.
    pub(crate) fn new(provisional: Provisional, warnings: Vec<String>) -> Found {
        Found {
            provisional,
            recommended: None,
            eta_star: None,
            budgets: 0.0,
            gradient_steps: 0,
            stopped: Ended::Done,
            eta_star_over_2_lambda: None,
            eta_star_over_limit: None,
            limit: None,
            lambda: None,
            phase: None,
            phase_evidence: None,
            criterion: None,
            warnings,
            search: None,
            saved: None,
            seconds: None,
        }
    }
}

/// What was not trained, because a probe of eta* had its answer before its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// How many probes were ended early.
    pub trainings: usize,
    /// Their steps that were not made, as their logs count them.
    pub steps: u64,
    /// What these would have taken, in seconds of one slot, by what others took; none where none was made in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Everything that was asked for is answered.
    Done,
    /// It was stopped; what is told is what was known by then.
    Interrupted,
}

/// A rate from curvature at the start, before any training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provisional {
    /// The learning rate, a guess to begin with.
    pub eta: f64,
    /// How it follows, and what that assumes.
    pub rule: String,
    /// The curvature it follows from; none where there was none that is positive.
    pub lambda: Option<f64>,
    /// How far `lambda` may be off, relative to the operator's norm; none where it is no eigenvalue.
    pub residual: Option<f64>,
    /// Training samples on which it was measured.
    pub samples: usize,
    /// Products with the Hessian or the Gauss-Newton matrix on them that it cost, each about two gradients; not in `budgets`.
    pub products: usize,
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
    /// Each seed's; none where it did not converge or is not positive.
    pub seeds: Vec<Option<f64>>,
}

/// eta* without its probes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtaStarSummary {
    /// The median over seeds; none where it lies beyond the range.
    pub median: Option<f64>,
    /// The lower end of the interval for the median.
    pub low: Option<f64>,
    /// The upper end of that interval.
    pub high: Option<f64>,
    /// The probability with which such an interval covers the median.
    pub coverage: f64,
    /// Between which rates success is not monotone: it depends on luck.
    pub zone: Option<Zone>,
    /// What had to be reached.
    pub threshold: Threshold,
    /// How many seeds the median is over.
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
    /// What its search cost, in trainings of the full budget.
    pub budgets: f64,
    /// The same in gradient steps.
    pub gradient_steps: u64,
}

impl EtaStarSummary {
    /// That of a search.
    pub(crate) fn of(search: &EtaStar, threshold: Threshold, budgets: f64, gradient_steps: u64) -> Self {
        EtaStarSummary {
            median: search.median,
            low: search.low,
            high: search.high,
            coverage: search.coverage,
            zone: Zone::of(&search.seeds),
            threshold,
            seeds: search.seeds.len(),
            censored: search.censored,
            undefined: search.undefined,
            with_islands: search.seeds.iter().filter(|seed| !seed.islands.is_empty()).count(),
            reason: search.reason.clone(),
            budgets,
            gradient_steps,
        }
    }
}

/// Rates between which some trainings succeed and some do not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// The lowest rate, above one that trained, at which a seed has failed.
    pub low: f64,
    /// The highest rate at which a seed has trained.
    pub high: f64,
}

impl Zone {
    /// That of these searches; none where every success lies below every failure.
    pub(crate) fn of(seeds: &[SeedResult]) -> Option<Zone> {
        let failed = |seed: &SeedResult| {
            let mut above = seed.probes.iter().skip_while(|probed| !probed.trained());
            above.find(|probed| !probed.trained()).map(|probed| probed.eta)
        };
        let trained = seeds.iter().flat_map(|seed| &seed.probes).filter(|probed| probed.trained());
        let low = seeds.iter().filter_map(failed).reduce(f64::min)?;
        let high = trained.map(|probed| probed.eta).reduce(f64::max)?;
        (low < high).then_some(Zone { low, high })
    }
}

/// What counts as trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The name of the metric, such as train_accuracy.
    pub metric: String,
    /// What it has to reach.
    pub value: f64,
    /// Where that comes from.
    pub from: String,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Answer, Boundary, Probed, Stopped};

    /// Rates 1, 2, 3, ... of a seed: trained or not.
    fn seed(trained: &str) -> SeedResult {
        let probe = |(i, letter)| Probed {
            eta: (i + 1) as f64,
            verdict: if letter == 't' { Answer::Trained } else { Answer::TooSlow },
            steps: 1,
        };
        SeedResult {
            seed: 0,
            boundary: Boundary::CensoredAbove(1.0),
            islands: Vec::new(),
            failure: None,
            stopped: Stopped::RangeExhausted,
            probes: trained.chars().enumerate().map(probe).collect(),
        }
    }

    #[test]
    fn luck_decides_between_the_lowest_failure_and_the_highest_success() {
        let zone = |seeds: &[&str]| Zone::of(&seeds.iter().map(|seed| self::seed(seed)).collect::<Vec<_>>());
        // Below what trains it is too slow, which is no luck.
        assert_eq!(zone(&["stttff"]), None);
        assert_eq!(zone(&["ttf"]), None);
        assert_eq!(zone(&["ttftff"]), Some(Zone { low: 3.0, high: 4.0 }));
        // One seed fails where another trains.
        assert_eq!(zone(&["ttttf", "ttfff"]), Some(Zone { low: 3.0, high: 4.0 }));
        assert_eq!(zone(&["ssss"]), None);
        assert_eq!(zone(&[]), None);
    }
}
