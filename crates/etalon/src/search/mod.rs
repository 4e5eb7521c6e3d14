//! To be filled: search.
