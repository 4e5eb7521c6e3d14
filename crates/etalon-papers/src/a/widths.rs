//! What changes with the width alone.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, law};
use crate::network::{Start, Subject, starts, trials};
use etalon::Error;
use etalon::curvature::Ends;
use etalon::statistics::median;
use rayon::prelude::*;
use serde::Deserialize;

/// The subject of a width.
fn subject(experiment: &Experiment<'_>, width: i64) -> Result<Subject<f32>, ClaimError> {
    experiment.at(&format!("width {width}"))?;
    Subject::new(&experiment.spec_with(&[("width", width.into())])?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Eigenvalues {
    seeds: u64,
    widths: Vec<i64>,
}

/// The Hessian's largest eigenvalue over the kernel's at the start.
pub(crate) fn eigenvalues(
    Eigenvalues { seeds, widths }: Eigenvalues,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut rows, mut points, mut widest) = (Vec::new(), Vec::new(), Vec::new());
    for width in widths {
        let subject = subject(experiment, width)?;
        let ratio = |start: &_| {
            let Start { parameters, lambda, .. } = start;
            let hessian =
                subject.instrument()?.at(parameters).hessian(Ends::Largest, 1).map_err(Error::from)?;
            Ok(hessian.largest.first().map_or(f64::NAN, |top| top.value) / lambda)
        };
        let starts = starts(experiment, &subject, seeds)?;
        widest = starts.par_iter().map(ratio).collect::<Result<Vec<f64>, ClaimError>>()?;
        points.push((width as f64, median(widest.iter().map(|ratio| (ratio - 1.0).abs()))));
        let row =
            |(start, ratio): (&Start<f32>, &f64)| vec![width as f64, start.seed as f64, start.lambda, *ratio];
        rows.extend(starts.iter().zip(&widest).map(row));
    }
    experiment.measured("widest", Measurement::median(&widest));
    experiment.measured("exponent", Measurement::exponent(&law("width", points)?));
    experiment.curve("eigenvalues", &["width", "seed", "ntk", "hessian_over_ntk"], rows);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transition {
    seeds: u64,
    widths: Vec<i64>,
    /// `eta lambda_0` below 2 and above it.
    below: f64,
    above: f64,
    /// `eta lambda_0 t` for which networks are trained.
    time: f64,
}

/// By how much curvature changes on both sides of 2/lambda0.
pub(crate) fn transition(
    Transition { seeds, widths, below, above, time }: Transition,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let (mut rows, mut low, mut high, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for width in widths {
        let subject = subject(experiment, width)?;
        let starts = starts(experiment, &subject, seeds)?;
        let plan = |start: &_| subject.lasting(time, start);
        let ran = trials(experiment, &subject, &starts, &[below, above], (plan, 0))?;
        let changes = |c: f64| -> Vec<f64> {
            ran.iter().filter(|ran| ran.c == c).map(|ran| (ran.fall() - 1.0).abs()).collect()
        };
        let (lazy, caught) = (changes(below), changes(above));
        low.push((width as f64, median(lazy.iter().copied())));
        high.push((width as f64, median(caught.iter().copied())));
        steps = caught.iter().zip(&lazy).map(|(above, below)| above / below).collect();
        rows.extend(ran.iter().map(|ran| vec![width as f64, ran.seed as f64, ran.c, ran.rise(), ran.fall()]));
    }
    experiment.measured("below", Measurement::exponent(&law("width", low)?));
    experiment.measured("above", Measurement::exponent(&law("width", high)?));
    experiment.measured("step", Measurement::median(&steps));
    experiment.curve("trials", &["width", "seed", "c", "rise", "fall"], rows);
    Ok(())
}
