//! The edge of divergence of a map, scanned: it is no single rate.
//!
//! Just above the first rate that diverges others survive, in windows on every scale (logistic loss). A walk and
//! bisection end at the edge of some window; a fine scan about it tells how far down divergence was seen, and which
//! windows there are.

use crate::theory::{Bracket, Range, TheoryError, narrow};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The ratio of neighbouring values of the scan.
const RATIO: f64 = 1.000_05;
/// Values in a part of the scan: 10 % of the rate. It goes on downwards until a part has no divergence, and upwards
/// until a part has no survival.
const PART: usize = 1907;

/// What a scan about the edge of divergence has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// Windows of survival above the smallest `c_h` that diverges: the first and the last value tried in each that
    /// survives, ascending.
    pub islands: Vec<[f64; 2]>,
    /// The ends of the scan. Below it the walk up the range has seen survival alone; above it nothing was tried.
    pub scanned: [f64; 2],
    /// The ratio of neighbouring values of `c_h` in the scan. Windows narrower than this may be missing.
    pub resolution: f64,
    /// Runs of the scan.
    pub runs: usize,
}

/// Scans about `edge`, which a walk up the `range` has found: the bracket of the smallest value seen to diverge, and what
/// lies above. The same bits for any number of threads.
///
/// # Errors
/// Whatever `survives` fails with.
pub(super) fn divergence(
    range: &Range,
    edge: Bracket,
    survives: impl Fn(f64) -> Result<bool, TheoryError> + Sync,
) -> Result<(Bracket, Divergence), TheoryError> {
    // The grid starts at the lower end of the range, and ends before the upper one.
    let place = |index: usize| range.low * RATIO.powf(index as f64);
    let index = |c_h: f64| ((c_h / range.low).ln() / RATIO.ln()) as usize;
    let end = index(range.high) + 1;
    let scan = |from: usize, to: usize| -> Result<Vec<(f64, bool)>, TheoryError> {
        (from..to).into_par_iter().map(place).map(|c_h| Ok((c_h, survives(c_h)?))).collect()
    };
    let middle = index(edge.refused).min(end);
    let (mut from, mut to) = (middle, middle);
    let mut seen = Vec::new();
    while from > 0 {
        let mut part = scan(from.saturating_sub(PART), from)?;
        from = from.saturating_sub(PART);
        let quiet = part.iter().all(|&(_, survives)| survives);
        part.append(&mut seen);
        seen = part;
        if quiet {
            break;
        }
    }
    while to < end {
        let part = scan(to, (to + PART).min(end))?;
        to = (to + PART).min(end);
        let lost = part.iter().all(|&(_, survives)| !survives);
        seen.extend(part);
        if lost {
            break;
        }
    }
    let runs = seen.len();
    let scanned = [place(from), place(to.max(1) - 1)];
    seen.extend([(edge.accepted, true), (edge.refused, false)]);
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lowest = seen.iter().position(|&(_, survives)| !survives).unwrap_or(seen.len() - 1);
    // The lower end of the range survives, and is on the grid.
    let below = seen[..lowest].last().map_or(range.low, |&(c_h, _)| c_h);
    let [accepted, refused] = narrow([below, seen[lowest].0], range.tolerance, true, &survives)?;
    let islands = seen[lowest..].chunk_by(|a, b| a.1 == b.1).filter(|part| part[0].1);
    let islands = islands.map(|part| [part[0].0, part[part.len() - 1].0]).collect();
    Ok((Bracket { accepted, refused }, Divergence { islands, scanned, resolution: RATIO, runs }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Survival below 5 and in a window from 5.2 to 5.3, but for a notch from 4.7 to 4.71.
    fn notched(c_h: f64) -> Result<bool, TheoryError> {
        Ok((c_h < 5.0 && !(4.7..4.71).contains(&c_h)) || (5.2..5.3).contains(&c_h))
    }

    #[test]
    fn divergence_below_the_edge_of_a_walk_is_seen_and_survival_above_it_is_an_island() {
        let range = Range { low: 1.0, high: 20.0, steps: 10, tolerance: 1e-9 };
        let edge = Bracket { accepted: 5.0 - 1e-9, refused: 5.0 };
        let (found, seen) = divergence(&range, edge, notched).unwrap();
        assert!((found.refused - 4.7).abs() < 1e-7 && found.accepted < 4.7, "{found:?}");
        let expected = [[4.71, 5.0], [5.2, 5.3]];
        assert_eq!(seen.islands.len(), expected.len(), "{seen:?}");
        for (island, expected) in seen.islands.iter().zip(expected) {
            for (end, expected) in island.iter().zip(expected) {
                assert!((end / expected - 1.0).abs() < seen.resolution - 1.0, "{island:?}");
            }
        }
        // A part without divergence below, and one without survival above.
        assert!(seen.scanned[0] < 4.7 / 1.09 && seen.scanned[1] > 5.3 * 1.09, "{seen:?}");
    }

    #[test]
    fn the_scan_stays_in_its_range() {
        let range = Range { low: 4.9, high: 5.25, steps: 10, tolerance: 1e-9 };
        let edge = Bracket { accepted: 5.0 - 1e-9, refused: 5.0 };
        let asked = |c_h: f64| {
            assert!((4.9..=5.25).contains(&c_h), "{c_h}");
            notched(c_h)
        };
        let (found, seen) = divergence(&range, edge, asked).unwrap();
        assert!((found.refused - 5.0).abs() < 1e-7);
        assert!(seen.scanned[0] == 4.9 && seen.scanned[1] <= 5.25 && seen.islands.len() == 1, "{seen:?}");
    }
}
