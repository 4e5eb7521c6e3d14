//! Starts that have next to nothing of the outermost eigenvector, by accident or made so.

use super::*;
use crate::curvature::ApplyError;

/// Vectors in memory, whose random ones have exactly the least of the last coordinate that must be seen.
#[derive(Clone)]
struct Reluctant(Memory<f64>);

impl Space for Reluctant {
    type Vector = Vec<f64>;

    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn length(&self, vector: &Vec<f64>) -> usize {
        vector.len()
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    fn epsilon(&self) -> f64 {
        self.0.epsilon()
    }

    fn zeros(&self) -> Vec<f64> {
        self.0.zeros()
    }

    fn copy(&self, from: &Vec<f64>, to: &mut Vec<f64>) {
        self.0.copy(from, to);
    }

    fn random(&self, normals: &mut Normals, to: &mut Vec<f64>) {
        self.0.random(normals, to);
        let (last, others) = to.split_last_mut().unwrap();
        let least = RISK / (2.0 / PI * (others.len() + 1) as f64).sqrt();
        *last = least * others.iter().map(|x| x * x).sum::<f64>().sqrt();
    }

    fn dot(&self, a: &Vec<f64>, b: &Vec<f64>) -> f64 {
        self.0.dot(a, b)
    }

    fn axpy(&self, factor: f64, x: &Vec<f64>, y: &mut Vec<f64>) {
        self.0.axpy(factor, x, y);
    }

    fn scale(&self, factor: f64, x: &mut Vec<f64>) {
        self.0.scale(factor, x);
    }
}

/// A diagonal on any such space.
struct Diagonal<'a, S>(S, &'a [f64]);

impl<S: Space<Vector = Vec<f64>> + Clone> Operator for Diagonal<'_, S> {
    type Space = S;

    fn space(&self) -> S {
        self.0.clone()
    }

    fn apply(&mut self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<(), ApplyError> {
        y.iter_mut().zip(x).zip(self.1).for_each(|((y, x), value)| *y = value * x);
        Ok(())
    }
}

/// The bulk of a hundred eigenvalues between -.5 and .5, and those that stand alone.
fn spectrum(alone: &[f64]) -> Vec<f64> {
    (0..100).map(|i| -0.5 + f64::from(i) / 100.0).chain(alone.iter().copied()).collect()
}

/// How many of 200 runs converged on something else than the last eigenvalue, and the most iterations one took.
fn misses<S: Space<Vector = Vec<f64>> + Clone>(
    space: &S,
    eigenvalues: &[f64],
    settings: &LanczosSettings,
    start: Option<&Vec<f64>>,
) -> (usize, usize) {
    let last = eigenvalues[eigenvalues.len() - 1];
    let (mut missed, mut most) = (0, 0);
    for seed in 0..200 {
        let mut operator = Diagonal(space.clone(), eigenvalues);
        let found = lanczos(&mut operator, &LanczosSettings { seed, ..settings.clone() }, start).unwrap();
        let ends = found.largest.iter().chain(&found.smallest);
        missed += ends.filter(|end| end.converged && (end.value / last - 1.0).abs() > 1e-2).count();
        most = most.max(found.iterations);
    }
    (missed, most)
}

#[test]
fn a_start_that_has_next_to_nothing_of_the_outermost_eigenvector_does_not_hide_it() {
    // By so little as in the first case one start in a hundred may miss it; by more, none of these does.
    let cases = [(0.96, Ends::Largest, 2), (0.9, Ends::Largest, 0), (0.9, Ends::Smallest, 0)];
    for (second, ends, allowed) in cases {
        let sign = if ends == Ends::Largest { 1.0 } else { -1.0 };
        let eigenvalues = spectrum(&[second * sign, sign]);
        let memory = Memory::<f64>::new(eigenvalues.len());
        // All that is given lies in the second eigenvector.
        let mut start = vec![0.0; eigenvalues.len()];
        start[100] = 1.0;
        for (basis, tolerance) in [(Basis::Full, 1e-2), (Basis::None, 1e-2), (Basis::Full, 1e-4)] {
            let settings = LanczosSettings { ends, tolerance, ..Default::default() };
            let settings = LanczosSettings { memory: Some(settings.bytes(&memory, basis)), ..settings };
            let (missed, most) = misses(&memory, &eigenvalues, &settings, None);
            assert!(
                missed <= allowed && most < 45,
                "{second}, {settings:?}: {missed} missed, {most} iterations"
            );
            let (missed, _) = misses(&memory, &eigenvalues, &settings, Some(&start));
            assert!(missed <= allowed, "{second}, {settings:?}: {missed} missed from the second");
            let (missed, _) = misses(&Reluctant(memory), &eigenvalues, &settings, None);
            assert_eq!(missed, 0, "{second}, {settings:?}: on purpose");
        }
    }
}

#[test]
fn a_budget_that_ends_before_the_start_is_believed_is_told() {
    let eigenvalues = spectrum(&[0.9, 1.0]);
    let space = Reluctant(Memory::new(eigenvalues.len()));
    for memory in [None, Some(3 * space.bytes())] {
        let settings = LanczosSettings { tolerance: 1e-2, max_iterations: 8, memory, ..Default::default() };
        let found = lanczos(&mut Diagonal(space.clone(), &eigenvalues), &settings, None).unwrap();
        let Eigenvalue { value, residual, converged, .. } = found.largest[0];
        assert!((value - 0.9).abs() < 1e-2 && residual < 1e-2 && !converged, "{found:?}");
        assert_eq!(found.stop, StopReason::MaxIterations(8));
    }
}

#[test]
fn how_much_a_start_hides_is_what_the_recurrence_says() {
    let top = 1.2;
    let mut eigenvalues: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    eigenvalues[39] = top;
    for hidden in [1e-2, 1e-4, 1e-6, 1e-8f64] {
        let mut start = vec![((1.0 - hidden * hidden) / 39.0).sqrt(); 40];
        start[39] = hidden;
        let space = Memory::<f64>::new(40);
        let (mut basis, mut projection) = (vec![start], Projection::default());
        for j in 0..12 {
            let mut w: Vec<f64> = basis[j].iter().zip(&eigenvalues).map(|(x, value)| x * value).collect();
            let remainder = sweep::orthogonalise(&space, &[], &basis, &mut w);
            assert!(projection.extend(remainder.components[j], remainder.norm));
            w.iter_mut().for_each(|x| *x /= remainder.norm);
            projection.off_diagonal.push(remainder.norm);
            basis.push(w);
            // The vector that has most of the top says how much the first has.
            let largest = basis.iter().map(|v| v[39].abs()).fold(0.0, f64::max);
            let bound = projection.hidden(top);
            assert!((hidden / bound / largest - 1.0).abs() < 1e-6, "{hidden}: {bound}, {largest}");
        }
    }
}
