//! What can go wrong in a run of Lanczos.

use crate::curvature::ApplyError;

/// Why there is no spectrum.
#[derive(Debug, thiserror::Error)]
pub enum LanczosError {
    /// The operator has size zero.
    #[error("the operator has size 0, and so no eigenvalue: are all parameters frozen?")]
    Empty,
    /// A setting is out of its range.
    #[error("{setting} = {got}: it must be {range}")]
    Setting {
        /// The field of [`LanczosSettings`](super::LanczosSettings).
        setting: &'static str,
        /// Its value.
        got: f64,
        /// What it may be.
        range: &'static str,
    },
    /// The start does not belong to this operator.
    #[error(
        "the start vector has {got} elements, the operator {expected}: pass one vector of that size, or none"
    )]
    StartLength {
        /// The operator's size.
        expected: usize,
        /// The start's.
        got: usize,
    },
    /// The start holds an infinity or NaN, or its norm overflows.
    #[error("the start vector has no finite norm: pass a finite one, or none")]
    StartNotFinite,
    /// The limit is too low for what is asked for.
    #[error(
        "{asked} needs a full basis, which takes {needed} bytes, and memory = {limit}: allow that much, fewer iterations, or \
         ask for the outermost eigenvalue alone"
    )]
    NeedsBasis {
        /// The setting.
        asked: String,
        /// What it takes, in bytes.
        needed: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The limit is too low for anything.
    #[error("the least that Lanczos can do with is {needed} bytes, and memory = {limit}: allow that much")]
    Memory {
        /// What it takes without a basis, in bytes.
        needed: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The operator was asked to stop.
    #[error("interrupted at product {product}")]
    Interrupted {
        /// Which product, counted from 1.
        product: usize,
    },
    /// The operator could not give a product.
    #[error("the operator failed at product {product}: {source}")]
    Operator {
        /// Which product, counted from 1.
        product: usize,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The product belongs to another space.
    #[error(
        "product {product} has {got} elements, the operator {expected}: write into the vector that is given"
    )]
    ProductLength {
        /// Which product, counted from 1.
        product: usize,
        /// The operator's size.
        expected: usize,
        /// The product's.
        got: usize,
    },
    /// The operator is no function.
    #[error(
        "the operator answers differently for the same vector (dropout? shuffled batches?): product {product} differs from \
         the one before by {difference:.1e} of its norm; fix what is drawn"
    )]
    Inconsistent {
        /// The second of the two products, counted from 1.
        product: usize,
        /// The norm of the difference, relative to that of the products.
        difference: f64,
    },
    /// The operator is not symmetric, and without a basis that ruins the result.
    #[error(
        "the operator is not symmetric: u . A v and v . A u differ by {asymmetry:.1e} of its norm; \
         pass (A + A^T)/2"
    )]
    Asymmetric {
        /// The difference for unit vectors, relative to the largest Ritz value.
        asymmetry: f64,
    },
}

impl LanczosError {
    /// What became of a product.
    pub(super) fn at(product: usize, error: ApplyError) -> Self {
        match error {
            ApplyError::Interrupted => Self::Interrupted { product },
            ApplyError::Failed(source) => Self::Operator { product, source },
        }
    }
}
