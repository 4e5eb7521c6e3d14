//! The folder of a run: what ran, how the result came about, and files that are whole or not there.

pub(crate) mod disk;
mod lock;
mod meta;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use lock::Lock;
pub use meta::{Machine, Meta};
pub(crate) use write::{LOCK, META, other_kernels};
pub use write::{RunFolder, RunFolderError, check_writable, write_whole};
