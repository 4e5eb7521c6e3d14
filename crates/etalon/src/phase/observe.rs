//! A trial with curvature measured on the way.

use super::{Verdict, classify};
use crate::curvature::{Instrument, Spectrum, Trail};
use crate::train::{Record, State, Trajectory, Trial};
use etalon_nn::Scalar;

/// A trial and what it did.
#[derive(Clone, Debug)]
pub struct Observed<T> {
    /// Its trajectory, with curvature in the records where it was measured.
    pub trajectory: Trajectory,
    /// The phase.
    pub verdict: Verdict,
    /// The parameters at the end.
    pub parameters: Vec<T>,
}

/// Trains to the end, measuring curvature at the start, every `every` steps (0: not between), and at the end;
/// `progress` hears of every step.
pub fn observe<T: Scalar>(
    trial: Trial<'_, T>,
    instrument: &Instrument<'_, T>,
    every: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Observed<T> {
    let (full_batch, total) = (trial.is_full_batch(), trial.total());
    let (mut end, mut trail) = (Vec::new(), Trail::default());
    let trajectory = trial.run(&mut |state: State<T>, record: &mut Record| {
        progress(state.step, total);
        let due = every > 0 && state.step.is_multiple_of(every);
        // Curvature where training has left the numbers tells nothing, and may not be one.
        if (state.step == 0 || state.last || due) && !state.diverged {
            measure(instrument, &state, &mut trail, record);
        }
        if state.last {
            end = state.parameters.to_vec();
        }
    });
    let verdict = classify(&trajectory, full_batch);
    Observed { trajectory, verdict, parameters: end }
}

/// Leaves the top eigenvalues in the record; none where they did not converge.
fn measure<T: Scalar>(
    instrument: &Instrument<'_, T>,
    state: &State<T>,
    trail: &mut Trail,
    record: &mut Record,
) {
    let top = |spectrum: &Spectrum| {
        let top = spectrum.largest.first().filter(|_| spectrum.converged());
        top.map(|top| top.value)
    };
    if let Ok((ntk, hessian)) = instrument.at(state.parameters).follow(trail) {
        (record.ntk, record.hessian) = (top(&ntk), top(&hessian));
    }
}
