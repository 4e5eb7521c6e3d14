//! A trial with curvature measured on the way.

use super::{Circumstances, PhaseVerdict, classify};
use crate::curvature::{Ends, Instrument, Spectrum};
use crate::train::{Checkpoint, Record, State, Trajectory, Trial};
use etalon_nn::optim::Optimizer;
use etalon_nn::{Loss, Scalar};

/// A trial and what it did.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    /// Its trajectory, with curvature in the records where it was measured.
    pub trajectory: Trajectory,
    /// Its phase with the evidence.
    pub verdict: PhaseVerdict,
    /// The largest rate at which the optimiser is stable at the start, where curvature was measured there.
    pub limit: Option<f64>,
    /// The parameters at the end.
    pub parameters: Vec<T>,
    /// The running statistics of batch normalisation at the end.
    pub running: Vec<T>,
}

/// Trains to the end, measuring curvature at the start, every `every` steps (0: not between), where the schedule's last
/// steps begin, and at the end; `progress` hears of every step.
pub fn observe<T: Scalar>(
    trial: Trial<'_, T>,
    instrument: &Instrument<'_, T>,
    every: u64,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Observed<T> {
    observe_from(trial, instrument, every, None, progress, &mut |_, _| {})
}

/// As [`observe`], from a checkpoint, and with checkpoints on the way: see [`Trial::run_from`].
pub(crate) fn observe_from<T: Scalar>(
    trial: Trial<'_, T>,
    instrument: &Instrument<'_, T>,
    every: u64,
    checkpoint: Option<Checkpoint>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
    keep: &mut (dyn FnMut(bool, &dyn Fn() -> Checkpoint) + Send),
) -> Observed<T> {
    let (total, mse) = (trial.total(), trial.loss() == Loss::Mse);
    let (plan, turn) = (trial.plan(), trial.turn());
    let circumstances = Circumstances::of(&trial);
    let preconditions = plan.optimizer.preconditions();
    let (mut end, mut running) = (Vec::new(), Vec::new());
    let mut look = |state: State<T>, record: &mut Record| {
        progress(state.step, total);
        let due = (every > 0 && state.step.is_multiple_of(every)) || turn == Some(state.step);
        // Curvature where training has left the numbers tells nothing, and may not be one.
        if (state.step == 0 || state.last || due) && !state.diverged {
            measure(instrument, &state, record);
        }
        if state.last {
            end = state.parameters.to_vec();
            running = state.running.to_vec();
        }
    };
    // In the pool, whose idle threads then take parts of large products.
    let trajectory = rayon::scope(|_| trial.run_from(checkpoint, &mut look, keep));
    // The curvature in the optimiser's coordinates, or of the loss: for MSE the kernel, which does not depend on the
    // residuals.
    let start = trajectory.records.first();
    let lambda = start.and_then(|record| match preconditions {
        true => record.preconditioned,
        false if mse => record.ntk,
        false => record.hessian,
    });
    let limit = lambda.and_then(|lambda| plan.stability_limit(lambda));
    let over_limit = limit.map(|limit| trajectory.eta / limit);
    let verdict = classify(&trajectory, Circumstances { over_limit, ..circumstances });
    Observed { trajectory, verdict, limit, parameters: end, running }
}

/// As [`observe`], where the curvature at the start is known already: of that which a phase is judged by, the kernel's at the
/// start and at the end are all that is measured. `step` hears of every step.
pub(crate) fn observe_phase<T: Scalar>(
    trial: Trial<'_, T>,
    instrument: &Instrument<'_, T>,
    lambda: Option<f64>,
    step: &mut (dyn FnMut(u64) + Send),
) -> (PhaseVerdict, u64) {
    let limit = lambda.and_then(|lambda| trial.plan().stability_limit(lambda));
    let circumstances = Circumstances::of(&trial);
    let mut look = |state: State<T>, record: &mut Record| {
        step(state.step);
        if (state.step == 0 || state.last) && !state.diverged {
            record.ntk = top(instrument.at(state.parameters).ntk().ok());
        }
    };
    let trajectory = rayon::scope(|_| trial.run(&mut look));
    let over_limit = limit.map(|limit| trajectory.eta / limit);
    (classify(&trajectory, Circumstances { over_limit, ..circumstances }), trajectory.steps)
}

impl Circumstances {
    /// Those of a trial, without its curvature.
    pub(crate) fn of<T: Scalar>(trial: &Trial<'_, T>) -> Self {
        Circumstances { batch: trial.batch(), plain: trial.is_plain(), over_limit: None }
    }
}

/// Leaves the top eigenvalues in the record; none where they did not converge.
fn measure<T: Scalar>(instrument: &Instrument<'_, T>, state: &State<T>, record: &mut Record) {
    let mut reading = instrument.at(state.parameters);
    record.ntk = top(reading.ntk().ok());
    record.hessian = top(reading.hessian(Ends::Largest, 1).ok());
    record.preconditioned = top(reading.preconditioned(Some(state.memory)).ok().flatten());
}

/// The largest eigenvalue, where it converged.
fn top<V>(spectrum: Option<Spectrum<V>>) -> Option<f64> {
    let spectrum = spectrum.filter(Spectrum::converged)?;
    Some(spectrum.largest.first()?.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    #[test]
    fn curvature_before_the_last_steps_is_that_of_the_end_of_a_trial_without_them() {
        let observed = |last: u64| {
            let text = format!(
                "loss = \"mse\"\ndata = {{ train = 40, test = 20, shrink = 4 }}\nnetwork = {{ width = 6, depth = 2 }}\n\
                 train = {{ steps = 23, batch = 16 }}\nschedule = {{ last_steps = {last}, last_eta = 0.01 }}\n"
            );
            let spec = Spec::parse(&text).unwrap();
            let task = spec.task::<f64>().unwrap();
            let plan = spec.plan(&task).unwrap();
            let instrument = spec.instrument(&task, false).unwrap();
            let trial = Trial::new(&task, &plan, 0.1, 3, false).unwrap();
            let records = observe(trial, &instrument, 0, &mut |_, _| {}).trajectory.records;
            records
                .into_iter()
                .filter_map(|record| Some((record.step, record.ntk?, record.hessian?)))
                .collect()
        };
        let (without, with): (Vec<_>, Vec<_>) = (observed(0), observed(8));
        assert_eq!(without.iter().map(|measured| measured.0).collect::<Vec<_>>(), [0, 23]);
        assert_eq!((&with[..2], with[2].0), (&without[..], 31));
    }
}
