//! Every reader is given valid files with something changed. None may panic or hang.
//!
//! Nothing but Rust is needed: `fuzz/run SECONDS` gives each reader so many seconds, and `cargo test` a moment. fuzz/cover gives
//! the same readers to libFuzzer.

mod corpus;
mod guided;
mod random;
mod readers;

use guided::fuzz;

#[test]
fn folders_of_data() {
    readers::folders_of_data().iter().for_each(fuzz);
}

#[test]
fn files_of_data() {
    readers::files_of_data().iter().for_each(fuzz);
}

#[test]
fn specs() {
    readers::specs().iter().for_each(fuzz);
}

#[test]
fn tables_and_logs() {
    readers::tables_and_logs().iter().for_each(fuzz);
}

#[test]
fn weights() {
    readers::weights().iter().for_each(fuzz);
}

#[test]
fn sweeps() {
    readers::sweeps().iter().for_each(fuzz);
}
