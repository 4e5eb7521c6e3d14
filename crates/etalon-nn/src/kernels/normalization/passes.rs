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

/// `gamma` and `beta`, or their changes along a direction, as a multiplier and numbers; both empty where the normalisation
/// has none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<'a, T> {
    multiplier: f64,
    gamma: &'a [T],
    beta: &'a [T],
    /// Where there is no `gamma`.
    default: f64,
}

impl<'a, T: Scalar> Affine<'a, T> {
    /// Of the parameters: 1 and 0 without.
    pub(crate) fn of_parameters(multiplier: f64, weights: &'a [T]) -> Self {
        let (gamma, beta) = weights.split_at(weights.len() / 2);
        Affine { multiplier, gamma, beta, default: 1.0 }
    }

    /// Of a direction: 0 and 0 without.
    pub(crate) fn of_direction(multiplier: f64, weights: &'a [T]) -> Self {
        Affine { default: 0.0, ..Self::of_parameters(multiplier, weights) }
    }

    #[inline(always)]
    fn gammas(&self, gammas: &mut [f64]) {
        fill(self.multiplier, self.gamma, self.default, gammas);
    }

    #[inline(always)]
    fn betas(&self, betas: &mut [f64]) {
        fill(self.multiplier, self.beta, 0.0, betas);
    }
}

#[inline(always)]
fn fill<T: Scalar>(multiplier: f64, from: &[T], default: f64, to: &mut [f64]) {
    if from.is_empty() {
        to.fill(default);
    }
    to.iter_mut().zip(from).for_each(|(to, from)| *to = multiplier * from.to_f64());
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
    (sums, affine): (Sums, Affine<T>),
    x: &[T],
    y: &mut [T],
    scratch: &mut [f64],
) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let channels = sums.r.len();
            let [slope, constant] = rows(scratch, channels);
            affine.gammas(slope);
            affine.betas(constant);
            slope.iter_mut().zip(sums.r).for_each(|(slope, r)| *slope *= r);
            combine(Write::Set, ([], []), (x, &sums.values[..channels], slope), constant, y);
        },
    );
}

/// `dx (+)= r (g - a - x' b)`.
pub(crate) fn backward<T: Scalar>(
    cpu: Cpu,
    (groups, sums, affine): (Groups, Sums, Affine<T>),
    (x, dy): (&[T], &[T]),
    (dx, write): (&mut [T], Write),
    scratch: &mut [f64],
) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let channels = sums.r.len();
            let [a, b, weight, slope, constant] = rows(scratch, channels);
            let (r, dy_sum, dy_x) = (sums.r, &sums.adjoints[..channels], &sums.adjoints[channels..]);
            let share = sums.share;
            affine.gammas(weight);
            for j in 0..channels {
                a[j] = weight[j] * dy_sum[j] * share;
                b[j] = weight[j] * r[j] * dy_x[j] * share;
            }
            average(groups, a);
            average(groups, b);
            for j in 0..channels {
                weight[j] *= r[j];
                slope[j] = -r[j] * r[j] * b[j];
                constant[j] = -r[j] * a[j];
            }
            combine(write, ([dy], [weight]), (x, &sums.values[..channels], slope), constant, dx);
        },
    );
}

/// The change of `y`: `gamma r (dx - m - x' q)` and what the change of `gamma` and `beta` adds. Without `dx`, the input
/// stays.
pub(crate) fn forward_tangent<T: Scalar>(
    cpu: Cpu,
    (sums, affine): (Sums, Affine<T>),
    along: Affine<T>,
    (x, dx): (&[T], Option<&[T]>),
    y_tangent: &mut [T],
    scratch: &mut [f64],
) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let channels = sums.r.len();
            let [weight, slope, constant] = rows(scratch, channels);
            affine.gammas(weight);
            along.gammas(slope);
            along.betas(constant);
            for j in 0..channels {
                let (r, (m, q)) = (sums.r[j], sums.tangent_means(j));
                weight[j] *= r;
                slope[j] = r * (slope[j] - weight[j] * q);
                constant[j] -= weight[j] * m;
            }
            let x = (x, &sums.values[..channels], &*slope);
            match dx {
                Some(dx) => combine(Write::Set, ([dx], [weight]), x, constant, y_tangent),
                None => combine(Write::Set, ([], []), x, constant, y_tangent),
            }
        },
    );
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
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let channels = sums.r.len();
            let [a, b, a_change, b_change, of_dy, of_e, of_x_tangent, slope, constant] =
                rows(scratch, channels);
            let share = sums.share;
            affine.gammas(of_e);
            along.gammas(of_dy);
            for j in 0..channels {
                let (gamma, gamma_change, r) = (of_e[j] * share, of_dy[j] * share, sums.r[j]);
                let (dy, dy_x) = (sums.adjoints[j], r * sums.adjoints[channels + j]);
                a[j] = gamma * dy;
                b[j] = gamma * dy_x;
                a_change[j] = gamma_change * dy + gamma * sums.changes[j];
                b_change[j] =
                    gamma_change * dy_x + gamma * (r * sums.changes[channels + j] + sums.dy_along(j));
            }
            for numbers in [&mut *a, b, a_change, b_change] {
                average(groups, numbers);
            }
            for j in 0..channels {
                let (gamma, gamma_change, r, (m, q)) = (of_e[j], of_dy[j], sums.r[j], sums.tangent_means(j));
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
        },
    );
}
