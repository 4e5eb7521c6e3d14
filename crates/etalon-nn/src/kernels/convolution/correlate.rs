//! Output pixels as products of overlapping rows of input with packed weights.

use super::super::product::MicroKernel;
use super::super::product::problem::{Initial, Tile};
use super::weights::{Packed, Panel};
use crate::Scalar;
use crate::kernels::product::blocks::pieces;

/// The most runs of terms in one tile.
pub(super) const RUNS: usize = 32;
/// Elements of the memory for a tile that lies partly outside its output: upper limits of all instruction sets.
pub(super) const EDGE: usize = 16 * 32;
/// Terms of the sums that one pass over the outputs adds, about: a panel of weights so deep stays in the second cache.
const DEPTH: usize = 1152;

/// Where outputs and what they read lie: output pixel (i, j), which starts at `i * c_line + j * c_pixel`, reads from
/// `i * a_line + j * a_pixel` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub rows: usize,
    pub cols: usize,
    pub a_line: usize,
    pub a_pixel: usize,
    pub c_line: usize,
    pub c_pixel: usize,
}

/// `C = initial + alpha (runs of A) (packed weights)`.
pub(super) struct Correlation<'a, T: 'static> {
    /// The tiles of an instruction set that this machine has.
    pub micro: MicroKernel<T>,
    pub grid: Grid,
    /// Where the runs of terms of the output pixel (0, 0) start; at most [`RUNS`], in ascending order.
    pub runs: &'a [usize],
    /// Terms in a run, which lie side by side.
    pub run: usize,
    /// The weights: `runs x run` terms, one column an output channel.
    pub packed: Packed,
    pub panels: &'a [T],
    pub alpha: T,
    /// With a row for all output pixels.
    pub initial: Initial<&'a [T]>,
}

impl<T: Scalar> Correlation<'_, T> {
    /// Computes the outputs of one image; `edge` is memory of [`EDGE`] elements.
    pub(super) fn run(&self, a: &[T], c: &mut [T], edge: &mut [T]) {
        let Correlation { grid, runs, run, packed, .. } = *self;
        if grid.rows == 0 || grid.cols == 0 || runs.is_empty() || run == 0 {
            return;
        }
        let reach = |line: usize, pixel: usize| (grid.rows - 1) * line + (grid.cols - 1) * pixel;
        assert!(reach(grid.a_line, grid.a_pixel) + runs[runs.len() - 1] + run <= a.len());
        assert!(reach(grid.c_line, grid.c_pixel) + packed.columns <= c.len());
        assert!(runs.len() * run == packed.terms && packed.len() <= self.panels.len() && edge.len() >= EDGE);
        if let Initial::Row(row) = self.initial {
            assert!(row.len() >= packed.columns);
        }
        let rows_a_pass = (DEPTH / run).max(1);
        for (pass, runs) in runs.chunks(rows_a_pass).enumerate() {
            let initial = if pass == 0 { self.initial } else { Initial::Kept };
            let skipped = pass * rows_a_pass * run;
            for i in 0..grid.rows {
                for (j, pixels) in pieces(grid.cols, self.micro.tiles.len()) {
                    for panel in packed.panels() {
                        let tile = Tile {
                            runs,
                            depth: run,
                            a: a[i * grid.a_line + j * grid.a_pixel..].as_ptr(),
                            a_stride: grid.a_pixel,
                            b: self.panels[panel.start + skipped * panel.width..].as_ptr(),
                            b_step: panel.width,
                            c: c[i * grid.c_line + j * grid.c_pixel + panel.first..].as_mut_ptr(),
                            c_row: grid.c_pixel,
                            alpha: self.alpha,
                            initial: initial.map_row(|row| row[panel.first..].as_ptr()),
                        };
                        // SAFETY: the first assertion above keeps the reads of the last pixel's last run in A, and
                        // so all others'; the second its write in C; the third those of the panels. The machine
                        // has the instructions of `micro`.
                        unsafe { self.compute(&tile, pixels, panel, edge) };
                    }
                }
            }
        }
    }

    /// One tile, by way of `edge` where its vectors would reach beyond the output's channels.
    ///
    /// # Safety
    /// The machine has the instructions of `micro`; what `tile` names is valid for `pixels` rows and the columns of
    /// `panel`.
    unsafe fn compute(&self, tile: &Tile<T>, pixels: usize, panel: Panel, edge: &mut [T]) {
        let compute = self.micro.tiles[pixels - 1][0][panel.vectors - 1];
        if panel.columns == panel.width {
            // SAFETY: the caller's promise.
            return unsafe { compute(tile) };
        }
        let (c, c_row) = (edge.as_mut_ptr(), panel.width);
        // SAFETY: the caller's promise; `edge` holds the largest tile of any instruction set.
        unsafe { compute(&Tile { c, c_row, initial: Initial::Zero, ..*tile }) };
        for (pixel, sums) in edge.chunks_exact(panel.width).take(pixels).enumerate() {
            for (column, &sum) in sums[..panel.columns].iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let c = tile.c.add(pixel * tile.c_row + column);
                    *c = match tile.initial {
                        Initial::Zero => sum,
                        Initial::Kept => *c + sum,
                        Initial::Row(row) => *row.add(column) + sum,
                    };
                }
            }
        }
    }
}
