//! What `etalon measure` tells: curvature at a point, and the thresholds that follow from it.

use super::Eigenvalue;
use crate::theory::thresholds::{Omitted, Threshold};
use serde::{Deserialize, Serialize};

/// Curvature at a point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The number of parameters.
    pub parameters: usize,
    /// The number of training samples it was measured on: the first so many.
    pub samples: usize,
    /// The number of outputs.
    pub outputs: usize,
    /// The mean loss on them.
    #[serde(deserialize_with = "crate::units::number")]
    pub loss: f64,
    /// The largest eigenvalue of the neural tangent kernel `J J^T / m`.
    pub ntk: Estimate,
    /// The ends of the Hessian's spectrum.
    pub hessian: HessianEnds,
    /// The largest eigenvalue of the Hessian's Gauss-Newton part.
    pub gauss_newton: Estimate,
    /// The largest eigenvalue of the Hessian in the optimiser's coordinates, where it has a preconditioner: the one after
    /// a first update with the gradient of these samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditioned: Option<Estimate>,
    /// The largest eigenvalue of what learning-rate factors and weight decay make of it, where both are there; see
    /// [`Reading::decayed`](super::Reading::decayed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decayed: Option<Estimate>,
    /// The largest eigenvalue of each layer's block of the Hessian, where asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerCurvature>,
    /// Learning rates at which something changes.
    pub thresholds: Vec<Threshold>,
    /// The name of the one at which this optimiser becomes unstable, where it is among them.
    pub limit: Option<String>,
    /// Thresholds that cannot be given, with the reason.
    pub omitted: Vec<Omitted>,
    /// What to keep in mind; empty where there is nothing.
    pub warnings: Vec<String>,
}

/// The ends of the Hessian's spectrum: largest and smallest *algebraic* eigenvalues.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HessianEnds {
    /// The largest.
    pub max: Estimate,
    /// The smallest.
    pub min: Estimate,
    /// The largest, in descending order, where more than one was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Estimate>,
}

/// An eigenvalue that carries its accuracy.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Estimate {
    /// The value; none where none was found.
    pub value: Option<f64>,
    /// Its relative residual, see [`Eigenvalue::residual`].
    pub residual: Option<f64>,
    /// Lanczos iterations, each one product.
    pub iterations: usize,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

/// A layer's block of the Hessian.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LayerCurvature {
    /// The layer, such as `layers.0`.
    pub layer: String,
    /// The largest eigenvalue of its block.
    pub hessian: Estimate,
}

impl Estimate {
    pub(crate) fn of(eigenvalue: Option<&Eigenvalue>, iterations: usize) -> Self {
        Estimate {
            value: eigenvalue.map(|found| found.value),
            residual: eigenvalue.map(|found| found.residual),
            iterations: eigenvalue.map_or(iterations, |found| found.iterations),
            converged: eigenvalue.is_some_and(|found| found.converged),
        }
    }
}
