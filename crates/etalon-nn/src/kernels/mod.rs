//! The only place with loops over numbers.

pub mod product;
