//! A trial under way.

mod course;

pub(crate) use course::Checkpoint;

use super::metrics::{Gauge, constant_predictor};
use super::noise;
use super::rescaling::{Point, Rescaling};
use super::{
    Annealed, Goal, Groups, Learning, Metric, Metrics, Plan, PlanError, Stop, Task, Trajectory, gather,
};
use crate::data::BatchOrder;
use etalon_nn::optim::{Buffers, Optimizer, step};
use etalon_nn::{Batch, Loss, Scalar, Workspace};
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// About how many steps of a long trial are recorded; the first tenth of the number is recorded step by step, for
/// that is where a catapult happens.
const RECORDS: u64 = 1000;

/// One trial under way: everything it touches, so that a step allocates nothing.
#[derive(Debug)]
pub struct Trial<'a, T: Clone> {
    task: &'a Task<T>,
    plan: &'a Plan,
    eta: f64,
    seed: u64,
    total: u64,
    /// The step it ends at: the last of all, unless it was to end before.
    end: u64,
    /// Ends it where it is, once raised.
    interrupted: Option<&'a AtomicBool>,
    step: u64,
    parameters: Vec<T>,
    running: Vec<T>,
    memory: Buffers<T>,
    rescaling: Rescaling,
    workspace: Workspace<T>,
    order: BatchOrder,
    inputs: Vec<T>,
    targets: Vec<T>,
    noise: Vec<T>,
    train: Gauge<'a, T>,
    test: Gauge<'a, T>,
    /// With patches: the held-out set in the shares of the training set, and its patches alone.
    mixed: Option<[Gauge<'a, T>; 2]>,
    learning: Option<Learning>,
    annealed: Option<Annealed>,
    constant_loss: f64,
    /// The loss above which it has diverged; known after the first step.
    limit: f64,
    /// Whether samples can be told apart at all: identical inputs have identical outputs in every state.
    can_die: bool,
    parallel: bool,
    /// Whether all that is asked is why it ends: looks then tell no more than that.
    brief: bool,
}

/// The most bytes that a trial takes, its task not counted.
pub(crate) fn trial_bytes<T: Scalar>(Task { network, test, patches, .. }: &Task<T>, plan: &Plan) -> u64 {
    // With patches, held-out samples are looked at in three ways, and training samples in a copy.
    let (looks, copies) = match patches {
        None => (1, 0),
        Some(_) => (3, 2 * test.inputs.len() + plan.check_samples * network.input_len()),
    };
    let numbers = copies + plan.numbers_per_parameter() * network.parameters();
    let held_out = Workspace::<T>::bytes_for_outputs(network, test.len).saturating_mul(looks);
    [
        Workspace::<T>::bytes_for_outputs(network, plan.check_samples),
        held_out,
        (numbers * size_of::<T>()) as u64,
    ]
    .into_iter()
    .fold(Workspace::<T>::bytes(network, plan.batch), u64::saturating_add)
}

/// Metrics that were taken at one state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Evaluation {
    train: Metrics,
    test: Option<Metrics>,
    groups: Option<Groups>,
}

/// What an observer sees before each update, and once after the last.
#[derive(Debug)]
pub struct State<'a, T> {
    /// How many updates were done.
    pub step: u64,
    /// Whether no update follows.
    pub last: bool,
    /// Whether the trial has ended by leaving its limit or the numbers.
    pub diverged: bool,
    /// The parameters before the next update, cut by [`etalon_nn::Network::layout`].
    pub parameters: &'a [T],
    /// The running statistics of batch normalisation, cut by [`etalon_nn::Network::state_layout`].
    pub running: &'a [T],
    /// What the optimiser remembers.
    pub memory: &'a Buffers<T>,
}

impl<'a, T: Scalar> Trial<'a, T> {
    /// A fresh network, before its first step. With `parallel`, large batches run on rayon's threads; the bits are the
    /// same without.
    ///
    /// # Errors
    /// When the plan makes no number of steps that can be done.
    pub fn new(
        task: &'a Task<T>,
        plan: &'a Plan,
        eta: f64,
        seed: u64,
        parallel: bool,
    ) -> Result<Self, PlanError> {
        let parameters = task.network.layout().initialise(seed);
        Self::from_parameters(task, plan, eta, seed, parameters, parallel)
    }

