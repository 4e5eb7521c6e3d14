//! Trials of a network, as searches ask for them.

use super::JobError;
use super::starts::Starts;
use crate::schedule::Schedule;
use crate::search::{Ahead, Answer, Length, Measure, Outcome, Probe, Question, Trained, Training};
use crate::train::{Metric, Plan, Scores, State, Stop, Task, Trajectory, Trial, majority, test_part};
use crate::units::significant;
use etalon_nn::Scalar;
use etalon_nn::optim::{Rule, Sgd};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Of the steps of a training, the share at its end over which its metrics are averaged: the noise of single looks is most
/// of what a choice would otherwise follow.
const TAIL: f64 = 0.2;
/// Looks at the held-out samples in that time, at most and at least.
const LOOKS: [f64; 2] = [2.0, 8.0];
/// What all of them may cost, in gradients.
const COST: f64 = 0.1;

/// What became of trials made earlier, so that a search that was interrupted makes none of them twice.
pub trait Memory: Sync {
    /// The outcome of a probe, if it was kept.
    fn recall(&self, eta: f64, seed: u64) -> Option<Outcome>;

    /// Keeps an outcome.
    fn keep(&self, eta: f64, seed: u64, outcome: &Outcome);

    /// What came of a training, if it was kept.
    fn recall_training(&self, question: &Question) -> Option<Trained>;

    /// Keeps what came of a training.
    fn keep_training(&self, question: &Question, trained: &Trained);
}

/// The memory that keeps nothing.
pub(crate) struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _: f64, _: u64) -> Option<Outcome> {
        None
    }

    fn keep(&self, _: f64, _: u64, _: &Outcome) {}

    fn recall_training(&self, _: &Question) -> Option<Trained> {
        None
    }

    fn keep_training(&self, _: &Question, _: &Trained) {}
}

/// Trials as searches ask for them.
pub(super) struct Trials<'a, T> {
    pub(super) task: &'a Task<T>,
    /// With the rate constant, and the early stop at the goal: a probe's.
    pub(super) plan: Plan,
    /// As the user trains.
    pub(super) full: &'a Plan,
    /// How long a short training is, as a share of the budget.
    pub(super) share: f64,
    /// By which metric eta* is judged.
    pub(super) metric: Metric,
    pub(super) starts: &'a Starts<'a, T>,
    pub(super) memory: &'a dyn Memory,
    pub(super) going: Going<'a>,
}

/// Whether a search goes on.
#[derive(Clone, Copy)]
pub(super) struct Going<'a> {
    /// Asks whoever listens, and raises the flag if not.
    pub(super) ask: &'a (dyn Fn() -> ControlFlow<()> + Sync),
    pub(super) stopped: &'a AtomicBool,
}

impl Going<'_> {
    /// Asks at every 16th step; who is asked raises the flag.
    pub(super) fn at(&self, step: u64) {
        if step.is_multiple_of(16) {
            let _ = (self.ask)();
        }
    }

    /// What came of a trial, unless it was stopped.
    pub(super) fn unless_stopped<A>(&self, answer: A) -> Result<A, Interrupted> {
        if self.stopped.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(answer) }
    }
}

/// A trial was stopped in its middle.
#[derive(Debug, thiserror::Error)]
#[error("it was interrupted")]
pub(super) struct Interrupted;

