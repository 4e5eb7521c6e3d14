//! Memory is reckoned before the work starts, and what will not fit is refused.

use crate::units::bytes;

/// A job needs more memory than there is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{what} needs about {needed}, and {available} are free; {advice}",
    needed = bytes(*needed),
    available = bytes(*available)
)]
pub struct MemoryError {
    /// What needs it.
    pub what: &'static str,
    /// Bytes.
    pub needed: u64,
    /// Bytes.
    pub available: u64,
    /// What to change.
    pub advice: &'static str,
}

/// Refuses what needs more memory than is free. Where the system does not tell, everything is let through.
///
/// # Errors
/// With the size, the limit and an alternative.
pub fn check(what: &'static str, needed: u64, advice: &'static str) -> Result<(), MemoryError> {
    match available() {
        Some(available) if needed > available => Err(MemoryError { what, needed, available, advice }),
        _ => Ok(()),
    }
}

/// The memory that this process may still take: the machine's, or its control group's if that is less.
pub(crate) fn available() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    let free = system.available_memory();
    let group = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    Some(free.min(group)).filter(|&bytes| bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_fit_is_refused_with_size_limit_and_advice() {
        check("nothing", 1, "").unwrap();
        let text = check("the network", 1 << 60, "make it smaller").unwrap_err().to_string();
        assert!(text.starts_with("the network needs about 1.15 EB, and "), "{text}");
        assert!(text.ends_with("are free; make it smaller"), "{text}");
    }
}
