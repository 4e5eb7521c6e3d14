//! The largest step that does not raise a loss, as questions and answers.

use crate::error;
use etalon::search;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// `ask` for a step, `tell` the loss there, until `ask` answers with None.
#[pyclass(module = "etalon._etalon")]
pub struct CriticalStep(search::CriticalStep);

#[pymethods]
impl CriticalStep {
    #[new]
    fn new(loss: f64, slope: f64, tolerance: f64, most: usize) -> PyResult<Self> {
        search::CriticalStep::new(loss, slope, tolerance, most).map(CriticalStep).map_err(error)
    }

    fn ask(&self) -> Option<f64> {
        self.0.ask()
    }

    fn tell(&mut self, eta: f64, loss: f64) -> PyResult<()> {
        self.0.tell(eta, loss).map_err(error)
    }

    /// What is known by now: `eta`, `low`, `high`, `converged`, and `history`, pairs of a step and its loss.
    fn so_far<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = self.0.so_far();
        let answer = PyDict::new(py);
        answer.set_item("eta", found.eta)?;
        answer.set_item("low", found.low)?;
        answer.set_item("high", found.high)?;
        answer.set_item("converged", found.converged)?;
        answer.set_item("history", found.history)?;
        Ok(answer)
    }
}
