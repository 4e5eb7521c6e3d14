//! Networks that claims train.

use crate::experiment::{ClaimError, Experiment};
use etalon::Error;
use etalon::curvature::Instrument;
use etalon::phase::{Observed, Phase, observe};
use etalon::spec::Spec;
use etalon::theory::{Range, first_change};
use etalon::train::{Budget, Plan, Task, Trajectory, Trial};
use etalon_nn::Scalar;
use rayon::prelude::*;

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
        let spec = Spec::parse(text)?;
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
        Ok(first_change(range, |c| Ok::<_, ClaimError>(ask(&self.train(start, c)?)))?.middle())
    }
}

/// A start that has been trained, with `c = eta lambda_0`.
pub(crate) struct Ran<T> {
    pub(crate) seed: u64,
    pub(crate) c: f64,
    pub(crate) observed: Observed<T>,
}

impl<T> Ran<T> {
    /// The largest loss over that at the start.
    pub(crate) fn rise(&self) -> f64 {
        let verdict = &self.observed.verdict;
        verdict.peak_loss.unwrap_or(f64::NAN) / verdict.first_loss
    }

    /// Curvature at the end over that at the start.
    pub(crate) fn fall(&self) -> f64 {
        let verdict = &self.observed.verdict;
        verdict.ntk_end.unwrap_or(f64::NAN) / verdict.ntk_start.unwrap_or(f64::NAN)
    }

    /// `eta lambda` at the end.
    pub(crate) fn final_c(&self) -> f64 {
        self.c * self.fall()
    }

    pub(crate) fn settled(&self) -> bool {
        settled(self.observed.verdict.phase)
    }
}

/// Networks of so many seeds.
pub(crate) fn starts<T: Scalar>(
    experiment: &Experiment<'_>,
    subject: &Subject<T>,
    count: u64,
) -> Result<Vec<Start<T>>, ClaimError> {
    experiment.at("curvature at the start")?;
    experiment.seeds(count).into_par_iter().map(|seed| subject.start(seed)).collect()
}

/// What is done with each start at each rate, until a stop.
pub(crate) fn each<T: Scalar, R: Send>(
    experiment: &Experiment<'_>,
    starts: &[Start<T>],
    rates: &[f64],
    run: impl Fn(&Start<T>, f64) -> Result<R, ClaimError> + Sync,
) -> Result<Vec<R>, ClaimError> {
    let jobs: Vec<(&Start<T>, f64)> =
        starts.iter().flat_map(|start| rates.iter().map(move |&c| (start, c))).collect();
    let run = |(start, c): (&Start<T>, f64)| {
        experiment.go_on()?;
        run(start, c)
    };
    jobs.into_par_iter().map(run).collect()
}

/// Trains from each start at each rate by the plan of the start, measuring curvature at both ends and every so many steps
/// (0: not between).
pub(crate) fn trials<T: Scalar>(
    experiment: &Experiment<'_>,
    subject: &Subject<T>,
    starts: &[Start<T>],
    rates: &[f64],
    (plan, every): (impl Fn(&Start<T>) -> Plan + Sync, u64),
) -> Result<Vec<Ran<T>>, ClaimError> {
    each(experiment, starts, rates, |start, c| {
        let observed = subject.observe(&plan(start), start, c, every)?;
        Ok(Ran { seed: start.seed, c, observed })
    })
}

/// The rate of each start at which an answer changes, in units of 1 / lambda0.
pub(crate) fn changes<T: Scalar>(
    experiment: &Experiment<'_>,
    subject: &Subject<T>,
    starts: &[Start<T>],
    range: &Range,
    ask: fn(&Trajectory) -> bool,
) -> Result<Vec<f64>, ClaimError> {
    let change = |start: &Start<T>| {
        experiment.go_on()?;
        subject.change(start, range, ask)
    };
    starts.par_iter().map(change).collect()
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
