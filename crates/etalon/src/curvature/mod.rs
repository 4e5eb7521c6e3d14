//! To be filled: curvature.
