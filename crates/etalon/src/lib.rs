//! What learning rate a neural network can take, why, and what happens there.

pub mod curvature;
pub mod data;
mod error;
pub mod figure;
pub mod memory;
pub mod models;
pub mod phase;
pub mod schedule;
pub mod search;
pub mod spec;
pub mod theory;
pub mod train;

pub use error::Error;
pub use etalon_nn as nn;
pub use memory::MemoryError;
