//! Lanczos: the ends of a symmetric operator's spectrum from products alone, with full reorthogonalisation or, where
//! memory does not suffice, with none.
//!
//! References: Lanczos 1950; Golub and Van Loan, Matrix Computations, chapter 10; Daniel, Gragg, Kaufman and
//! Stewart 1976 (when a vector must be orthogonalised again); Parlett, The Symmetric Eigenvalue Problem,
//! chapter 13 (residuals); Paige 1976 and 1980 (what holds without orthogonality); Parlett, Simon and Stringer 1982, and
//! van Dorsselaer, Hochstenbach and van der Vorst 2000 (what a start may hide).

mod error;
mod projection;
mod recurrence;
mod settings;
mod sweep;
#[cfg(test)]
mod tests;

use super::estimate::{Basis, Eigenvalue, Spectrum, StopReason};
use super::operator::Operator;
use super::space::{Normals, Space};
pub use error::LanczosError;
use projection::Projection;
pub use settings::{Ends, LanczosSettings};
use std::f64::consts::PI;
use sweep::{Goal, Sweep};

/// How likely a start may be, at most, from which an eigenvalue beyond those that were found would not have been seen.
const RISK: f64 = 1e-2;

/// An eigenvalue beyond those that were found by less than this, relative to the operator's norm, or by less than twice the
/// tolerance, is not missed: who is content with a coarse value need not be sure of a fine one.
const MARGIN: f64 = 1e-2;

/// An asymmetry that is no rounding, not even that of `f32`, and calls for a closer look.
const SUSPICIOUS: f64 = 1e-4;

/// A vector of an operator.
type Vector<O> = <<O as Operator>::Space as Space>::Vector;

/// The largest or smallest algebraic eigenvalues of a symmetric operator, or both.
///
/// - Starts at `start` (a gradient, the eigenvector of a nearby point) with random numbers of the same norm added, so that
///   no part of the space stays out of reach; or at random.
/// - With a full basis, orthogonalises each new vector against all before it, at least twice, so that no eigenvalue
///   appears that is not there ("ghosts"); goes on at random, orthogonal to the basis, when the Krylov space is
///   invariant up to rounding (`beta <= eps ||A|| max(10, sqrt(dim))`), so that blocks that do not touch are searched
///   too; and, where several eigenvalues were asked for, looks for repeated ones ([`LanczosSettings::repeats`]).
/// - Without a basis (see [`LanczosSettings::memory`]), keeps two vectors and the tridiagonal matrix, whose outermost
///   eigenvalues are the operator's all the same (Paige 1980); residuals are those of the recurrence. Asks for one
///   product twice before it goes on, and compares `u . A v` with `v . A u` for all neighbours.
/// - Stops when the residuals of all pairs asked for are within the tolerance, and no eigenvalue lies farther out by more
///   than twice that, or a hundredth of the norm. A small residual alone does not tell: from a start that has next to nothing of
///   the outermost eigenvector the run converges on the next one first. How much it can have, if there is such an
///   eigenvector, the recurrence says, and a random start has as little as that once in a hundred times at most.
///
/// Time: a product an iteration and, with a basis, `8 dim` floating-point operations for each vector already held.
/// Memory: [`LanczosSettings::bytes`]. In [`Memory`](super::Memory) the result is the same, bit by bit, whatever the number
/// of threads, if the operator is (one of a network is so on machines with the same
/// [instruction set](crate::nn::Cpu)).
///
/// # Errors
/// A setting out of range, a start of the wrong size or that is not finite, an operator of size zero; memory that does
/// not suffice; an operator that fails, or answers differently for the same vector; without a basis, one that is not
/// symmetric. An operator that answers with infinities or NaN is no error: [`StopReason::NotFinite`] says so.
pub fn lanczos<O: Operator + ?Sized>(
    operator: &mut O,
    settings: &LanczosSettings,
    start: Option<&Vector<O>>,
) -> Result<Spectrum<Vector<O>>, LanczosError> {
    settings.check()?;
    let space = operator.space();
    let dim = space.dim();
    if dim == 0 {
        return Err(LanczosError::Empty);
    }
    let (basis, bytes) = settings.basis(&space)?;
    let mut run = Run {
        operator,
        space,
        settings,
        dim,
        is_given: false,
        count: settings.count.min(dim),
        normals: Normals::new(settings.seed),
        iterations: 0,
        products: 0,
        scale: 0.0,
        asymmetry: 0.0,
        found: Vec::new(),
        vectors: Vec::new(),
    };
    let start = run.first_vector(start)?;
    let (stop, repeats_checked) = match basis {
        Basis::Full => run.search(start)?,
        Basis::None => {
            let stop = recurrence::run(&mut run, start)?;
            (stop, stop == StopReason::Converged)
        }
    };
    run.judge(basis)?;
    run.verify(stop)?;
    Ok(run.finish(stop, repeats_checked, basis, bytes))
}

