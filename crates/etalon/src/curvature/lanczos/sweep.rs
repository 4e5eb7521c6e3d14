//! One Lanczos recurrence, from one start to its end.

use super::super::estimate::StopReason;
use super::super::{basis, tridiagonal};
use super::{Pair, Run};

/// When a sweep has found enough.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// All eigenvalues asked for.
    All,
    /// One more an end outside these limits (low, high), or the evidence that there is none.
    Further((f64, f64)),
}

/// The basis `V` of one recurrence and its tridiagonal matrix `T = V^T A V`.
pub(super) struct Sweep {
    basis: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
    /// One fewer than `diagonal`; zero where the recurrence went on from a random vector.
    off_diagonal: Vec<f64>,
    /// `||A V - V T||`, all of it in the last column.
    beta: f64,
    /// Ritz values, ascending, and the last component of each eigenvector of `T`.
    ritz: Vec<(f64, f64)>,
    /// After no fewer than the least number of iterations.
    mature: bool,
    pub(super) stop: StopReason,
}

/// What orthogonalisation took out of a vector, and what it left.
pub(super) struct Remainder {
    /// Components along each vector of the basis.
    pub(super) components: Vec<f64>,
    /// The norm of what is left; zero if that is nothing but rounding.
    pub(super) norm: f64,
}

/// Makes `w` orthogonal to both sets of unit vectors: classical Gram-Schmidt, two passes. "Twice is enough"
/// (Giraud, Langou, Rozloznik and van den Eshof 2005) unless the second pass still takes half of what the first
/// had left: then `w` lies near the span, and two more follow; if those do too it is in the span up to rounding,
/// which no number of passes helps.
pub(super) fn orthogonalise(deflated: &[Vec<f64>], held: &[Vec<f64>], w: &mut [f64]) -> Remainder {
    let vectors: Vec<&[f64]> = held.iter().chain(deflated).map(Vec::as_slice).collect();
    let mut components = vec![0.0; held.len()];
    for _ in 0..2 {
        let first = basis::components(&vectors, w);
        let second = basis::subtract_and_project(&vectors, &first, w);
        let before = basis::norm(w);
        basis::add_combination(&vectors, &second, -1.0, w);
        let norm = basis::norm(w);
        components.iter_mut().zip(first.iter().zip(&second)).for_each(|(sum, (a, b))| *sum += a + b);
        if norm >= 0.5 * before {
            return Remainder { components, norm };
        }
    }
    Remainder { components, norm: 0.0 }
}

impl Sweep {
    /// Runs the recurrence from the unit vector `start`, orthogonal to all that the run has found.
    pub(super) fn run(run: &mut Run, start: Vec<f64>, goal: Goal) -> Self {
        let mut sweep = Self {
            basis: Vec::new(),
            diagonal: Vec::new(),
            off_diagonal: Vec::new(),
            beta: 0.0,
            ritz: Vec::new(),
            mature: false,
            stop: StopReason::Converged,
        };
        let room = run.dim - run.vectors.len();
        let ends = usize::from(run.settings.ends.largest()) + usize::from(run.settings.ends.smallest());
        let wanted = match goal {
            Goal::All => ends * run.count,
            Goal::Further(_) => ends,
        };
        let least = run.settings.min_iterations.max(wanted).min(room);
        // The largest ||A v|| over unit vectors v: a lower bound of ||A||, and the size that rounding scales with.
        let mut magnitude: f64 = 0.0;
        let mut next = start;
        loop {
            let mut w = vec![0.0; run.dim];
            run.operator.apply(&next, &mut w);
            run.iterations += 1;
            let norm = basis::norm(&w);
            if !norm.is_finite() {
                sweep.stop = StopReason::NotFinite(run.iterations);
                return sweep;
            }
            magnitude = magnitude.max(norm);
            sweep.basis.push(next);
            if !sweep.extend(run, &mut w) {
                sweep.stop = StopReason::NotFinite(run.iterations);
                return sweep;
            }
            let m = sweep.basis.len();
            sweep.mature = m >= least;
            if m == room {
                sweep.stop = StopReason::SubspaceExhausted;
                return sweep;
            }
            if sweep.mature && sweep.reached(run, goal) {
                sweep.stop = StopReason::Converged;
                return sweep;
            }
            if run.iterations >= run.settings.max_iterations {
                sweep.stop = StopReason::MaxIterations(run.iterations);
                return sweep;
            }
            if sweep.beta > f64::EPSILON * magnitude * (run.dim as f64).sqrt().max(10.0) {
                basis::scale(&mut w, 1.0 / sweep.beta);
                sweep.off_diagonal.push(sweep.beta);
                next = w;
            } else {
                let Some(fresh) = run.fresh_vector(&sweep.basis) else {
                    sweep.stop = StopReason::SubspaceExhausted;
                    return sweep;
                };
                sweep.off_diagonal.push(0.0);
                next = fresh;
            }
        }
    }

