//! Whether a linear predictor can separate two classes, with a proof either way.
//!
//! With labels `y_a = +-1` and inputs `x_a`, a direction `w` separates when every margin `y_a w . x_a` is positive.
//! The point of the convex hull of the `y_a x_a` that is nearest to the origin decides: it is the direction of the
//! largest margin, and its length is that margin; where it is the origin itself, its coefficients are the proof
//! that no direction separates (Gordan 1873). That point is found by non-negative least squares. Every answer is
//! checked against the data again: a direction by its margins, a combination by its length.
//!
//! The non-separable part (Ji and Telgarsky 2018, section 2, "Risk and parameter convergence of logistic
//! regression"): the samples whose margin is zero for every `w` that has no negative margin. Under logistic loss,
//! gradient descent runs to infinity on the rest and to a finite point on these.

use serde::Serialize;

use super::TheoryError;
use super::nearest::{add, dot, nearest, norm};

/// A combination shorter than this share of the longest input is zero.
const ZERO: f64 = 1e-10;
/// An input whose part outside of a subspace is shorter than this share of it lies in it.
const INSIDE: f64 = 1e-9;

/// Two classes of inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoClasses {
    dim: usize,
    /// `y_a x_a`, one row a sample; with a bias, the last number is `y_a`.
    rows: Vec<f64>,
}

/// Whether two classes can be separated by a hyperplane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Separability {
    /// A direction has only positive margins.
    Separable,
    /// A convex combination of the `y_a x_a` is zero, to 1e-10 of the longest.
    Inseparable,
    /// Neither could be shown: the largest margin is too close to zero for the numbers.
    Undecided,
}

/// The answer, with its proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Separation {
    /// Whether a direction separates the set, as far as the numbers tell.
    pub verdict: Separability,
    /// The unit direction of the largest margin (with a bias, its last number belongs to the bias); none where there
    /// is none.
    pub direction: Option<Vec<f64>>,
    /// The smallest `y_a w . x_a` of that direction.
    pub margin: Option<f64>,
    /// No unit direction has a margin above this: the length of the combination below.
    pub bound: f64,
    /// The length of the longest `x_a` (with the 1 of a bias), to compare `bound` with.
    pub scale: f64,
    /// Samples with their positive coefficients, which add up to one: support vectors, or the proof that there is no
    /// direction.
    pub combination: Vec<(usize, f64)>,
}

/// A set cut into what can be separated and what cannot.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Samples that some direction without a negative margin gives a positive one.
    pub separable: Vec<usize>,
    /// Samples that every such direction gives the margin zero.
    pub inseparable: Vec<usize>,
    /// The unit direction with the largest margin on the separable part among those that are zero on the other.
    pub direction: Option<Vec<f64>>,
    /// Its smallest margin on the separable part; none where that is empty.
    pub margin: Option<f64>,
    /// Its largest margin in size on the non-separable part, relative to the input's length: rounding.
    pub leak: f64,
    /// Whether each step of the cut was decided.
    pub decided: bool,
}

impl TwoClasses {
    /// `inputs` holds one row of `dim` numbers a sample, `labels` their signs. A `bias` is an input that is always
    /// one: learnt, and counted in the length of a direction, like any weight.
    ///
    /// # Errors
    /// Lists that do not fit together, no sample, no number, labels other than +1 and -1, numbers that are not finite.
    pub fn new(dim: usize, inputs: &[f64], labels: &[f64], bias: bool) -> Result<Self, TheoryError> {
        let error = |name, got, range| Err(TheoryError::OutOfRange { name, got, range });
        if labels.is_empty() || dim + usize::from(bias) == 0 {
            return error("inputs", 0.0, "at least one sample of at least one number");
        }
        if inputs.len() != dim * labels.len() {
            let expected = dim * labels.len();
            return Err(TheoryError::Length { name: "inputs", got: inputs.len(), expected });
        }
        if let Some(&got) = labels.iter().find(|label| label.abs() != 1.0) {
            return error("label", got, "+1 or -1");
        }
        if let Some(&got) = inputs.iter().find(|input| !input.is_finite()) {
            return error("input", got, "finite");
        }
        let mut rows = Vec::with_capacity((dim + usize::from(bias)) * labels.len());
        for (sample, &label) in labels.iter().enumerate() {
            rows.extend(inputs[sample * dim..(sample + 1) * dim].iter().map(|x| label * x));
            rows.extend(bias.then_some(label));
        }
        Ok(TwoClasses { dim: dim + usize::from(bias), rows })
    }

