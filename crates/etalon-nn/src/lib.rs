//! Networks, their exact derivatives, and the rules that optimise them.
//!
//! A [`Network`] is put together by [`network::NetworkBuilder`] from [`layers`] of this crate or of one's own, which call
//! [`kernels`]. A [`Workspace`] gives its gradient, a [`Linearization`] the products with its Jacobian and Hessian.
//!
//! This crate knows nothing of experiments.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::todo))]

mod compiled;
mod cpu;
mod executor;
pub mod kernels;
mod lanes;
pub mod layers;
mod linearization;
mod losses;
pub mod network;
mod objective;
pub mod optim;
pub mod parameters;
pub mod random;
mod scalar;

pub use cpu::{Cpu, CpuError};
pub use linearization::Linearization;
pub use losses::Loss;
pub use network::{Network, NetworkBuilder};
pub use objective::{Batch, Workspace};
pub use scalar::Scalar;
