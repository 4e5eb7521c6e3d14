//! Networks and their exact derivatives.
//!
//! This crate knows nothing of learning rates.

pub mod cpu;
pub mod kernels;
pub mod random;
pub mod scalar;

pub use cpu::Cpu;
pub use scalar::Scalar;
