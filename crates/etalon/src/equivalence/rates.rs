//! The schedule of a spec, step by step.

use crate::error::Error;
use crate::schedule::{WithDecay, conversion, equilibrium};
use crate::spec::Spec;
use crate::theory::effective::Step;
use crate::train::{BatchSize, Budget, PlanError};
use etalon_nn::optim::{Rule, Sgd};
use serde::{Deserialize, Serialize};

/// Longest table of rates: eight bytes a step, several times over.
const LONGEST: u64 = 10_000_000;

/// What the optimiser does at every step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// How many steps training has.
    pub steps: u64,
    /// Steps an epoch, where that was said or the budget is in epochs.
    pub steps_per_epoch: Option<f64>,
    /// The base rate, which the schedule multiplies.
    pub eta: f64,
    /// Momentum of SGD, from 0 to below 1.
    pub momentum: f64,
    /// The coupled weight decay `lambda`.
    pub weight_decay: f64,
    /// The natural logarithm of the rate at each step; none for a rate of 0.
    #[serde(deserialize_with = "crate::units::logarithms")]
    pub log_eta: Vec<f64>,
    /// What the schedule does to the effective rate of weights whose scale does not matter: its
    /// [drive](crate::theory::effective) `B` from each step to the next. Under momentum it is the growth of the exactly
    /// equivalent rate without weight decay, which without momentum is the same. Empty where the optimiser has no such law
    /// (Nesterov momentum with weight decay), or weight decay turns the weights round.
    #[serde(deserialize_with = "crate::units::list")]
    pub drive: Vec<f64>,
    /// The stretches of constant rate, where there are few; none of another optimiser than plain SGD.
    pub phases: Vec<Stretch>,
}

/// Steps of the same rate, and what they come to where the network is scale-invariant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first step of the stretch, from 0.
    pub first: u64,
    /// How many there are.
    pub steps: u64,
    /// The learning rate all along it.
    pub eta: f64,
    /// The learning rate times the weight decay, `eta lambda`.
    #[serde(deserialize_with = "crate::units::number")]
    pub intrinsic_rate: f64,
    /// The drive from the step before it; none of the first.
    pub drive_into: Option<f64>,
    /// The factor a step by which the equivalent rate without weight decay grows, which is the drive in it; none where it is
    /// no real number.
    pub growth_per_step: Option<f64>,
    /// The same over an epoch.
    pub growth_per_epoch: Option<f64>,
    /// About the steps to equilibrium; none without weight decay.
    pub equilibrium_steps: Option<f64>,
    /// The angle in radians by which the weights turn a step there.
    #[serde(deserialize_with = "crate::units::number")]
    pub equilibrium_angle: f64,
}

/// Why a spec's rates cannot be listed before it trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatesError {
    /// Nobody says how long an epoch is.
    #[error(
        "train.epochs needs the number of samples: give data.train a number, or --steps-per-epoch, or train.steps"
    )]
    UnknownEpoch,
    /// A schedule that only training can tell.
    #[error(
        "schedule.anneal_below lowers the rate when the training loss is low enough: the schedule is not known before \
         training; run `etalon train`, and give the step it tells as schedule.milestones with kind = \"step\""
    )]
    Unforeseeable,
}

/// More stretches than this are a curve, not phases.
const PHASES: usize = 20;

impl Rates {
    /// The schedule of a spec. `steps_per_epoch` is needed where the spec does not tell how many samples there are, and
    /// epochs matter.
    ///
    /// # Errors
    /// When the number of steps cannot be known or is too large, or the schedule's file cannot be read.
    pub fn new(spec: &Spec, steps_per_epoch: Option<f64>) -> Result<Rates, Error> {
        if spec.schedule.anneal_below.is_some() {
            return Err(RatesError::Unforeseeable.into());
        }
        let eta = spec.optimizer.eta;
        let in_epochs = matches!(spec.train.budget, Budget::Epochs(_));
        let steps_per_epoch = steps_per_epoch.or_else(|| of_spec(spec).filter(|_| in_epochs));
        if in_epochs && steps_per_epoch.is_none() {
            return Err(RatesError::UnknownEpoch.into());
        }
        let schedule = spec.schedule.schedule()?;
        let steps =
            spec.train.budget.steps(eta, steps_per_epoch.unwrap_or_default())? + schedule.last_steps();
        if steps > LONGEST {
            return Err(PlanError::TooLong(steps as f64).into());
        }
        let log_eta: Vec<f64> = (0..steps).map(|step| schedule.log_rate(eta, step, steps)).collect();
        let (momentum, weight_decay) = (spec.optimizer.momentum, spec.optimizer.weight_decay);
        let (drive, phases) = (vec![], vec![]);
        let mut rates = Rates { steps, steps_per_epoch, eta, momentum, weight_decay, log_eta, drive, phases };
        rates.drive = rates.find_drive(&spec.optimizer.rule());
        // What they come to on scale-invariant weights is known of gradient descent alone.
        if matches!(spec.optimizer.rule(), Rule::Sgd(Sgd { nesterov: false, .. })) {
            rates.phases = rates.find_phases();
        }
        Ok(rates)
    }

