//! Which rates to ask next, as a pure function of what is known.
//!
//! 1. Nothing trained yet: go down from a rate that was too fast; look both ways, in turn, from one that was
//!    too slow. If the range is exhausted, look between the slow rates and the fast ones.
//! 2. Something trained: go up until something fails, then split the bracket until it is narrow.
//! 3. Guard: probe around the boundary; a failure below moves it down, and 2 and 3 start again.
//!
//! Every plan consists of rates that were never probed and lie within the bounds.

use super::definition::lowest_run;
use super::{Probed, Settings};
use std::iter;

/// How far below the boundary the nearest guard lies, in octaves: training fails here and there already close below what looks
/// like the boundary.
const CLOSE: f64 = 0.1875;
/// A guard is left out if a rate within this distance was probed: half the smallest guard.
const NEAR: f64 = CLOSE / 2.0;

/// What a plan depends on besides the probes.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) start: f64,
    pub(super) bounds: [f64; 2],
    pub(super) settings: Settings,
}

impl Ground {
    /// The rates to ask next, given all `probes` so far, sorted by rate. Empty when the search is over.
    pub(super) fn next(&self, probes: &[Probed]) -> Vec<f64> {
        if probes.is_empty() {
            return vec![self.start];
        }
        match lowest_run(probes) {
            None => self.seek(probes),
            Some(run) => {
                // A rate below the run diverged: the run may be an island, so look for a lower one.
                if probes[..run.base].iter().any(Probed::too_fast)
                    && let Some(lower) = self.below(probes)
                {
                    return vec![lower];
                }
                let low = probes[run.end - 1].eta;
                let high = match probes.get(run.end) {
                    None => match self.above(probes) {
                        Some(higher) => return vec![higher],
                        None => low,
                    },
                    Some(failure) => {
                        let points = self.split(low, failure.eta);
                        if !points.is_empty() {
                            return points;
                        }
                        failure.eta
                    }
                };
                self.guards(probes, [low, high])
            }
        }
    }

    /// Nothing has trained yet.
    fn seek(&self, probes: &[Probed]) -> Vec<f64> {
        let (down, up) = (self.below(probes), self.above(probes));
        match probes.iter().position(Probed::too_fast) {
            None => {
                let lower = probes.iter().filter(|probed| probed.eta < self.start).count();
                let higher = probes.len() - 1 - lower;
                let next = if higher <= lower { up.or(down) } else { down.or(up) };
                next.into_iter().collect()
            }
            Some(fast) => match down {
                Some(lower) => vec![lower],
                // The slow end and the fast end may have met within one factor.
                None if fast > 0 => self.split(probes[fast - 1].eta, probes[fast].eta),
                None => Vec::new(),
            },
        }
    }

    /// One factor below everything probed; `None` at the end of the range.
    fn below(&self, probes: &[Probed]) -> Option<f64> {
        let lowest = probes.first()?.eta;
        (lowest > self.bounds[0]).then(|| (lowest / self.settings.factor).max(self.bounds[0]))
    }

    /// One factor above everything probed; `None` at the end of the range.
    fn above(&self, probes: &[Probed]) -> Option<f64> {
        let highest = probes.last()?.eta;
        (highest < self.bounds[1]).then(|| (highest * self.settings.factor).min(self.bounds[1]))
    }

    /// The points that cut a bracket into equal parts on the log axis; none if it is narrow enough (or its
    /// ends are neighbouring floats). Never more points than the tolerance needs.
    fn split(&self, low: f64, high: f64) -> Vec<f64> {
        let target = 1.0 + self.settings.tolerance;
        if high / low <= target {
            return Vec::new();
        }
        let octaves = libm::log2(high) - libm::log2(low);
        // Saturates if the tolerance is below the resolution of floats.
        let parts = (octaves / libm::log2(target)).ceil() as usize;
        let points = self.settings.sections.min(parts.saturating_sub(1)).max(1);
        let at = |i: usize| low * libm::exp2(octaves * i as f64 / (points + 1) as f64);
        let mut rates: Vec<f64> = (1..=points).map(at).filter(|&eta| low < eta && eta < high).collect();
        rates.dedup();
        rates
    }

