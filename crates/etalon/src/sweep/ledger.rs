//! Memory that trials share: each takes what it needs before it starts, and waits while others have it.

use crate::memory::{MemoryError, available};
use std::sync::{Condvar, Mutex, PoisonError};

/// The share of the memory free at the start that trials may take together.
const SHARE: f64 = 0.8;

/// How many bytes are taken.
pub(super) struct Ledger {
    limit: u64,
    taken: Mutex<u64>,
    given_back: Condvar,
}

/// Bytes that are given back when it is dropped.
pub(super) struct Taken<'a> {
    ledger: &'a Ledger,
    bytes: u64,
}

impl Ledger {
    /// Up to 0.8 of the memory that is free now; without limit where the system does not tell.
    pub(super) fn new() -> Ledger {
        Ledger::with_limit(available().map_or(u64::MAX, |bytes| (SHARE * bytes as f64) as u64))
    }

    fn with_limit(limit: u64) -> Ledger {
        Ledger { limit, taken: Mutex::new(0), given_back: Condvar::new() }
    }

    /// Waits until so many bytes are free, and takes them.
    ///
    /// # Errors
    /// When they never will be.
    pub(super) fn take(&self, bytes: u64) -> Result<Taken<'_>, MemoryError> {
        if bytes > self.limit {
            let advice = "take a smaller network, a smaller batch or less data";
            return Err(MemoryError {
                what: "this trial",
                needed: bytes,
                available: self.limit,
                relief: None,
                advice,
            });
        }
        // A count cannot be left half changed by a thread that panicked.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken.saturating_add(bytes) > self.limit {
            taken = self.given_back.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Ok(Taken { ledger: self, bytes })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.ledger.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.ledger.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn never_more_than_the_limit_is_taken() {
        let ledger = Ledger::with_limit(100);
        assert!(ledger.take(101).is_err());
        let (now, peak) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let taken = ledger.take(40).unwrap();
                    peak.fetch_max(now.fetch_add(40, Ordering::SeqCst) + 40, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(40, Ordering::SeqCst);
                    drop(taken);
                });
            }
        });
        assert!((40..=80).contains(&peak.into_inner()));
        assert_eq!(*ledger.taken.lock().unwrap(), 0);
    }
}
