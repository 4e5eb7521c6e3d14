//! To be filled: data.
