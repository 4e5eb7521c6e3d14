//! One Lanczos recurrence, from one start to its end.

use super::projection::Projection;
use super::{LanczosError, Operator, Run, Space, StopReason};
use crate::curvature::tridiagonal;

/// When a sweep has found enough.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// All eigenvalues asked for.
    All,
    /// One more an end outside these limits (low, high), or the evidence that there is none.
    Further((f64, f64)),
}

impl Goal {
    /// Within which (low, high) an eigenvalue is not looked for, where the Ritz values do not say it.
    fn limits(self) -> (f64, f64) {
        match self {
            Goal::All => (f64::INFINITY, f64::NEG_INFINITY),
            Goal::Further(limits) => limits,
        }
    }
}

/// The basis `V` of one recurrence and its tridiagonal matrix.
pub(super) struct Sweep<V> {
    basis: Vec<V>,
    projection: Projection,
    /// Has as many Ritz values as are wanted, with nothing overlooked.
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
pub(super) fn orthogonalise<S: Space>(
    space: &S,
    deflated: &[S::Vector],
    held: &[S::Vector],
    w: &mut S::Vector,
) -> Remainder {
    let vectors: Vec<&S::Vector> = held.iter().chain(deflated).collect();
    let mut components = vec![0.0; held.len()];
    for _ in 0..2 {
        let first = space.components(&vectors, w);
        let second = space.subtract_and_project(&vectors, &first, w);
        let before = space.norm(w);
        space.add_combination(&vectors, &second, -1.0, w);
        let norm = space.norm(w);
        components.iter_mut().zip(first.iter().zip(&second)).for_each(|(sum, (a, b))| *sum += a + b);
        if norm >= 0.5 * before {
            return Remainder { components, norm };
        }
    }
    Remainder { components, norm: 0.0 }
}

impl<V> Sweep<V> {
    /// Runs the recurrence from the unit vector `start`, orthogonal to all that the run has found.
    pub(super) fn run<O>(run: &mut Run<O>, start: V, goal: Goal) -> Result<Self, LanczosError>
    where
        O: Operator + ?Sized,
        O::Space: Space<Vector = V>,
    {
        let (basis, projection) = (Vec::new(), Projection::default());
        let mut sweep = Self { basis, projection, mature: false, stop: StopReason::Converged };
        let room = run.dim - run.vectors.len();
        let ends = usize::from(run.settings.ends.largest()) + usize::from(run.settings.ends.smallest());
        let wanted = match goal {
            Goal::All => ends * run.count,
            Goal::Further(_) => ends,
        };
        let least = wanted.min(room);
        // The largest ||A v|| over unit vectors v: a lower bound of ||A||, and the size that rounding scales with.
        let mut magnitude: f64 = 0.0;
        let mut next = start;
        loop {
            let mut w = run.space.zeros();
            run.apply(&next, &mut w)?;
            run.iterations += 1;
            let norm = run.space.norm(&w);
            if !norm.is_finite() {
                sweep.stop = StopReason::NotFinite(run.iterations);
                return Ok(sweep);
            }
            magnitude = magnitude.max(norm);
            sweep.basis.push(next);
            if !sweep.extend(run, &mut w) {
                sweep.stop = StopReason::NotFinite(run.iterations);
                return Ok(sweep);
            }
            let m = sweep.basis.len();
            if m == room {
                return Ok(sweep.exhausted());
            }
            sweep.mature = m >= least && run.has_seen_all(&sweep.projection, goal.limits());
            if sweep.mature && sweep.reached(run, goal) {
                sweep.stop = StopReason::Converged;
                return Ok(sweep);
            }
            if run.iterations >= run.settings.max_iterations {
                sweep.stop = StopReason::MaxIterations(run.iterations);
                return Ok(sweep);
            }
            let beta = sweep.projection.beta;
            if beta > run.space.epsilon() * magnitude * (run.dim as f64).sqrt().max(10.0) {
                run.space.scale(1.0 / beta, &mut w);
                sweep.projection.off_diagonal.push(beta);
                next = w;
            } else {
                let Some(fresh) = run.fresh_vector(&sweep.basis) else {
                    return Ok(sweep.exhausted());
                };
                sweep.projection.off_diagonal.push(0.0);
                next = fresh;
            }
        }
    }

    /// The end of a sweep through the whole space.
    fn exhausted(self) -> Self {
        Self { mature: true, stop: StopReason::SubspaceExhausted, ..self }
    }

    /// Takes in the product `w` of the newest basis vector, leaving in `w` what is orthogonal to the basis.
    /// False if the numbers are too large; the newest vector is then dropped.
    fn extend<O>(&mut self, run: &mut Run<O>, w: &mut V) -> bool
    where
        O: Operator + ?Sized,
        O::Space: Space<Vector = V>,
    {
        let j = self.basis.len() - 1;
        let Remainder { components, norm } = orthogonalise(&run.space, &run.vectors, &self.basis, w);
        if !self.projection.extend(components[j], norm) {
            self.basis.pop();
            return false;
        }
        run.scale = run.scale.max(self.projection.magnitude());
        // A symmetric operator couples the newest vector to the one before with beta, to older ones not at all.
        let coupling = |i: usize| if i + 1 == j { self.projection.off_diagonal[i] } else { 0.0 };
        let strayed = (0..j).map(|i| (components[i] - coupling(i)).abs()).fold(0.0, f64::max);
        run.asymmetry = run.asymmetry.max(strayed / run.scale.max(f64::MIN_POSITIVE));
        true
    }

    /// Whether the goal is reached.
    fn reached<O: Operator + ?Sized>(&self, run: &Run<O>, goal: Goal) -> bool {
        let bound = run.settings.tolerance * run.scale;
        let values = self.values();
        let small = |i: usize| self.projection.residual(i) <= bound;
        match goal {
            Goal::All => {
                let wanted = run.outermost(&values, run.count);
                wanted.into_iter().all(small)
            }
            Goal::Further((low, high)) => run.outermost(&values, 1).into_iter().all(|i| {
                let (value, radius) = (values[i], self.projection.residual(i));
                small(i) || (value + radius < high && value - radius > low)
            }),
        }
    }

    /// The Ritz values, ascending.
    pub(super) fn values(&self) -> Vec<f64> {
        self.projection.values()
    }

    /// Adds the chosen Ritz pairs to what the run has found, with their vectors where those are needed.
    pub(super) fn keep<O>(&self, run: &mut Run<O>, chosen: &[usize])
    where
        O: Operator + ?Sized,
        O::Space: Space<Vector = V>,
    {
        run.found.extend(chosen.iter().map(|&i| self.projection.pair(i, run.iterations, self.mature)));
        let m = self.basis.len();
        if !run.settings.needs_vectors() || chosen.is_empty() {
            return;
        }
        // `extend` has solved this very matrix, so that it can be solved again.
        let Projection { diagonal, off_diagonal, .. } = &self.projection;
        let eigen = tridiagonal::eigen(diagonal, &off_diagonal[..m - 1], 0..m)
            .expect("the matrix whose last row was found has all its rows");
        let held: Vec<&V> = self.basis.iter().collect();
        for &i in chosen {
            let weights: Vec<f64> = eigen.rows.iter().map(|row| row[i]).collect();
            let mut vector = run.space.zeros();
            run.space.add_combination(&held, &weights, 1.0, &mut vector);
            let norm = run.space.norm(&vector);
            run.space.scale(run.space.sign(&vector) / norm, &mut vector);
            run.vectors.push(vector);
        }
    }
}
