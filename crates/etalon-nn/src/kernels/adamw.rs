//! The update of AdamW.

use super::vectorised;
use crate::{Cpu, Scalar};

/// The numbers of one update, the same for all parameters.
#[derive(Clone, Copy, Debug)]
pub struct AdamWUpdate<T> {
    /// What weight decay leaves of a parameter: `1 - eta decay`.
    pub keep: T,
    /// The rate over the bias correction of the mean: `eta / (1 - beta1^t)`.
    pub rate: T,
    /// The share of a new gradient in the mean: `1 - beta1`.
    pub mean_share: T,
    /// What the mean square keeps: `beta2`.
    pub square_keep: T,
    /// The share of a new gradient in the mean square: `1 - beta2`.
    pub square_share: T,
    /// The root of the mean square's bias correction: `sqrt(1 - beta2^t)`.
    pub root_correction: T,
    /// Added to the root.
    pub epsilon: T,
}

/// One step of AdamW: the means of the gradient and of its square follow, and
/// `w = keep w - rate mean / (sqrt(square) / root_correction + epsilon)`; see [`super::elementwise::sgd`] on subnormal numbers.
pub fn adamw<T: Scalar>(
    cpu: Cpu,
    update: &AdamWUpdate<T>,
    gradient: &[T],
    mean: &mut [T],
    square: &mut [T],
    w: &mut [T],
) {
    let AdamWUpdate { keep, rate, mean_share, square_keep, square_share, root_correction, epsilon } = *update;
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for (((w, m), v), &g) in w.iter_mut().zip(mean).zip(square).zip(gradient) {
                *m = (*m + mean_share * (g - *m)).flushed();
                *v = (square_keep * *v + square_share * g * g).flushed();
                *w = (keep * *w - rate * (*m / (v.sqrt() / root_correction + epsilon))).flushed();
            }
        },
    );
}
