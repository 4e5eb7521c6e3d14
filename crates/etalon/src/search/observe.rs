//! Watching a search, and stopping it.

use super::{SearchError, Verdict};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// A probe that has just ended. They arrive in the order in which they end, which depends on the threads;
/// the result of the search does not.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The seed.
    pub seed: u64,
    /// The learning rate.
    pub eta: f64,
    /// What happened.
    pub verdict: &'a Verdict,
    /// Gradient steps spent on this probe.
    pub steps: u64,
}

/// Called after every probe, from any thread. `Break` cancels: probes under way end, no other starts, and the
/// search returns [`SearchError::Cancelled`].
pub type Observer<'a> = &'a (dyn Fn(&Progress<'_>) -> ControlFlow<()> + Sync);

/// The observer that looks away.
pub fn silent(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// An observer together with what it has decided.
pub(super) struct Watch<'a> {
    observer: Observer<'a>,
    cancelled: AtomicBool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(observer: Observer<'a>) -> Self {
        Self { observer, cancelled: AtomicBool::new(false) }
    }

    /// Whether another probe may start.
    pub(super) fn go_on(&self) -> Result<(), SearchError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(SearchError::Cancelled) } else { Ok(()) }
    }

    /// Shows a finished probe.
    pub(super) fn show(&self, progress: &Progress<'_>) {
        if (self.observer)(progress).is_break() {
            self.cancelled.store(true, Ordering::Relaxed);
        }
    }
}