impl<T: Scalar> Trials<'_, T> {
    /// What so many steps at a rate are of the budget.
    pub(super) fn budgets(&self, eta: f64, steps: u64) -> f64 {
        self.full.steps(eta, self.task.train.len).map_or(0.0, |total| steps as f64 / total as f64)
    }

    /// What short trainings at about this rate do not see of whole ones.
    pub(super) fn ahead(&self, eta: f64) -> Ahead {
        let Plan { schedule, optimizer, weight_decay, conversion, .. } = self.full;
        // Momentum passes a step on 1 / (1 - momentum) times.
        let kept = if let Rule::Sgd(Sgd { momentum, .. }) = optimizer { 1.0 - momentum } else { 1.0 };
        match self.full.steps(eta, self.task.train.len) {
            Ok(total) if conversion.is_none() => ahead(schedule, eta, total, self.share, weight_decay / kept),
            _ => Ahead::NOTHING,
        }
    }

    /// On one thread: searches run their trials side by side.
    fn trial<'b>(&'b self, plan: &'b Plan, eta: f64, seed: u64) -> Result<Trial<'b, T>, JobError> {
        Ok(Trial::from_checkpoint(self.task, plan, eta, seed, self.starts.of(seed)?, false)?)
    }

    fn trained(&self, &Question { eta, seed, length }: &Question) -> Trained {
        // Divergence shows in the losses of batches; looks are for the end, or for a schedule that waits for one.
        let check_every = if self.full.anneal.is_some() { self.full.check_every } else { u64::MAX };
        let plan = Plan { goal: None, follow_test: false, motion: false, check_every, ..self.full.clone() };
        let task = self.task;
        let trial = match self.trial(&plan, eta, seed) {
            Ok(trial) => trial,
            Err(reason) => return never(&reason.to_string()),
        };
        let total = trial.total();
        let end = match length {
            Length::Short => short(&plan.schedule, eta, total, self.share),
            Length::Full => total,
        };
        let from = end - ((end as f64 * TAIL).ceil() as u64).clamp(1, end);
        let mut scores = (length == Length::Full).then(|| Scores::new(task));
        let room = COST * 3.0 * end as f64 * plan.batch as f64 / task.test.len as f64;
        let every = ((end - from) / (room.clamp(LOOKS[0], LOOKS[1]) as u64 - 1)).max(1);
        let trajectory = trial.ending(end).until(self.going.stopped).run(&mut |state: State<T>, _| {
            self.going.at(state.step);
            let is_look = state.last || state.step >= from && (end - state.step).is_multiple_of(every);
            if let Some(scores) = scores.as_mut().filter(|_| is_look && !state.diverged) {
                scores.look(state.parameters, state.running);
            }
        });
        let tail = trajectory.records.iter().filter(|record| record.step >= from);
        let losses: Vec<f64> = tail.filter_map(|record| record.loss).collect();
        let loss = mean(&losses);
        let failure = match &trajectory.stop {
            // The first batch has its own luck, which a rate that hardly moves does not make up for.
            Stop::Budget { .. } if loss > 1.25 * trajectory.first_loss.max(trajectory.constant_loss) => {
                Some(format!(
                    "the training loss ended at {}, far above the {} it began with",
                    significant(loss, 3),
                    significant(trajectory.first_loss, 3)
                ))
            }
            Stop::Budget { .. } | Stop::Interrupted { .. } => None,
            stop => Some(stop.to_string()),
        };
        let survived = scores.filter(|_| failure.is_none());
        let validation = survived.as_ref().map(Scores::validation).unwrap_or_default();
        let test = survived.as_ref().map(Scores::test).unwrap_or_default();
        Trained {
            reached: self.reached(&trajectory),
            loss,
            validation: mean(&validation),
            test: mean(&test),
            samples: validation.iter().map(|&score| score as f32).collect(),
            failure,
            steps: trajectory.steps,
            budgets: trajectory.steps as f64 / total as f64,
        }
    }

    fn reached(&self, Trajectory { train, test, .. }: &Trajectory) -> f64 {
        match self.metric {
            Metric::TrainAccuracy => train.accuracy.unwrap_or(f64::NAN),
            Metric::TestAccuracy => test.accuracy.unwrap_or(f64::NAN),
            Metric::TrainLoss => train.loss,
            Metric::TestLoss => test.loss,
        }
    }
}

/// What came of a training that could not begin.
fn never(reason: &str) -> Trained {
    let nan = f64::NAN;
    Trained {
        failure: Some(reason.into()),
        loss: nan,
        reached: nan,
        validation: nan,
        test: nan,
        samples: Vec::new(),
        steps: 0,
        budgets: 0.0,
    }
}

/// Not a number, of none.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How many steps a short training has: a share of all, after the schedule has reached its highest rate, so that it sees
/// what the rate does. A schedule that grows for more than half of the budget is followed to there.
fn short(schedule: &Schedule, eta: f64, total: u64, share: f64) -> u64 {
    let half = total / 2;
    let step = (half / 1000).max(1) as usize;
    let rates = || (0..=half).step_by(step).map(|at| (at, schedule.log_rate(eta, at, total)));
    let highest = rates().map(|(_, rate)| rate).fold(f64::NEG_INFINITY, f64::max);
    let peak = rates().find(|&(_, rate)| rate >= highest - 0.01).map_or(0, |(at, _)| at);
    (peak + (share * total as f64).ceil() as u64).clamp(1, total)
}

/// What the first part of a training does not see of a schedule, and of weight decay of this strength.
fn ahead(schedule: &Schedule, eta: f64, total: u64, share: f64, decay: f64) -> Ahead {
    let every = (total / 1000).max(1) as usize;
    let factors = |end: u64| (0..end).step_by(every).map(|step| schedule.rate(eta, step, total) / eta);
    let highest = factors(short(schedule, eta, total, share)).fold(0.0, f64::max);
    let mean = factors(total).sum::<f64>() / factors(total).count() as f64;
    // One that grows may outgrow all numbers.
    if highest > 0.0 && mean.is_finite() {
        Ahead { rate: mean / highest, decay: decay * total as f64 * mean }
    } else {
        Ahead::NOTHING
    }
}

