//! What `etalon measure` tells: curvature at a point, and the thresholds that follow from it.

use super::Eigenvalue;
use crate::theory::thresholds::{Omitted, Threshold};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What can be measured at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The largest eigenvalue of the neural tangent kernel.
    Ntk,
    /// The largest eigenvalue of the Hessian, or as many as were asked for.
    HessianMax,
    /// The smallest (most negative) one, which takes most iterations by far.
    HessianMin,
    /// The largest eigenvalue of the Hessian's Gauss-Newton part.
    GaussNewton,
    /// The largest eigenvalue of the Hessian in the coordinates of the optimiser's preconditioner.
    Preconditioned,
    /// The largest eigenvalue of what learning-rate factors and weight decay make of it.
    Decayed,
    /// The largest eigenvalue of each layer's block of the Hessian.
    Layers,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 7] = [
        Quantity::Ntk,
        Quantity::HessianMax,
        Quantity::HessianMin,
        Quantity::GaussNewton,
        Quantity::Preconditioned,
        Quantity::Decayed,
        Quantity::Layers,
    ];

    /// Those that thresholds follow from, of any optimiser and loss.
    pub const OF_THRESHOLDS: [Quantity; 4] =
        [Quantity::Ntk, Quantity::HessianMax, Quantity::Preconditioned, Quantity::Decayed];

    /// Its name, which is its place in `measure.json`.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Ntk => "ntk",
            Quantity::HessianMax => "hessian.max",
            Quantity::HessianMin => "hessian.min",
            Quantity::GaussNewton => "gauss_newton",
            Quantity::Preconditioned => "preconditioned",
            Quantity::Decayed => "decayed",
            Quantity::Layers => "layers",
        }
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Quantity::ALL.map(Quantity::name).join(", ");
        let named = Quantity::ALL.into_iter().find(|quantity| quantity.name() == text);
        named.ok_or_else(|| format!("there is no such quantity; there are {names}"))
    }
}

/// Curvature at a point; what was not measured is not there.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntk: Option<Estimate>,
    /// The ends of the Hessian's spectrum.
    pub hessian: HessianEnds,
    /// The largest eigenvalue of the Hessian's Gauss-Newton part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gauss_newton: Option<Estimate>,
    /// The largest eigenvalue of the Hessian in the optimiser's coordinates, where it has a preconditioner: the one after
    /// a first update with the gradient of these samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconditioned: Option<Estimate>,
    /// The largest eigenvalue of what learning-rate factors and weight decay make of it, where both are there; see
    /// [`AtPoint::decayed`](super::AtPoint::decayed).
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HessianEnds {
    /// The largest, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Estimate>,
    /// The smallest, where it was asked for: negative off a minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Estimate>,
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

impl Measurement {
    /// The largest eigenvalue of the Hessian; none where it was not measured, or none was found.
    pub fn sharpness(&self) -> Option<f64> {
        self.hessian.max?.value
    }

    /// Every eigenvalue that was measured, with what it is.
    pub fn estimates(&self) -> Vec<(String, &Estimate)> {
        let HessianEnds { max, min, top } = &self.hessian;
        let named = [
            ("NTK, largest", &self.ntk),
            ("Hessian, largest", max),
            ("Hessian, smallest", min),
            ("Gauss-Newton, largest", &self.gauss_newton),
            ("preconditioned Hessian, largest", &self.preconditioned),
            ("with factors and weight decay", &self.decayed),
        ];
        let named = named.into_iter().filter_map(|(name, found)| Some((name.to_owned(), found.as_ref()?)));
        let others = top.iter().enumerate().skip(1);
        let others = others.map(|(index, estimate)| (format!("Hessian, number {}", index + 1), estimate));
        let layers = self.layers.iter();
        let layers = layers.map(|layer| (format!("Hessian of {}", layer.layer), &layer.hessian));
        named.chain(others).chain(layers).collect()
    }
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
