//! What a measurement costs: time, and work that other programs on the machine do not lengthen.

use std::time::Instant;

/// What something took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds by the clock on the wall.
    pub(crate) seconds: f64,
    /// Seconds of computing, of all threads of this process together; none where the system does not tell.
    pub(crate) cpu_seconds: Option<f64>,
}

/// Where a measurement began.
pub(crate) struct Began {
    at: Instant,
    cpu_seconds: Option<f64>,
}

impl Began {
    /// Here and now.
    pub(crate) fn now() -> Began {
        Began { at: Instant::now(), cpu_seconds: computed() }
    }

    /// What has been spent since.
    pub(crate) fn cost(&self) -> Cost {
        let cpu_seconds = computed().zip(self.cpu_seconds).map(|(now, then)| now - then);
        Cost { seconds: self.at.elapsed().as_secs_f64(), cpu_seconds }
    }
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        let cpu_seconds = self.cpu_seconds.zip(other.cpu_seconds).map(|(a, b)| a + b);
        Cost { seconds: self.seconds + other.seconds, cpu_seconds }
    }
}

/// The seconds that this process has computed for, all its threads together.
#[cfg(unix)]
fn computed() -> Option<f64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64)
}

#[cfg(not(unix))]
fn computed() -> Option<f64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_work_of_every_thread_counts_and_waiting_does_not() {
        let began = Began::now();
        let work = || {
            let own = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            while own().tv_sec == 0 && own().tv_nsec < 20_000_000 {}
        };
        std::thread::scope(|scope| {
            [scope.spawn(work), scope.spawn(work)].map(|thread| thread.join().unwrap())
        });
        // Other tests compute in this process as well: there is no upper end.
        assert!(began.cost().cpu_seconds.unwrap() >= 0.04);
        let sum =
            Cost { seconds: 1.0, cpu_seconds: Some(2.0) } + Cost { seconds: 3.0, cpu_seconds: Some(4.0) };
        assert_eq!((sum.seconds, sum.cpu_seconds), (4.0, Some(6.0)));
        assert_eq!((sum + Cost { seconds: 0.0, cpu_seconds: None }).cpu_seconds, None);
    }
}
