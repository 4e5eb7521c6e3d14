//! `[optimizer]`.

use etalon_nn::optim::{Rule, Sgd};
use std::collections::BTreeMap;

/// `[optimizer]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct OptimizerSpec {
    pub eta: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
    pub input_factor: f64,
    pub factors: BTreeMap<String, f64>,
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        OptimizerSpec {
            eta: 0.1,
            momentum: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            input_factor: 1.0,
            factors: BTreeMap::new(),
        }
    }
}

impl OptimizerSpec {
    /// The rule by which it moves parameters.
    pub fn rule(&self) -> Rule {
        Rule::Sgd(Sgd { momentum: self.momentum, nesterov: self.nesterov })
    }
}
