//! Rates that grow without bound, on parameters whose scale does not matter.
//!
//! Under SGD, for scale-invariant segments `(w, eta, wd, v)` and `(w / c, eta / c^2, c^2 wd, c v)` train the same functions
//! (1910.07454, section 2). Before rate and weights leave the numbers they are brought back by a power of 2, which costs
//! no digits. With a conversion, those segments follow the equivalent schedule without weight decay.

use super::{Plan, PlanError};
use crate::schedule::{Conversion, WithDecay, WithoutDecay, momentum_to_convert};
use etalon_nn::optim::{Rate, Rule};
use etalon_nn::{Network, Scalar};
use std::f64::consts::LN_2;
use std::ops::Range;

/// Weights are divided by 2 to this power at once, as soon as the rate has grown by its square.
const EXPONENT: f64 = 2.0;
/// The natural logarithm of that growth.
const GROWTH: f64 = 2.0 * EXPONENT * LN_2;
/// Most steps of a converted schedule, which is held as a list.
const LONGEST: u64 = 10_000_000;

/// What is done to the scale-invariant segments of a network.
#[derive(Debug)]
pub(super) struct Rescaling {
    /// Whether each segment is one of them.
    scaled: Vec<bool>,
    ranges: Vec<Range<usize>>,
    /// The state's segments that their scale reaches, and with which power.
    statistics: Vec<(Range<usize>, i32)>,
    weight_decay: f64,
    converted: Option<WithoutDecay>,
    /// Corrections of the momentum buffer done so far.
    corrected: usize,
    /// The weights stand for themselves times 2 to this power.
    exponent: f64,
}

/// The rates of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepRates<'a> {
    /// The rate of most segments.
    plain: Rate,
    /// Whether each segment has a rate of its own, the one below; empty where none has.
    scaled: &'a [bool],
    scaled_rate: Rate,
}

impl StepRates<'_> {
    /// That of a segment; none where its factor freezes it.
    pub(super) fn of(&self, segment: usize, factor: f64) -> Option<Rate> {
        let scaled = self.scaled.get(segment) == Some(&true);
        let Rate { eta, weight_decay } = if scaled { self.scaled_rate } else { self.plain };
        (factor != 0.0).then_some(Rate { eta: eta * factor, weight_decay })
    }
}

/// What a step changes.
pub(super) struct Point<'a, T> {
    pub(super) parameters: &'a mut [T],
    pub(super) velocity: &'a mut [T],
    pub(super) running: &'a mut [T],
}

impl Rescaling {
    pub(super) fn new<T: Scalar>(
        plan: &Plan,
        network: &Network<T>,
        eta: f64,
        total: u64,
    ) -> Result<Rescaling, PlanError> {
        let (layout, state) = (network.layout(), network.state_layout());
        let invariance = network.scale_invariance();
        let (mut scaled, mut ranges, mut statistics) = (Vec::new(), Vec::new(), Vec::new());
        if plan.conversion.is_some() {
            momentum_to_convert(&plan.optimizer)?;
        }
        // Another optimiser's exchange is another one: its weights are left as they are.
        let is_sgd = matches!(plan.optimizer, Rule::Sgd(_));
        for (segment, said) in layout.segments().iter().zip(&invariance) {
            let reached = said.statistics.as_ref().filter(|_| said.invariant && is_sgd);
            scaled.push(reached.is_some());
            let Some(reached) = reached else { continue };
            ranges.push(segment.range.clone());
            // A layer's segments are scaled together, and so its statistics once.
            let is_first = said
                .with
                .iter()
                .all(|other| layout.find(other).is_none_or(|other| other.range.start > segment.range.start));
            for name in reached.iter().filter(|_| is_first) {
                let power = if name.ends_with("running_var") { 2 } else { 1 };
                statistics.extend(state.find(name).map(|found| (found.range.clone(), power)));
            }
        }
        let converted = match plan.conversion {
            None => None,
            Some(_) if total > LONGEST => return Err(PlanError::TooLong(total as f64)),
            Some(_) if ranges.is_empty() => {
                let first = invariance.first().map(|said| format!("{}: {}", said.segment, said.reason));
                return Err(PlanError::NotInvariant(first.unwrap_or_default()));
            }
            Some(conversion) => {
                let uneven =
                    scaled.iter().zip(&plan.factors).position(|(&scaled, &factor)| scaled && factor != 1.0);
                if let Some(segment) = uneven {
                    let (name, factor) = (invariance[segment].segment.clone(), plan.factors[segment]);
                    return Err(PlanError::Uneven { name, factor });
                }
                Some(convert(plan, conversion, eta, total)?)
            }
        };
        let weight_decay = plan.weight_decay;
        Ok(Rescaling { scaled, ranges, statistics, weight_decay, converted, corrected: 0, exponent: 0.0 })
    }

    /// What it has done so far: corrections of the momentum buffer, and the exponent.
    pub(super) fn done(&self) -> (usize, f64) {
        (self.corrected, self.exponent)
    }

