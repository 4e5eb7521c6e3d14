//! Sums over a block, channel by channel.

use super::columns::{sums_of_one, sums_of_products, sums_of_two};
use super::{Groups, Sums};
use crate::kernels::vectorised;
use crate::{Cpu, Scalar};

/// Mean and variance of each group over these rows: two a channel, equal within a group.
///
/// Differences are taken from the first row. It is one of the rows, so that its square distance from the mean is at
/// most their number times the variance, and the variance keeps its digits whatever the mean.
pub(crate) fn values<T: Scalar>(cpu: Cpu, groups: Groups, x: &[T], values: &mut [f64]) {
    vectorised(
        cpu,
        #[inline(always)]
        || {
            let Groups { channels, group, .. } = groups;
            let rows = (x.len() / channels) as f64;
            sums_of_one(x, &x[..channels], values, |x, pivot| [x - pivot, (x - pivot) * (x - pivot)]);
            let (means, variances) = values.split_at_mut(channels);
            for ((mean, variance), pivot) in means.iter_mut().zip(&mut *variances).zip(x) {
                let shift = *mean / rows;
                (*mean, *variance) = (pivot.to_f64() + shift, *variance / rows - shift * shift);
            }
            if group > 1 {
                for (means, variances) in means.chunks_exact_mut(group).zip(variances.chunks_exact_mut(group))
                {
                    let mean = total(means) / group as f64;
                    variances.iter_mut().zip(&*means).for_each(|(v, m)| *v += (m - mean) * (m - mean));
                    means.fill(mean);
                }
                average(groups, variances);
            }
            // A constant channel may come out below zero by rounding.
            variances.iter_mut().filter(|variance| **variance < 0.0).for_each(|variance| *variance = 0.0);
        },
    );
}

/// Mean and variance over two sets of rows together (Chan, Golub and LeVeque 1979): `total` goes on to include `part`.
pub(crate) fn merge_values((rows, total): (usize, &mut [f64]), (more, part): (usize, &[f64])) {
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
    vectorised(
        cpu,
        #[inline(always)]
        || sums_of_two(u, x, means, sums),
    );
}

/// `sum u v` of each channel over these rows.
pub(crate) fn cross_sums<T: Scalar>(cpu: Cpu, u: &[T], v: &[T], sums: &mut [f64]) {
    vectorised(
        cpu,
        #[inline(always)]
        || sums_of_products(u, v, sums),
    );
}

/// Each channel's number becomes the mean over its group; `numbers` has whole rows of channels.
#[inline(always)]
pub(crate) fn average(groups: Groups, numbers: &mut [f64]) {
    if groups.group > 1 {
        for group in numbers.chunks_exact_mut(groups.group) {
            group.fill(total(group) / groups.group as f64);
        }
    }
}

/// `(variance + epsilon)^-1/2` of each group. A constant group has 0, so that it becomes 0 whatever epsilon.
pub(crate) fn inverse_deviations(groups: Groups, variances: &[f64], r: &mut [f64]) {
    for (r, variances) in r.chunks_exact_mut(groups.group).zip(variances.chunks_exact(groups.group)) {
        let spread = variances[0] + groups.epsilon;
        r.fill(if spread == 0.0 { 0.0 } else { 1.0 / spread.sqrt() });
    }
}

/// Adds `multiplier` times the gradient of `gamma`, then that of `beta`.
pub(crate) fn parameter_gradient<T: Scalar>(sums: Sums, multiplier: f64, gradient: &mut [T]) {
    let channels = sums.r.len();
    let (gamma, beta) = gradient.split_at_mut(channels);
    let (dy, dy_x) = sums.adjoints.split_at(channels);
    for ((gamma, &r), &dy_x) in gamma.iter_mut().zip(sums.r).zip(dy_x) {
        *gamma += T::from_f64(multiplier * (r * dy_x));
    }
    beta.iter_mut().zip(dy).for_each(|(beta, &dy)| *beta += T::from_f64(multiplier * dy));
}

/// Adds the change of [`parameter_gradient`] along the direction.
pub(crate) fn parameter_gradient_change<T: Scalar>(sums: Sums, multiplier: f64, gradient: &mut [T]) {
    let channels = sums.r.len();
    let (gamma, beta) = gradient.split_at_mut(channels);
    for (j, gamma) in gamma.iter_mut().enumerate() {
        let change = sums.r[j] * sums.changes[channels + j] + sums.dy_along(j);
        *gamma += T::from_f64(multiplier * change);
    }
    beta.iter_mut().zip(sums.changes).for_each(|(beta, &dy)| *beta += T::from_f64(multiplier * dy));
}

impl Sums<'_> {
    /// `<dx>` and `<dx x'>` along the direction.
    #[inline(always)]
    pub(super) fn tangent_means(&self, j: usize) -> (f64, f64) {
        (self.tangents[j] * self.share, self.r[j] * self.tangents[self.r.len() + j] * self.share)
    }

    /// `sum dy (change of x')`.
    #[inline(always)]
    pub(super) fn dy_along(&self, j: usize) -> f64 {
        let channels = self.r.len();
        let (m, q) = self.tangent_means(j);
        let dy_x = self.r[j] * self.adjoints[channels + j];
        self.r[j] * (self.changes[2 * channels + j] - m * self.adjoints[j] - q * dy_x)
    }
}

#[inline(always)]
fn total(numbers: &[f64]) -> f64 {
    const PARTS: usize = 32;
    let mut parts = [0.0; PARTS];
    let runs = numbers.chunks_exact(PARTS);
    let rest: f64 = runs.remainder().iter().sum();
    for run in runs {
        parts.iter_mut().zip(run).for_each(|(part, number)| *part += number);
    }
    parts.iter().sum::<f64>() + rest
}
