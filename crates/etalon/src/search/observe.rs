//! Watching a search, and stopping it.

use super::{Answer, Cause, SearchError};
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// A probe that has just ended. They arrive in the order in which they end, which depends on the threads;
/// the result of the search does not.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The seed that was trained with.
    pub seed: u64,
    /// The constant learning rate that was probed.
    pub eta: f64,
    /// Whether it trained, and at which end it failed if not.
    pub verdict: &'a Answer,
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

/// An observer together with what has ended the search.
pub(super) struct Inquiry<'a> {
    observer: Observer<'a>,
    ended: OnceLock<SearchError>,
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(observer: Observer<'a>) -> Self {
        Self { observer, ended: OnceLock::new() }
    }

    /// Asks for one answer and shows it, unless the search has ended. Once a question has failed no other is asked, and all
    /// fail with the first error.
    pub(super) fn answer<A, E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        (eta, seed): (f64, u64),
        ask: impl FnOnce() -> Result<A, E>,
        progress: impl FnOnce(&A) -> (&Answer, u64),
    ) -> Result<A, SearchError> {
        if let Some(end) = self.ended.get() {
            return Err(end.clone());
        }
        let answer = ask().map_err(|error| {
            let failed = SearchError::Failed { eta, seed, source: Cause::new(error) };
            self.ended.get_or_init(|| failed).clone()
        })?;
        let (verdict, steps) = progress(&answer);
        if (self.observer)(&Progress { seed, eta, verdict, steps }).is_break() {
            self.ended.get_or_init(|| SearchError::Cancelled);
        }
        Ok(answer)
    }
}
