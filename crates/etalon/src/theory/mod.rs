//! To be filled: theory.
