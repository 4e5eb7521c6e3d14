//! How work over many samples is cut: into fixed slices, and slices into lanes.
//!
//! A slice is what a pass works on at once, so that memory does not grow with the set. A lane is a run of
//! slices summed in order into one buffer; lanes are what runs in parallel. Both depend on the network and on the
//! number of samples alone, so that a sum has the same bits however many threads there are.

use crate::Cpu;
use crate::Scalar;
use crate::kernels::elementwise::axpy;
use rayon::prelude::*;
use std::ops::Range;

/// How often a slice uses each weight: often enough for products to run at full speed, and values stay in the cache.
const USES: usize = 256;

/// The fewest samples a slice.
const SMALLEST: usize = 16;

/// The most lanes: each has a gradient of its own.
const LANES: usize = 8;

/// Samples a slice, for a network that uses each weight so often a sample: 256 where that is once, as in a fully
/// connected network, and fewer where weights are shared between positions, down to 16.
pub(crate) fn slice_len(uses: f64) -> usize {
    ((USES as f64 / uses.max(1.0)) as usize).clamp(SMALLEST, USES)
}

/// So many samples in slices of so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) rows: usize,
    pub(crate) slice: usize,
}

impl Cut {
    /// How many slices there are.
    pub(crate) fn slices(self) -> usize {
        self.rows.div_ceil(self.slice)
    }

    /// How many lanes there are.
    pub(crate) fn lanes(self) -> usize {
        self.slices().clamp(1, LANES)
    }

    /// The most slices a lane has.
    pub(crate) fn slices_per_lane(self) -> usize {
        self.slices().div_ceil(self.lanes())
    }

    /// The samples of the longest slice.
    pub(crate) fn longest(self) -> usize {
        self.slice.min(self.rows)
    }

    /// The first sample of a lane's run.
    fn start_of(self, lane: usize) -> usize {
        (self.slices() * lane / self.lanes() * self.slice).min(self.rows)
    }

    /// The samples of each lane's run.
    pub(crate) fn runs(self) -> impl Iterator<Item = Range<usize>> {
        (0..self.lanes()).map(move |lane| self.start_of(lane)..self.start_of(lane + 1))
    }

    /// The samples of each slice of a lane's run.
    pub(crate) fn slices_of(self, run: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        run.clone().step_by(self.slice).map(move |start| start..(start + self.slice).min(run.end))
    }
}

/// Calls `work` for each lane with its run of samples and its part of `out`, which holds `width` numbers a sample.
pub(crate) fn for_each<L: Send, T: Scalar>(
    lanes: &mut [L],
    parallel: bool,
    cut: Cut,
    width: usize,
    out: &mut [T],
    work: &(impl Fn(&mut L, Range<usize>, &mut [T]) + Sync),
) {
    divide(lanes, 0..cut.lanes(), parallel, width, out, &|lane| cut.start_of(lane), work);
}

/// Halves the lanes until one is left, so that parallel lanes need no list of borrowed parts.
fn divide<L: Send, T: Scalar>(
    lanes: &mut [L],
    range: Range<usize>,
    parallel: bool,
    width: usize,
    out: &mut [T],
    start_of: &(impl Fn(usize) -> usize + Sync),
    work: &(impl Fn(&mut L, Range<usize>, &mut [T]) + Sync),
) {
    if let [lane] = lanes {
        return work(lane, start_of(range.start)..start_of(range.end), out);
    }
    let half = lanes.len() / 2;
    let middle = range.start + half;
    let (left, right) = lanes.split_at_mut(half);
    let (out_left, out_right) = out.split_at_mut((start_of(middle) - start_of(range.start)) * width);
    let (first, second) = (range.start..middle, middle..range.end);
    if parallel {
        rayon::join(
            || divide(left, first, parallel, width, out_left, start_of, work),
            || divide(right, second, parallel, width, out_right, start_of, work),
        );
    } else {
        divide(left, first, parallel, width, out_left, start_of, work);
        divide(right, second, parallel, width, out_right, start_of, work);
    }
}

/// Adds the other lanes' sums to the first lane's, lane after lane.
pub(crate) fn fold<T: Scalar, L: Sync>(
    cpu: Cpu,
    parallel: bool,
    total: &mut [T],
    others: &[L],
    sum_of: impl Fn(&L) -> &[T] + Sync,
) {
    const CHUNK: usize = 1 << 14;
    let add = |(index, chunk): (usize, &mut [T])| {
        let start = index * CHUNK;
        for lane in others {
            axpy(cpu, T::ONE, &sum_of(lane)[start..start + chunk.len()], chunk);
        }
    };
    if others.is_empty() {
    } else if parallel {
        total.par_chunks_mut(CHUNK).enumerate().for_each(add);
    } else {
        total.chunks_mut(CHUNK).enumerate().for_each(add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_short_where_a_sample_uses_its_weights_often() {
        assert_eq!(slice_len(1.0), 256);
        assert_eq!(slice_len(4.0), 64);
        assert_eq!(slice_len(150.0), 16);
        // A network of biases or of normalisation alone has no matrix.
        assert_eq!(slice_len(f64::NAN), 256);
    }

    #[test]
    fn runs_of_lanes_hold_every_sample_once_and_never_more_slices_than_said() {
        for rows in [1, 255, 256, 257, 2048, 2049, 2300, 10_000] {
            let cut = Cut { rows, slice: 256 };
            let slices: Vec<_> = cut.runs().flat_map(|run| cut.slices_of(run)).collect();
            assert_eq!(slices.len(), cut.slices());
            assert!(slices.windows(2).all(|pair| pair[0].end == pair[1].start), "{rows}");
            assert_eq!((slices[0].start, slices[slices.len() - 1].end), (0, rows));
            assert!(cut.runs().all(|run| cut.slices_of(run).count() <= cut.slices_per_lane()), "{rows}");
        }
    }
}
