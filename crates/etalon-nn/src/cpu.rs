//! Which instruction set the kernels use. Paths round products and convolutions differently: only on the same path are
//! results the same to the bit.

use std::sync::OnceLock;

/// An instruction set that the kernels have a path for. Chosen once, when the program first asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cpu {
    /// Plain Rust; runs everywhere.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512F.
    Avx512,
}

/// What is wrong with the value of `ETALON_CPU`.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CpuError {
    /// The name is none of the three.
    #[error("ETALON_CPU is `{0}`; it takes portable, avx2 or avx512 (unset it to let Etalon choose)")]
    Unknown(String),
    /// The machine lacks the instructions that were asked for.
    #[error("ETALON_CPU asks for {0}, which this machine does not have; the best it has is {1}")]
    Missing(&'static str, &'static str),
}

impl Cpu {
    /// The paths this machine can run, the portable one first, the fastest last.
    pub fn available() -> &'static [Cpu] {
        let best = Self::best();
        let all = &[Cpu::Portable, Cpu::Avx2, Cpu::Avx512];
        &all[..=best as usize]
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Cpu::Portable => "portable",
            Cpu::Avx2 => "avx2",
            Cpu::Avx512 => "avx512",
        }
    }

    /// The path to use: the one `ETALON_CPU` names, or else the fastest that this machine has.
    ///
    /// # Errors
    /// When `ETALON_CPU` names no path, or one that this machine lacks.
    pub fn from_environment() -> Result<Cpu, CpuError> {
        let Some(name) = std::env::var_os("ETALON_CPU").filter(|name| !name.is_empty()) else {
            return Ok(Self::best());
        };
        let name = name.to_string_lossy().into_owned();
        let asked = [Cpu::Portable, Cpu::Avx2, Cpu::Avx512].into_iter().find(|cpu| cpu.name() == name);
        let asked = asked.ok_or(CpuError::Unknown(name))?;
        if asked > Self::best() {
            return Err(CpuError::Missing(asked.name(), Self::best().name()));
        }
        Ok(asked)
    }

    /// As [`Cpu::from_environment`], asked once; a wrong `ETALON_CPU` counts as unset. A program checks it
    /// at its start with [`Cpu::from_environment`].
    pub fn current() -> Cpu {
        static CURRENT: OnceLock<Cpu> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::from_environment().unwrap_or_else(|_| Self::best()))
    }

    fn best() -> Cpu {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            if avx2 && avx512 {
                return Cpu::Avx512;
            }
            if avx2 {
                return Cpu::Avx2;
            }
        }
        Cpu::Portable
    }
}
