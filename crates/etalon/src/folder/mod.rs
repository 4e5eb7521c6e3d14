//! The folder of a run: what ran, how the result came about, and files that are whole or not there.

mod meta;
mod write;

pub use meta::{Machine, Meta};
pub use write::{RunFolder, RunFolderError, check_writable, write_whole};