    /// As [`Trial::new`] from given parameters.
    ///
    /// # Errors
    /// As [`Trial::new`].
    pub fn from_parameters(
        task: &'a Task<T>,
        plan: &'a Plan,
        eta: f64,
        seed: u64,
        parameters: Vec<T>,
        parallel: bool,
    ) -> Result<Self, PlanError> {
        let running = task.network.state_layout().initialise(seed);
        Self::from_checkpoint(task, plan, eta, seed, [parameters, running], parallel)
    }

    /// As [`Trial::new`] from given parameters and running statistics.
    ///
    /// # Errors
    /// As [`Trial::new`].
    pub fn from_checkpoint(
        task: &'a Task<T>,
        plan: &'a Plan,
        eta: f64,
        seed: u64,
        [parameters, running]: [Vec<T>; 2],
        parallel: bool,
    ) -> Result<Self, PlanError> {
        let (network, samples, batch) = (&task.network, task.train.len, plan.batch);
        let total = plan.steps(eta, samples)?;
        let rescaling = Rescaling::new(plan, network, eta, total)?;
        let gathered = if batch == samples && !task.is_varied() { 0 } else { batch };
        let train = Gauge::of_training(task, plan.check_samples, parallel);
        Ok(Trial {
            task,
            plan,
            eta,
            seed,
            total,
            end: total,
            interrupted: None,
            step: 0,
            memory: Buffers::new(&plan.optimizer, parameters.len()),
            parameters,
            running,
            rescaling,
            workspace: Workspace::new(network, batch, parallel),
            order: BatchOrder::new(seed, samples, batch).map_err(|_| PlanError::Batch { batch, samples })?,
            inputs: vec![T::ZERO; gathered * network.input_len()],
            targets: vec![T::ZERO; gathered * network.output_len()],
            noise: vec![T::ZERO; plan.noise.map_or(0, |_| network.noise_len())],
            can_die: train.can_tell(),
            train,
            test: Gauge::new(task, task.test.batch(), parallel),
            mixed: task.patches.as_ref().map(|patches| {
                let targets = &task.test.targets;
                [&patches.mixed, &patches.only]
                    .map(|inputs| Gauge::new(task, Batch { inputs, targets }, parallel))
            }),
            learning: task.patches.as_ref().map(|_| Learning::new(plan.learnt)),
            annealed: plan.anneal.map(Annealed::not_yet),
            constant_loss: constant_predictor(task.loss, &task.train),
            limit: f64::INFINITY,
            parallel,
            brief: false,
        })
    }

    /// The parameters as they are now, cut by [`etalon_nn::Network::layout`].
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// Whether each segment of the parameters is kept within the numbers, because its scale does not matter.
    pub fn scaled(&self) -> &[bool] {
        self.rescaling.scaled()
    }

    /// The natural logarithm of what the parameters of those segments have been divided by.
    pub fn log_taken(&self) -> f64 {
        self.rescaling.log_taken()
    }

    /// The same trial, ended after so many steps: those that the longer one begins with.
    pub fn ending(mut self, steps: u64) -> Self {
        self.end = steps.min(self.total);
        self
    }

    /// The same trial, ended before its next step once the flag is raised. What comes of it is then not that of the trial.
    pub(crate) fn until(mut self, flag: &'a AtomicBool) -> Self {
        self.interrupted = Some(flag);
        self
    }

