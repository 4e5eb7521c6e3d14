//! Curvature as an instrument tells it, against dense matrices and against training itself.

mod decayed;
mod preconditioned;
