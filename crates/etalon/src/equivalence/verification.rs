//! Both schedules on a network: do they train the same functions?

use crate::error::Error;
use crate::memory;
use crate::schedule::{Conversion, WithDecay, WithoutDecay, momentum_to_convert};
use crate::spec::{Precision, Spec};
use crate::train::{Plan, PlanError, Task, Trial, direction_distance, norm};
use etalon_nn::{Linearization, Scalar, Workspace};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Training with weight decay beside training without, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The way of the conversion.
    pub conversion: Conversion,
    /// Whether the runs in f64 agree within the tolerance; none where they do not, but rounding alone parts two runs of
    /// this training too, so that nothing can be said.
    pub equivalent: Option<bool>,
    /// The largest difference of loss, direction, logits and norm that counts as none, in f64.
    pub tolerance: f64,
    /// How many steps both runs have.
    pub steps: u64,
    /// The segments that trade weight decay for growth.
    pub scaled: Vec<String>,
    /// Those that keep both, and why.
    pub others: Vec<Kept>,
    /// In f64, then in f32.
    pub agreement: Vec<Agreement>,
    /// The growth of the weights over all steps, as a natural logarithm.
    #[serde(deserialize_with = "crate::units::number")]
    pub log_growth: f64,
    /// The first step whose rate no `f32` holds, where there is one: there plain f32 would have overflowed.
    pub leaves_f32: Option<usize>,
    /// The same for `f64`.
    pub leaves_f64: Option<usize>,
}

/// A segment that keeps its rate and its weight decay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The name of the segment of the parameters.
    pub segment: String,
    /// Why its scale matters.
    pub reason: String,
}

/// The largest differences over all steps, in one precision. What is not finite is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// `f64` or `f32`.
    pub precision: String,
    /// Of the batches' losses, in units of the larger one where that is above 1.
    #[serde(deserialize_with = "crate::units::number")]
    pub loss: f64,
    /// Between the directions of the weights of a layer, vectors of norm 1.
    #[serde(deserialize_with = "crate::units::number")]
    pub direction: f64,
    /// Of the outputs on the training samples that are looked at (with their own batch statistics), in units of the
    /// largest one where that is above 1.
    #[serde(deserialize_with = "crate::units::number")]
    pub logits: f64,
    /// Between the growth of the weights' norm and the predicted one, as natural logarithms.
    #[serde(deserialize_with = "crate::units::number")]
    pub norm: f64,
    /// Steps until a difference passed the limit; none where none did.
    pub parted: Option<u64>,
    /// What rounding alone has done by then, or by the end: the largest difference of loss, directions and norms between
    /// the run with weight decay and one whose start differs in the last digit.
    #[serde(deserialize_with = "crate::units::number")]
    pub rounding: f64,
    /// The difference at which the runs count as parted.
    pub limit: f64,
    /// What was divided out of the weights to keep them within the numbers, in all.
    #[serde(deserialize_with = "crate::units::number")]
    pub log_taken: f64,
    /// Why a run ended early, if one did.
    pub ended: Option<String>,
    /// How the difference grew: the largest of each stretch of steps.
    pub course: Vec<Apart>,
}

/// The largest difference of loss, directions and norms in a stretch of steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// The last step of the stretch.
    pub step: u64,
    /// Between the two schedules.
    #[serde(deserialize_with = "crate::units::number")]
    pub between: f64,
    /// By rounding alone, as in [`Agreement::rounding`]; none once the two have parted.
    pub rounding: Option<f64>,
}

/// Stretches that a course has at most.
const STRETCHES: u64 = 400;

/// Where the differences of f32 runs count as parting: well above rounding, well below another training.
const F32_LIMIT: f64 = 1e-3;

/// Rounding that has grown to this share of the limit when two runs part has parted them: where it does not grow, it is
/// many orders smaller.
const CHAOS: f64 = 1e-2;

impl Agreement {
    fn decides(&self) -> Option<bool> {
        let agree = self.parted.is_none() && self.ended.is_none();
        (agree || self.rounding < CHAOS * self.limit).then_some(agree)
    }
}

