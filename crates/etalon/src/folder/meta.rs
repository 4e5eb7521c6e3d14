//! How a result came about: `meta.json`.

use etalon_nn::Cpu;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The facts of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The version of Etalon.
    pub etalon: String,
    /// The commit that it was built from, if the build knew.
    pub commit: Option<String>,
    /// The hash of `spec.toml`, where one spec ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// The seeds of its trials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// The arguments, the program's name first.
    #[serde(default)]
    pub command: Vec<String>,
    /// When it was started: RFC 3339, UTC.
    #[serde(default)]
    pub started: Option<String>,
    /// Where it ran.
    #[serde(default)]
    pub machine: Option<Machine>,
}

impl Meta {
    /// Of the running program; `commit` is that of its build.
    pub fn here(commit: Option<&str>, started: SystemTime) -> Meta {
        let command = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        Meta {
            commit: commit.map(Into::into),
            command: command.collect(),
            started: time(started),
            machine: Some(Machine::here()),
            ..Meta::default()
        }
    }

    /// The text of `meta.json`.
    pub fn to_json(&self) -> String {
        // Strings and numbers always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Default for Meta {
    /// Of this version, and nothing else is known.
    fn default() -> Self {
        Meta {
            etalon: env!("CARGO_PKG_VERSION").into(),
            commit: None,
            spec: None,
            seeds: Vec::new(),
            command: Vec::new(),
            started: None,
            machine: None,
        }
    }
}

/// RFC 3339; none before 1970 or after 9999, where a clock is wrong and the format has no years.
fn time(started: SystemTime) -> Option<String> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = started.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    (seconds < YEAR_10000).then(|| humantime::format_rfc3339_seconds(started).to_string())
}

/// What a reader of old results wants to know of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Which kernels run on it: portable, avx2 or avx512.
    pub kernels: String,
    /// Hardware threads this process may use.
    pub cores: usize,
    /// Threads it computes with.
    pub threads: usize,
    /// Main memory.
    pub memory_bytes: u64,
    /// Operating system, with its version.
    pub os: String,
}

impl Machine {
    /// Asks the system. What it does not tell is `unknown`.
    pub fn here() -> Machine {
        let wanted = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(wanted).ok();
        let cpu = system.as_ref().and_then(|system| system.cpus().first()).map(|cpu| cpu.brand().trim());
        let unknown = || "unknown".to_string();
        Machine {
            cpu: cpu.filter(|name| !name.is_empty()).map_or_else(unknown, String::from),
            kernels: Cpu::current().name().into(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            threads: rayon::current_num_threads(),
            memory_bytes: system.as_ref().map_or(0, System::total_memory),
            os: System::long_os_version().unwrap_or_else(|_| unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_clock_that_is_wrong_is_no_time() {
        let seconds = Duration::from_secs;
        assert_eq!(time(SystemTime::UNIX_EPOCH + seconds(1)).as_deref(), Some("1970-01-01T00:00:01Z"));
        assert_eq!(time(SystemTime::UNIX_EPOCH - seconds(1)), None);
        assert_eq!(time(SystemTime::UNIX_EPOCH + seconds(253_402_300_800)), None);
    }
}
