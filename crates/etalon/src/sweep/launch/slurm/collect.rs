//! What is done when the jobs of a round have ended.

use super::queue::queue;
use super::round::Round;
use super::submit::{Submitted, next_round};
use crate::sweep::{Grid, LaunchError, Store, pending};
use serde::Serialize;
use std::path::Path;

/// How far a sweep is after a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Trials of the grid.
    pub cells: usize,
    /// With a result.
    pub done: usize,
    /// With an error.
    pub failed: usize,
    /// With neither.
    pub left: usize,
    /// What was submitted of these.
    pub next: Option<Submitted>,
    /// Why nothing was.
    pub stopped: Option<&'static str>,
}

/// Writes the summary of a sweep. With `program`, which is `etalon` where jobs will find it, the trials that were not
/// tried are submitted as the next round; not so if parts of the last one were cancelled, or if it brought neither a
/// result nor a probe of a search, as the next one would not either.
///
/// # Errors
/// When files cannot be read or written, or Slurm refuses or gives no answer.
pub fn collect(store: &Store, grid: &Grid, program: Option<&Path>) -> Result<Collected, LaunchError> {
    store.tidy();
    store.summarise(grid)?;
    let pending = pending(store, grid);
    let (cells, done, failed, left) =
        (grid.cells().len(), pending.done, pending.failed.len(), pending.untried.len());
    let mut collected = Collected { cells, done, failed, left, next: None, stopped: None };
    let (Some(program), Some(round)) = (program, Round::last(store)?) else { return Ok(collected) };
    if left == 0 {
        return Ok(collected);
    }
    if done <= round.done && store.probed() <= round.probed {
        collected.stopped = Some(match failed > round.failed {
            true => "all trials of the last round failed; `etalon status` tells why",
            false => {
                "the last round brought no result; its logs tell why, such as a time limit that is too short"
            }
        });
    } else if queue(store)?.is_some_and(|queue| queue.cancelled) {
        collected.stopped = Some("jobs of the last round were cancelled");
    } else {
        collected.next = Some(next_round(store, grid, &pending, &pending.untried, &round.settings, program)?);
    }
    Ok(collected)
}
