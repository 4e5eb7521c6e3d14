//! Lanczos with full reorthogonalisation: the ends of a symmetric operator's spectrum from products alone.
//!
//! References: Lanczos 1950; Golub and Van Loan, Matrix Computations, chapter 10; Daniel, Gragg, Kaufman and
//! Stewart 1976 (when a vector must be orthogonalised again); Parlett, The Symmetric Eigenvalue Problem,
//! chapter 13 (residuals).

mod sweep;
#[cfg(test)]
mod tests;

use etalon_nn::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::basis;
use super::estimate::{Eigenvalue, Spectrum, StopReason};
use super::operator::Operator;
use sweep::{Goal, Sweep};

/// The share of a random vector that is mixed into every start that was given, relative to its norm.
const START_NOISE: f64 = 1e-3;

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
    pub(super) fn largest(self) -> bool {
        self != Self::Smallest
    }

    pub(super) fn smallest(self) -> bool {
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
    /// Bound on each [`Eigenvalue::residual`], at least 0. Where an eigenvalue is well separated its own error
    /// is of the order of the square. An `f32` operator cannot do better than about 1e-6. Default: 1e-5.
    pub tolerance: f64,
    /// Iterations in all; each is one product with the operator and one vector of memory. Default: 100.
    pub max_iterations: usize,
    /// No result counts as converged before this many iterations (or the size of the operator): a start close
    /// to an eigenvector of a lower eigenvalue has a small residual at once. Raise it where a start is given
    /// that may be such a trap and the gap at the top is small. Default: 8.
    pub min_iterations: usize,
    /// Names the random numbers.
    pub seed: u64,
    /// Whether to measure the residual of every returned pair with one more product each. Default: no.
    pub verify: bool,
    /// Whether to return eigenvectors. Default: no.
    pub vectors: bool,
    /// Whether, with `count > 1`, to search again with the vectors found deflated until no further copy of a
    /// repeated eigenvalue turns up. Costs about as many iterations again. Default: yes.
    pub repeats: bool,
}

impl Default for LanczosSettings {
    fn default() -> Self {
        Self {
            ends: Ends::Largest,
            count: 1,
            tolerance: 1e-5,
            max_iterations: 100,
            min_iterations: 8,
            seed: 0,
            verify: false,
            vectors: false,
            repeats: true,
        }
    }
}

/// What was wrong with a request; nothing has been computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LanczosError {
    /// The operator has size zero.
    #[error("the operator has size 0: a network without trainable parameters has no curvature")]
    Empty,
    /// A setting is out of its range.
    #[error("{setting} = {got}: it must be {range}")]
    Setting {
        /// The field of [`LanczosSettings`].
        setting: &'static str,
        /// Its value.
        got: f64,
        /// What it may be.
        range: &'static str,
    },
    /// The start does not belong to this operator.
    #[error(
        "the start vector has {got} elements, the operator {expected}: pass one vector of that size, or none"
    )]
    StartLength {
        /// The operator's size.
        expected: usize,
        /// The start's.
        got: usize,
    },
    /// The start holds an infinity or NaN, or its norm overflows.
    #[error("the start vector has no finite norm: pass a finite one, or none")]
    StartNotFinite,
}

/// The memory that [`lanczos`] needs at most, in bytes, without that of the operator:
/// `8 dim (min(max_iterations, dim) + 2 + pairs)`, where `pairs` counts the eigenvectors that are returned,
/// verified or deflated (`count` an end). The basis grows with the iterations done, so that a run that
/// converges early takes less.
pub fn memory_bytes(dim: usize, settings: &LanczosSettings) -> u64 {
    let ends = u64::from(settings.ends.largest()) + u64::from(settings.ends.smallest());
    let pairs = if settings.needs_vectors() { ends * settings.count.min(dim) as u64 } else { 0 };
    let vectors = settings.max_iterations.min(dim) as u64 + 2 + pairs.min(dim as u64);
    8u64.saturating_mul(dim as u64).saturating_mul(vectors)
}

impl LanczosSettings {
    fn deflates(&self) -> bool {
        self.repeats && self.count > 1
    }

    fn needs_vectors(&self) -> bool {
        self.vectors || self.verify || self.deflates()
    }

