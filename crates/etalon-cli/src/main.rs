//! The command line of Etalon.
fn main() {}
