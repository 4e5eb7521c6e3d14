//! Eigenvalues of a function of Python.

use crate::error;
use crate::objects::{Fault, Objects, Product};
use etalon::curvature::{Eigenvalue, Ends, LanczosSettings, Spectrum, lanczos};
use pyo3::prelude::*;
use serde::Serialize;

/// An eigenvalue with the interval that surely holds one.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    eigenvalue: Eigenvalue,
    interval: (f64, f64),
}

/// A spectrum without its vectors.
#[derive(Serialize)]
struct Answer {
    largest: Vec<Row>,
    smallest: Vec<Row>,
    stop: String,
    converged: bool,
    products: usize,
    scale: f64,
    asymmetry: f64,
    repeats_checked: bool,
    bytes: u64,
}

impl Answer {
    fn of<V>(spectrum: &Spectrum<V>) -> Self {
        let rows = |eigenvalues: &[Eigenvalue]| {
            let row = |&eigenvalue| Row { eigenvalue, interval: spectrum.interval(&eigenvalue) };
            eigenvalues.iter().map(row).collect()
        };
        Answer {
            largest: rows(&spectrum.largest),
            smallest: rows(&spectrum.smallest),
            stop: spectrum.stop.to_string(),
            converged: spectrum.converged(),
            products: spectrum.applications,
            scale: spectrum.scale,
            asymmetry: spectrum.asymmetry,
            repeats_checked: spectrum.repeats_checked,
            bytes: spectrum.bytes,
        }
    }
}

/// Lanczos on the symmetric operator `product` over the vectors of `space`: a dictionary, and the eigenvectors of the
/// largest and of the smallest eigenvalues, empty unless asked for.
#[pyfunction]
#[pyo3(signature = (space, product, *, ends, count, tol, max_iterations, seed, memory, vectors, start))]
#[expect(clippy::too_many_arguments, reason = "they are keywords")]
#[expect(clippy::type_complexity, reason = "it is the call's whole answer")]
pub(crate) fn eigenvalues<'py>(
    py: Python<'py>,
    space: Bound<'py, PyAny>,
    product: Bound<'py, PyAny>,
    ends: &str,
    count: usize,
    tol: f64,
    max_iterations: usize,
    seed: u64,
    memory: Option<u64>,
    vectors: bool,
    start: Option<Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>)> {
    let ends = match ends {
        "largest" => Ends::Largest,
        "smallest" => Ends::Smallest,
        "both" => Ends::Both,
        _ => {
            return Err(crate::Error::new_err(format!(
                "ends = {ends:?}: it must be \"largest\", \"smallest\" or \"both\""
            )));
        }
    };
    let settings = LanczosSettings {
        ends,
        count,
        tolerance: tol,
        max_iterations,
        seed,
        memory,
        vectors,
        // The recurrence's own estimate falls below what 32 bits can hold.
        verify: true,
        ..LanczosSettings::default()
    };
    let fault = Fault::default();
    let space = Objects::new(space, fault.clone())?;
    let answer = lanczos(&mut Product { space, function: product }, &settings, start.as_ref());
    if let Some(raised) = fault.take() {
        return Err(raised);
    }
    let spectrum = answer.map_err(error)?;
    let answer = pythonize::pythonize(py, &Answer::of(&spectrum))?;
    Ok((answer, spectrum.largest_vectors, spectrum.smallest_vectors))
}
