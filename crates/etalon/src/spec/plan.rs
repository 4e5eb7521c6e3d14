//! How a spec trains and measures.

use super::Spec;
use crate::curvature::{CurvatureSettings, Instrument};
use crate::error::Error;
use crate::train::{Anneal, BatchSize, Budget, Plan, Task, factors};
use etalon_nn::Scalar;

impl Spec {
    /// How it trains, without a goal.
    ///
    /// # Errors
    /// When the spec's numbers do not fit the task.
    pub fn plan<T: Scalar>(&self, task: &Task<T>) -> Result<Plan, Error> {
        let batch = self.train.batch.of(task.train.len)?;
        Ok(Plan { batch, ..self.plan_to_measure(task)? })
    }

    /// As [`Spec::plan`], for what takes no steps: there a batch may be larger than the set.
    pub(super) fn plan_to_measure<T: Scalar>(&self, task: &Task<T>) -> Result<Plan, Error> {
        let samples = task.train.len;
        let optimizer = &self.optimizer;
        Ok(Plan {
            optimizer: optimizer.rule(),
            weight_decay: optimizer.weight_decay,
            factors: factors(task.network.layout(), optimizer.input_factor, &optimizer.factors)?,
            schedule: self.schedule.schedule()?,
            anneal: self.schedule.anneal_below.map(|below| Anneal { below, factor: self.schedule.factor }),
            noise: self.noise.noise(),
            conversion: self.schedule.conversion,
            budget: self.train.budget,
            batch: self.train.batch.of(samples).unwrap_or(samples),
            check_every: self.train.check_every,
            check_samples: self.train.check_samples.min(samples),
            limit: self.train.limit,
            goal: None,
            follow_test: self.train.check_test,
            test_steps: self.train.test_steps.clone(),
            learnt: self.measure.learnt,
            motion: self.measure.weights,
        })
    }

    /// How it measures curvature.
    pub fn curvature_settings(&self) -> CurvatureSettings {
        CurvatureSettings {
            samples: self.measure.samples,
            tolerance: self.measure.tolerance,
            iterations: self.measure.iterations,
            top: self.measure.top,
            seed: self.seed,
        }
    }

    /// What measures its curvature. With `parallel` it runs on rayon's threads; the bits are the same without.
    ///
    /// # Errors
    /// When the spec names a factor for a segment that the network has not.
    pub fn instrument<'a, T: Scalar>(
        &self,
        task: &'a Task<T>,
        parallel: bool,
    ) -> Result<Instrument<'a, T>, Error> {
        Ok(Instrument::new(task, &self.plan_to_measure(task)?, &self.curvature_settings(), parallel))
    }

    /// What a trial costs, but for a factor that is the same for specs that differ in size alone: products with the hidden
    /// layers' weights, for every sample of every step. A trial that ends early costs less.
    pub(crate) fn cost(&self) -> f64 {
        let (network, samples) = (&self.network, self.data.train.max(1) as f64);
        let weights = ((network.width * network.widen) as f64).powi(2) * network.depth.max(1) as f64;
        let batch = match self.train.batch {
            BatchSize::Full => samples,
            BatchSize::Samples(batch) => batch as f64,
        };
        let steps = match self.train.budget {
            Budget::Steps(steps) => steps as f64,
            Budget::Epochs(epochs) => epochs * samples / batch,
            Budget::PhysicalTime(time) => time / self.optimizer.eta,
        };
        weights * batch * steps
    }
}
