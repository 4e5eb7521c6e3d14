//! The curvature operators of a network at one point.

use super::basis::dot;
use super::{ApplyError, Memory, Operator};
use etalon_nn::{Linearization, Scalar};
use std::ops::Range;

/// Learning-rate factors of segments, as a change of coordinates.
///
/// Gradient descent whose rate for segment `s` is `eta r_s` is plain gradient descent in the coordinates
/// `w_s / sqrt(r_s)`, so that the curvature that limits `eta` is `R^1/2 H R^1/2` with `R = diag(r)`. A factor of 0
/// freezes a segment: its parameters are no coordinates, and curvature is that of the others' block. An optimiser that
/// divides the gradient by a preconditioner `P` has a rate for each parameter: there `R` is `R P^-1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinates {
    pieces: Vec<(Range<usize>, f64)>,
    /// The roots of the preconditioner's inverse; empty where there is none.
    roots: Vec<f64>,
}

impl Coordinates {
    /// The factors `r_s` of the segments with these ranges.
    pub fn new(segments: impl Iterator<Item = (Range<usize>, f64)>) -> Self {
        let scaled = segments.filter(|(_, factor)| *factor != 1.0);
        let pieces = scaled.map(|(range, factor)| (range, factor.sqrt())).collect();
        Coordinates { pieces, roots: Vec::new() }
    }

    /// The same factors over the diagonal of a preconditioner, one positive number a parameter.
    pub fn preconditioned(&self, preconditioner: &[f64]) -> Self {
        let roots = preconditioner.iter().map(|p| p.sqrt().recip()).collect();
        Coordinates { pieces: self.pieces.clone(), roots }
    }

    /// Which of so many parameters are coordinates: all but the frozen ones, in order.
    fn kept(&self, parameters: usize) -> Vec<Range<usize>> {
        let mut frozen: Vec<_> =
            self.pieces.iter().filter(|piece| piece.1 == 0.0).map(|piece| &piece.0).collect();
        frozen.sort_by_key(|range| range.start);
        let starts = std::iter::once(0).chain(frozen.iter().map(|range| range.end));
        let ends = frozen.iter().map(|range| range.start).chain([parameters]);
        starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect()
    }

    /// `v = R^1/2 v`.
    fn scale<T: Scalar>(&self, v: &mut [T]) {
        for (range, root) in &self.pieces {
            let root = T::from_f64(*root);
            v[range.clone()].iter_mut().for_each(|v| *v *= root);
        }
        v.iter_mut().zip(&self.roots).for_each(|(v, &root)| *v *= T::from_f64(root));
    }
}

/// Which part of the loss's second derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Hessian,
    /// What stays when the network is linear in its parameters; never negative.
    GaussNewton,
}

/// The Hessian of the mean loss over the parameters that are not frozen, or its Gauss-Newton part, plus what weight decay
/// adds to it.
#[derive(Debug)]
pub struct LossCurvature<'l, 'n, T> {
    at: &'l mut Linearization<'n, T>,
    part: Part,
    coordinates: &'l Coordinates,
    /// Where the operator's vectors, one behind the other, stand among all parameters. In a space with the frozen ones
    /// too they would have the eigenvalue 0, and a block that has none but negative ones would seem to have it.
    kept: Vec<Range<usize>>,
    weight_decay: f64,
    direction: Vec<T>,
    product: Vec<T>,
}

impl<'l, 'n, T: Scalar> LossCurvature<'l, 'n, T> {
    /// The operator at the point of `at`.
    pub fn new(at: &'l mut Linearization<'n, T>, part: Part, coordinates: &'l Coordinates) -> Self {
        let zero = vec![T::ZERO; at.network().parameters()];
        let kept = coordinates.kept(zero.len());
        let direction = zero.clone();
        LossCurvature { at, part, coordinates, kept, weight_decay: 0.0, direction, product: zero }
    }

