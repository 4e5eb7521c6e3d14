//! The schedule of a spec without its weight decay, or with one that it had not.

use super::Rates;
use crate::error::Error;
use crate::schedule::conversion::intrinsic_rate_of_growth;
use crate::schedule::{Conversion, WithoutDecay, momentum_to_convert};
use crate::spec::{ScheduleKind, Spec};
use serde::{Deserialize, Serialize};

/// A schedule and its equivalent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Converted {
    /// The conversion that was made.
    pub conversion: Conversion,
    /// The schedule with weight decay.
    #[serde(rename = "plain")]
    pub rates: Rates,
    /// The equivalent schedule without weight decay.
    #[serde(flatten)]
    pub without: WithoutDecay,
    /// The first step whose rate no `f32` holds, where there is one.
    pub leaves_f32: Option<usize>,
    /// The same for `f64`.
    pub leaves_f64: Option<usize>,
}

/// The equivalent of a spec's schedule without weight decay.
///
/// # Errors
/// When the spec has no schedule or its schedule no equivalent.
pub fn convert(
    spec: &Spec,
    conversion: Conversion,
    steps_per_epoch: Option<f64>,
) -> Result<Converted, Error> {
    momentum_to_convert(&spec.optimizer.rule())?;
    let rates = Rates::new(spec, steps_per_epoch)?;
    let without = rates.with_decay().convert(conversion)?;
    let (leaves_f32, leaves_f64) = (without.first_above(f32::MAX.into()), without.first_above(f64::MAX));
    Ok(Converted { conversion, rates, without, leaves_f32, leaves_f64 })
}

/// A schedule without weight decay, and its equivalent with one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undone {
    /// The schedule without weight decay.
    pub given: Rates,
    /// The coupled weight decay `lambda` that it is to have.
    pub weight_decay: f64,
    /// The natural logarithm of the rate at each step with it.
    #[serde(deserialize_with = "crate::units::logarithms")]
    pub log_eta: Vec<f64>,
}

impl Undone {
    /// CSV: `step,log_eta,eta`.
    pub fn csv(&self) -> String {
        let rows = self.log_eta.iter().enumerate();
        let rows = rows.map(|(step, log_eta)| format!("{step},{log_eta:?},{:?}\n", log_eta.exp()));
        "step,log_eta,eta\n".to_string() + &rows.collect::<String>()
    }
}

/// The way back: a spec's schedule is taken as one without weight decay; the rates with which the spec's weight decay
/// trains the same functions.
///
/// # Errors
/// As [`convert`].
pub fn undo(spec: &Spec, steps_per_epoch: Option<f64>) -> Result<Undone, Error> {
    momentum_to_convert(&spec.optimizer.rule())?;
    let weight_decay = spec.optimizer.weight_decay;
    let mut without = spec.clone();
    without.optimizer.weight_decay = 0.0;
    let given = Rates::new(&without, steps_per_epoch)?;
    let decays = vec![weight_decay; given.log_eta.len()];
    let log_eta = WithoutDecay::undo(&given.log_eta, decays, given.momentum)?.log_eta;
    Ok(Undone { given, weight_decay, log_eta })
}

/// The `eta lambda` of the constant rate that trains the same functions in the long run as a spec's exponential growth
/// without weight decay; none for another spec.
pub fn constant_equivalent(spec: &Spec) -> Option<f64> {
    let growing = spec.schedule.kind == ScheduleKind::Exponential && spec.schedule.growth > 1.0;
    let growth = (growing && spec.optimizer.weight_decay == 0.0).then(|| spec.schedule.growth.ln())?;
    intrinsic_rate_of_growth(growth, momentum_to_convert(&spec.optimizer.rule()).ok()?).ok()
}
