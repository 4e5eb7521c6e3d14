//! The large initial rate as a regulariser.

pub(crate) mod patches;
pub(crate) mod patterns;