    /// Takes in the product `w` of the newest basis vector, leaving in `w` what is orthogonal to the basis.
    /// False if the numbers are too large for the eigenvalues of `T`; the newest vector is then dropped.
    fn extend(&mut self, run: &mut Run, w: &mut [f64]) -> bool {
        let j = self.basis.len() - 1;
        let Remainder { components, norm } = orthogonalise(&run.vectors, &self.basis, w);
        self.diagonal.push(components[j]);
        let last = self.diagonal.len();
        let Some(eigen) = tridiagonal::eigen(&self.diagonal, &self.off_diagonal, last - 1..last) else {
            self.basis.pop();
            self.diagonal.pop();
            self.off_diagonal.pop();
            return false;
        };
        self.beta = norm;
        self.ritz = eigen.values.iter().copied().zip(eigen.rows[0].iter().copied()).collect();
        let (low, high) = (eigen.values[0], eigen.values[j]);
        run.scale = run.scale.max(low.abs()).max(high.abs());
        // A symmetric operator couples the newest vector to the one before with beta, to older ones not at all.
        let coupling = |i: usize| if i + 1 == j { self.off_diagonal[i] } else { 0.0 };
        let strayed = (0..j).map(|i| (components[i] - coupling(i)).abs()).fold(0.0, f64::max);
        run.asymmetry = run.asymmetry.max(strayed / run.scale.max(f64::MIN_POSITIVE));
        true
    }

    /// Whether the goal is reached. The residual of a Ritz pair is `beta` times its last component.
    fn reached(&self, run: &Run, goal: Goal) -> bool {
        let bound = run.settings.tolerance * run.scale;
        let values = self.values();
        let small = |i: usize| self.residual(i) <= bound;
        match goal {
            Goal::All => {
                let wanted = run.outermost(&values, run.count);
                wanted.into_iter().all(small)
            }
            Goal::Further((low, high)) => run.outermost(&values, 1).into_iter().all(|i| {
                let (value, radius) = (values[i], self.residual(i));
                small(i) || (value + radius < high && value - radius > low)
            }),
        }
    }

    fn residual(&self, i: usize) -> f64 {
        self.beta * self.ritz[i].1.abs()
    }

    /// The Ritz values, ascending.
    pub(super) fn values(&self) -> Vec<f64> {
        self.ritz.iter().map(|pair| pair.0).collect()
    }

    /// Adds the chosen Ritz pairs to what the run has found, with their vectors where those are needed.
    pub(super) fn keep(&self, run: &mut Run, chosen: &[usize]) {
        for &i in chosen {
            run.found.push(Pair {
                value: self.ritz[i].0,
                residual: self.residual(i),
                iterations: run.iterations,
                mature: self.mature,
            });
        }
        let m = self.basis.len();
        if !run.settings.needs_vectors() || chosen.is_empty() {
            return;
        }
        // `extend` has solved this very matrix, so that it can be solved again.
        let eigen = tridiagonal::eigen(&self.diagonal, &self.off_diagonal[..m - 1], 0..m)
            .expect("the matrix whose last row was found has all its rows");
        let held: Vec<&[f64]> = self.basis.iter().map(Vec::as_slice).collect();
        for &i in chosen {
            let weights: Vec<f64> = eigen.rows.iter().map(|row| row[i]).collect();
            let mut vector = vec![0.0; run.dim];
            basis::add_combination(&held, &weights, 1.0, &mut vector);
            let largest = vector.iter().fold(0.0, |a: f64, &x| if x.abs() > a.abs() { x } else { a });
            let norm = basis::norm(&vector);
            basis::scale(&mut vector, 1.0f64.copysign(largest) / norm);
            run.vectors.push(vector);
        }
    }
}
