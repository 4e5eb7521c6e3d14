//! Sums over a block, channel by channel.

use super::columns::column_sums;
use super::{Groups, Sums};
use crate::kernels::vectorised;
use crate::{Cpu, Scalar};

/// Mean and variance of each group over these rows: two a channel, equal within a group.
///
/// Differences are taken from the first row. It is one of the rows, so that its square distance from the mean is at
/// most their number times the variance, and the variance keeps its digits whatever the mean.
pub(crate) fn values<T: Scalar>(cpu: Cpu, groups: Groups, x: &[T], values: &mut [f64]) {
    vectorised(cpu, || {
        let Groups { channels, group, .. } = groups;
        let rows = (x.len() / channels) as f64;
        column_sums([x], |j| x[j].to_f64(), values, |[x], pivot| [x - pivot, (x - pivot) * (x - pivot)]);
        let (means, variances) = values.split_at_mut(channels);
        for ((mean, variance), pivot) in means.iter_mut().zip(&mut *variances).zip(x) {
            let shift = *mean / rows;
            (*mean, *variance) = (pivot.to_f64() + shift, *variance / rows - shift * shift);
        }
        if group > 1 {
            for (means, variances) in means.chunks_exact_mut(group).zip(variances.chunks_exact_mut(group)) {
                let mean = total(means) / group as f64;
                variances.iter_mut().zip(&*means).for_each(|(v, m)| *v += (m - mean) * (m - mean));
                means.fill(mean);
            }
            average(groups, variances);
        }
        // A constant channel may come out below zero by rounding.
        variances.iter_mut().filter(|variance| **variance < 0.0).for_each(|variance| *variance = 0.0);
    });
}

/// Mean and variance over two sets of rows together (Chan, Golub and LeVeque 1979): `total` goes on to include `part`.
pub(crate) fn merge_values((rows, total): (usize, &mut [f64]), (more, part): (usize, &[f64])) {
    if rows == 0 {
        // What was there belongs to another batch.
        return total.copy_from_slice(part);
    }
    let (rows, more) = (rows as f64, more as f64);
    let share = more / (rows + more);
    let channels = part.len() / 2;
    let (means, variances) = total.split_at_mut(channels);
    for (j, (mean, variance)) in means.iter_mut().zip(variances).enumerate() {
        let distance = part[j] - *mean;
        let within = (1.0 - share) * *variance + share * part[channels + j];
        *variance = within + share * (1.0 - share) * distance * distance;
        *mean += share * distance;
    }
}

/// `sum u` and `sum u (x - mean)` of each channel over these rows: two a channel.
pub(crate) fn sums<T: Scalar>(cpu: Cpu, u: &[T], x: &[T], means: &[f64], sums: &mut [f64]) {
    vectorised(cpu, || column_sums([u, x], |j| means[j], sums, |[u, x], mean| [u, u * (x - mean)]));
}

/// `sum u v` of each channel over these rows.
pub(crate) fn cross_sums<T: Scalar>(cpu: Cpu, u: &[T], v: &[T], sums: &mut [f64]) {
    vectorised(cpu, || column_sums([u, v], |_| 0.0, sums, |[u, v], _| [u * v]));
}

/// Each channel's number becomes the mean over its group; `numbers` has whole rows of channels.
pub(crate) fn average(groups: Groups, numbers: &mut [f64]) {
    if groups.group > 1 {
        for group in numbers.chunks_exact_mut(groups.group) {
            group.fill(total(group) / groups.group as f64);
        }
    }
}

/// Adds the gradient of `gamma`, then that of `beta`.
pub(crate) fn parameter_gradient<T: Scalar>(groups: Groups, sums: Sums, gradient: &mut [T]) {
    let (gamma, beta) = gradient.split_at_mut(groups.channels);
    for (j, (gamma, beta)) in gamma.iter_mut().zip(beta).enumerate() {
        let channel = sums.channel(groups, j);
        *gamma += T::from_f64(channel.dy_x);
        *beta += T::from_f64(channel.dy);
    }
}

/// Adds the change of [`parameter_gradient`] along the direction.
pub(crate) fn parameter_gradient_change<T: Scalar>(groups: Groups, sums: Sums, gradient: &mut [T]) {
    let (gamma, beta) = gradient.split_at_mut(groups.channels);
    for (j, (gamma, beta)) in gamma.iter_mut().zip(beta).enumerate() {
        let channel = sums.channel(groups, j);
        let change = sums.change(groups, j);
        *gamma += T::from_f64(change.dy_x + channel.dy_along(change.cross));
        *beta += T::from_f64(change.dy);
    }
}

/// A channel's sums in units of its deviation.
#[derive(Clone, Copy)]
pub(super) struct Channel {
    /// `(variance + epsilon)^-1/2`.
    pub(super) r: f64,
    /// `sum dy` and `sum dy x'`; 0 before they are known.
    pub(super) dy: f64,
    pub(super) dy_x: f64,
    /// `<dx>` and `<dx x'>` along the direction; 0 before they are known.
    pub(super) m: f64,
    pub(super) q: f64,
}

impl Channel {
    /// `sum dy (change of x')`, from `cross = sum dy dx`.
    #[inline(always)]
    pub(super) fn dy_along(&self, cross: f64) -> f64 {
        self.r * (cross - self.m * self.dy - self.q * self.dy_x)
    }
}

/// The changes of a channel's sums along the direction.
#[derive(Clone, Copy)]
pub(super) struct Change {
    /// `sum e` and `sum e x'`, with `e` the change of `dy`.
    pub(super) dy: f64,
    pub(super) dy_x: f64,
    /// `sum dy dx`.
    pub(super) cross: f64,
}

impl Sums<'_> {
    #[inline(always)]
    pub(super) fn channel(&self, Groups { channels, epsilon, .. }: Groups, j: usize) -> Channel {
        let spread = self.values[channels + j] + epsilon;
        // A constant channel has x' = 0, whatever epsilon.
        let r = if spread > 0.0 { 1.0 / spread.sqrt() } else { spread * 0.0 };
        let of = |sums: &[f64], at: usize| sums.get(at).copied().unwrap_or(0.0);
        let rows = self.rows as f64;
        Channel {
            r,
            dy: of(self.adjoints, j),
            dy_x: r * of(self.adjoints, channels + j),
            m: of(self.tangents, j) / rows,
            q: r * of(self.tangents, channels + j) / rows,
        }
    }

    #[inline(always)]
    pub(super) fn change(&self, groups: Groups, j: usize) -> Change {
        let channels = groups.channels;
        let r = self.channel(groups, j).r;
        Change {
            dy: self.changes[j],
            dy_x: r * self.changes[channels + j],
            cross: self.changes[2 * channels + j],
        }
    }
}

fn total(numbers: &[f64]) -> f64 {
    numbers.iter().sum()
}
