//! The gradient of a convolution by its weight.

use super::Convolution;
use super::correlate::RUNS;
use super::weights::{self, Packed, Panels};
use crate::kernels::elementwise::Write;
use crate::kernels::product::blocks::pieces;
use crate::kernels::product::problem::{Initial, Tile};
use crate::kernels::product::{Matrix, product};
use crate::{Cpu, Scalar};

/// Pixels whose terms one pass over the weight adds, about: their inputs and gradients stay in the first cache, or
/// near it.
const PIXELS: usize = 256;

/// `dw (+)= alpha` times the gradient by the weight, summed over all images, given the gradient by the output.
///
/// One row of the kernel sees the inputs of `kernel` pixels side by side: their elements are the rows of a tile, the
/// output's channels its columns, and the pixels of the output the terms of its sums.
///
/// # Panics
/// As [`convolve`](super::convolve).
pub fn weight_gradient<T: Scalar>(
    cpu: Cpu,
    shape: &Convolution,
    alpha: T,
    x: &[T],
    dy: &[T],
    write: Write,
    dw: &mut [T],
) {
    shape.check(cpu, x, dw, dy);
    if shape.is_product() {
        let pixels = x.len() / shape.inputs;
        let x = Matrix::row_major(x, pixels, shape.inputs);
        let dy = Matrix::row_major(dy, pixels, shape.outputs);
        return product(cpu, alpha, dy.transposed(), x, write.keep(), dw);
    }
    let micro = T::micro_kernel(cpu);
    let (height, width) = (shape.output_height(), shape.output_width());
    let frame = shape.frame();
    let packed = Packed { terms: shape.fan_in(), columns: shape.outputs, lanes: micro.lanes };
    // Images at a time, and rows of output pixels of all these at a time.
    let images = (PIXELS / (height * width)).clamp(1, RUNS.div_ceil(height));
    let rows = (PIXELS / width).clamp(1, RUNS).min(images * height);
    // The last columns of `dy`, where they fill no vector.
    let ragged = if shape.outputs.is_multiple_of(micro.lanes) { 0 } else { 2 * micro.lanes * rows * width };
    let lengths = [packed.len(), frame.room() * images, ragged];
    weights::with_panels(lengths, |Panels([sums, framed, ragged])| {
        sums.fill(T::ZERO);
        frame.clear(framed);
        let (line, step) = (frame.line(), frame.step());
        let run = shape.kernel * shape.inputs;
        let groups = x.chunks(images * shape.input_len()).zip(dy.chunks(images * shape.output_len()));
        for (x, dy) in groups {
            let here = x.len() / shape.input_len();
            let a = frame.show(x, framed);
            for (first, count) in pieces(here * height, rows) {
                let mut starts = [0; RUNS];
                for (start, row) in starts.iter_mut().zip(first..first + count) {
                    *start = row / height * step + row % height * shape.stride * line;
                }
                let dy = &dy[first * width * shape.outputs..][..count * width * shape.outputs];
                for panel in packed.panels() {
                    let (b, b_step) = if panel.columns == panel.width {
                        (&dy[panel.first..], shape.outputs)
                    } else {
                        let pixels = dy.chunks_exact(shape.outputs);
                        for (to, pixel) in ragged.chunks_exact_mut(panel.width).zip(pixels) {
                            to[..panel.columns].copy_from_slice(&pixel[panel.first..]);
                            to[panel.columns..].fill(T::ZERO);
                        }
                        (&*ragged, panel.width)
                    };
                    assert!((count * width - 1) * b_step + panel.width <= b.len());
                    for kernel_row in 0..shape.kernel {
                        for (i, elements) in pieces(run, micro.tiles.len()) {
                            let a = &a[kernel_row * line + i..];
                            let last = starts[count - 1] + (width - 1) * shape.stride * shape.inputs;
                            assert!(last + elements <= a.len());
                            let c = panel.start + (kernel_row * run + i) * panel.width;
                            let tile = Tile {
                                runs: &starts[..count],
                                depth: width,
                                a: a.as_ptr(),
                                a_stride: shape.stride * shape.inputs,
                                b: b.as_ptr(),
                                b_step,
                                c: sums[c..][..elements * panel.width].as_mut_ptr(),
                                c_row: panel.width,
                                alpha,
                                initial: Initial::Kept,
                            };
                            // SAFETY: the assertions above keep the reads of the last pixel in A and B, and so all
                            // others'; the slice those of C. The machine has the instructions of `micro`, as
                            // `check` asserts.
                            unsafe { micro.tiles[elements - 1][1][panel.vectors - 1](&tile) };
                        }
                    }
                }
            }
        }
        packed.unpack(sums, write, dw, shape.fan_in(), |term| {
            shape.place(0, term % shape.inputs, term / shape.inputs)
        });
    });
}
