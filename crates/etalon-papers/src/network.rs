//! Networks that claims train.

use crate::experiment::ClaimError;
use etalon::Error;
use etalon::curvature::Instrument;
use etalon::phase::{Observed, Phase, observe};
use etalon::spec::Spec;
use etalon::theory::{Range, first_change};
use etalon::train::{Budget, Plan, Task, Trajectory, Trial};
use etalon_nn::Scalar;

/// A network and its data.
pub(crate) struct Subject<T> {
    pub(crate) spec: Spec,
    pub(crate) task: Task<T>,
    pub(crate) plan: Plan,
}

/// Where it starts.
pub(crate) struct Start<T> {
    pub(crate) seed: u64,
    pub(crate) parameters: Vec<T>,
    /// The largest eigenvalue of the NTK there.
    pub(crate) lambda: f64,
}

impl<T: Scalar> Subject<T> {
    /// That of the text of a spec.
    pub(crate) fn new(text: &str) -> Result<Self, ClaimError> {
        let spec = Spec::parse(text).map_err(Error::from)?;
        let task = spec.task().map_err(Error::from)?;
        let plan = spec.plan(&task)?;
        Ok(Subject { spec, task, plan })
    }

    pub(crate) fn instrument(&self) -> Result<Instrument<'_, T>, ClaimError> {
        Ok(self.spec.instrument(&self.task, false)?)
    }

    /// The largest eigenvalue of the NTK.
    pub(crate) fn ntk(&self, parameters: &[T]) -> Result<f64, ClaimError> {
        let spectrum = self.instrument()?.at(parameters).ntk().map_err(Error::from)?;
        Ok(spectrum.largest.first().map_or(f64::NAN, |top| top.value))
    }

    pub(crate) fn start(&self, seed: u64) -> Result<Start<T>, ClaimError> {
        let parameters: Vec<T> = self.task.network.layout().initialise(seed);
        let lambda = self.ntk(&parameters)?;
        Ok(Start { seed, parameters, lambda })
    }

    /// The plan with a budget of so much `c t`, the number of steps times `eta lambda_0`.
    pub(crate) fn lasting(&self, time: f64, start: &Start<T>) -> Plan {
        Plan { budget: Budget::PhysicalTime(time / start.lambda), ..self.plan.clone() }
    }

    fn trial<'a>(&'a self, plan: &'a Plan, start: &Start<T>, c: f64) -> Result<Trial<'a, T>, ClaimError> {
        let (eta, parameters) = (c / start.lambda, start.parameters.clone());
        let trial = Trial::from_parameters(&self.task, plan, eta, start.seed, parameters, false);
        Ok(trial.map_err(Error::from)?)
    }

    /// Trains at `c / lambda_0`, measuring curvature at both ends and every so many steps (0: not between).
    pub(crate) fn observe(
        &self,
        plan: &Plan,
        start: &Start<T>,
        c: f64,
        every: u64,
    ) -> Result<Observed<T>, ClaimError> {
        Ok(observe(self.trial(plan, start, c)?, &self.instrument()?, every, &mut |_, _| {}))
    }

    /// Trains at `c / lambda_0`.
    pub(crate) fn train(&self, start: &Start<T>, c: f64) -> Result<Trajectory, ClaimError> {
        Ok(self.trial(&self.plan, start, c)?.run(&mut |_, _| {}))
    }

    /// The lowest `c` in a range at which an answer about the trajectory changes.
    pub(crate) fn change(
        &self,
        start: &Start<T>,
        range: &Range,
        ask: impl Fn(&Trajectory) -> bool,
    ) -> Result<f64, ClaimError> {
        let found = first_change(range, |c| Ok::<bool, Wrapped>(ask(&self.train(start, c)?)));
        Ok(found.map_err(|Wrapped(error)| *error)?.middle())
    }
}

/// `first_change` wants an error that a model's can be.
struct Wrapped(Box<ClaimError>);

impl From<ClaimError> for Wrapped {
    fn from(error: ClaimError) -> Self {
        Wrapped(Box::new(error))
    }
}

impl From<etalon::theory::TheoryError> for Wrapped {
    fn from(error: etalon::theory::TheoryError) -> Self {
        ClaimError::Job(error.into()).into()
    }
}

/// Whether a trajectory ended better than every predictor that ignores its input: "not a NaN" is not trained.
pub(crate) fn trained(trajectory: &Trajectory) -> bool {
    trajectory.train.loss < 0.9 * trajectory.constant_loss
}

/// Whether the loss rose from one step to the next, by more than rounding. A loss that is no number has risen.
pub(crate) fn rises(trajectory: &Trajectory) -> bool {
    let [steps @ .., _] = &trajectory.records[..] else { return false };
    let losses: Vec<f64> = steps.iter().map(|record| record.loss.unwrap_or(f64::NAN)).collect();
    trajectory.stop.diverged() || losses.windows(2).any(|pair| !(pair[1] <= 1.001 * pair[0]))
}

/// Whether training went through and settled.
pub(crate) fn settled(phase: Phase) -> bool {
    matches!(phase, Phase::Lazy | Phase::Catapult)
}
