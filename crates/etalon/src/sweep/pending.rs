//! What is still to run.

use super::{Cell, Grid, Store};
use rayon::prelude::*;

/// How far a sweep is, by its files alone: what an engine has to start, and whether there is anything left to start.
#[derive(Clone, Debug)]
pub struct Pending<'a> {
    /// Trials with a result.
    pub done: usize,
    /// Trials with neither a result nor an error, in grid order.
    pub untried: Vec<&'a Cell>,
    /// Trials with an error, in grid order. A user who runs a sweep again has them tried again; a sweep that goes on by
    /// itself leaves them.
    pub failed: Vec<&'a Cell>,
}

/// Looks for the results and errors of all trials.
pub fn pending<'a>(store: &Store, grid: &'a Grid) -> Pending<'a> {
    let open: Vec<&Cell> = grid.cells().par_iter().filter(|cell| !store.is_done(&cell.name)).collect();
    let done = grid.cells().len() - open.len();
    let (failed, untried) = open.into_iter().partition(|cell| store.failure(&cell.name).exists());
    Pending { done, untried, failed }
}

impl<'a> Pending<'a> {
    /// Trials without a result: those not tried, then those that failed.
    pub fn without_result(&self) -> Vec<&'a Cell> {
        [&self.untried[..], &self.failed].concat()
    }
}
