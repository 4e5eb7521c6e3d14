//! The losses, each a mean over samples of a convex function of a sample's outputs.
//!
//! A slice of samples is `rows x outputs` numbers; `scale` is one over the number of samples of the whole set, so
//! that slices add up to the mean. Sums are kept in `f64`. A loss is a file here, or a part of one, and an arm in each
//! question below.

mod cross_entropy;
mod margin;
mod mse;

use crate::{Cpu, Scalar};

/// A loss of outputs and targets, averaged over samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// `1/2 sum_k (f_k - y_k)^2`.
    Mse,
    /// `- sum_k y_k ln softmax(f)_k`, where the targets are the classes' probabilities.
    CrossEntropy,
    /// `ln(1 + e^(-y f))` with targets +1 and -1 and one output.
    Logistic,
    /// `e^(-y f)` with targets +1 and -1 and one output.
    Exponential,
}

impl Loss {
    /// All of them.
    pub const ALL: [Loss; 4] = [Loss::Mse, Loss::CrossEntropy, Loss::Logistic, Loss::Exponential];

    /// The name in specs.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Mse => "mse",
            Loss::CrossEntropy => "cross_entropy",
            Loss::Logistic => "logistic",
            Loss::Exponential => "exponential",
        }
    }

    /// `scale` times the sum of the losses of a slice.
    pub fn value<T: Scalar>(self, width: usize, scale: f64, outputs: &[T], targets: &[T]) -> f64 {
        scale * T::loss(self, width, outputs, targets)
    }

    /// The sum of the losses of a slice.
    pub(crate) fn sum<T: Scalar>(self, width: usize, outputs: &[T], targets: &[T]) -> f64 {
        match self {
            Loss::Mse => mse::sum(outputs, targets),
            Loss::CrossEntropy => cross_entropy::sum(width, outputs, targets),
            Loss::Logistic => margin::sum(outputs, targets, margin::logistic),
            Loss::Exponential => margin::sum(outputs, targets, margin::exponential),
        }
    }

    /// `scale` times the gradient with respect to the outputs.
    pub fn gradient<T: Scalar>(
        self,
        cpu: Cpu,
        width: usize,
        scale: f64,
        outputs: &[T],
        targets: &[T],
        gradient: &mut [T],
    ) {
        let scale = T::from_f64(scale);
        match self {
            Loss::Mse => mse::gradient(cpu, scale, outputs, targets, gradient),
            Loss::CrossEntropy => cross_entropy::gradient(width, scale, outputs, targets, gradient),
            Loss::Logistic => margin::gradient(scale, outputs, targets, gradient, margin::logistic_slope),
            Loss::Exponential => {
                margin::gradient(scale, outputs, targets, gradient, margin::exponential_slope)
            }
        }
    }

    /// The change of [`Loss::gradient`] when the outputs change by `direction`: the loss's own Hessian times it.
    #[expect(clippy::too_many_arguments, reason = "a slice is described by seven numbers and slices")]
    pub fn hessian_product<T: Scalar>(
        self,
        cpu: Cpu,
        width: usize,
        scale: f64,
        outputs: &[T],
        targets: &[T],
        direction: &[T],
        product: &mut [T],
    ) {
        let scale = T::from_f64(scale);
        match self {
            Loss::Mse => mse::hessian_product(cpu, scale, direction, product),
            Loss::CrossEntropy => {
                cross_entropy::hessian_product(width, scale, outputs, targets, direction, product);
            }
            Loss::Logistic => {
                margin::hessian_product(scale, outputs, targets, direction, product, margin::logistic_bend);
            }
            Loss::Exponential => {
                margin::hessian_product(scale, outputs, targets, direction, product, margin::exponential);
            }
        }
    }
}