    /// How many steps it has.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether every step sees the whole training set, unchanged.
    pub(crate) fn is_full_batch(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The step at which the last steps of the schedule begin, if it has any: there a trial without them would be at its end,
    /// in the same state to the bit, so that one trial tells of both.
    pub(crate) fn turn(&self) -> Option<u64> {
        self.plan.schedule.last_begin(self.total)
    }

    /// Samples a step; none where every step sees the whole training set, unchanged.
    pub fn batch(&self) -> Option<usize> {
        (!self.is_full_batch()).then_some(self.plan.batch)
    }

    /// Whether the loss of a step is that of evaluation on its samples: no statistics of a batch, and neither noise nor
    /// augmentation. (With patches both see images with the same shares of them.)
    pub fn is_plain(&self) -> bool {
        !self.task.network.is_coupled() && self.plan.noise.is_none() && self.task.augmentation.is_none()
    }

    /// The loss that is trained on.
    pub fn loss(&self) -> Loss {
        self.task.loss
    }

    /// How it trains: optimiser, schedule, batches and budget.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The rate of the next step.
    fn rate(&self) -> f64 {
        let rate = self.plan.schedule.rate(self.eta, self.step, self.total);
        // Multiplied by 1, it stays as it was typed.
        rate * self.anneal_factor()
    }

    /// The natural logarithm of the rate of the next step.
    fn log_rate(&self) -> f64 {
        self.plan.schedule.log_rate(self.eta, self.step, self.total) + self.anneal_factor().ln()
    }

    /// What the schedule's rate is multiplied by, once the training loss was low enough.
    fn anneal_factor(&self) -> f64 {
        self.annealed.filter(|annealed| annealed.step.is_some()).map_or(1.0, |annealed| annealed.factor)
    }

    /// The natural logarithm of the next step's rate for a segment, apart from what has been taken out; not a number where
    /// the rate is not that of the gradient itself.
    fn log_rate_of(&self, segment: usize) -> f64 {
        if self.plan.optimizer.preconditions() {
            return f64::NAN;
        }
        let plain = self.log_rate();
        let scaled = self.rescaling.scaled()[segment];
        let rate = if scaled { self.rescaling.log_rate(self.step, plain) } else { plain };
        rate + self.plan.factors[segment].ln()
    }

    /// Computes the loss and the gradient of the next batch.
    fn differentiate(&mut self) -> f64 {
        let (network, loss) = (&self.task.network, self.task.loss);
        let annealed = self.annealed.is_some_and(|annealed| annealed.step.is_some());
        let level = self.plan.noise.map_or(0.0, |noise| noise.level_at(self.step, annealed));
        if level > 0.0 {
            noise::draw(self.seed, self.step, level, &mut self.noise);
        }
        let noise = if level > 0.0 { &self.noise[..] } else { &[] };
        let batch = if self.is_full_batch() {
            self.task.train.batch()
        } else {
            let epoch = self.step / self.order.steps_per_epoch();
            let indices = self.order.indices(self.step);
            for (to, &index) in self.inputs.chunks_exact_mut(network.input_len()).zip(indices) {
                self.task.visit((self.seed, epoch, index), to);
            }
            gather(&self.task.train.targets, network.output_len(), indices, &mut self.targets);
            Batch { inputs: &self.inputs, targets: &self.targets }
        };
        network.noisy_gradient(&self.parameters, batch, noise, loss, &mut self.workspace)
    }

    /// One step: the batch's loss before the update, and why the trial is over if it is. A step that diverges makes no
    /// update.
    pub fn step(&mut self) -> (f64, Option<Stop>) {
        let log_eta = self.log_rate();
        let point = Point {
            parameters: &mut self.parameters,
            velocity: &mut self.memory.buffers[0],
            running: &mut self.running,
        };
        self.rescaling.prepare(self.step, log_eta, self.eta.ln(), point);
        let loss = self.differentiate();
        if self.step == 0 {
            self.limit = self.plan.limit * loss.max(self.constant_loss);
        }
        // So written that NaN is above every limit.
        if !(loss <= self.limit && loss.is_finite()) {
            let finite = loss.is_finite().then_some(loss);
            return (loss, Some(Stop::Diverged { step: self.step, loss: finite, limit: self.limit }));
        }
        let rates = self.rescaling.rates(self.step, (self.rate(), log_eta));
        let gradient = self.workspace.gradient();
        let rate = |segment| rates.of(segment, self.plan.factors[segment]);
        let (memory, parameters) = (&mut self.memory, &mut self.parameters);
        let rule = &self.plan.optimizer;
        step(rule, &self.task.network, rate, gradient, memory, parameters, self.parallel);
        self.task.network.track(&self.workspace, &mut self.running);
        self.rescaling.follow(self.step, &mut self.running);
        self.step += 1;
        (loss, None)
    }

    /// Takes the metrics where the plan asks for them, and judges them.
    fn check(&mut self, interrupted: bool) -> (Option<Evaluation>, Option<Stop>) {
        let last = self.step == self.end || interrupted;
        let turns = self.turn() == Some(self.step);
        if !last && !turns && !self.step.is_multiple_of(self.plan.check_every) {
            return (None, None);
        }
        let goal = self.plan.goal;
        let wants_test = goal.is_some_and(|goal| !goal.metric.is_of_training());
        let wanted = &self.plan.test_steps;
        let follows = self.plan.follow_test && (wanted.is_empty() || wanted.contains(&self.step));
        let evaluation = self.take((last || turns) && !self.brief || follows || wants_test);
        let train = evaluation.train;
        let stop = if !self.train.finite() {
            Some(Stop::NotFinite { steps: self.step })
        } else if !(train.loss <= self.limit) {
            let loss = train.loss.is_finite().then_some(train.loss);
            Some(Stop::Diverged { step: self.step, loss, limit: self.limit })
        } else if let Some(reached) = goal.and_then(|goal| reached(goal, self.step, train, evaluation.test)) {
            Some(reached)
        } else if self.can_die && self.train.constant() {
            Some(Stop::Dead { steps: self.step })
        } else {
            let (steps, total) = (self.step, self.end);
            last.then_some(if steps < total {
                Stop::Interrupted { steps, total }
            } else {
                Stop::Budget { steps }
            })
        };
        if let Some(annealed) = &mut self.annealed {
            annealed.follow(self.step, train.loss);
        }
        (Some(evaluation), stop)
    }

    /// Takes the metrics of the training samples, and with `test` those of the held-out ones.
    fn take(&mut self, test: bool) -> Evaluation {
        let (parameters, running) = (&self.parameters, &self.running);
        // A schedule may wait for the loss of all, and after the last look no batch would tell of samples that have diverged.
        let is_whole = !self.brief || self.annealed.is_some() || self.step == self.end;
        let train = match self.plan.goal.filter(|goal| goal.metric.is_of_training() && !is_whole) {
            Some(goal) => self.train.take_unless_missed(parameters, running, goal),
            None => self.train.take(parameters, running),
        };
        let held_out = test.then(|| self.test.take(parameters, running));
        let mut groups = self.train.groups();
        if let (Some(groups), Some(gauges), true) = (&mut groups, &mut self.mixed, test) {
            let [mixed, only] = gauges.each_mut().map(|gauge| gauge.take(parameters, running));
            (groups.test_mixed, groups.test_patch_only) = (Some(mixed), Some(only));
        }
        if let (Some(learning), Some(groups)) = (&mut self.learning, groups) {
            learning.follow(self.step, groups);
        }
        Evaluation { train, test: held_out, groups }
    }

    fn state(&self, last: bool, diverged: bool) -> State<'_, T> {
        let Trial { step, parameters, running, memory, .. } = self;
        State { step: *step, last, diverged, parameters, running, memory }
    }
}

/// Trains a fresh network from beginning to end, observing nothing.
///
/// # Errors
/// As [`Trial::new`].
pub fn run<T: Scalar>(
    task: &Task<T>,
    plan: &Plan,
    eta: f64,
    seed: u64,
    parallel: bool,
) -> Result<Trajectory, PlanError> {
    Ok(Trial::new(task, plan, eta, seed, parallel)?.run(&mut |_, _| {}))
}

/// The stop at the goal, if the metrics have reached it. A metric that is not a number reaches nothing.
fn reached(goal: Goal, steps: u64, train: Metrics, test: Option<Metrics>) -> Option<Stop> {
    let Goal { metric, threshold } = goal;
    let (value, is_loss) = match metric {
        Metric::TrainAccuracy => (train.accuracy?, false),
        Metric::TestAccuracy => (test?.accuracy?, false),
        Metric::TrainLoss => (train.loss, true),
        Metric::TestLoss => (test?.loss, true),
    };
    let reached = if is_loss { value <= threshold } else { value >= threshold };
    reached.then_some(Stop::Goal { steps, value, threshold })
}
