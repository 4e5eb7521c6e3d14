//! The four passes over some rows of a block, once the sums over all its rows are there. The formulas are in the
//! module above.

use super::columns::combine;
use super::sums::average;
use super::{Groups, Sums};
use crate::kernels::elementwise::Write;
use crate::kernels::vectorised;
use crate::{Cpu, Scalar};
use std::array::from_fn;

/// How many numbers of scratch a channel takes.
pub(crate) const SCRATCH: usize = 9;

/// `gamma` and `beta`, or their changes along a direction; both empty where the normalisation has none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<'a, T> {
    gamma: &'a [T],
    beta: &'a [T],
    /// Where there is no `gamma`.
    default: f64,
}

impl<'a, T: Scalar> Affine<'a, T> {
    /// Of the parameters: 1 and 0 without.
    pub(crate) fn of_parameters(weights: &'a [T]) -> Self {
        let (gamma, beta) = weights.split_at(weights.len() / 2);
        Affine { gamma, beta, default: 1.0 }
    }

    /// Of a direction: 0 and 0 without.
    pub(crate) fn of_direction(weights: &'a [T]) -> Self {
        Affine { default: 0.0, ..Self::of_parameters(weights) }
    }

    #[inline(always)]
    fn gamma(&self, j: usize) -> f64 {
        self.gamma.get(j).map_or(self.default, |gamma| gamma.to_f64())
    }

    #[inline(always)]
    fn beta(&self, j: usize) -> f64 {
        self.beta.get(j).map_or(0.0, |beta| beta.to_f64())
    }
}

/// Rows of scratch, one number a channel each.
#[inline(always)]
fn rows<const N: usize>(scratch: &mut [f64], channels: usize) -> [&mut [f64]; N] {
    let mut rows = scratch.chunks_exact_mut(channels);
    from_fn(|_| rows.next().expect("callers bring SCRATCH rows"))
}

/// `y = gamma x' + beta`.
pub(crate) fn forward<T: Scalar>(
    cpu: Cpu,
    (groups, sums, affine): (Groups, Sums, Affine<T>),
    x: &[T],
    y: &mut [T],
    scratch: &mut [f64],
) {
    vectorised(cpu, || {
        let channels = groups.channels;
        let [slope, constant] = rows(scratch, channels);
        for j in 0..channels {
            slope[j] = affine.gamma(j) * sums.channel(groups, j).r;
            constant[j] = affine.beta(j);
        }
        combine(Write::Set, ([], []), (x, &sums.values[..channels], slope), constant, y);
    });
}

/// `dx (+)= r (g - a - x' b)`.
pub(crate) fn backward<T: Scalar>(
    cpu: Cpu,
    (groups, sums, affine): (Groups, Sums, Affine<T>),
    (x, dy): (&[T], &[T]),
    (dx, write): (&mut [T], Write),
    scratch: &mut [f64],
) {
    vectorised(cpu, || {
        let channels = groups.channels;
        let [a, b, weight, slope, constant] = rows(scratch, channels);
        for j in 0..channels {
            let (channel, share) = (sums.channel(groups, j), affine.gamma(j) / sums.rows as f64);
            (a[j], b[j]) = (share * channel.dy, share * channel.dy_x);
        }
        average(groups, a);
        average(groups, b);
        for j in 0..channels {
            let r = sums.channel(groups, j).r;
            (weight[j], slope[j], constant[j]) = (r * affine.gamma(j), -r * r * b[j], -r * a[j]);
        }
        combine(write, ([dy], [weight]), (x, &sums.values[..channels], slope), constant, dx);
    });
}

/// The change of `y`: `gamma r (dx - m - x' q)` and what the change of `gamma` and `beta` adds. Without `dx`, the input
/// stays.
pub(crate) fn forward_tangent<T: Scalar>(
    cpu: Cpu,
    (groups, sums, affine): (Groups, Sums, Affine<T>),
    along: Affine<T>,
    (x, dx): (&[T], Option<&[T]>),
    y_tangent: &mut [T],
    scratch: &mut [f64],
) {
    vectorised(cpu, || {
        let channels = groups.channels;
        let [weight, slope, constant] = rows(scratch, channels);
        for j in 0..channels {
            let channel = sums.channel(groups, j);
            weight[j] = channel.r * affine.gamma(j);
            slope[j] = channel.r * (along.gamma(j) - weight[j] * channel.q);
            constant[j] = along.beta(j) - weight[j] * channel.m;
        }
        let x = (x, &sums.values[..channels], &*slope);
        match dx {
            Some(dx) => combine(Write::Set, ([dx], [weight]), x, constant, y_tangent),
            None => combine(Write::Set, ([], []), x, constant, y_tangent),
        }
    });
}

/// The change of [`backward`]'s `dx` along the direction, where `dy` changes by `e` and the input by `x_tangent`.
pub(crate) fn backward_tangent<T: Scalar>(
    cpu: Cpu,
    (groups, sums, affine): (Groups, Sums, Affine<T>),
    along: Affine<T>,
    (x, x_tangent): (&[T], Option<&[T]>),
    (dy, e): (&[T], &[T]),
    (dx, write): (&mut [T], Write),
    scratch: &mut [f64],
) {
    vectorised(cpu, || {
        let channels = groups.channels;
        let [a, b, a_change, b_change, of_dy, of_e, of_x_tangent, slope, constant] = rows(scratch, channels);
        let count = sums.rows as f64;
        for j in 0..channels {
            let (channel, change) = (sums.channel(groups, j), sums.change(groups, j));
            let (gamma, gamma_change) = (affine.gamma(j) / count, along.gamma(j) / count);
            (a[j], b[j]) = (gamma * channel.dy, gamma * channel.dy_x);
            a_change[j] = gamma_change * channel.dy + gamma * change.dy;
            b_change[j] =
                gamma_change * channel.dy_x + gamma * (change.dy_x + channel.dy_along(change.cross));
        }
        for numbers in [&mut *a, b, a_change, b_change] {
            average(groups, numbers);
        }
        for j in 0..channels {
            let super::sums::Channel { r, m, q, .. } = sums.channel(groups, j);
            let (gamma, gamma_change) = (affine.gamma(j), along.gamma(j));
            of_dy[j] = r * gamma_change - r * r * q * gamma;
            of_e[j] = r * gamma;
            of_x_tangent[j] = -r * r * b[j];
            slope[j] = r * r * (2.0 * r * q * b[j] - b_change[j]);
            constant[j] = r * (r * (q * a[j] + m * b[j]) - a_change[j]);
        }
        let x = (x, &sums.values[..channels], &*slope);
        match x_tangent {
            Some(x_tangent) => {
                combine(write, ([dy, e, x_tangent], [of_dy, of_e, of_x_tangent]), x, constant, dx);
            }
            None => combine(write, ([dy, e], [of_dy, of_e]), x, constant, dx),
        }
    });
}
