//! Schedules without weight decay.

use crate::{Error, error};
use etalon::schedule::export::CLASS;
use etalon::schedule::{Conversion, Correction, WithDecay};
use etalon_report::figure::RatePicture;
use pyo3::prelude::*;
use serde::Serialize;

/// An equivalent of a schedule, with the first steps whose rates no number holds.
#[derive(Serialize)]
struct Converted {
    log_eta: Vec<f64>,
    log_scale: Vec<f64>,
    corrections: Vec<Correction>,
    leaves_f32: Option<usize>,
    leaves_f64: Option<usize>,
}

/// The equivalent without weight decay of rates given as natural logarithms, as a dictionary.
#[pyfunction]
#[pyo3(signature = (log_eta, *, weight_decay, momentum, conversion))]
pub(crate) fn convert<'py>(
    py: Python<'py>,
    log_eta: Vec<f64>,
    weight_decay: f64,
    momentum: f64,
    conversion: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let conversion = match conversion {
        "exact" => Conversion::Exact,
        "phases" => Conversion::Phases,
        "growth-only" => Conversion::GrowthOnly,
        _ => {
            return Err(Error::new_err(format!(
                "conversion = {conversion:?}: it must be \"exact\", \"phases\" or \"growth-only\""
            )));
        }
    };
    let without = WithDecay::constant(log_eta, weight_decay, momentum).convert(conversion).map_err(error)?;
    let (leaves_f32, leaves_f64) = (without.first_above(f32::MAX.into()), without.first_above(f64::MAX));
    let etalon::schedule::WithoutDecay { log_eta, log_scale, corrections, .. } = without;
    let converted = Converted { log_eta, log_scale, corrections, leaves_f32, leaves_f64 };
    Ok(pythonize::pythonize(py, &converted)?)
}

/// The class that `etalon schedule export` writes, as the text of a module of Python.
#[pyfunction]
pub(crate) fn schedule_class() -> &'static str {
    CLASS
}

/// A schedule beside its equivalent, natural logarithms of the rates, as an SVG.
#[pyfunction]
pub(crate) fn schedule_svg(plain: Vec<f64>, converted: Vec<f64>) -> PyResult<String> {
    let curves = vec![("with weight decay", &plain[..]), ("without", &converted[..])];
    let picture = RatePicture { title: "Learning rates that learn the same functions".into(), curves };
    picture.figure().and_then(|figure| figure.svg()).map_err(error)
}