    /// The guards around a bracket that are still to be probed: those below first, since one that fails moves
    /// the bracket, and with it the guards above. None lies within a bracket that is to be no narrower.
    fn guards(&self, probes: &[Probed], [low, high]: [f64; 2]) -> Vec<f64> {
        let edge = low.sqrt() * high.sqrt();
        let wanted = |eta: &f64| {
            let near = |probed: &Probed| (libm::log2(probed.eta) - libm::log2(*eta)).abs() <= NEAR;
            let [lowest, highest] = self.bounds;
            let is_outside = (lowest..=low).contains(eta) || (high..=highest).contains(eta);
            is_outside && !probes.iter().any(near)
        };
        let doubled = |first: f64| (0..).map(move |i| first * libm::exp2(f64::from(i)));
        let octaves = iter::once(CLOSE).chain(doubled(1.0)).take(self.settings.guard);
        let below: Vec<f64> = octaves.map(|octaves| edge / libm::exp2(octaves)).filter(wanted).collect();
        if !below.is_empty() {
            return below;
        }
        let octaves = doubled(0.5).take(self.settings.guard_above);
        octaves.map(|octaves| edge * libm::exp2(octaves)).filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Answer;

    fn ground(settings: Settings) -> Ground {
        Ground { start: 1.0, bounds: [1.0 / 1024.0, 4096.0], settings }
    }

    fn probe(eta: f64, verdict: Answer) -> Probed {
        Probed { eta, verdict, steps: 1 }
    }

    #[test]
    fn a_split_asks_no_more_points_than_the_tolerance_needs() {
        let many = ground(Settings { sections: 1000, tolerance: 0.1, ..Settings::default() });
        let points = many.split(1.0, 2.0);
        // ln 2 / ln 1.1 = 7.27, so 8 parts.
        assert_eq!(points.len(), 7);
        let ends = [vec![1.0], points, vec![2.0]].concat();
        assert!(ends.windows(2).all(|pair| pair[1] / pair[0] <= 1.1));
        assert!(many.split(1.0, 1.1).is_empty());
    }

    #[test]
    fn a_tolerance_below_the_resolution_of_floats_still_ends() {
        let fine = ground(Settings { sections: 3, tolerance: 1e-300, ..Settings::default() });
        assert!(fine.split(1.0, 1.0 + f64::EPSILON).is_empty());
    }

    #[test]
    fn too_slow_looks_both_ways_in_turn() {
        let ground = ground(Settings::default());
        let mut probes = Vec::new();
        let mut asked = Vec::new();
        for _ in 0..5 {
            let next = ground.next(&probes);
            assert_eq!(next.len(), 1);
            asked.push(next[0]);
            probes.push(probe(next[0], Answer::TooSlow));
            probes.sort_by(|a, b| a.eta.total_cmp(&b.eta));
        }
        assert_eq!(asked, [1.0, 2.0, 0.5, 4.0, 0.25]);
    }

    #[test]
    fn guards_leave_out_what_was_probed_closely() {
        let ground = ground(Settings::default());
        let probes = [
            probe(0.5, Answer::Trained),
            probe(0.98, Answer::Trained),
            probe(1.02, Answer::TooFast("loss 1e9".into())),
        ];
        let edge = 0.98f64.sqrt() * 1.02f64.sqrt();
        let expected = [edge / 2f64.powf(0.1875)];
        let guards = ground.next(&probes);
        assert_eq!(guards.len(), 1);
        assert!(guards.iter().zip(expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-14));
    }

    #[test]
    fn no_guard_splits_a_bracket_that_is_narrow_enough() {
        let coarse = ground(Settings { tolerance: 1.0, ..Settings::default() });
        let probes = [probe(1.0, Answer::Trained), probe(2.0, Answer::TooFast("loss 1e9".into()))];
        let guards = coarse.next(&probes);
        // One octave below the middle; 3/16 below it would be a third point within.
        assert_eq!(guards.len(), 1);
        assert!((guards[0] / 0.5f64.sqrt() - 1.0).abs() < 1e-14, "{guards:?}");
    }
}