    /// As the conversion takes it.
    pub fn with_decay(&self) -> WithDecay {
        WithDecay::constant(self.log_eta.clone(), self.weight_decay, self.momentum)
    }

    fn find_drive(&self, rule: &Rule) -> Vec<f64> {
        let steps = |log_eta: &[f64], of: &dyn Fn(f64, f64) -> f64| {
            log_eta.windows(2).map(|pair| of(pair[0], pair[1])).collect()
        };
        match rule {
            Rule::AdamW(_) => {
                let step = |log_eta: f64| Step { eta: log_eta.exp(), weight_decay: self.weight_decay };
                let turns = self.log_eta.iter().any(|&log_eta| step(log_eta).shrinkage() <= 0.0);
                if turns {
                    Vec::new()
                } else {
                    steps(&self.log_eta, &|now, next| step(now).drive(step(next), 0.0))
                }
            }
            Rule::Sgd(Sgd { nesterov: true, .. }) if self.weight_decay > 0.0 => Vec::new(),
            Rule::Sgd(_) => {
                let without = self.with_decay().exact().map(|without| without.log_eta);
                steps(&without.unwrap_or_default(), &|now, next| (next - now).exp())
            }
        }
    }

    fn find_phases(&self) -> Vec<Stretch> {
        let mut runs = self.log_eta.chunk_by(|a, b| a == b);
        let runs: Vec<&[f64]> = runs.by_ref().take(PHASES + 1).collect();
        if runs.len() > PHASES {
            return Vec::new();
        }
        let mut first = 0;
        let mut phases = Vec::with_capacity(runs.len());
        for run in runs {
            phases.push(self.phase(first, run.len() as u64, run[0].exp()));
            first += run.len() as u64;
        }
        phases
    }

    fn phase(&self, first: u64, steps: u64, eta: f64) -> Stretch {
        let (decay, momentum) = (self.weight_decay, self.momentum);
        let growth = conversion::log_growth(eta, decay, momentum).ok();
        let equilibrium = equilibrium::steps(eta, decay, momentum);
        Stretch {
            first,
            steps,
            eta,
            intrinsic_rate: equilibrium::intrinsic_rate(eta, decay),
            drive_into: first.checked_sub(1).and_then(|before| self.drive.get(before as usize).copied()),
            growth_per_step: growth.map(f64::exp),
            growth_per_epoch: growth.zip(self.steps_per_epoch).map(|(growth, epoch)| (growth * epoch).exp()),
            equilibrium_steps: equilibrium.is_finite().then_some(equilibrium),
            equilibrium_angle: equilibrium::angle(eta, decay, momentum),
        }
    }
}

/// Steps an epoch, as far as the spec tells without its data.
fn of_spec(spec: &Spec) -> Option<f64> {
    match (spec.train.batch, spec.data.train) {
        (BatchSize::Full, _) => Some(1.0),
        (BatchSize::Samples(_), 0) => None,
        (BatchSize::Samples(batch), samples) => Some((samples / batch) as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drive(keys: &str) -> Vec<f64> {
        let text = format!("schedule.kind = 'cosine'\ntrain.steps = 50\noptimizer.eta = 0.3\n{keys}");
        Rates::new(&Spec::parse(&text).unwrap(), None).unwrap().drive
    }

    #[test]
    fn the_drive_is_that_of_the_law_and_with_momentum_that_of_the_equivalent_rate() {
        let eta = |step: u32| 0.15 * (1.0 + (std::f64::consts::PI * f64::from(step) / 50.0).cos());
        let step = |index| Step { eta: eta(index), weight_decay: 0.2 };
        for (optimizer, nu) in [("", 1.0), ("optimizer.kind = 'adamw'\n", 0.0)] {
            let found = drive(&format!("{optimizer}optimizer.weight_decay = 0.2"));
            let expected = (0..49).map(|index| step(index).drive(step(index + 1), nu));
            // Roundings of logarithms of up to 5.
            assert!(found.iter().zip(expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-13), "{optimizer}");
            assert_eq!(found.len(), 49);
        }
        // Without weight decay the drive is that of the rate, whatever the momentum.
        for momentum in
            ["", "optimizer.momentum = 0.9", "optimizer.momentum = 0.9\noptimizer.nesterov = true"]
        {
            let found = drive(momentum);
            assert!(
                (0..49)
                    .all(|index| (found[index as usize] / (eta(index + 1) / eta(index)) - 1.0).abs() < 1e-13)
            );
        }
        assert!(
            drive("optimizer.momentum = 0.9\noptimizer.nesterov = true\noptimizer.weight_decay = 0.2")
                .is_empty()
        );
        assert!(drive("optimizer.weight_decay = 4.0").is_empty());
        // A constant rate with momentum comes to the growth of its equivalent.
        let text = "train.steps = 400\noptimizer = { eta = 0.1, momentum = 0.9, weight_decay = 5e-3 }";
        let rates = Rates::new(&Spec::parse(text).unwrap(), None).unwrap();
        let growth = rates.phases[0].growth_per_step.unwrap();
        assert!((rates.drive[398] / growth - 1.0).abs() < 1e-12 && rates.drive[0] < growth);
    }
}
