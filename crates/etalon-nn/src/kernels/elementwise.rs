//! Loops that treat every number alike.

use super::vectorised;
use crate::{Cpu, Scalar};

/// Whether a result replaces what was there or is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Replace.
    Set,
    /// Add.
    Add,
}

impl Write {
    /// The factor of the old value: 0 or 1.
    pub fn keep<T: Scalar>(self) -> T {
        match self {
            Write::Set => T::ZERO,
            Write::Add => T::ONE,
        }
    }
}

/// `y = f(x)`, number by number.
#[inline(always)]
pub fn map<T: Scalar>(cpu: Cpu, x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = f(x);
            }
        },
    );
}

/// `out (+)= f(a, b)`.
#[inline(always)]
pub fn zip2<T: Scalar>(cpu: Cpu, write: Write, a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    vectorised(
        cpu,
        #[inline(always)]
        || match write {
            Write::Set => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = f(a, b);
                }
            }
            Write::Add => {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out += f(a, b);
                }
            }
        },
    );
}

/// `out (+)= f(a, b, c, d)`.
#[inline(always)]
pub fn zip4<T: Scalar>(
    cpu: Cpu,
    write: Write,
    [a, b, c, d]: [&[T]; 4],
    out: &mut [T],
    f: impl Fn(T, T, T, T) -> T,
) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let inputs = a.iter().zip(b).zip(c).zip(d);
            match write {
                Write::Set => {
                    for (out, (((&a, &b), &c), &d)) in out.iter_mut().zip(inputs) {
                        *out = f(a, b, c, d);
                    }
                }
                Write::Add => {
                    for (out, (((&a, &b), &c), &d)) in out.iter_mut().zip(inputs) {
                        *out += f(a, b, c, d);
                    }
                }
            }
        },
    );
}

/// `y (+)= x`.
pub fn copy<T: Scalar>(cpu: Cpu, write: Write, x: &[T], y: &mut [T]) {
    match write {
        Write::Set => y.copy_from_slice(x),
        Write::Add => axpy(cpu, T::ONE, x, y),
    }
}

/// Adds to every channel of position `p` of every sample of `y`, whose positions have so many channels, the number
/// `by_position[p]`.
pub fn add_by_position<T: Scalar>(cpu: Cpu, channels: usize, by_position: &[T], y: &mut [T]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for (pixel, &number) in y.chunks_exact_mut(channels).zip(by_position.iter().cycle()) {
                pixel.iter_mut().for_each(|y| *y += number);
            }
        },
    );
}

/// `y += a x`.
pub fn axpy<T: Scalar>(cpu: Cpu, a: T, x: &[T], y: &mut [T]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for (y, &x) in y.iter_mut().zip(x) {
                *y += a * x;
            }
        },
    );
}

/// Every row of `y` becomes `a row`; `y` holds whole rows of `row.len()` numbers.
pub fn fill_rows<T: Scalar>(cpu: Cpu, a: T, row: &[T], y: &mut [T]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for y in y.chunks_exact_mut(row.len()) {
                for (y, &x) in y.iter_mut().zip(row) {
                    *y = a * x;
                }
            }
        },
    );
}

/// `y += a row` for every row of `y`.
pub fn add_rows<T: Scalar>(cpu: Cpu, a: T, row: &[T], y: &mut [T]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for y in y.chunks_exact_mut(row.len()) {
                for (y, &x) in y.iter_mut().zip(row) {
                    *y += a * x;
                }
            }
        },
    );
}

/// One step of stochastic gradient descent with coupled weight decay and no momentum:
/// `w -= eta (gradient + decay w)`.
///
/// What would be subnormal becomes 0, as in every update: a weight that decays would otherwise stay at the smallest number
/// for ever, since `eta decay` times it rounds to 0, and arithmetic on such numbers is several times slower.
pub fn sgd<T: Scalar>(cpu: Cpu, eta: T, decay: T, gradient: &[T], w: &mut [T]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for (w, &g) in w.iter_mut().zip(gradient) {
                *w = (*w - eta * (g + decay * *w)).flushed();
            }
        },
    );
}

/// One step of stochastic gradient descent with momentum and coupled weight decay, in PyTorch's form (the rate
/// stands outside the buffer): `v = b v + g + decay w; w -= eta v`, or with Nesterov's look-ahead
/// `w -= eta (g + decay w + b v)`. Of subnormal numbers, see [`sgd`].
pub fn sgd_momentum<T: Scalar>(
    cpu: Cpu,
    (eta, momentum, decay, nesterov): (T, T, T, bool),
    gradient: &[T],
    velocity: &mut [T],
    w: &mut [T],
) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            for ((w, v), &g) in w.iter_mut().zip(velocity).zip(gradient) {
                let g = g + decay * *w;
                *v = (momentum * *v + g).flushed();
                *w = (*w - eta * if nesterov { g + momentum * *v } else { *v }).flushed();
            }
        },
    );
}