    /// The same of the mean loss plus `weight_decay / 2` times the squared norm of the parameters (themselves, not in
    /// the operator's coordinates): `R^1/2 (A + weight_decay I) R^1/2`.
    pub fn with_weight_decay(self, weight_decay: f64) -> Self {
        LossCurvature { weight_decay, ..self }
    }

    /// The gradient of the mean loss in the operator's coordinates.
    pub fn gradient(&mut self) -> Vec<T> {
        self.at.gradient(&mut self.product);
        self.coordinates.scale(&mut self.product);
        self.kept.iter().flat_map(|range| &self.product[range.clone()]).copied().collect()
    }

    /// The curvature along the gradient `g` in the operator's coordinates, `g^T A g / g^T g`; not a number where it is zero.
    pub(super) fn along_gradient(&mut self) -> f64 {
        let (gradient, parallel) = (self.gradient(), self.at.is_parallel());
        let mut product = gradient.clone();
        self.multiply(&gradient, &mut product);
        dot(&gradient, &product, parallel) / dot(&gradient, &gradient, parallel)
    }

    /// `y = A x`.
    fn multiply(&mut self, x: &[T], y: &mut [T]) {
        // What is frozen stays at zero, where it began.
        let mut rest = x;
        for range in &self.kept {
            let (part, others) = rest.split_at(range.len());
            self.direction[range.clone()].copy_from_slice(part);
            rest = others;
        }
        self.coordinates.scale(&mut self.direction);
        match self.part {
            Part::Hessian => self.at.hvp(&self.direction, &mut self.product),
            Part::GaussNewton => self.at.gauss_newton(&self.direction, &mut self.product),
        }
        if self.weight_decay != 0.0 {
            let decay = T::from_f64(self.weight_decay);
            self.product.iter_mut().zip(&self.direction).for_each(|(product, &v)| *product += decay * v);
        }
        self.coordinates.scale(&mut self.product);
        let mut rest = y;
        for range in &self.kept {
            let (part, others) = rest.split_at_mut(range.len());
            part.copy_from_slice(&self.product[range.clone()]);
            rest = others;
        }
    }
}

impl<T: Scalar> Operator for LossCurvature<'_, '_, T> {
    type Space = Memory<T>;

    fn space(&self) -> Memory<T> {
        Memory::new(self.kept.iter().map(Range::len).sum()).with_threads(self.at.is_parallel())
    }

    fn apply(&mut self, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), ApplyError> {
        self.multiply(x, y);
        Ok(())
    }
}

/// The neural tangent kernel `J J^T / m` over all outputs of all `m` samples, with the 1/m of the catapult paper
/// (2003.02218, section 2), so that for MSE its top eigenvalue is that of the Gauss-Newton matrix. The kernel's Gram
/// matrix is never formed.
#[derive(Debug)]
pub struct Ntk<'l, 'n, T> {
    at: &'l mut Linearization<'n, T>,
    coordinates: &'l Coordinates,
    parameters: Vec<T>,
}

impl<'l, 'n, T: Scalar> Ntk<'l, 'n, T> {
    /// The operator at the point of `at`.
    pub fn new(at: &'l mut Linearization<'n, T>, coordinates: &'l Coordinates) -> Self {
        let parameters = vec![T::ZERO; at.network().parameters()];
        Ntk { at, coordinates, parameters }
    }
}

impl<T: Scalar> Operator for Ntk<'_, '_, T> {
    type Space = Memory<T>;

    fn space(&self) -> Memory<T> {
        Memory::new(self.at.outputs_len()).with_threads(self.at.is_parallel())
    }

    fn apply(&mut self, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), ApplyError> {
        self.at.vjp(x, &mut self.parameters);
        // Twice the root: J R J^T.
        self.coordinates.scale(&mut self.parameters);
        self.coordinates.scale(&mut self.parameters);
        self.at.jvp(&self.parameters, y);
        let samples = T::from_f64(self.at.samples() as f64);
        y.iter_mut().for_each(|y| *y /= samples);
        Ok(())
    }
}
