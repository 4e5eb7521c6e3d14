//! `[optimizer]`.

use super::Spec;
use etalon_nn::network::Parametrization;
use etalon_nn::optim::{AdamW, Rule, Sgd};
use std::collections::BTreeMap;

/// A kind of optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerKind {
    /// Gradient descent, with momentum or without.
    Sgd,
    /// Adam with decoupled weight decay.
    AdamW,
}

/// `[optimizer]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct OptimizerSpec {
    pub kind: OptimizerKind,
    pub eta: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    pub input_factor: f64,
    pub factors: BTreeMap<String, f64>,
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        let AdamW { beta1, beta2, epsilon } = AdamW::default();
        OptimizerSpec {
            kind: OptimizerKind::Sgd,
            eta: 0.1,
            momentum: 0.0,
            nesterov: false,
            beta1,
            beta2,
            epsilon,
            weight_decay: 0.0,
            input_factor: 1.0,
            factors: BTreeMap::new(),
        }
    }
}

impl OptimizerSpec {
    /// The rule by which it moves parameters.
    pub fn rule(&self) -> Rule {
        match self.kind {
            OptimizerKind::Sgd => Rule::Sgd(Sgd { momentum: self.momentum, nesterov: self.nesterov }),
            OptimizerKind::AdamW => {
                Rule::AdamW(AdamW { beta1: self.beta1, beta2: self.beta2, epsilon: self.epsilon })
            }
        }
    }

    /// The rate where none is given.
    pub(super) fn usual_eta(&self) -> f64 {
        match self.kind {
            OptimizerKind::Sgd => 0.1,
            OptimizerKind::AdamW => 1e-3,
        }
    }

    /// Whether it is AdamW, whose keys are left out of resolved specs of another optimiser.
    pub(super) fn is_adamw(&self) -> bool {
        self.kind == OptimizerKind::AdamW
    }
}

/// Whether the kind goes with the network.
pub(super) fn kind(spec: &Spec) -> Result<(), String> {
    if spec.optimizer.is_adamw() && spec.network.parametrization == Parametrization::Mup {
        return Err("is adamw, and the multipliers of network.parametrization = \"mup\" are those of gradient descent; \
                    use \"standard\" or \"ntk\""
            .into());
    }
    Ok(())
}

/// Momentum, from 0 to below 1, of gradient descent alone.
pub(super) fn momentum(spec: &Spec) -> Result<(), String> {
    let momentum = spec.optimizer.momentum;
    if !(0.0..1.0).contains(&momentum) {
        return Err(format!("is {momentum}; it must be 0 or above, and below 1"));
    }
    if spec.optimizer.is_adamw() && momentum != 0.0 {
        return Err(format!("is {momentum}, and belongs to kind = \"sgd\"; adamw has beta1"));
    }
    Ok(())
}

/// Nesterov's look-ahead, of gradient descent with momentum alone.
pub(super) fn nesterov(spec: &Spec) -> Result<(), String> {
    match spec.optimizer.nesterov {
        true if spec.optimizer.is_adamw() => Err("is true, and belongs to kind = \"sgd\"".into()),
        true if spec.optimizer.momentum == 0.0 => Err("is true, but optimizer.momentum is 0".into()),
        _ => Ok(()),
    }
}

/// A constant of AdamW; `default` is what it must be elsewhere.
fn of_adamw(spec: &Spec, got: f64, default: f64) -> Result<(), String> {
    if got != default && !spec.optimizer.is_adamw() {
        return Err(format!("is {got}, and belongs to kind = \"adamw\""));
    }
    Ok(())
}

/// What an average of AdamW keeps a step.
pub(super) fn beta(spec: &Spec, of: fn(&OptimizerSpec) -> f64) -> Result<(), String> {
    let got = of(&spec.optimizer);
    if !(0.0..1.0).contains(&got) {
        return Err(format!("is {got}; it must be 0 or above, and below 1"));
    }
    of_adamw(spec, got, of(&OptimizerSpec::default()))
}

/// What AdamW adds to the root of the mean square.
pub(super) fn epsilon(spec: &Spec) -> Result<(), String> {
    super::keys::above_zero(spec.optimizer.epsilon)?;
    of_adamw(spec, spec.optimizer.epsilon, OptimizerSpec::default().epsilon)
}
