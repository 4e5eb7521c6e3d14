//! A part of a sweep that one worker does.

use super::{Cell, Grid};
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// The part `index` of `count` equal ones, written `index/count`; the first is 1. All parts together are the whole
/// grid, and no trial is in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `count`.
    index: NonZeroUsize,
    count: NonZeroUsize,
}

impl Shard {
    /// The one part of a sweep that is not cut.
    pub const WHOLE: Shard = Shard { index: NonZeroUsize::MIN, count: NonZeroUsize::MIN };

    /// None unless `1 <= index <= count`.
    pub fn new(index: usize, count: usize) -> Option<Shard> {
        let (index, count) = (NonZeroUsize::new(index)?, NonZeroUsize::new(count)?);
        (index <= count).then_some(Shard { index, count })
    }

    /// Its number, from 1.
    pub fn index(self) -> usize {
        self.index.get()
    }

    /// Its trials, in grid order. A trial's part follows from the whole grid and the number of
    /// parts: neither from how far the sweep is nor from who asks.
    pub(super) fn cells(self, grid: &Grid) -> Vec<&Cell> {
        let parts = parts(grid, self.count.get());
        grid.cells()
            .iter()
            .zip(parts)
            .filter(|(_, part)| *part == self.index())
            .map(|(cell, _)| cell)
            .collect()
    }
}

/// The part, from 1 to `count`, of every trial of a grid. In grid order, neighbours differ in the last key and a stride
/// may always hit the same width; in the order of names, which are hashes, every part is a fair mixture.
pub(super) fn parts(grid: &Grid, count: usize) -> Vec<usize> {
    let cells = grid.cells();
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_unstable_by_key(|&place| &cells[place].name);
    let mut parts = vec![0; cells.len()];
    for (rank, place) in order.into_iter().enumerate() {
        parts[place] = rank % count + 1;
    }
    parts
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text.split_once('/').map(|(index, count)| (index.trim().parse(), count.trim().parse()));
        match numbers {
            Some((Ok(index), Ok(count))) => Shard::new(index, count),
            _ => None,
        }
        .ok_or_else(|| format!("`{text}` is no part such as 1/8, the first of eight"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let text = "[grid]\nseed = { linear = [0, 9], points = 10 }\n\"network.width\" = [8, 16, 32, 64]\n";
        Grid::parse(text).unwrap()
    }

    #[test]
    fn parts_make_the_whole_and_share_no_trial() {
        let grid = grid();
        for count in [1, 3, 4, 40, 50] {
            let shards: Vec<_> =
                (1..=count).map(|index| Shard::new(index, count).unwrap().cells(&grid)).collect();
            let sizes = shards.iter().map(Vec::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1, "equal sizes");
            let mut names: Vec<&str> = shards.iter().flatten().map(|cell| cell.name.as_str()).collect();
            names.sort_unstable();
            let mut all: Vec<&str> = grid.cells().iter().map(|cell| cell.name.as_str()).collect();
            all.sort_unstable();
            assert_eq!(names, all, "{count} parts");
        }
    }

    #[test]
    fn no_part_has_one_width_alone() {
        let grid = grid();
        let shard = Shard::new(1, 4).unwrap().cells(&grid);
        let widths: std::collections::HashSet<String> =
            shard.iter().map(|cell| grid.values(cell)[1].to_string()).collect();
        assert!(widths.len() > 1, "{widths:?}");
    }

    #[test]
    fn what_is_no_part_is_refused() {
        assert_eq!("3/8".parse::<Shard>().unwrap().to_string(), "3/8");
        for text in ["", "3", "0/8", "9/8", "1/0", "-1/2", "a/b", "1/2/3"] {
            assert!(text.parse::<Shard>().unwrap_err().contains("1/8"), "{text}");
        }
    }
}
