//! What to ask of Lanczos, and what it will take.

use super::LanczosError;
use crate::curvature::{Basis, Space};

/// Which ends of the spectrum are asked for, in algebraic order: -10 is smaller than 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The largest eigenvalues.
    Largest,
    /// The smallest (most negative) eigenvalues.
    Smallest,
    /// Both.
    Both,
}

impl Ends {
    pub(in crate::curvature) fn largest(self) -> bool {
        self != Self::Smallest
    }

    pub(in crate::curvature) fn smallest(self) -> bool {
        self != Self::Largest
    }
}

/// What to look for, how exactly, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct LanczosSettings {
    /// Which ends. Default: the largest.
    pub ends: Ends,
    /// Eigenvalues an end, at least 1; an operator with fewer gives all it has. Default: 1.
    pub count: usize,
    /// Bound on each [`Eigenvalue::residual`](crate::curvature::Eigenvalue::residual), at least 0. Where an eigenvalue is well separated its own error
    /// is of the order of the square. An `f32` operator cannot do better than about 1e-6. Default: 1e-5.
    pub tolerance: f64,
    /// Iterations in all; each is one product with the operator and, with a basis, one vector of memory. Default: 100.
    pub max_iterations: usize,
    /// Names the random numbers.
    pub seed: u64,
    /// Whether to measure the residual of every returned pair with one more product each; without a basis there is no
    /// vector to do it with, and it stays estimated. Default: no.
    pub verify: bool,
    /// Whether to return eigenvectors. Default: no.
    pub vectors: bool,
    /// Whether, with `count > 1`, to search again with the vectors found deflated until no further copy of a
    /// repeated eigenvalue turns up. Costs about as many iterations again. Default: yes.
    pub repeats: bool,
    /// What the vectors may take of memory, in bytes. Where a full basis does not fit, none is kept: see [`Basis`] and
    /// [`LanczosSettings::basis`]. Default: no limit.
    pub memory: Option<u64>,
}

impl Default for LanczosSettings {
    fn default() -> Self {
        Self {
            ends: Ends::Largest,
            count: 1,
            tolerance: 1e-5,
            max_iterations: 100,
            seed: 0,
            verify: false,
            vectors: false,
            repeats: true,
            memory: None,
        }
    }
}

impl LanczosSettings {
    /// The memory that [`lanczos`](super::lanczos()) needs at most for its vectors, in bytes, without that of the operator:
    /// with a full basis `min(max_iterations, dim) + 2 + pairs` vectors, where `pairs` counts the eigenvectors that are
    /// returned, verified or deflated (`count` an end); without one 3. The basis grows with the iterations done, so that
    /// a run that converges early takes less.
    pub fn bytes(&self, space: &impl Space, basis: Basis) -> u64 {
        let dim = space.dim();
        let ends = u64::from(self.ends.largest()) + u64::from(self.ends.smallest());
        let pairs = if self.needs_vectors() { ends * self.count.min(dim) as u64 } else { 0 };
        let vectors = match basis {
            Basis::Full => self.max_iterations.min(dim) as u64 + 2 + pairs.min(dim as u64),
            Basis::None => 3,
        };
        space.bytes().saturating_mul(vectors)
    }

    /// Which vectors will be kept, and what they take at most: a full basis where it fits [`LanczosSettings::memory`],
    /// else none.
    ///
    /// # Errors
    /// Where neither fits, or where it does not without a basis but more is asked for than the outermost eigenvalues.
    pub fn basis(&self, space: &impl Space) -> Result<(Basis, u64), LanczosError> {
        let limit = self.memory.unwrap_or(u64::MAX);
        let (full, none) = (self.bytes(space, Basis::Full), self.bytes(space, Basis::None));
        if full <= limit {
            return Ok((Basis::Full, full));
        }
        // Without orthogonality eigenvalues come back as ghosts: what seems the second largest may be the largest again.
        let asked = match self {
            Self { count: 2.., .. } => Some(format!("count = {}", self.count)),
            Self { vectors: true, .. } => Some("vectors = true".into()),
            _ => None,
        };
        match asked {
            Some(asked) => Err(LanczosError::NeedsBasis { asked, needed: full, limit }),
            None if none <= limit => Ok((Basis::None, none)),
            None => Err(LanczosError::Memory { needed: none, limit }),
        }
    }

    pub(super) fn deflates(&self) -> bool {
        self.repeats && self.count > 1
    }

    pub(super) fn needs_vectors(&self) -> bool {
        self.vectors || self.verify || self.deflates()
    }

    pub(super) fn check(&self) -> Result<(), LanczosError> {
        let error = |setting, got, range| Err(LanczosError::Setting { setting, got, range });
        if self.count == 0 {
            return error("count", 0.0, "at least 1");
        }
        if self.max_iterations == 0 {
            return error("max_iterations", 0.0, "at least 1");
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return error("tolerance", self.tolerance, "a finite number, at least 0");
        }
        Ok(())
    }
}
