//! Adam with decoupled weight decay.

use super::{BUFFERS, Buffers, Optimizer, OptimizerError, Rate, Stability, share};
use crate::kernels::adamw::AdamWUpdate;
use crate::{Cpu, Scalar};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), as `torch.optim.AdamW`. With gradient `g` at step
/// `t = 1, 2, ...`:
///
/// `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = (1 - eta wd) w - eta m' / (sqrt(v') + epsilon)`
///
/// where `m' = m / (1 - b1^t)` and `v' = v / (1 - b2^t)` correct the bias of averages that began at 0.
///
/// # Stability
///
/// Let the preconditioner `P = diag(sqrt(v') + epsilon)` stand still and the bias of `m` be gone. In the coordinates
/// `P^1/2 w` the rule is then descent along an average of gradients, and the curvature is that of `P^-1/2 H P^-1/2`, with
/// the eigenvalues of `P^-1 H` (Cohen et al. 2022, "Adaptive gradient methods at the edge of stability"). In a direction
/// of curvature `lambda`, without `m`,
///
/// `w'' = (1 - eta wd + b1 - (1 - b1) eta lambda) w' - b1 (1 - eta wd) w`.
///
/// The characteristic polynomial `z^2 - p z + q` has a root at `-1` where `1 + p + q = 0`:
/// `2 + 2 b1 = (1 - b1) eta lambda + (1 + b1) eta wd`. There `q = b1 (1 - eta wd)` is above `-1`, since `eta wd` is at most 2,
/// and smaller rates have both roots inside the unit circle. So the limit is `(2 + 2 b1) / ((1 - b1) lambda)`, and weight
/// decay stands for a curvature of `(1 + b1) / (1 - b1) wd`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// What the mean of gradients keeps a step, `b1`, from 0 to below 1.
    pub beta1: f64,
    /// What the mean of their squares keeps, `b2`, from 0 to below 1.
    pub beta2: f64,
    /// Added to the root of the mean square, above 0.
    pub epsilon: f64,
}

impl Default for AdamW {
    /// PyTorch's.
    fn default() -> Self {
        AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// `1 - beta^t`.
fn correction(beta: f64, steps: u64) -> f64 {
    1.0 - libm::pow(beta, steps as f64)
}

impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn buffers(&self) -> usize {
        2
    }

    fn update<T: Scalar>(
        &self,
        cpu: Cpu,
        rate: Rate,
        step: u64,
        gradient: &[T],
        [mean, square]: [&mut [T]; BUFFERS],
        parameters: &mut [T],
    ) {
        let update = AdamWUpdate {
            keep: T::from_f64(1.0 - rate.eta * rate.weight_decay),
            rate: T::from_f64(rate.eta / correction(self.beta1, step + 1)),
            mean_share: T::from_f64(1.0 - self.beta1),
            square_keep: T::from_f64(self.beta2),
            square_share: T::from_f64(1.0 - self.beta2),
            root_correction: T::from_f64(correction(self.beta2, step + 1).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        };
        T::adamw(cpu, &update, gradient, mean, square, parameters);
    }

    fn stability(&self) -> Result<Stability, OptimizerError> {
        let b = self.beta1;
        share("beta1", b)?;
        share("beta2", self.beta2)?;
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            let (got, range) = (self.epsilon, "a finite number above 0");
            return Err(OptimizerError { name: "epsilon", got, range });
        }
        Ok(Stability {
            numerator: (2.0 + 2.0 * b, "(2 + 2 b1)"),
            denominator: (1.0 - b, "(1 - b1)"),
            decay: ((1.0 + b) / (1.0 - b), "(1 + b1) / (1 - b1) weight_decay"),
            assumes: format!(
                "AdamW with beta1 {b}, its preconditioner P standing still, the bias of its mean gone"
            ),
        })
    }

    fn preconditions(&self) -> bool {
        true
    }

    fn preconditioner<T: Scalar>(&self, memory: &Buffers<T>) -> Option<Vec<f64>> {
        let root_correction = correction(self.beta2, memory.steps).sqrt();
        let root = |v: &T| v.to_f64().sqrt() / root_correction + self.epsilon;
        (memory.steps > 0).then(|| memory.buffers[1].iter().map(root).collect())
    }
}
