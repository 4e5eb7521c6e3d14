//! Other nonlinearities and depths.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use crate::network::{Subject, trials};
use etalon::Error;
use etalon::curvature::Ends;
use rayon::prelude::*;
use serde::Deserialize;

/// A nonlinearity with the initial values that go with it, as the spec names them.
type Kind = (String, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Architectures {
    kinds: Vec<Kind>,
    depths: Vec<i64>,
    widths: Vec<i64>,
    /// `eta lambda_0`.
    rates: Vec<f64>,
    /// `eta lambda_0 t` for which networks are trained.
    time: f64,
    /// That of networks whose Hessian is compared with the kernel.
    hessian_kind: Kind,
    hessian_width: i64,
}

/// What the loss and curvature do below and above 2/lambda0 in networks of all kinds, depths and widths.
pub(crate) fn architectures(
    parameters: Architectures,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let Architectures { kinds, depths, widths, rates, time, hessian_kind, hessian_width } = parameters;
    let of = |(activation, init): &Kind, depth: i64, width: i64| {
        let [activation, init] = [activation, init].map(|name| name.as_str().into());
        let others =
            [("activation", activation), ("init", init), ("depth", depth.into()), ("width", width.into())];
        Subject::<f32>::new(&experiment.spec_with(&others)?)
    };
    let (mut rows, mut lazy, mut rises, mut ends, mut ratios) = (vec![], vec![], vec![], vec![], vec![]);
    for (index, kind) in kinds.iter().enumerate() {
        for &depth in &depths {
            experiment.at(&format!("{} networks of {depth} hidden layers", kind.0))?;
            for &width in &widths {
                let subject = of(kind, depth, width)?;
                let start = [subject.start(experiment.seed())?];
                for ran in trials(
                    experiment,
                    &subject,
                    &start,
                    &rates,
                    (|start: &_| subject.lasting(time, start), 0),
                )? {
                    if ran.c < 2.0 {
                        lazy.push(ran.rise());
                    } else {
                        rises.push(ran.rise());
                        ends.push(ran.final_c());
                    }
                    let numbers = [index as i64, depth, width].map(|number| number as f64);
                    rows.push([&numbers[..], &[ran.c, ran.rise(), ran.fall(), ran.final_c()]].concat());
                }
            }
        }
    }
    experiment.at("eigenvalues at large width")?;
    let wide = depths.par_iter().map(|&depth| {
        let subject = of(&hessian_kind, depth, hessian_width)?;
        let start = subject.start(experiment.seed())?;
        let hessian =
            subject.instrument()?.at(&start.parameters).hessian(Ends::Largest, 1).map_err(Error::from)?;
        Ok(hessian.largest.first().map_or(f64::NAN, |top| top.value) / start.lambda)
    });
    ratios.extend(wide.collect::<Result<Vec<f64>, ClaimError>>()?);
    experiment.measured("lazy_rise", Measurement::most(&lazy));
    experiment.measured("rise", Measurement::least(&rises));
    experiment.measured("final_c", Measurement::most(&ends));
    experiment.measured("hessian_over_ntk", Measurement::farthest(&ratios, 1.0));
    experiment.curve("trials", &["kind", "depth", "width", "c", "rise", "fall", "final_c"], rows);
    Ok(())
}
