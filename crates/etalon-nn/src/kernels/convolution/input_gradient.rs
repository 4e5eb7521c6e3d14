//! The gradient of a convolution by its input.

use super::correlate::{self, Correlation, Grid};
use super::frame::Frame;
use super::weights::{self, Packed, Panels};
use super::{Convolution, initial};
use crate::kernels::elementwise::Write;
use crate::kernels::product::{Matrix, product};
use crate::{Cpu, Scalar};

/// The rows of an image (or its columns) that meet the same rows of the kernel: `residue`, `residue + stride`, ...
#[derive(Clone, Copy, Debug)]
struct Phase {
    residue: usize,
    /// How many rows of the kernel.
    taps: usize,
    /// The first of the image's rows, which lie a stride apart, and their number.
    first: usize,
    count: usize,
    /// The row of the output that the first of them meets with kernel row `residue`; the next meets the next, and
    /// with the next row of the kernel each meets the one before.
    source: usize,
}

impl Phase {
    fn of(shape: &Convolution, residue: usize, length: usize) -> Self {
        let Convolution { kernel, stride, padding, .. } = *shape;
        let first = (residue + stride * padding - padding) % stride;
        Phase {
            residue,
            taps: kernel.saturating_sub(residue).div_ceil(stride),
            first,
            count: length.saturating_sub(first).div_ceil(stride),
            // No remainder: `first + padding` and `residue` are the same modulo the stride.
            source: (first + padding).saturating_sub(residue) / stride,
        }
    }

    fn is_empty(&self) -> bool {
        self.taps == 0 || self.count == 0
    }

    /// The kernel row that stands at place `tap` when the kernel is turned round.
    fn turned(&self, shape: &Convolution, tap: usize) -> usize {
        self.residue + shape.stride * (self.taps - 1 - tap)
    }
}

/// Rows of zeros before the first row of the output, and rows in all, so that every phase reads inside.
fn border(shape: &Convolution, length: usize) -> (usize, usize) {
    let phases =
        || (0..shape.stride).map(|residue| Phase::of(shape, residue, length)).filter(|p| !p.is_empty());
    let before = phases().map(|phase| (phase.taps - 1).saturating_sub(phase.source)).max().unwrap_or(0);
    let last = phases().map(|phase| phase.source + phase.count).max().unwrap_or(0);
    (before, before + last)
}

/// `dx (+)= alpha W^T * dy`: the gradient by the input, given that by the output.
///
/// An input row `y` meets kernel row `d` where `y + padding - d` is a multiple of the stride. So rows fall into as
/// many phases as the stride has units, and so do columns; for each pair of phases the gradient is a correlation of
/// `dy` with a part of the kernel, turned round.
///
/// # Panics
/// As [`convolve`](super::convolve).
pub fn input_gradient<T: Scalar>(
    cpu: Cpu,
    shape: &Convolution,
    alpha: T,
    dy: &[T],
    weight: &[T],
    write: Write,
    dx: &mut [T],
) {
    shape.check(cpu, dx, weight, dy);
    if shape.is_product() {
        let dy = Matrix::row_major(dy, dy.len() / shape.outputs, shape.outputs);
        let weight = Matrix::row_major(weight, shape.outputs, shape.inputs);
        return product(cpu, alpha, dy, weight, write.keep(), dx);
    }
    if write == Write::Set && shape.stride > shape.kernel {
        // Some pixels meet no row of the kernel.
        dx.fill(T::ZERO);
    }
    let micro = T::micro_kernel(cpu);
    let (before, height) = border(shape, shape.height);
    let (left, width) = border(shape, shape.width);
    let image = [shape.output_height(), shape.output_width(), shape.outputs];
    let frame = Frame { image, top: before, left, height, width };
    let packed = |down: Phase, across: Phase| Packed {
        terms: down.taps * across.taps * shape.outputs,
        columns: shape.inputs,
        lanes: micro.lanes,
    };
    // The phases share the kernel's taps between them.
    let taps = shape.kernel * shape.kernel;
    let all = Packed { terms: taps * shape.outputs, columns: shape.inputs, lanes: micro.lanes };
    weights::with_panels([all.len(), frame.room(), correlate::EDGE], |Panels([panels, framed, edge])| {
        for_each_pair(shape, |down, across, skipped| {
            let own = &mut panels[skipped * all.len() / taps..];
            packed(down, across).pack(own, weight, taps, |term| {
                let (tap, output) = (term / shape.outputs, term % shape.outputs);
                let row = down.turned(shape, tap / across.taps);
                let column = across.turned(shape, tap % across.taps);
                shape.place(output, 0, row * shape.kernel + column)
            });
        });
        frame.clear(framed);
        let line = frame.line();
        let mut starts = [0; correlate::RUNS];
        starts.iter_mut().enumerate().for_each(|(row, start)| *start = row * line);
        for (dy, dx) in dy.chunks_exact(shape.output_len()).zip(dx.chunks_exact_mut(shape.input_len())) {
            let dy = frame.show(dy, framed);
            for_each_pair(shape, |down, across, skipped| {
                let correlation = Correlation {
                    micro,
                    grid: Grid {
                        rows: down.count,
                        cols: across.count,
                        a_line: line,
                        a_pixel: shape.outputs,
                        c_line: shape.stride * shape.width * shape.inputs,
                        c_pixel: shape.stride * shape.inputs,
                    },
                    runs: &starts[..down.taps],
                    run: across.taps * shape.outputs,
                    packed: packed(down, across),
                    panels: &panels[skipped * all.len() / taps..],
                    alpha,
                    initial: initial(write),
                };
                let row = before + down.source + 1 - down.taps;
                let column = left + across.source + 1 - across.taps;
                let to = (down.first * shape.width + across.first) * shape.inputs;
                correlation.run(&dy[row * line + column * shape.outputs..], &mut dx[to..], edge);
            });
        }
    });
}

/// Calls `work` for every pair of phases that meet, with the number of the kernel's taps in all pairs before.
fn for_each_pair(shape: &Convolution, mut work: impl FnMut(Phase, Phase, usize)) {
    let mut skipped = 0;
    for row in 0..shape.stride {
        for column in 0..shape.stride {
            let (down, across) = (Phase::of(shape, row, shape.height), Phase::of(shape, column, shape.width));
            if !down.is_empty() && !across.is_empty() {
                work(down, across, skipped);
                skipped += down.taps * across.taps;
            }
        }
    }
}
