//! Vectors that are objects of Python: tensors on a device, arrays, trees of them.

use etalon::curvature::{ApplyError, Normals, Operator, Space};
use pyo3::call::PyCallArgs;
use pyo3::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

/// The first exception that was raised. No operation of a [`Space`] can fail, so it waits here until the algorithm has stopped.
pub(crate) type Fault = Rc<RefCell<Option<PyErr>>>;

/// A space whose operations are methods of an object: `etalon.space.Space` says which.
#[derive(Clone)]
pub(crate) struct Objects<'py> {
    space: Bound<'py, PyAny>,
    dim: usize,
    bytes: u64,
    epsilon: f64,
    fault: Fault,
}

impl<'py> Objects<'py> {
    /// Asks the object for what does not change.
    ///
    /// # Errors
    /// Where it lacks an attribute, or one is no number.
    pub(crate) fn new(space: Bound<'py, PyAny>, fault: Fault) -> PyResult<Self> {
        let number = |name| space.getattr(name);
        let (dim, bytes, epsilon) = (number("dim")?, number("nbytes")?, number("epsilon")?);
        Ok(Objects {
            dim: dim.extract()?,
            bytes: bytes.extract()?,
            epsilon: epsilon.extract()?,
            space,
            fault,
        })
    }

    /// Calls a method; none once something has failed.
    fn call(&self, name: &str, arguments: impl PyCallArgs<'py>) -> Option<Bound<'py, PyAny>> {
        if self.fault.borrow().is_some() {
            return None;
        }
        self.space.call_method1(name, arguments).map_err(|error| *self.fault.borrow_mut() = Some(error)).ok()
    }

    /// What stands in the place of a vector that could not be made.
    fn nothing(&self) -> Bound<'py, PyAny> {
        self.space.py().None().into_bound(self.space.py())
    }

    /// Puts a method's answer into the place of a vector.
    fn put(&self, answer: Option<Bound<'py, PyAny>>, to: &mut Bound<'py, PyAny>) {
        *to = answer.unwrap_or_else(|| self.nothing());
    }

    /// A method's answer as a number.
    fn number<T: for<'a> FromPyObject<'a, 'py>>(&self, answer: Option<Bound<'py, PyAny>>) -> Option<T> {
        let number = answer?.extract().map_err(Into::into);
        number.map_err(|error| *self.fault.borrow_mut() = Some(error)).ok()
    }
}

impl<'py> Space for Objects<'py> {
    type Vector = Bound<'py, PyAny>;

    fn dim(&self) -> usize {
        self.dim
    }

    /// Of a vector that could not be made the dimension: that is not what is wrong with it.
    fn length(&self, vector: &Self::Vector) -> usize {
        self.number(self.call("length", (vector,))).unwrap_or(self.dim)
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn epsilon(&self) -> f64 {
        self.epsilon
    }

    fn zeros(&self) -> Self::Vector {
        self.call("zeros", ()).unwrap_or_else(|| self.nothing())
    }

    fn copy(&self, from: &Self::Vector, to: &mut Self::Vector) {
        self.put(self.call("copy", (from,)), to);
    }

    fn random(&self, normals: &mut Normals, to: &mut Self::Vector) {
        // Half of the bits: every generator takes a seed of 32.
        self.put(self.call("random", (normals.seed() >> 32,)), to);
    }

    fn dot(&self, a: &Self::Vector, b: &Self::Vector) -> f64 {
        self.number(self.call("dot", (a, b))).unwrap_or(f64::NAN)
    }

    fn axpy(&self, factor: f64, x: &Self::Vector, y: &mut Self::Vector) {
        self.put(self.call("axpy", (factor, x, &*y)), y);
    }

    fn scale(&self, factor: f64, x: &mut Self::Vector) {
        self.put(self.call("scale", (factor, &*x)), x);
    }
}

/// A function of Python as an operator.
pub(crate) struct Product<'py> {
    pub space: Objects<'py>,
    pub function: Bound<'py, PyAny>,
}

impl<'py> Operator for Product<'py> {
    type Space = Objects<'py>;

    fn space(&self) -> Objects<'py> {
        self.space.clone()
    }

    fn apply(&mut self, x: &Bound<'py, PyAny>, y: &mut Bound<'py, PyAny>) -> Result<(), ApplyError> {
        let fault = &self.space.fault;
        if fault.borrow().is_some() {
            return Err(ApplyError::Interrupted);
        }
        // Lets go of the old vector before another one is made.
        *y = self.space.nothing();
        let product = x.py().check_signals().and_then(|()| self.function.call1((x,)));
        match product {
            Ok(product) => *y = product,
            Err(error) => {
                *fault.borrow_mut() = Some(error);
                return Err(ApplyError::Interrupted);
            }
        }
        Ok(())
    }
}
