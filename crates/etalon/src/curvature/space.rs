//! Vector spaces: what an algorithm has to be able to do with vectors.

use super::basis;
use etalon_nn::Scalar;
use etalon_nn::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};
use std::fmt::Debug;
use std::marker::PhantomData;

/// A real vector space of finite dimension with its inner product, by the operations that Lanczos needs. Vectors may
/// live anywhere: [`Memory`] holds them in a `Vec`, an implementation of your own on another device.
///
/// No operation fails. Where one on another device may, let it answer with NaN: the algorithm stops at the next norm and
/// says at which iteration.
pub trait Space {
    /// A vector.
    type Vector;

    /// The dimension.
    fn dim(&self) -> usize;

    /// The number of elements of a vector; equal to [`dim`](Space::dim) for those that belong here.
    fn length(&self, vector: &Self::Vector) -> usize;

    /// What a vector takes of the memory that is scarce, in bytes.
    fn bytes(&self) -> u64;

    /// The distance from 1 to the next larger number among those that vectors hold.
    fn epsilon(&self) -> f64;

    /// The zero vector, newly made.
    fn zeros(&self) -> Self::Vector;

    /// Makes `to` equal to `from`.
    fn copy(&self, from: &Self::Vector, to: &mut Self::Vector);

    /// Fills `to` with independent numbers of mean 0 and equal variance, such as the next of `normals`, or those of a
    /// generator that is seeded with [`Normals::seed`].
    fn random(&self, normals: &mut Normals, to: &mut Self::Vector);

    /// The inner product, summed in `f64` or as exactly as can be.
    fn dot(&self, a: &Self::Vector, b: &Self::Vector) -> f64;

    /// `y = y + factor x`.
    fn axpy(&self, factor: f64, x: &Self::Vector, y: &mut Self::Vector);

    /// `x = factor x`.
    fn scale(&self, factor: f64, x: &mut Self::Vector);

    /// `x = x / divisor`.
    fn divide(&self, divisor: f64, x: &mut Self::Vector) {
        self.scale(1.0 / divisor, x);
    }

    /// The norm; not finite if an element is not, or if its square overflows.
    fn norm(&self, x: &Self::Vector) -> f64 {
        self.dot(x, x).sqrt()
    }

    /// 1 or -1: an eigenvector's sign is arbitrary, and it is multiplied by this. 1 unless a space knows better.
    fn sign(&self, _: &Self::Vector) -> f64 {
        1.0
    }

    /// The inner product of `w` with each vector.
    fn components(&self, vectors: &[&Self::Vector], w: &Self::Vector) -> Vec<f64> {
        vectors.iter().map(|v| self.dot(v, w)).collect()
    }

    /// `w = w + factor (h_1 v_1 + h_2 v_2 + ..)`.
    fn add_combination(&self, vectors: &[&Self::Vector], h: &[f64], factor: f64, w: &mut Self::Vector) {
        vectors.iter().zip(h).for_each(|(v, h)| self.axpy(factor * h, v, w));
    }

    /// Subtracts `h_1 v_1 + h_2 v_2 + ..` from `w`, then gives the [`components`](Space::components) of what is left.
    fn subtract_and_project(&self, vectors: &[&Self::Vector], h: &[f64], w: &mut Self::Vector) -> Vec<f64> {
        self.add_combination(vectors, h, -1.0, w);
        self.components(vectors, w)
    }
}

/// Independent standard normal numbers without an end, the same for the same seed.
#[derive(Debug)]
pub struct Normals(ChaCha8Rng);

impl Normals {
    /// Those of a seed.
    pub fn new(seed: u64) -> Self {
        Normals(stream(seed, Purpose::Direction, 0))
    }

    /// A seed for a generator of one's own, another one at each call.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }
}

impl Iterator for Normals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        Some(StandardNormal.sample(&mut self.0))
    }
}

/// Vectors of `f32` or `f64` in memory, as `Vec<T>`. Inner products are summed in `f64`, in an order that depends on the
/// dimension alone, long ones on rayon's threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory<T> {
    dim: usize,
    parallel: bool,
    number: PhantomData<T>,
}

impl<T> Memory<T> {
    /// The space of vectors with so many elements.
    pub fn new(dim: usize) -> Self {
        Memory { dim, parallel: true, number: PhantomData }
    }

    /// The same space, on rayon's threads or on the caller's alone; the bits are the same.
    pub fn with_threads(self, parallel: bool) -> Self {
        Memory { parallel, ..self }
    }
}

impl<T: Scalar> Space for Memory<T> {
    type Vector = Vec<T>;

    fn dim(&self) -> usize {
        self.dim
    }

    fn length(&self, vector: &Vec<T>) -> usize {
        vector.len()
    }

    fn bytes(&self) -> u64 {
        (self.dim as u64).saturating_mul(size_of::<T>() as u64)
    }

    fn epsilon(&self) -> f64 {
        T::EPSILON.to_f64()
    }

    fn zeros(&self) -> Vec<T> {
        vec![T::ZERO; self.dim]
    }

    fn copy(&self, from: &Vec<T>, to: &mut Vec<T>) {
        to.copy_from_slice(from);
    }

    fn random(&self, normals: &mut Normals, to: &mut Vec<T>) {
        to.iter_mut().zip(normals).for_each(|(x, normal)| *x = T::from_f64(normal));
    }

    fn dot(&self, a: &Vec<T>, b: &Vec<T>) -> f64 {
        basis::dot(a, b, self.parallel)
    }

    fn axpy(&self, factor: f64, x: &Vec<T>, y: &mut Vec<T>) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = T::from_f64(y.to_f64() + factor * x.to_f64()));
    }

    fn scale(&self, factor: f64, x: &mut Vec<T>) {
        x.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() * factor));
    }

    fn divide(&self, divisor: f64, x: &mut Vec<T>) {
        x.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() / divisor));
    }

    /// Makes the component of largest magnitude positive.
    fn sign(&self, x: &Vec<T>) -> f64 {
        let x = x.iter().map(|x| x.to_f64());
        1.0f64.copysign(x.fold(0.0, |a: f64, x| if x.abs() > a.abs() { x } else { a }))
    }

    fn components(&self, vectors: &[&Vec<T>], w: &Vec<T>) -> Vec<f64> {
        basis::components(vectors, w, self.parallel)
    }

    fn add_combination(&self, vectors: &[&Vec<T>], h: &[f64], factor: f64, w: &mut Vec<T>) {
        basis::add_combination(vectors, h, factor, w, self.parallel);
    }

    fn subtract_and_project(&self, vectors: &[&Vec<T>], h: &[f64], w: &mut Vec<T>) -> Vec<f64> {
        basis::subtract_and_project(vectors, h, w, self.parallel)
    }
}
