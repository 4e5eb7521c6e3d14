//! The facts of this program and of the machine that it runs on.

use etalon_nn::Cpu;
use serde::Serialize;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The commit that the program was built from, if the build knew.
pub const COMMIT: Option<&str> = option_env!("ETALON_COMMIT");

/// What a reader of old results wants to know of the machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Which kernels run on it: portable, avx2 or avx512.
    pub kernels: &'static str,
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
            kernels: Cpu::current().name(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            threads: rayon::current_num_threads(),
            memory_bytes: system.as_ref().map_or(0, System::total_memory),
            os: System::long_os_version().unwrap_or_else(|_| unknown()),
        }
    }
}
