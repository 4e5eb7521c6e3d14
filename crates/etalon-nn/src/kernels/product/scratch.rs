//! Memory for packed operands: one piece for each thread, which grows to what the largest call needs.

use std::cell::RefCell;

/// A cache line, so that packed panels start on one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

thread_local! {
    static LINES: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with so many bytes of this thread's memory, aligned to a cache line, holding anything that was
/// written there before. `work` must not come back here.
pub(in crate::kernels) fn with<R>(bytes: usize, work: impl FnOnce(*mut u8) -> R) -> R {
    LINES.with_borrow_mut(|lines| {
        let count = bytes.div_ceil(size_of::<Line>());
        if lines.len() < count {
            lines.resize(count, Line([0; 64]));
        }
        work(lines.as_mut_ptr().cast())
    })
}