    fn check(&self) -> Result<(), LanczosError> {
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

/// The largest or smallest algebraic eigenvalues of a symmetric operator, or both.
///
/// - Starts at `start` (a gradient, the eigenvector of a nearby point), with a thousandth of its norm of random
///   numbers mixed in, so that no part of the space stays out of reach; or at random.
/// - Orthogonalises each new vector against all before it, at least twice, so that no eigenvalue appears that
///   is not there ("ghosts").
/// - Goes on at random, orthogonal to the basis, when the Krylov space is invariant up to rounding
///   (`beta <= eps ||A|| max(10, sqrt(dim))`), so that blocks that do not touch are searched too.
/// - Stops when the residuals of all pairs asked for are within the tolerance; then, where several were asked
///   for, looks for repeated eigenvalues ([`LanczosSettings::repeats`]).
///
/// Time: a product an iteration and `8 dim` floating-point operations for each vector already held. Memory:
/// [`memory_bytes`]. The result is the same, bit by bit, whatever the number of threads, if the operator is (one of a
/// network is so on machines with the same [instruction set](crate::nn::cpu)).
///
/// # Errors
/// A setting out of range, a start of the wrong size or that is not finite, an operator of size zero. An
/// operator that answers with infinities or NaN is no error: [`StopReason::NotFinite`] says so.
pub fn lanczos(
    operator: &mut dyn Operator,
    settings: &LanczosSettings,
    start: Option<&[f64]>,
) -> Result<Spectrum, LanczosError> {
    settings.check()?;
    let dim = operator.dim();
    if dim == 0 {
        return Err(LanczosError::Empty);
    }
    let mut run = Run {
        operator,
        settings,
        dim,
        count: settings.count.min(dim),
        generator: stream(settings.seed, Purpose::Direction, 0),
        iterations: 0,
        scale: 0.0,
        asymmetry: 0.0,
        found: Vec::new(),
        vectors: Vec::new(),
    };
    let start = run.first_vector(start)?;
    let (stop, repeats_checked) = run.search(start);
    Ok(run.finish(stop, repeats_checked))
}

/// A Ritz pair that is kept; its vector, where one is needed, stands at the same place in [`Run::vectors`].
#[derive(Clone, Copy)]
struct Pair {
    value: f64,
    /// `||A v - theta v||`, estimated.
    residual: f64,
    /// Iterations of the run when it was found.
    iterations: usize,
    /// Found after no fewer than the least number of iterations.
    mature: bool,
}

/// The state of one call, over its sweeps.
struct Run<'a> {
    operator: &'a mut dyn Operator,
    settings: &'a LanczosSettings,
    dim: usize,
    count: usize,
    generator: ChaCha8Rng,
    iterations: usize,
    scale: f64,
    asymmetry: f64,
    found: Vec<Pair>,
    vectors: Vec<Vec<f64>>,
}

impl Run<'_> {
    fn random_vector(&mut self) -> Vec<f64> {
        (0..self.dim).map(|_| StandardNormal.sample(&mut self.generator)).collect()
    }

    /// The unit vector to begin with.
    fn first_vector(&mut self, start: Option<&[f64]>) -> Result<Vec<f64>, LanczosError> {
        let mut vector = self.random_vector();
        let random_norm = basis::norm(&vector);
        if let Some(start) = start {
            if start.len() != self.dim {
                return Err(LanczosError::StartLength { expected: self.dim, got: start.len() });
            }
            let norm = basis::norm(start);
            if !norm.is_finite() {
                return Err(LanczosError::StartNotFinite);
            }
            if norm > 0.0 {
                let share = START_NOISE / random_norm;
                vector.iter_mut().zip(start).for_each(|(v, s)| *v = s / norm + share * *v);
            }
        }
        let norm = basis::norm(&vector);
        basis::scale(&mut vector, 1.0 / norm);
        Ok(vector)
    }

    /// A random unit vector orthogonal to what was found and to `held`; none if they span the space.
    fn fresh_vector(&mut self, held: &[Vec<f64>]) -> Option<Vec<f64>> {
        // A draw fails only by falling into the span up to rounding, which no second one will repeat.
        (0..4).find_map(|_| {
            let mut vector = self.random_vector();
            let before = basis::norm(&vector);
            let norm = sweep::orthogonalise(&self.vectors, held, &mut vector).norm;
            (norm > 1e-10 * before).then(|| {
                basis::scale(&mut vector, 1.0 / norm);
                vector
            })
        })
    }

    /// All sweeps: why the run ended, and whether repeated eigenvalues were looked for to the end.
    fn search(&mut self, start: Vec<f64>) -> (StopReason, bool) {
        let sweep = Sweep::run(self, start, Goal::All);
        let mut stop = sweep.stop;
        let all = self.outermost(&sweep.values(), self.count);
        sweep.keep(self, &all);
        if stop != StopReason::Converged || !self.settings.deflates() {
            let checked = stop == StopReason::SubspaceExhausted
                || (stop == StopReason::Converged && self.settings.count == 1);
            return (stop, checked);
        }
        drop(sweep);
        loop {
            if self.iterations >= self.settings.max_iterations {
                return (StopReason::MaxIterations(self.iterations), false);
            }
            let Some(start) = self.fresh_vector(&[]) else {
                return (StopReason::SubspaceExhausted, true);
            };
            let sweep = Sweep::run(self, start, Goal::Further(self.limits()));
            stop = sweep.stop;
            if !matches!(stop, StopReason::Converged | StopReason::SubspaceExhausted) {
                return (stop, false);
            }
            let further = self.beyond(&sweep);
            if further.is_empty() {
                return (stop, true);
            }
            sweep.keep(self, &further);
            self.prune();
        }
    }

