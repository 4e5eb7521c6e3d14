//! Trainings as searches ask for them.

use super::course::{Course, Until};
use super::runner::{Interrupted, Runner};
use crate::jobs::Memory;
use crate::search::{Length, Measure, Outcome, Probe, Question, Trained, Training};

/// The trainings of one search.
pub(super) struct Probes<'a> {
    pub(super) runner: &'a Runner<'a>,
    pub(super) memory: &'a dyn Memory,
    /// How long a short training is, as a share of a whole one.
    pub(super) share: f64,
    /// How far a probe goes.
    pub(super) until: Until,
    pub(super) total: u64,
    pub(super) measure: Measure,
}

impl Probes<'_> {
    /// Trains, and tries again as often as the trainer may.
    pub(super) fn course(&self, eta: f64, seed: u64, until: Until) -> Result<Course, Interrupted> {
        self.runner.course(eta, seed, until, self.runner.trainer.retries, &mut |_| {})
    }
}

impl Probe for Probes<'_> {
    type Error = Interrupted;

    fn probe(&self, eta: f64, seed: u64) -> Result<Outcome, Interrupted> {
        if let Some(known) = self.memory.recall(eta, seed) {
            return Ok(known);
        }
        let outcome = self.course(eta, seed, self.until)?.outcome();
        self.memory.keep(eta, seed, &outcome);
        Ok(outcome)
    }
}

impl Training for Probes<'_> {
    type Error = Interrupted;

    fn train(&self, question: &Question) -> Result<Trained, Interrupted> {
        if let Some(known) = self.memory.recall_training(question) {
            return Ok(known);
        }
        let until = match question.length {
            Length::Full => Until::End,
            Length::Short => Until::Step((self.share * self.total as f64).ceil() as u64),
        };
        let course = self.course(question.eta, question.seed, until)?;
        let trained = course.trained(self.total);
        self.memory.keep_training(question, &trained);
        Ok(trained)
    }

    fn measure(&self) -> Measure {
        self.measure.clone()
    }
}
