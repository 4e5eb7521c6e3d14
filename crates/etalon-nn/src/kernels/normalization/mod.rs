//! Normalisation with its derivatives: `y = gamma x' + beta` with `x' = (x - mean) r`, `r = (variance + epsilon)^-1/2`.
//!
//! A block is a matrix of rows x channels; mean and variance are over all its rows and over a group of channels.
//! Normalisation over a batch has the whole batch in one block, of which a slice sees some rows, and groups of one
//! channel; normalisation within a sample has a block a sample. What a pass needs to know of the whole block are sums
//! over its rows, channel by channel, in `f64`:
//!
//! | pass | sums of a channel |
//! |---|---|
//! | values | mean and variance of its group |
//! | of `u = dy` (adjoints) and of `u = dx` along a direction (tangents) | `sum u`, `sum u (x - mean)` |
//! | changes | the same of the change `e` of `dy`, and `sum dy dx` |
//!
//! With `<.>` the mean over a group and its block, `g = gamma dy` and dots for changes along a direction, they give
//!
//! ```text
//! m = <dx>, q = <dx x'>, a = <g>, b = <g x'>
//! change of x'         = r (dx - m - x' q)
//! gradient of x        = r (g - a - x' b)
//! change of the latter = -r^2 q (g - a - x' b) + r (g. - a. - (change of x') b - x' b.)
//! ```
//!
//! each of which is one pass over the matrix with a few factors a channel.

mod columns;
mod passes;
mod sums;

pub(crate) use passes::{Affine, SCRATCH, backward, backward_tangent, forward, forward_tangent};
pub(crate) use sums::{
    average, cross_sums, inverse_deviations, merge_values, parameter_gradient, parameter_gradient_change,
    sums, values,
};

use std::cell::RefCell;

/// What is normalised over what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Groups {
    pub(crate) channels: usize,
    /// Channels a group.
    pub(crate) group: usize,
    pub(crate) epsilon: f64,
}

/// What is known of a whole block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums<'a> {
    /// One over the rows of the whole block.
    pub(crate) share: f64,
    /// Mean and variance; two a channel.
    pub(crate) values: &'a [f64],
    /// `r`, one a channel.
    pub(crate) r: &'a [f64],
    /// Of the output's gradient; two a channel. Empty before that is known, as the following.
    pub(crate) adjoints: &'a [f64],
    /// Of the input's change, averaged over groups; two a channel.
    pub(crate) tangents: &'a [f64],
    /// Of the change of the output's gradient; three a channel.
    pub(crate) changes: &'a [f64],
}

thread_local! {
    static NUMBERS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with so many numbers of this thread's memory, holding anything. Allocates when a thread asks for more
/// than ever before. `work` must not come back here.
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f64]) -> R) -> R {
    NUMBERS.with_borrow_mut(|numbers| {
        if numbers.len() < len {
            numbers.resize(len, 0.0);
        }
        work(&mut numbers[..len])
    })
}
