//! The Python package `etalon-lr`, imported as `etalon`: what it computes. Its typed face is `python/etalon`.
//!
//! A module here turns Python's objects into the library's and back, and knows no mathematics. Nothing starts a thread, so
//! that a process that has called may fork.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::todo))]

mod critical;
mod eigenvalues;
mod limits;
mod objects;
mod schedule;
mod search;
mod theory;
mod watch;

use pyo3::prelude::*;

pyo3::create_exception!(
    etalon,
    Error,
    pyo3::exceptions::PyValueError,
    "What went wrong, where, and what to do."
);

#[pymodule]
mod _etalon {
    #[pymodule_export]
    use super::critical::CriticalStep;
    #[pymodule_export]
    use super::eigenvalues::eigenvalues;
    #[pymodule_export]
    use super::limits::limit;
    #[pymodule_export]
    use super::schedule::{convert, schedule_class, schedule_svg};
    #[pymodule_export]
    use super::search::{Climb, SeedSearch, eta_star};
    #[pymodule_export]
    use super::theory::{catapult_eta, critical_eta, largest_stable_eta, power_law, thresholds};
    #[pymodule_export]
    use super::watch::Judge;
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("Error", module.py().get_type::<Error>())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// An error of the library as Python's.
fn error(error: impl std::error::Error) -> PyErr {
    Error::new_err(error.to_string())
}
