//! Weights in the order in which tiles read them, and the memory that a call takes.

use super::super::product::scratch;
use crate::Scalar;
use crate::kernels::elementwise::Write;

/// A matrix `terms x columns`, cut into panels of two vectors' columns (the last one, where that suffices, of one
/// vector's), each panel row after row; columns that are missing up to a whole vector are zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    pub terms: usize,
    pub columns: usize,
    /// Elements of a vector.
    pub lanes: usize,
}

/// One panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    /// Its columns in the matrix.
    pub first: usize,
    pub columns: usize,
    /// Whole vectors.
    pub vectors: usize,
    /// Elements of its rows.
    pub width: usize,
    /// Where it starts in memory.
    pub start: usize,
}

impl Packed {
    /// Elements of memory.
    pub(super) fn len(&self) -> usize {
        self.terms * self.columns.next_multiple_of(self.lanes)
    }

    /// The panels, left to right.
    pub(super) fn panels(self) -> impl Iterator<Item = Panel> {
        // Without a division: this runs once a tile.
        let starts =
            (0..).map(move |index| index * 2 * self.lanes).take_while(move |&first| first < self.columns);
        starts.map(move |first| {
            let columns = (self.columns - first).min(2 * self.lanes);
            let vectors = if columns > self.lanes { 2 } else { 1 };
            Panel { first, columns, vectors, width: vectors * self.lanes, start: first * self.terms }
        })
    }

    /// Packs the matrix whose element (term, column) lies in `weight` at `first(term) + column * step`.
    pub(super) fn pack<T: Scalar>(
        self,
        memory: &mut [T],
        weight: &[T],
        step: usize,
        first: impl Fn(usize) -> usize,
    ) {
        for panel in self.panels() {
            let rows = memory[panel.start..].chunks_exact_mut(panel.width);
            for (term, to) in rows.take(self.terms).enumerate() {
                let from = weight[first(term) + panel.first * step..].iter().step_by(step);
                let (columns, missing) = to.split_at_mut(panel.columns);
                columns.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
                missing.fill(T::ZERO);
            }
        }
    }

    /// The reverse: every element of the matrix is left in `weight`.
    pub(super) fn unpack<T: Scalar>(
        self,
        memory: &[T],
        write: Write,
        weight: &mut [T],
        step: usize,
        first: impl Fn(usize) -> usize,
    ) {
        for panel in self.panels() {
            let rows = memory[panel.start..].chunks_exact(panel.width);
            for (term, from) in rows.take(self.terms).enumerate() {
                let to = weight[first(term) + panel.first * step..].iter_mut().step_by(step);
                for (to, &from) in to.zip(&from[..panel.columns]) {
                    *to = if write == Write::Set { from } else { *to + from };
                }
            }
        }
    }
}

/// Parts of this thread's memory, each at the start of a cache line.
pub(super) struct Panels<'a, T, const PARTS: usize>(pub [&'a mut [T]; PARTS]);

/// Calls `work` with parts of so many elements, holding any numbers.
pub(super) fn with_panels<T: Scalar, const PARTS: usize, R>(
    lengths: [usize; PARTS],
    work: impl FnOnce(Panels<T, PARTS>) -> R,
) -> R {
    const LINE: usize = 64;
    let padded = |length: usize| length.next_multiple_of(LINE / size_of::<T>());
    let total: usize = lengths.iter().map(|&length| padded(length)).sum();
    scratch::with(total * size_of::<T>(), |start| {
        // SAFETY: the memory is valid for so many bytes, aligned to a cache line, initialised (any bytes make
        // floating-point numbers), and nobody else's during the call.
        let mut rest = unsafe { std::slice::from_raw_parts_mut(start.cast::<T>(), total) };
        work(Panels(lengths.map(|length| {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(padded(length));
            rest = after;
            &mut part[..length]
        })))
    })
}
