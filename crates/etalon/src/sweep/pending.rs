//! What is still to run.

use super::{Cell, Grid, Store};
use rayon::prelude::*;

/// The trials of a grid that have no whole result yet, in grid order: what an engine has to hand out. A search that was
/// interrupted is among them, and goes on from the probes that it has kept; so a trial may be handed out, killed and
/// handed out again wherever its folder can be seen.
pub fn pending<'a>(store: &Store, grid: &'a Grid) -> Vec<&'a Cell> {
    grid.cells().par_iter().filter(|cell| store.row(&cell.name).is_none()).collect()
}
