//! Copies of operands, laid out in the order in which a tile reads them.

use std::ops::Range;

use super::Matrix;
use super::tile::{load_up_to, store_up_to};
use super::vector::Vector;

/// Part of an operand as it lies in memory: `lines x depth`, element (line, p) at
/// `line * line_stride + p * step`. A line is a row of A, or a column of B.
pub(super) struct Part<T> {
    from: *const T,
    lines: usize,
    line_stride: usize,
    depth: usize,
    step: usize,
}

impl<T: Copy> Part<T> {
    /// Rows of A, `depth` elements of each from column `p` on.
    pub(super) fn of_rows(a: &Matrix<T>, rows: Range<usize>, p: usize, depth: usize) -> Self {
        Part {
            from: a.address(rows.start, p),
            lines: rows.len(),
            line_stride: a.row_stride,
            depth,
            step: a.col_stride,
        }
    }

    /// Columns of B, `depth` elements of each from row `p` on.
    pub(super) fn of_columns(b: &Matrix<T>, columns: Range<usize>, p: usize, depth: usize) -> Self {
        Part::of_rows(&b.transposed(), columns, p, depth)
    }
}

/// Writes element (line, p) to `p * width + line`, and zeros for the lines that are missing up to `width`.
///
/// # Safety
/// The machine has the instructions of `V`; the elements of `part` are valid, `to` is valid for
/// `width * depth` elements, and `part.lines <= width`.
#[inline(always)]
pub(super) unsafe fn panel<V: Vector>(part: &Part<V::Element>, to: *mut V::Element, width: usize) {
    // SAFETY: the caller's promise; each branch touches line < lines of `part` and line < width of `to`.
    unsafe {
        if part.line_stride == 1 {
            for p in 0..part.depth {
                let (from, to) = (part.from.add(p * part.step), to.add(p * width));
                for line in (0..width).step_by(V::LANES) {
                    let vector: V = if line < part.lines {
                        load_up_to(from.add(line), part.lines - line)
                    } else {
                        V::splat(V::Element::default())
                    };
                    store_up_to(vector, to.add(line), width - line);
                }
            }
            return;
        }
        if part.step == 1 && part.lines >= 4 {
            for group in (0..part.lines).step_by(4) {
                // The last four end with the last line, though they may repeat some of the four before.
                let line = group.min(part.lines - 4);
                let from = part.from.add(line * part.line_stride);
                V::transpose(from, part.line_stride, part.depth, to.add(line), width);
            }
        } else {
            for p in 0..part.depth {
                for line in 0..part.lines {
                    *to.add(p * width + line) = *part.from.add(line * part.line_stride + p * part.step);
                }
            }
        }
        for p in 0..part.depth {
            for line in part.lines..width {
                *to.add(p * width + line) = V::Element::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::portable::Plain;
    use super::*;
    use crate::{Cpu, Scalar};

    /// Packs parts of a numbered matrix and compares every element, and what lies behind the panel.
    fn check<V: Vector>() {
        let matrix: Vec<V::Element> = (0..64 * 64).map(|at| V::Element::from_f64(1.0 + at as f64)).collect();
        for (line_stride, step) in [(1, 64), (64, 1), (3, 40)] {
            for lines in 1..=2 * V::LANES {
                for depth in [1, 2, 3, 4, 5, 7, 8, 9, 16, 19, 33] {
                    // A is packed as wide as it is, B to whole vectors.
                    for width in [lines, lines.next_multiple_of(V::LANES)] {
                        let part = Part { from: matrix.as_ptr(), lines, line_stride, depth, step };
                        let unwritten = V::Element::from_f64(-1.0);
                        let mut packed = vec![unwritten; depth * width + 64];
                        // SAFETY: the test below asks for sets that the machine has; the part lies in the
                        // matrix: 31 * 64 + 32, or 31 * 3 + 32 * 40 at most.
                        unsafe { panel::<V>(&part, packed.as_mut_ptr(), width) };
                        let (panel, behind) = packed.split_at(depth * width);
                        for (at, &found) in panel.iter().enumerate() {
                            let (p, line) = (at / width, at % width);
                            let inside = line < lines;
                            let expected = if inside { 1 + line * line_stride + p * step } else { 0 };
                            assert_eq!(
                                found,
                                V::Element::from_f64(expected as f64),
                                "line {line} of {lines}, {p}"
                            );
                        }
                        assert!(
                            behind.iter().all(|&x| x == unwritten),
                            "{lines} lines, {depth} deep, {width} wide"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_panel_holds_its_lines_and_zeros() {
        for cpu in Cpu::available() {
            match cpu {
                #[cfg(target_arch = "x86_64")]
                Cpu::Avx512 => {
                    check::<std::arch::x86_64::__m512>();
                    check::<std::arch::x86_64::__m512d>();
                }
                #[cfg(target_arch = "x86_64")]
                Cpu::Avx2 => {
                    check::<std::arch::x86_64::__m256>();
                    check::<std::arch::x86_64::__m256d>();
                }
                _ => {
                    check::<Plain<f32, 4>>();
                    check::<Plain<f64, 2>>();
                }
            }
        }
    }
}