    /// Goes on from what was [`Rescaling::done`].
    pub(super) fn set_done(&mut self, done: (usize, f64)) {
        (self.corrected, self.exponent) = done;
    }

    /// Whether each segment may be scaled.
    pub(super) fn scaled(&self) -> &[bool] {
        &self.scaled
    }

    /// The natural logarithm of what the weights of those segments have been divided by.
    pub(super) fn log_taken(&self) -> f64 {
        self.exponent * LN_2
    }

    /// The natural logarithm of their rate at a step, apart from what has been taken out; `plain` is that of the others.
    pub(super) fn log_rate(&self, step: u64, plain: f64) -> f64 {
        // After the last step the last rate stays.
        let rates = self.converted.as_ref().map(|converted| &converted.log_eta);
        rates.map_or(plain, |rates| rates[(step as usize).min(rates.len() - 1)])
    }

    /// Makes the point ready for a step. `log_eta` is the logarithm of the others' rate, `base` that of the rate that
    /// growth is measured from where there is no conversion.
    pub(super) fn prepare<T: Scalar>(&mut self, step: u64, log_eta: f64, base: f64, point: Point<'_, T>) {
        let log_rate = self.log_rate(step, log_eta);
        let Point { parameters, velocity, running } = point;
        let reference = if self.converted.is_some() { log_eta } else { base };
        let grown = log_rate - reference - 2.0 * self.log_taken();
        // A rate of 0 has no rescaling: the difference is not a number, and not above anything. Nor does a power of 2 bring
        // an infinite rate back: training diverges.
        let exponent =
            if grown > GROWTH && grown.is_finite() { EXPONENT * (grown / GROWTH - 1.0).ceil() } else { 0.0 };
        if exponent > 0.0 {
            let by = exponent.exp2();
            self.multiply(1.0 / by, parameters);
            if !velocity.is_empty() {
                self.multiply(by, velocity);
            }
            self.multiply_statistics(-exponent * LN_2, running);
            self.exponent += exponent;
        }
        self.correct(step, parameters, velocity);
    }

    /// The rates of a step; `eta` is that of the others, with its logarithm.
    pub(super) fn rates(&self, step: u64, (eta, log_eta): (f64, f64)) -> StepRates<'_> {
        let taken = self.log_taken();
        let plain = Rate { eta, weight_decay: self.weight_decay };
        if self.converted.is_none() && self.exponent == 0.0 {
            return StepRates { plain, scaled: &[], scaled_rate: plain };
        }
        let decay = if self.converted.is_some() { 0.0 } else { self.weight_decay };
        // No weight decay is none, whatever has been taken out.
        let weight_decay = if decay > 0.0 { decay * (2.0 * taken).exp() } else { 0.0 };
        let eta = (self.log_rate(step, log_eta) - 2.0 * taken).exp();
        StepRates { plain, scaled: &self.scaled, scaled_rate: Rate { eta, weight_decay } }
    }

    /// Follows the weights after a step. Running statistics remember the inputs of earlier steps, when the weights were
    /// shorter: they are lengthened with them, so that metrics too are those of the equivalent training.
    pub(super) fn follow<T: Scalar>(&self, step: u64, running: &mut [T]) {
        if let Some(converted) = &self.converted {
            let step = step as usize;
            self.multiply_statistics(converted.log_scale[step + 1] - converted.log_scale[step], running);
        }
    }

    fn correct<T: Scalar>(&mut self, step: u64, parameters: &[T], velocity: &mut [T]) {
        let Some(converted) = &self.converted else { return };
        let next = converted.corrections.get(self.corrected);
        let Some(correction) = next.filter(|correction| correction.step as u64 == step) else { return };
        let log_scale = converted.log_scale[correction.step] - self.log_taken();
        let per_weight = T::from_f64(correction.per_weight * (-2.0 * log_scale).exp());
        for range in &self.ranges {
            let pairs = velocity[range.clone()].iter_mut().zip(&parameters[range.clone()]);
            pairs.for_each(|(v, &w)| *v -= per_weight * w);
        }
        self.corrected += 1;
    }

    fn multiply<T: Scalar>(&self, by: f64, vector: &mut [T]) {
        let by = T::from_f64(by);
        self.ranges.iter().for_each(|range| vector[range.clone()].iter_mut().for_each(|x| *x *= by));
    }

    fn multiply_statistics<T: Scalar>(&self, log: f64, running: &mut [T]) {
        for (range, power) in &self.statistics {
            let by = T::from_f64((log * f64::from(*power)).exp());
            running[range.clone()].iter_mut().for_each(|x| *x *= by);
        }
    }
}

/// The equivalent of a plan's schedule without weight decay.
fn convert(plan: &Plan, conversion: Conversion, eta: f64, total: u64) -> Result<WithoutDecay, PlanError> {
    let log_eta = (0..total).map(|step| plan.schedule.log_rate(eta, step, total)).collect();
    let momentum = momentum_to_convert(&plan.optimizer)?;
    Ok(WithDecay::constant(log_eta, plan.weight_decay, momentum).convert(conversion)?)
}
