//! The learning rate at which an optimiser becomes unstable.

use crate::{Error, error};
use etalon::nn::optim::{AdamW, Optimizer, Rule, Sgd};
use pyo3::prelude::*;
use serde::Serialize;

#[derive(Serialize)]
struct Limit<'a> {
    name: &'a str,
    eta: f64,
    formula: String,
    assumes: &'a str,
}

/// The limit of a rule (`"sgd"` or `"adamw"`) at a curvature that its text calls `symbol`, with the weight decay that stands
/// beside it. Constants that a rule does not have are not read.
#[pyfunction]
#[pyo3(signature = (rule, curvature, symbol, *, weight_decay=0.0, momentum=0.0, nesterov=false, beta1=0.9, beta2=0.999, epsilon=1e-8))]
#[expect(clippy::too_many_arguments, reason = "they are keywords")]
pub(crate) fn limit<'py>(
    py: Python<'py>,
    rule: &str,
    curvature: f64,
    symbol: &str,
    weight_decay: f64,
    momentum: f64,
    nesterov: bool,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let rule = match rule {
        "sgd" => Rule::Sgd(Sgd { momentum, nesterov }),
        "adamw" => Rule::AdamW(AdamW { beta1, beta2, epsilon }),
        _ => return Err(Error::new_err(format!("rule = {rule:?}: it must be \"sgd\" or \"adamw\""))),
    };
    let stability = rule.stability().map_err(error)?;
    let symbol = match weight_decay {
        0.0 => symbol.to_owned(),
        _ => format!("({symbol} + {})", stability.bend_formula()),
    };
    let limit = Limit {
        name: rule.name(),
        eta: stability.limit(curvature + stability.bend(weight_decay)),
        formula: stability.formula(&symbol),
        assumes: stability.assumes(),
    };
    Ok(pythonize::pythonize(py, &limit)?)
}
