//! How weights move: their norms, the angles they turn by, and the rates that their directions feel.

use super::rescaling::Rescaling;
use crate::schedule::equilibrium::log_effective_rate;
use etalon_nn::{Network, Scalar};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The motion of one segment at one step. What is not finite is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// The segment.
    pub segment: String,
    /// The norm of its weights before the step.
    #[serde(deserialize_with = "crate::units::number")]
    pub norm: f64,
    /// The natural logarithm of it: under a growing rate the norm itself passes every number.
    #[serde(deserialize_with = "crate::units::number")]
    pub log_norm: f64,
    /// The angle in radians between the weights before and after the step; none where either is zero.
    pub angle: Option<f64>,
    /// `eta / |w|^2`: what the direction feels under SGD, where the scale does not matter. None for weights of norm 0, and
    /// of an optimiser with a preconditioner.
    pub effective_rate: Option<f64>,
}

/// Keeps the weights of before a step.
#[derive(Debug)]
pub(super) struct WeightsBefore<T> {
    before: Vec<T>,
}

impl<T: Scalar> WeightsBefore<T> {
    pub(super) fn new(parameters: &[T]) -> Self {
        WeightsBefore { before: parameters.to_vec() }
    }

    /// Looks at the weights before a step; `log_rate` gives the logarithm of a segment's rate.
    pub(super) fn remember(
        &mut self,
        network: &Network<T>,
        parameters: &[T],
        rescaling: &Rescaling,
        log_rate: &dyn Fn(usize) -> f64,
    ) -> Vec<Motion> {
        self.before.copy_from_slice(parameters);
        let segments = network.layout().segments().iter().enumerate();
        let one = |(index, segment): (usize, &etalon_nn::parameters::Segment)| {
            let taken = if rescaling.scaled()[index] { rescaling.log_taken() } else { 0.0 };
            let log_norm = norm(&parameters[segment.range.clone()]).ln() + taken;
            let effective = log_effective_rate(log_rate(index), log_norm).exp();
            Motion {
                segment: segment.name.clone(),
                norm: log_norm.exp(),
                log_norm,
                angle: None,
                effective_rate: effective.is_finite().then_some(effective),
            }
        };
        segments.map(one).collect()
    }

    /// Adds the angles between those weights and the ones that the step led to.
    pub(super) fn compare(&self, network: &Network<T>, parameters: &[T], motions: &mut [Motion]) {
        for (motion, segment) in motions.iter_mut().zip(network.layout().segments()) {
            motion.angle = self.angle(parameters, segment.range.clone());
        }
    }

    fn angle(&self, after: &[T], range: Range<usize>) -> Option<f64> {
        let (before, after) = (&self.before[range.clone()], &after[range]);
        let chord = direction_distance(before, after);
        // From the chord, because the cosine of a small angle is 1 but for rounding.
        chord.is_finite().then(|| 2.0 * (chord / 2.0).min(1.0).asin())
    }
}

/// The norm, summed in f64.
pub(crate) fn norm<T: Scalar>(weights: &[T]) -> f64 {
    weights.iter().map(|w| w.to_f64() * w.to_f64()).sum::<f64>().sqrt()
}

/// The distance between two directions: that of the vectors divided by their norms. NaN where one is zero.
pub(crate) fn direction_distance<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    let (one, other) = (norm(a), norm(b));
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a.to_f64() / one - b.to_f64() / other).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_right_large_and_small() {
        let before = WeightsBefore { before: vec![3.0, 0.0, 1.0, 0.0, 0.0] };
        let angle = |after: [f64; 5], range| before.angle(&after, range);
        assert!(
            (angle([0.0, 7.0, 0.0, 0.0, 0.0], 0..2).unwrap() - std::f64::consts::FRAC_PI_2).abs() < 1e-15
        );
        assert!((angle([-3.0, 0.0, 0.0, 0.0, 0.0], 0..2).unwrap() - std::f64::consts::PI).abs() < 1e-7);
        assert!((angle([0.0, 0.0, 5.0, 5e-12, 0.0], 2..4).unwrap() - 1e-12).abs() < 1e-24);
        assert_eq!(angle([0.0; 5], 4..5), None);
    }
}
