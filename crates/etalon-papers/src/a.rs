//! The catapult mechanism.

pub(crate) mod architectures;
pub(crate) mod batches;
pub(crate) mod edge;
pub(crate) mod linearised;
pub(crate) mod map;
pub(crate) mod networks;
pub(crate) mod performance;
pub(crate) mod thresholds;
pub(crate) mod widths;