/// Trains the spec's network twice, with its weight decay and under the equivalent schedule without, from the same start
/// on the same batches, in f64 and in f32. `progress` hears of steps done, of both precisions together.
///
/// # Errors
/// When the spec makes no trial, the network has no scale-invariant segment, or the schedule no equivalent.
pub fn verify(
    spec: &Spec,
    conversion: Conversion,
    tolerance: f64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, Error> {
    let double = compare_spec::<f64>(spec, Precision::F64, conversion, tolerance, &mut |done, all| {
        progress(done, 2 * all);
    })?;
    let single = compare_spec::<f32>(spec, Precision::F32, conversion, F32_LIMIT, &mut |done, all| {
        progress(all + done, 2 * all);
    })?;
    let Compared { agreement, converted, steps, scaled, others } = double;
    let leaves = |largest: f64| converted.first_above(largest);
    Ok(Verification {
        conversion,
        equivalent: agreement.decides(),
        tolerance,
        steps,
        scaled,
        others,
        log_growth: converted.log_scale.last().copied().unwrap_or_default(),
        leaves_f32: leaves(f32::MAX.into()),
        leaves_f64: leaves(f64::MAX),
        agreement: vec![agreement, single.agreement],
    })
}

/// What a comparison in one precision found.
struct Compared {
    agreement: Agreement,
    converted: WithoutDecay,
    steps: u64,
    scaled: Vec<String>,
    others: Vec<Kept>,
}

fn compare_spec<T: Scalar>(
    spec: &Spec,
    precision: Precision,
    conversion: Conversion,
    limit: f64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Compared, Error> {
    let spec = Spec { precision, ..spec.clone() };
    let task = spec.task::<T>()?;
    let plan = spec.plan(&task)?;
    compare(&task, plan, (spec.optimizer.eta, spec.seed), conversion, limit, progress)
}

/// Trains twice, at a base rate and from a seed.
fn compare<T: Scalar>(
    task: &Task<T>,
    plan: Plan,
    (eta, seed): (f64, u64),
    conversion: Conversion,
    limit: f64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Compared, Error> {
    let plain = Plan { conversion: None, ..plan };
    let grown = Plan { conversion: Some(conversion), ..plain.clone() };
    let momentum = momentum_to_convert(&plain.optimizer)?;
    let looked_at = task.train.first(plain.check_samples);
    let needed = 3 * Workspace::<T>::bytes(&task.network, plain.batch)
        + Linearization::bytes(&task.network, plain.check_samples)
        + 12 * (task.network.parameters() * size_of::<T>()) as u64;
    memory::check(
        "this comparison",
        needed,
        "take fewer train.check_samples, a smaller batch or a smaller network",
    )?;
    let mut with = Trial::new(task, &plain, eta, seed, true)?;
    let mut without = Trial::new(task, &grown, eta, seed, true)?;
    let last_digit = T::ONE + T::EPSILON;
    let nearly = with.parameters().iter().map(|&w| w * last_digit).collect();
    let mut control = Trial::from_parameters(task, &plain, eta, seed, nearly, true)?;
    let steps = with.total();
    let log_eta = (0..steps).map(|step| plain.schedule.log_rate(eta, step, steps)).collect();
    let decay = plain.weight_decay;
    let converted =
        WithDecay::constant(log_eta, decay, momentum).convert(conversion).map_err(PlanError::from)?;
    let layers = Layers::of(task, without.scaled());

    let mut agreement = Agreement {
        precision: T::NAME.into(),
        loss: 0.0,
        direction: 0.0,
        logits: 0.0,
        norm: 0.0,
        parted: None,
        rounding: 0.0,
        limit,
        log_taken: 0.0,
        ended: None,
        course: Vec::new(),
    };
    let mut course = Course::new(steps);
    // Outputs at every step would cost more than the training.
    let stride = (steps / 20).max(1);
    for step in 0..steps {
        progress(step, steps);
        let ((loss, stop), (same, other_stop)) = (with.step(), without.step());
        let nearly = agreement.parted.is_none().then(|| control.step().0);
        let scale = loss.abs().max(same.abs()).max(1.0);
        let mut apart = (loss - same).abs() / scale;
        agreement.loss = larger(agreement.loss, apart);
        if let Some(stop) = stop.or(other_stop) {
            agreement.ended = Some(stop.to_string());
            break;
        }
        let predicted = converted.log_scale[step as usize + 1] - without.log_taken();
        for layer in &layers.ranges {
            let (direction, norm) = layer.apart(with.parameters(), without.parameters(), predicted);
            agreement.direction = larger(agreement.direction, direction);
            agreement.norm = larger(agreement.norm, norm);
            apart = larger(larger(apart, direction), norm);
        }
        let rounding = nearly.map(|nearly| {
            let by_loss = (loss - nearly).abs() / scale;
            layers.ranges.iter().fold(by_loss, |most, layer| {
                let (direction, norm) = layer.apart(with.parameters(), control.parameters(), 0.0);
                larger(most, larger(direction, norm))
            })
        });
        agreement.rounding = larger(agreement.rounding, rounding.unwrap_or(0.0));
        course.add(Apart { step, between: apart, rounding });
        if (step + 1).is_multiple_of(stride) || step + 1 == steps {
            let outputs = |parameters: &[T]| {
                let mut at = Linearization::new(&task.network, parameters, looked_at, task.loss, true);
                let mut outputs = vec![T::ZERO; at.outputs_len()];
                at.outputs(&mut outputs);
                outputs
            };
            let logits = difference(&outputs(with.parameters()), &outputs(without.parameters()));
            agreement.logits = larger(agreement.logits, logits);
            apart = larger(apart, logits);
        }
        // So written that NaN is apart.
        if agreement.parted.is_none() && !(apart <= limit) {
            agreement.parted = Some(step);
        }
    }
    progress(steps, steps);
    agreement.log_taken = without.log_taken();
    agreement.course = course.stretches;
    Ok(Compared { agreement, converted, steps, scaled: layers.scaled, others: layers.others })
}

/// A course being recorded.
struct Course {
    /// Steps of a stretch.
    length: u64,
    stretches: Vec<Apart>,
}

impl Course {
    fn new(steps: u64) -> Course {
        Course { length: steps.div_ceil(STRETCHES).max(1), stretches: Vec::new() }
    }

    fn add(&mut self, apart: Apart) {
        match self.stretches.last_mut() {
            Some(last) if !apart.step.is_multiple_of(self.length) => {
                last.step = apart.step;
                last.between = larger(last.between, apart.between);
                last.rounding =
                    last.rounding.zip(apart.rounding).map(|(a, b)| larger(a, b)).or(last.rounding);
            }
            _ => self.stretches.push(apart),
        }
    }
}

/// The larger number; NaN if one is.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

/// The largest difference, in units of the largest number where that is above 1.
fn difference<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    let scale = a.iter().map(|a| a.to_f64().abs()).fold(1.0, larger);
    a.iter().zip(b).map(|(a, b)| (a.to_f64() - b.to_f64()).abs() / scale).fold(0.0, larger)
}

/// The layers whose scale does not matter, and what is left.
struct Layers {
    ranges: Vec<Layer>,
    scaled: Vec<String>,
    others: Vec<Kept>,
}

/// Parameters that are scaled together and lie side by side, such as a layer's.
struct Layer(Range<usize>);

impl Layer {
    /// The distance between directions, and how far the ratio of norms is from the prediction. A layer of zeros, which
    /// has no direction, is nowhere.
    fn apart<T: Scalar>(&self, plain: &[T], grown: &[T], predicted: f64) -> (f64, f64) {
        let (plain, grown) = (&plain[self.0.clone()], &grown[self.0.clone()]);
        let (before, after) = (norm(plain), norm(grown));
        if before == 0.0 && after == 0.0 {
            return (0.0, 0.0);
        }
        (direction_distance(plain, grown), ((after / before).ln() - predicted).abs())
    }
}

impl Layers {
    fn of<T: Scalar>(task: &Task<T>, scaled: &[bool]) -> Layers {
        let invariance = task.network.scale_invariance();
        let segments = task.network.layout().segments();
        let (mut ranges, mut names, mut others): (Vec<Layer>, Vec<String>, _) =
            (Vec::new(), Vec::new(), Vec::new());
        for ((said, segment), scaled) in invariance.into_iter().zip(segments).zip(scaled) {
            if !scaled {
                let reason = if said.invariant {
                    said.reason + ", but the running mean there holds a bias that is not scaled"
                } else {
                    said.reason
                };
                others.push(Kept { segment: said.segment, reason });
                continue;
            }
            match ranges.last_mut() {
                Some(layer)
                    if layer.0.end == segment.range.start
                        && names.last().is_some_and(|last| said.with.contains(last)) =>
                {
                    layer.0.end = segment.range.end;
                }
                _ => ranges.push(Layer(segment.range.clone())),
            }
            names.push(said.segment);
        }
        Layers { ranges, scaled: names, others }
    }
}

#[cfg(test)]
mod tests;