/// A Ritz pair that is kept; its vector, where one is needed, stands at the same place in [`Run::vectors`].
#[derive(Clone, Copy)]
struct Pair {
    value: f64,
    /// `||A v - theta v||`, estimated.
    residual: f64,
    /// Iterations of the run when it was found.
    iterations: usize,
    /// Found with nothing overlooked.
    mature: bool,
}

/// The state of one call, over its sweeps.
struct Run<'a, O: Operator + ?Sized> {
    operator: &'a mut O,
    space: O::Space,
    settings: &'a LanczosSettings,
    dim: usize,
    /// Whether half of the start was given, and not drawn.
    is_given: bool,
    count: usize,
    normals: Normals,
    iterations: usize,
    products: usize,
    scale: f64,
    asymmetry: f64,
    found: Vec<Pair>,
    vectors: Vec<Vector<O>>,
}

impl<O: Operator + ?Sized> Run<'_, O> {
    fn apply(&mut self, x: &Vector<O>, y: &mut Vector<O>) -> Result<(), LanczosError> {
        self.products += 1;
        let product = self.products;
        self.operator.apply(x, y).map_err(|error| LanczosError::at(product, error))?;
        match self.space.length(y) {
            got if got == self.dim => Ok(()),
            got => Err(LanczosError::ProductLength { product, expected: self.dim, got }),
        }
    }

    /// An error if the operator, asked for the product of `x` once more, answers with another one than `product`, which is
    /// lost.
    fn ask_again(
        &mut self,
        x: &Vector<O>,
        product: &mut Vector<O>,
        again: &mut Vector<O>,
    ) -> Result<(), LanczosError> {
        self.apply(x, again)?;
        self.space.axpy(-1.0, again, product);
        let difference = self.space.norm(product) / self.space.norm(again).max(f64::MIN_POSITIVE);
        // What is not finite is told as such elsewhere.
        if difference > self.doubt() {
            return Err(LanczosError::Inconsistent { product: self.products, difference });
        }
        Ok(())
    }

    /// Errors of the operator up to here are rounding, or do not matter for the tolerance.
    fn doubt(&self) -> f64 {
        SUSPICIOUS.max(self.settings.tolerance)
    }

    fn is_suspicious(&self) -> bool {
        self.asymmetry > self.doubt()
    }

    /// Where the operator seemed not to be symmetric: an error if it is no function at all, or if no basis was kept, which
    /// alone would have held the result together.
    fn judge(&mut self, basis: Basis) -> Result<(), LanczosError> {
        if !self.is_suspicious() {
            return Ok(());
        }
        let (x, mut product, mut again) = (self.random_vector(), self.space.zeros(), self.space.zeros());
        self.apply(&x, &mut product)?;
        self.ask_again(&x, &mut product, &mut again)?;
        match basis {
            Basis::Full => Ok(()),
            Basis::None => Err(LanczosError::Asymmetric { asymmetry: self.asymmetry }),
        }
    }

    fn random_vector(&mut self) -> Vector<O> {
        let mut vector = self.space.zeros();
        self.space.random(&mut self.normals, &mut vector);
        vector
    }

    /// The unit vector to begin with.
    fn first_vector(&mut self, start: Option<&Vector<O>>) -> Result<Vector<O>, LanczosError> {
        let mut vector = self.random_vector();
        let random_norm = self.space.norm(&vector);
        if let Some(start) = start {
            let got = self.space.length(start);
            if got != self.dim {
                return Err(LanczosError::StartLength { expected: self.dim, got });
            }
            let norm = self.space.norm(start);
            if !norm.is_finite() {
                return Err(LanczosError::StartNotFinite);
            }
            if norm > 0.0 {
                let noise = vector;
                vector = self.space.zeros();
                self.space.copy(start, &mut vector);
                self.space.divide(norm, &mut vector);
                self.space.axpy(1.0 / random_norm, &noise, &mut vector);
                self.is_given = true;
            }
        }
        let norm = self.space.norm(&vector);
        self.space.scale(1.0 / norm, &mut vector);
        Ok(vector)
    }

    /// A random unit vector orthogonal to what was found and to `held`; none if they span the space.
    fn fresh_vector(&mut self, held: &[Vector<O>]) -> Option<Vector<O>> {
        // What is left of a vector in the span is rounding.
        let least = 1e-10f64.max(100.0 * self.space.epsilon());
        // A draw fails only by falling into the span up to rounding, which no second one will repeat.
        (0..4).find_map(|_| {
            let mut vector = self.random_vector();
            let before = self.space.norm(&vector);
            let norm = sweep::orthogonalise(&self.space, &self.vectors, held, &mut vector).norm;
            (norm > least * before).then(|| {
                self.space.scale(1.0 / norm, &mut vector);
                vector
            })
        })
    }

    /// Whether a start from which an eigenvalue beyond the outermost Ritz values and these limits (low, high) would not have
    /// been seen is too unlikely to believe in. A component of a random unit vector is smaller than `x` with a probability of
    /// `x sqrt(2 dim / pi)` at most; where as much again was given, twice that.
    fn has_seen_all(&self, projection: &Projection, (low, high): (f64, f64)) -> bool {
        let (ends, values) = (self.settings.ends, projection.values());
        let margin = (2.0 * self.settings.tolerance).max(MARGIN) * self.scale;
        let share = if self.is_given { 0.5 } else { 1.0 };
        let least = RISK * share / (2.0 / PI * self.dim as f64).sqrt();
        let is_seen = |mu: f64| projection.hidden(mu) <= least;
        values.first().is_none_or(|first| !ends.smallest() || is_seen(first.min(low) - margin))
            && values.last().is_none_or(|last| !ends.largest() || is_seen(last.max(high) + margin))
    }

    /// All sweeps: why the run ended, and whether repeated eigenvalues were looked for to the end.
    fn search(&mut self, start: Vector<O>) -> Result<(StopReason, bool), LanczosError> {
        let sweep = Sweep::run(self, start, Goal::All)?;
        let mut stop = sweep.stop;
        let all = self.outermost(&sweep.values(), self.count);
        sweep.keep(self, &all);
        if stop != StopReason::Converged || !self.settings.deflates() {
            let checked = stop == StopReason::SubspaceExhausted
                || (stop == StopReason::Converged && self.settings.count == 1);
            return Ok((stop, checked));
        }
        drop(sweep);
        loop {
            if self.iterations >= self.settings.max_iterations {
                return Ok((StopReason::MaxIterations(self.iterations), false));
            }
            let Some(start) = self.fresh_vector(&[]) else {
                return Ok((StopReason::SubspaceExhausted, true));
            };
            let sweep = Sweep::run(self, start, Goal::Further(self.limits()))?;
            stop = sweep.stop;
            if !matches!(stop, StopReason::Converged | StopReason::SubspaceExhausted) {
                return Ok((stop, false));
            }
            let further = self.beyond(&sweep);
            if further.is_empty() {
                return Ok((stop, true));
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
    fn beyond(&self, sweep: &Sweep<Vector<O>>) -> Vec<usize> {
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
        let mut vectors: Vec<_> = std::mem::take(&mut self.vectors).into_iter().map(Some).collect();
        self.vectors = keep.iter().filter_map(|&i| vectors[i].take()).collect();
    }

    /// Measures the residual of each pair that has a vector.
    fn verify(&mut self, stop: StopReason) -> Result<(), LanczosError> {
        if !self.settings.verify || matches!(stop, StopReason::NotFinite(_)) {
            return Ok(());
        }
        let vectors = std::mem::take(&mut self.vectors);
        let mut product = self.space.zeros();
        for (i, vector) in vectors.iter().enumerate() {
            self.apply(vector, &mut product)?;
            self.space.axpy(-self.found[i].value, vector, &mut product);
            let norm = self.space.norm(&product);
            self.found[i].residual = if norm.is_finite() { norm } else { f64::INFINITY };
        }
        self.vectors = vectors;
        Ok(())
    }

    fn finish(
        mut self,
        stop: StopReason,
        repeats_checked: bool,
        basis: Basis,
        bytes: u64,
    ) -> Spectrum<Vector<O>> {
        let mut order: Vec<usize> = (0..self.found.len()).collect();
        order.sort_by(|&i, &j| self.found[i].value.total_cmp(&self.found[j].value));
        let count = self.count.min(order.len());
        let ends = self.settings.ends;
        let smallest = if ends.smallest() { order[..count].to_vec() } else { Vec::new() };
        let largest: Vec<usize> =
            if ends.largest() { order.iter().rev().take(count).copied().collect() } else { Vec::new() };
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
        let (largest_values, smallest_values) = (estimates(&largest), estimates(&smallest));
        let (space, found) = (&self.space, std::mem::take(&mut self.vectors));
        let vectors = |indices: &[usize]| {
            let copy = |&i: &usize| {
                let mut vector = space.zeros();
                space.copy(&found[i], &mut vector);
                vector
            };
            if self.settings.vectors { indices.iter().map(copy).collect() } else { Vec::new() }
        };
        Spectrum {
            largest: largest_values,
            smallest: smallest_values,
            largest_vectors: vectors(&largest),
            smallest_vectors: vectors(&smallest),
            stop,
            basis,
            bytes,
            iterations: self.iterations,
            applications: self.products,
            scale: self.scale,
            asymmetry: self.asymmetry,
            repeats_checked,
        }
    }
}
