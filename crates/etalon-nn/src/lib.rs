//! Networks, their exact derivatives, and the rules that optimise them.
//!
//! This crate knows nothing of experiments.

pub mod cpu;
pub mod kernels;
mod lanes;
pub mod layers;
pub mod linearization;
pub mod losses;
mod machine;
pub mod network;
pub mod objective;
pub mod optim;
pub mod parameters;
pub mod random;
pub mod scalar;

pub use cpu::Cpu;
pub use linearization::Linearization;
pub use losses::Loss;
pub use network::{Network, NetworkBuilder};
pub use objective::{Batch, Workspace};
pub use scalar::Scalar;