impl<T: Scalar> Probe for Trials<'_, T> {
    type Error = Interrupted;

    fn probe(&self, eta: f64, seed: u64) -> Result<Outcome, Interrupted> {
        if let Some(known) = self.memory.recall(eta, seed) {
            return Ok(known);
        }
        let run = |trial: Trial<'_, T>| trial.until(self.going.stopped).stop(&mut |step| self.going.at(step));
        let outcome = match self.trial(&self.plan, eta, seed).map(run) {
            Ok((stop, steps)) => Outcome { verdict: verdict(&stop), steps },
            // A physical time that makes too many steps: the rate is too low.
            Err(_) => Outcome { verdict: Answer::TooSlow, steps: 0 },
        };
        let outcome = self.going.unless_stopped(outcome)?;
        self.memory.keep(eta, seed, &outcome);
        Ok(outcome)
    }
}

impl<T: Scalar> Training for Trials<'_, T> {
    type Error = Interrupted;

    fn train(&self, question: &Question) -> Result<Trained, Interrupted> {
        if let Some(known) = self.memory.recall_training(question) {
            return Ok(known);
        }
        let trained = self.going.unless_stopped(self.trained(question))?;
        self.memory.keep_training(question, &trained);
        Ok(trained)
    }

    fn measure(&self) -> Measure {
        let Task { test, classes, .. } = self.task;
        let is_test = test_part(test.len);
        let validation = is_test.iter().filter(|&&is_test| !is_test).count() as f64;
        let constant_loss = self.task.constant_loss();
        if !classes {
            // As of squares of normal numbers.
            let error = constant_loss * (2.0 / validation).sqrt();
            let name = "loss".into();
            return Measure { name, higher_is_better: false, chance: constant_loss, constant_loss, error };
        }
        let rows = test.targets.chunks_exact(test.targets.len() / test.len).zip(&is_test);
        let chance = majority(rows.filter(|&(_, &is_test)| !is_test).map(|(row, _)| row));
        let error = (chance * (1.0 - chance) / validation).sqrt();
        Measure { name: "accuracy".into(), higher_is_better: true, chance, constant_loss, error }
    }
}

fn verdict(stop: &Stop) -> Answer {
    match stop {
        Stop::Goal { .. } => Answer::Trained,
        Stop::Budget { .. } | Stop::Interrupted { .. } => Answer::TooSlow,
        Stop::Diverged { .. } | Stop::NotFinite { .. } | Stop::Dead { .. } | Stop::Shown { .. } => {
            Answer::TooFast(stop.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Shape;

    #[test]
    fn what_is_ahead_is_the_mean_of_the_schedule() {
        let ahead = |warmup, shape| ahead(&Schedule { warmup, shape, last: None }, 0.1, 1000, 0.1, 2e-3);
        let constant = ahead(0, Shape::Constant);
        assert!((constant.rate - 1.0).abs() < 1e-12 && (constant.decay - 2.0).abs() < 1e-12);
        let cosine = ahead(0, Shape::Cosine { end: 0.0 });
        assert!((cosine.rate - 0.5).abs() < 1e-2 && (cosine.decay - 1.0).abs() < 1e-2);
        assert!((ahead(200, Shape::Linear { end: 0.0 }).rate - 0.5).abs() < 1e-2);
        // 1.1^1000 is above 1, 10^1000 above every number.
        assert!(ahead(0, Shape::Exponential { growth: 1.1 }).rate > 1.0);
        let beyond = ahead(0, Shape::Exponential { growth: 10.0 });
        assert_eq!((beyond.rate, beyond.decay), (1.0, 0.0));
    }

    #[test]
    fn a_short_training_sees_the_highest_rate() {
        let steps = |warmup, shape| short(&Schedule { warmup, shape, last: None }, 0.1, 1000, 0.1);
        assert_eq!(steps(0, Shape::Constant), 100);
        assert_eq!(steps(0, Shape::Cosine { end: 0.0 }), 100);
        // The rate is within 1 % of its highest from the step before the warm-up ends.
        assert_eq!(steps(200, Shape::Constant), 299);
        // Growth is followed to the middle, until it is within 1 %.
        assert_eq!(steps(0, Shape::Exponential { growth: 1.1 }), 600);
        assert_eq!(short(&Schedule { warmup: 0, shape: Shape::Constant, last: None }, 0.1, 1, 0.1), 1);
    }
}
