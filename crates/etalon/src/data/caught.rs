//! Panics of a library that reads other people's files: caught, and not told on stderr as a fault of this program.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread expects a panic.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// What a function returns; none where it panics. What it was changing is not to be used after that.
///
/// The message of a panic is the hook's, which the process has one of. The first call puts one before that which is there: it
/// passes over what is caught here, and hands on every other panic, of other threads meanwhile too. It stays, so that no
/// moment is without one.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !EXPECTED.get() {
                others(panic);
            }
        }));
    });
    let before = EXPECTED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    EXPECTED.set(before);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_none_and_afterwards_panics_are_told_again() {
        assert_eq!(caught(|| caught(|| panic!("expected"))), Some(None::<()>));
        assert_eq!(caught(|| 3), Some(3));
        assert!(!EXPECTED.get());
        assert_eq!(caught(|| std::thread::spawn(|| EXPECTED.get()).join().ok()), Some(Some(false)));
    }
}
