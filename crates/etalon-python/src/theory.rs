//! Thresholds, solvable models and fits: what is known of numbers alone.

use crate::{Error, error};
use etalon::fit::{self, Options, Point};
use etalon::nn::optim::{AdamW, Rule, Sgd};
use etalon::theory::thresholds::{Activation, Batch, Loss};
use etalon::theory::{self, ScalarLoss, ThresholdInputs};
use pyo3::prelude::*;

/// One of a list of names.
fn named<T: Copy>(key: &str, name: &str, known: &[(&str, T)]) -> PyResult<T> {
    let found = known.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Error::new_err(format!("{key} = {name:?}: it must be among {}", names.join(", ")))
    })
}

/// The thresholds that follow from curvature, as a dictionary. Of Adam where its beta1 is given, else of SGD.
#[pyfunction]
#[pyo3(signature = (*, hessian, ntk, preconditioned, loss, activation, hidden_layers, outputs, momentum, nesterov, adam, weight_decay, batch))]
#[expect(clippy::too_many_arguments, reason = "they are keywords")]
pub(crate) fn thresholds<'py>(
    py: Python<'py>,
    hessian: Option<f64>,
    ntk: Option<f64>,
    preconditioned: Option<f64>,
    loss: &str,
    activation: &str,
    hidden_layers: Option<usize>,
    outputs: usize,
    momentum: f64,
    nesterov: bool,
    adam: Option<f64>,
    weight_decay: f64,
    batch: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let losses = [
        ("mse", Loss::Mse),
        ("cross-entropy", Loss::CrossEntropy),
        ("logistic", Loss::Logistic),
        ("exponential", Loss::Exponential),
    ];
    let activations = [
        ("identity", Activation::Identity),
        ("relu", Activation::Relu),
        ("tanh", Activation::Tanh),
        ("gelu", Activation::Gelu),
    ];
    let inputs = ThresholdInputs {
        loss: named("loss", loss, &losses)?,
        ntk_top: ntk,
        hessian_max: hessian,
        preconditioned_max: preconditioned,
        activation: named("activation", activation, &activations)?,
        hidden_layers,
        outputs,
        optimizer: match adam {
            Some(beta1) => Rule::AdamW(AdamW { beta1, ..AdamW::default() }),
            None => Rule::Sgd(Sgd { momentum, nesterov }),
        },
        weight_decay,
        decayed: None,
        batch: batch.map_or(Batch::Full, Batch::Size),
        // Of networks without biases one threshold more is known, for which multipliers matter: not of one that is only numbers.
        bias: true,
        scale: 1.0,
    };
    Ok(pythonize::pythonize(py, &theory::thresholds(&inputs))?)
}

/// A loss of one output; `constant` is the target of the squared one, and of others the share of positive labels.
fn scalar(loss: &str, constant: f64) -> PyResult<ScalarLoss> {
    let losses = [
        ("mse", ScalarLoss::Mse { target: constant }),
        ("logistic", ScalarLoss::Logistic { positive: constant }),
        ("exponential", ScalarLoss::Exponential { positive: constant }),
    ];
    named("loss", loss, &losses)
}

/// Above which learning rate the minimum of the scalar model is unstable at a curvature.
#[pyfunction]
pub(crate) fn critical_eta(loss: &str, constant: f64, curvature: f64) -> PyResult<Option<f64>> {
    Ok(theory::critical_eta(scalar(loss, constant)?, curvature))
}

/// Above which it diverges from a curvature.
#[pyfunction]
pub(crate) fn catapult_eta(loss: &str, constant: f64, curvature: f64, width: f64) -> PyResult<Option<f64>> {
    Ok(theory::catapult_eta(scalar(loss, constant)?, curvature, width))
}

/// Above which it has no stable minimum at all.
#[pyfunction]
pub(crate) fn largest_stable_eta(loss: &str, constant: f64, width: f64) -> PyResult<Option<f64>> {
    Ok(theory::largest_stable_eta(scalar(loss, constant)?, width))
}

/// The power law of named sizes, a row of them for each value, as a dictionary.
#[pyfunction]
pub(crate) fn power_law<'py>(
    py: Python<'py>,
    names: Vec<String>,
    sizes: Vec<Vec<f64>>,
    values: Vec<f64>,
    level: f64,
    robust: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let points = sizes.into_iter().zip(values).enumerate();
    let points: Vec<Point> =
        points.map(|(index, (x, y))| Point { label: format!("point {index}"), x, y }).collect();
    let law = fit::power_law("y", &names, &points, Vec::new(), &Options { level, robust }).map_err(error)?;
    Ok(pythonize::pythonize(py, &law)?)
}
