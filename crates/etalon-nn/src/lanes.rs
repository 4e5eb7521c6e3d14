//! How work over many samples is cut: into fixed slices, and slices into lanes.
//!
//! A slice is what a pass works on at once, so that memory does not grow with the set. A lane is a run of
//! slices summed in order into one buffer; lanes are what runs in parallel. Both depend on the number of samples
//! alone, so that a sum has the same bits however many threads there are.

use crate::Cpu;
use crate::Scalar;
use crate::kernels::elementwise::axpy;
use rayon::prelude::*;
use std::ops::Range;

/// Samples a slice: enough for products to run at full speed, few enough for values to stay in the cache.
pub(crate) const SLICE: usize = 256;

/// The most lanes: each has a gradient of its own.
const LANES: usize = 8;

/// How many slices so many samples make.
pub(crate) fn slices(rows: usize) -> usize {
    rows.div_ceil(SLICE)
}

/// How many lanes so many samples make.
pub(crate) fn lanes(rows: usize) -> usize {
    slices(rows).clamp(1, LANES)
}

/// The samples of each slice of a lane's run.
pub(crate) fn slices_of(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    rows.clone().step_by(SLICE).map(move |start| start..(start + SLICE).min(rows.end))
}

/// Calls `work` for each lane with its run of samples and its part of `out`, which holds `width` numbers a sample.
pub(crate) fn for_each<L: Send, T: Scalar>(
    lanes: &mut [L],
    parallel: bool,
    rows: usize,
    width: usize,
    out: &mut [T],
    work: &(impl Fn(&mut L, Range<usize>, &mut [T]) + Sync),
) {
    let count = lanes.len();
    let start_of = |lane: usize| (slices(rows) * lane / count * SLICE).min(rows);
    divide(lanes, 0..count, parallel, width, out, &start_of, work);
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