    /// The bytes that [`TwoClasses::parts`] takes.
    pub fn bytes(samples: usize, dim: usize) -> u64 {
        let numbers = (samples as u64).saturating_mul(dim as u64 + 2).saturating_mul(4);
        let factor = (dim as u64 + 2).saturating_mul(2 * dim as u64 + 4);
        numbers.saturating_add(factor).saturating_mul(size_of::<f64>() as u64)
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// Whether there is no sample, which never happens.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The length of a direction, the bias counted.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The smallest `y_a w . x_a / |w|`; NaN for a direction of zero.
    ///
    /// # Panics
    /// When `direction` is not as long as [`TwoClasses::dim`].
    pub fn margin(&self, direction: &[f64]) -> f64 {
        assert_eq!(direction.len(), self.dim, "a direction has as many numbers as an input");
        let least =
            self.rows.chunks_exact(self.dim).map(|row| dot(row, direction)).fold(f64::INFINITY, f64::min);
        least / norm(direction)
    }

    /// Whether the classes can be separated.
    pub fn separate(&self) -> Separation {
        separate(self.dim, &self.rows)
    }

    /// Cuts the set into what can be separated and what cannot.
    pub fn parts(&self) -> Parts {
        let dim = self.dim;
        let row = |sample: usize| &self.rows[sample * dim..(sample + 1) * dim];
        let mut parts = Parts {
            separable: (0..self.len()).collect(),
            inseparable: Vec::new(),
            direction: None,
            margin: None,
            leak: 0.0,
            decided: true,
        };
        // The span of what cannot be separated; every direction without a negative margin is orthogonal to it.
        let mut span: Vec<Vec<f64>> = Vec::new();
        let mut rest = self.rows.clone();
        while !parts.separable.is_empty() {
            let found = separate(dim, &rest);
            if found.verdict != Separability::Inseparable {
                parts.decided = found.verdict == Separability::Separable;
                let margins = |samples: &[usize], direction: &[f64]| -> Vec<f64> {
                    samples.iter().map(|&sample| dot(row(sample), direction)).collect()
                };
                if let Some(direction) = found.direction {
                    let least =
                        margins(&parts.separable, &direction).into_iter().fold(f64::INFINITY, f64::min);
                    let others = parts.inseparable.iter().zip(margins(&parts.inseparable, &direction));
                    parts.leak = others.fold(0.0, |leak, (&sample, margin)| {
                        leak.max(margin.abs() / norm(row(sample)).max(f64::MIN_POSITIVE))
                    });
                    parts.margin = Some(least);
                    parts.direction = Some(direction);
                }
                break;
            }
            for &(place, _) in &found.combination {
                extend(&mut span, &rest[place * dim..(place + 1) * dim], norm(row(parts.separable[place])));
            }
            let members: Vec<bool> = {
                let mut members = vec![false; parts.separable.len()];
                found.combination.iter().for_each(|&(place, _)| members[place] = true);
                members
            };
            let (mut kept, mut remaining) = (Vec::new(), Vec::new());
            for (place, &sample) in parts.separable.iter().enumerate() {
                let outside = outside(&span, row(sample));
                if members[place] || norm(&outside) <= INSIDE * norm(row(sample)) {
                    parts.inseparable.push(sample);
                } else {
                    remaining.extend(outside);
                    kept.push(sample);
                }
            }
            (parts.separable, rest) = (kept, remaining);
        }
        parts.inseparable.sort_unstable();
        parts
    }
}

/// The part of a vector that is orthogonal to the span of an orthonormal basis.
fn outside(span: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    let mut rest = vector.to_vec();
    // Twice is enough for orthogonality to rounding.
    for _ in 0..2 {
        for direction in span {
            let along = dot(direction, &rest);
            add(&mut rest, -along, direction);
        }
    }
    rest
}

/// Takes a vector into the span unless it is in it already, in units of `size`.
fn extend(span: &mut Vec<Vec<f64>>, vector: &[f64], size: f64) {
    let mut rest = outside(span, vector);
    let length = norm(&rest);
    if length > INSIDE * size {
        rest.iter_mut().for_each(|x| *x /= length);
        span.push(rest);
    }
}

/// The nearest point of the hull: with columns `(row, 1)` and target `(0, 1)`, the least squares over the cone have
/// their minimum on the ray through it.
fn separate(dim: usize, rows: &[f64]) -> Separation {
    let scale = rows.chunks_exact(dim).map(norm).fold(0.0, f64::max);
    let unit = if scale > 0.0 { scale } else { 1.0 };
    let mut columns = Vec::with_capacity(rows.len() / dim * (dim + 1));
    for row in rows.chunks_exact(dim) {
        columns.extend(row.iter().map(|x| x / unit));
        columns.push(1.0);
    }
    let mut target = vec![0.0; dim + 1];
    target[dim] = 1.0;
    let found = nearest(&columns, &target);
    let sum: f64 = found.coefficients.iter().sum();
    let weights = found.coefficients.iter().map(|weight| weight / sum);
    let combination: Vec<(usize, f64)> = found.active.iter().copied().zip(weights).collect();
    let mut point = vec![0.0; dim];
    for &(sample, weight) in &combination {
        add(&mut point, weight, &rows[sample * dim..(sample + 1) * dim]);
    }
    let bound = norm(&point);
    let mut separation = Separation {
        verdict: Separability::Undecided,
        direction: None,
        margin: None,
        bound,
        scale,
        combination,
    };
    if bound <= ZERO * scale {
        separation.verdict = Separability::Inseparable;
        return separation;
    }
    point.iter_mut().for_each(|x| *x /= bound);
    let margin = rows.chunks_exact(dim).map(|row| dot(row, &point)).fold(f64::INFINITY, f64::min);
    // What a sum of so many products may be off by.
    if margin > (dim as f64 + 2.0) * f64::EPSILON * scale {
        separation.verdict = Separability::Separable;
    }
    (separation.direction, separation.margin) = (Some(point), Some(margin));
    separation
}

/// The cosine of the angle between two vectors of one length; NaN where one is zero.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    dot(a, b) / (norm(a) * norm(b))
}

#[cfg(test)]
mod tests;
