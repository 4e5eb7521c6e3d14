//! The probes of a search under way, so that one that is killed loses no more than those it was at.

use super::Store;
use crate::jobs::Memory;
use crate::search::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    seed: u64,
    eta: f64,
    #[serde(flatten)]
    outcome: Outcome,
}

/// `probes/<trial>.jsonl`: a line a probe, in the order in which they ended. It only saves time: the result of a search
/// is the same without, and the file goes when the search has ended.
pub(super) struct Journal {
    known: HashMap<(u64, u64), Outcome>,
    /// None where it cannot be written: then nothing is kept.
    file: Mutex<Option<File>>,
}

impl Journal {
    /// Opens the journal of a trial, and reads what an earlier run has left in it. A line that was cut short is passed
    /// over.
    pub(super) fn open(store: &Store, name: &str) -> Journal {
        let path = store.probes(name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known = lines.map(|line| ((line.seed, line.eta.to_bits()), line.outcome)).collect();
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = folder.and_then(|()| File::options().create(true).append(true).open(&path));
        let file = file.and_then(|mut file| {
            // What follows a line that was cut short must not become part of it.
            let cut = !text.is_empty() && !text.ends_with('\n');
            if cut { file.write_all(b"\n") } else { Ok(()) }.map(|()| file)
        });
        Journal { known, file: Mutex::new(file.ok()) }
    }
}

impl Memory for Journal {
    fn recall(&self, eta: f64, seed: u64) -> Option<Outcome> {
        self.known.get(&(seed, eta.to_bits())).cloned()
    }

    fn keep(&self, eta: f64, seed: u64, outcome: &Outcome) {
        let Ok(mut line) = serde_json::to_vec(&Line { seed, eta, outcome: outcome.clone() }) else { return };
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_mut().is_some_and(|file| file.write_all(&line).is_err()) {
            *file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Meta;
    use crate::search::Verdict;
    use crate::sweep::Grid;

    #[test]
    fn what_was_kept_is_recalled_to_the_bit_and_half_a_line_is_not() {
        let root = tempfile::tempdir().unwrap();
        let grid = Grid::parse("[grid]\nseed = [0]").unwrap();
        let store = Store::open(root.path(), &grid, &Meta::default()).unwrap();
        let eta = 0.1 + 0.2;
        let fast = Outcome { verdict: Verdict::TooFast("a loss of 1e13".into()), steps: 3 };
        let slow = Outcome { verdict: Verdict::TooSlow, steps: 160 };
        let journal = Journal::open(&store, "abc");
        journal.keep(eta, 7, &fast);
        journal.keep(eta, 8, &slow);
        let text = fs::read(store.probes("abc")).unwrap();
        fs::write(store.probes("abc"), &text[..text.len() - 5]).unwrap();
        let journal = Journal::open(&store, "abc");
        assert_eq!(journal.recall(eta, 7), Some(fast.clone()));
        assert_eq!((journal.recall(0.3, 7), journal.recall(eta, 8)), (None, None));
        journal.keep(eta, 8, &slow);
        let journal = Journal::open(&store, "abc");
        assert_eq!((journal.recall(eta, 7), journal.recall(eta, 8)), (Some(fast), Some(slow)));
    }
}
