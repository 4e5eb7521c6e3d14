//! Networks and their exact derivatives.
//!
//! This crate knows nothing of learning rates.

pub mod cpu;
mod executor;
pub mod kernels;
mod lanes;
pub mod layers;
pub mod linearization;
pub mod losses;
pub mod network;
pub mod objective;
pub mod parameters;
pub mod random;
pub mod scalar;

pub use cpu::Cpu;
pub use linearization::Linearization;
pub use losses::Loss;
pub use network::Network;
pub use objective::{Batch, Workspace};
pub use scalar::Scalar;