    /// Indices of the `count` outermost of ascending `values` at each end asked for, each once.
    fn outermost(&self, values: &[f64], count: usize) -> Vec<usize> {
        let m = values.len();
        let count = count.min(m);
        let ends = self.settings.ends;
        (0..m).filter(|&i| (ends.smallest() && i < count) || (ends.largest() && i >= m - count)).collect()
    }

    /// The least of the largest values found and the greatest of the smallest: a further copy of an eigenvalue
    /// matters only outside of them. An end that was not asked for has its limit at infinity.
    fn limits(&self) -> (f64, f64) {
        let mut values: Vec<f64> = self.found.iter().map(|pair| pair.value).collect();
        values.sort_by(f64::total_cmp);
        let count = self.count.min(values.len());
        let low = if self.settings.ends.smallest() { values.get(count.wrapping_sub(1)) } else { None };
        let high = if self.settings.ends.largest() { values.get(values.len() - count) } else { None };
        (low.copied().unwrap_or(f64::NEG_INFINITY), high.copied().unwrap_or(f64::INFINITY))
    }

    /// Which Ritz values of a deflated sweep lie outside the limits by more than the tolerance.
    fn beyond(&self, sweep: &Sweep) -> Vec<usize> {
        let (low, high) = self.limits();
        let margin = self.settings.tolerance * self.scale;
        let values = sweep.values();
        let ends = self.outermost(&values, 1);
        ends.into_iter().filter(|&i| values[i] > high + margin || values[i] < low - margin).collect()
    }

    /// Lets go of pairs that further copies have pushed out.
    fn prune(&mut self) {
        let mut order: Vec<usize> = (0..self.found.len()).collect();
        order.sort_by(|&i, &j| self.found[i].value.total_cmp(&self.found[j].value));
        let values: Vec<f64> = order.iter().map(|&i| self.found[i].value).collect();
        let keep: Vec<usize> = self.outermost(&values, self.count).into_iter().map(|i| order[i]).collect();
        self.found = keep.iter().map(|&i| self.found[i]).collect();
        self.vectors = keep.iter().map(|&i| std::mem::take(&mut self.vectors[i])).collect();
    }

    fn finish(mut self, stop: StopReason, repeats_checked: bool) -> Spectrum {
        let mut applications = self.iterations;
        if self.settings.verify && !matches!(stop, StopReason::NotFinite(_)) {
            let mut product = vec![0.0; self.dim];
            for (pair, vector) in self.found.iter_mut().zip(&self.vectors) {
                self.operator.apply(vector, &mut product);
                applications += 1;
                product.iter_mut().zip(vector).for_each(|(y, v)| *y -= pair.value * v);
                let norm = basis::norm(&product);
                pair.residual = if norm.is_finite() { norm } else { f64::INFINITY };
            }
        }
        let mut order: Vec<usize> = (0..self.found.len()).collect();
        order.sort_by(|&i, &j| self.found[i].value.total_cmp(&self.found[j].value));
        let count = self.count.min(order.len());
        let smallest = if self.settings.ends.smallest() { order[..count].to_vec() } else { Vec::new() };
        let largest: Vec<usize> = if self.settings.ends.largest() {
            order.iter().rev().take(count).copied().collect()
        } else {
            Vec::new()
        };
        let scale = self.scale.max(f64::MIN_POSITIVE);
        let estimates = |indices: &[usize]| {
            let estimate = |&i: &usize| {
                let pair = self.found[i];
                let residual = pair.residual / scale;
                Eigenvalue {
                    value: pair.value,
                    residual,
                    iterations: pair.iterations,
                    converged: pair.mature && residual <= self.settings.tolerance,
                }
            };
            indices.iter().map(estimate).collect()
        };
        let vectors = |indices: &[usize]| -> Vec<Vec<f64>> {
            if !self.settings.vectors {
                return Vec::new();
            }
            indices.iter().map(|&i| self.vectors[i].clone()).collect()
        };
        Spectrum {
            largest: estimates(&largest),
            smallest: estimates(&smallest),
            largest_vectors: vectors(&largest),
            smallest_vectors: vectors(&smallest),
            stop,
            iterations: self.iterations,
            applications,
            scale: self.scale,
            asymmetry: self.asymmetry,
            repeats_checked,
        }
    }
}
