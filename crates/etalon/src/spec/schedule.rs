//! `[schedule]`.

use super::SpecError;
use crate::schedule::{
    Conversion, FileError, Interpolation, Last, OneCycle, Piecewise, RateFile, Schedule, Shape,
};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The kind of schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says it")]
pub enum ScheduleKind {
    Constant,
    Step,
    Cosine,
    Linear,
    Exponential,
    OneCycle,
    StableDecay,
    Piecewise,
    File,
}

/// `[schedule]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct ScheduleSpec {
    pub kind: ScheduleKind,
    pub warmup: u64,
    pub milestones: Vec<u64>,
    pub factor: f64,
    pub factors: Vec<f64>,
    pub interpolation: Interpolation,
    pub end: f64,
    pub growth: f64,
    pub decay: u64,
    pub rise: f64,
    pub divisor: f64,
    pub final_divisor: f64,
    pub file: String,
    pub sha256: String,
    pub anneal_below: Option<f64>,
    pub last_steps: u64,
    pub last_eta: f64,
    /// None: weight decay and schedule as they are written.
    pub conversion: Option<Conversion>,
}

impl Default for ScheduleSpec {
    fn default() -> Self {
        ScheduleSpec {
            kind: ScheduleKind::Constant,
            warmup: 0,
            milestones: Vec::new(),
            factor: 0.1,
            factors: Vec::new(),
            interpolation: Interpolation::Constant,
            end: 0.0,
            growth: 1.0,
            decay: 0,
            rise: 0.3,
            divisor: 25.0,
            final_divisor: 1e4,
            file: String::new(),
            sha256: String::new(),
            anneal_below: None,
            last_steps: 0,
            last_eta: 1e-3,
            conversion: None,
        }
    }
}

impl ScheduleSpec {
    /// The schedule.
    ///
    /// # Errors
    /// When its file cannot be read; other faults are found when the spec is read.
    pub fn schedule(&self) -> Result<Schedule, FileError> {
        let shape = match self.kind {
            ScheduleKind::Constant => Shape::Constant,
            ScheduleKind::Step => Shape::Step { milestones: self.milestones.clone(), factor: self.factor },
            ScheduleKind::Cosine => Shape::Cosine { end: self.end },
            ScheduleKind::Linear => Shape::Linear { end: self.end },
            ScheduleKind::Exponential => Shape::Exponential { growth: self.growth },
            ScheduleKind::OneCycle => Shape::OneCycle(OneCycle {
                rise: self.rise,
                divisor: self.divisor,
                final_divisor: self.final_divisor,
            }),
            ScheduleKind::StableDecay => Shape::StableDecay { decay: self.decay, end: self.end },
            ScheduleKind::Piecewise => Shape::Piecewise(Piecewise {
                steps: self.milestones.clone(),
                log_factors: self.factors.iter().map(|factor| factor.ln()).collect(),
                interpolation: self.interpolation,
            }),
            ScheduleKind::File => Shape::Piecewise(self.rates()?.shape),
        };
        let last = (self.last_steps > 0).then_some(Last { steps: self.last_steps, eta: self.last_eta });
        Ok(Schedule { warmup: self.warmup, shape, last })
    }

    /// What is in the file, if it is still the one that the spec names.
    fn rates(&self) -> Result<RateFile, FileError> {
        let path = Path::new(&self.file);
        let rates = RateFile::load(path)?;
        match self.checksum()? {
            found if self.sha256.is_empty() || found == self.sha256 => Ok(rates),
            found => Err(FileError::Changed { path: path.into(), expected: self.sha256.clone(), found }),
        }
    }

    fn checksum(&self) -> Result<String, FileError> {
        let path = Path::new(&self.file);
        let bytes = std::fs::read(path).map_err(|source| FileError::Read { path: path.into(), source })?;
        Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Fixes what is in the file, so that a trial's name stands for it; the rate in whose units the file is kept, where
    /// there is a file.
    ///
    /// # Errors
    /// When it cannot be read, is no schedule, or is not the one that `sha256` names.
    pub(super) fn resolve(&mut self) -> Result<Option<f64>, SpecError> {
        if self.kind != ScheduleKind::File {
            return Ok(None);
        }
        let fault = |error: FileError| SpecError::plain(format!("`schedule.file`: {error}"), "");
        let rates = self.rates().map_err(fault)?;
        if self.sha256.is_empty() {
            self.sha256 = self.checksum().map_err(fault)?;
        }
        Ok(Some(rates.log_unit.exp()))
    }

    pub(super) fn check_warmup(&self) -> Result<(), String> {
        if self.kind == ScheduleKind::OneCycle && self.warmup > 0 {
            return Err("must be 0 with schedule.kind = \"one_cycle\", whose rate rises by itself".into());
        }
        Ok(())
    }

    pub(super) fn check_file(&self) -> Result<(), String> {
        if self.kind == ScheduleKind::File || self.file.is_empty() {
            return Ok(());
        }
        Err("is read by schedule.kind = \"file\" alone; set that, or leave the file out".into())
    }

    pub(super) fn check_anneal(&self) -> Result<(), String> {
        let Some(below) = self.anneal_below else { return Ok(()) };
        if !(below > 0.0 && below.is_finite()) {
            return Err(format!("is {below}; a loss to fall to is a finite number above 0"));
        }
        if self.kind != ScheduleKind::Constant || self.conversion.is_some() || self.last_steps > 0 {
            return Err(
                "lowers a rate that is constant until then; use schedule.kind = \"constant\", without a conversion and \
                 without schedule.last_steps"
                    .into(),
            );
        }
        Ok(())
    }

    pub(super) fn check_factors(&self) -> Result<(), String> {
        if self.kind != ScheduleKind::Piecewise {
            return Ok(());
        }
        if self.factors.len() != self.milestones.len() || self.factors.is_empty() {
            return Err(format!(
                "has {} numbers and schedule.milestones {}; kind = \"piecewise\" takes as many, and at least one",
                self.factors.len(),
                self.milestones.len()
            ));
        }
        match self.factors.iter().find(|factor| !(0.0..f64::INFINITY).contains(*factor)) {
            Some(factor) => Err(format!("has {factor}; a factor is a finite number from 0 on")),
            None => Ok(()),
        }
    }
}
