//! Signals that ask a sweep or a search to stop.

use crate::context::Failure;
use crate::progress::Progress;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that Ctrl-C and SIGTERM raise, and SIGUSR1, with which cluster managers announce the end of a job's time. A
/// second Ctrl-C or SIGTERM ends the process at once.
///
/// # Errors
/// When the system refuses.
pub(crate) fn listen(progress: &Progress) -> Result<Arc<AtomicBool>, Failure> {
    listen_for(progress, "finishing the trials under way; press Ctrl-C again to drop them")
}

/// As [`listen`], with what is said at the first one.
///
/// # Errors
/// When the system refuses.
pub(crate) fn listen_for(progress: &Progress, note: &'static str) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, progress) = (stop.clone(), progress.clone());
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            // Files are written aside and renamed, so that dropping everything leaves no half of one.
            std::process::exit(130);
        }
        progress.say("note", note);
    };
    let fault = |error: &dyn std::error::Error| format!("cannot listen for Ctrl-C: {error}");
    ctrlc::set_handler(handler).map_err(|error| fault(&error))?;
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, stop.clone()).map_err(|error| fault(&error))?;
    Ok(stop)
}
