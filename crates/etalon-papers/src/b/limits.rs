//! The rates at which something changes.

use super::{BALANCED, PAPER, run};
use crate::{Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::fit::{self, Point, power_law};
use etalon::theory::{
    Phase, Range, Run, RunSettings, ScalarLoss, State, boundary, catapult_eta, critical_eta,
};

/// The rate near an expected one at which an answer about the run changes.
fn change(
    loss: ScalarLoss,
    width: f64,
    start: State,
    expected: f64,
    accept: impl Fn(&Run) -> bool,
) -> Result<f64, ClaimError> {
    let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
    let range = Range { low: 0.6 * expected, high: 1.5 * expected, steps: 100, tolerance: 1e-5 };
    Ok(boundary(loss, width, start, &range, &settings, accept).map_err(Error::from)?.middle())
}

fn bounded(run: &Run) -> bool {
    run.phase != Phase::Divergent
}

pub(super) const RATES: Claim = Claim {
    id: "B-6",
    paper: &PAPER,
    place: "section 4, phases of the two-layer linear network",
    statement: "Under logistic loss with a share p of positive labels, the critical rate is 2/(lambda0 p (1 - p)); the largest, for \
                p = 1/2, is sqrt(8 n), whatever lambda0 is.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("critical", "the farthest from 1 of the measured critical rate over the predicted one")
            .between(0.98, 1.02),
        Quantity::new("maximal", "the farthest from 1 of the measured largest rate over sqrt(8 n)")
            .between(0.95, 1.05),
        Quantity::new("exponent", "the power of the width with which the largest rate goes")
            .between(0.48, 0.52),
        Quantity::new("spread", "the largest over the least of the largest rates with lambda0 = 1, 2, 4")
            .at_most(1.05),
    ],
    setting: |size, _| {
        let (shares, widths) = rates(size);
        let words =
            format!("the solved two-layer linear network by bisection, p = {shares:?}, widths {widths:?}");
        Setting::model(size.of([2.0, 10.0, 30.0]), words)
    },
    measure: |bench| {
        let (shares, widths) = rates(bench.size());
        let mut critical = Vec::new();
        for &positive in shares {
            let loss = ScalarLoss::Logistic { positive };
            let (Some(expected), Some(minimizer)) = (critical_eta(loss, 2.0), loss.minimizer()) else {
                continue;
            };
            let start = State { f: minimizer + 1e-3, lambda: 2.0 };
            // A loss that never rises: judged by the loss, not by the formula.
            critical.push(change(loss, 1e12, start, expected, |run| run.peak_step == 0)? / expected);
        }
        let (mut ratios, mut points, mut spreads, mut rows) = (vec![], vec![], vec![], vec![]);
        for &width in widths {
            bench.at(&format!("width {width}"))?;
            let expected = catapult_eta(BALANCED, 2.0, width).unwrap_or(f64::NAN);
            let found = [1.0, 2.0, 4.0]
                .map(|lambda| change(BALANCED, width, State { f: 1.0, lambda }, expected, bounded));
            let found = found.into_iter().collect::<Result<Vec<f64>, ClaimError>>()?;
            points.push(Point { label: format!("{width}"), x: vec![width], y: found[1] });
            let high = found.iter().copied().fold(f64::NAN, f64::max);
            spreads.push(high / found.iter().copied().fold(f64::NAN, f64::min));
            rows.push([vec![width, expected], found.clone()].concat());
            ratios.extend(found.iter().map(|found| found / expected));
        }
        let law = power_law("eta", &["width".into()], &points, vec![], &fit::Options::default())?;
        bench.read("critical", Reading::farthest(&critical, 1.0));
        bench.read("maximal", Reading::farthest(&ratios, 1.0));
        bench.read("exponent", Reading::exponent(&law));
        bench.read("spread", Reading::most(&spreads));
        bench.curve("maximal", &["width", "predicted", "lambda_1", "lambda_2", "lambda_4"], rows);
        Ok(())
    },
};

fn rates(size: Size) -> (&'static [f64], &'static [f64]) {
    let most: (&[f64], &[f64]) = (&[0.5, 0.6, 0.7, 0.8, 0.9, 0.95], &[300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5]);
    size.of([(&[0.5, 0.7, 0.9], &[1e3, 3e3, 1e4, 3e4]), most, most])
}

pub(super) const EXPONENTIAL: Claim = Claim {
    id: "B-T1",
    paper: &PAPER,
    place: "section 4, exponential loss",
    statement: "Under exponential loss the window of catapults above the critical rate closes as the width grows.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("open", "the first diverging eta lambda0 over the critical one, less 1, at width 20")
            .at_least(0.05),
        Quantity::new("exponent", "the power of the width with which that goes").at_most(-0.5),
        Quantity::new("closed", "the same at width 1000").at_most(0.005),
    ],
    setting: |_, _| {
        Setting::model(1.0, "the solved two-layer linear network by bisection, from f = 0.1 and lambda = 2, widths 10 to 200, and 1000".into())
    },
    measure: |bench| {
        let loss = ScalarLoss::Exponential { positive: 0.5 };
        let start = State { f: 0.1, lambda: 2.0 };
        let excess = |width: f64| Ok::<f64, ClaimError>(change(loss, width, start, 1.0, bounded)? - 1.0);
        let widths = [10.0, 20.0, 50.0, 100.0, 200.0];
        let points = widths
            .map(|width| Ok(Point { label: format!("{width}"), x: vec![width], y: excess(width)? }))
            .into_iter()
            .collect::<Result<Vec<Point>, ClaimError>>()?;
        let law = power_law("excess", &["width".into()], &points, vec![], &fit::Options::default())?;
        bench.read("open", Reading::one(points[1].y));
        bench.read("exponent", Reading::exponent(&law));
        bench.read("closed", Reading::one(excess(1000.0)?));
        bench.curve(
            "excess",
            &["width", "excess"],
            points.iter().map(|point| vec![point.x[0], point.y]).collect(),
        );
        Ok(())
    },
};

pub(super) const SEPARABLE: Claim = Claim {
    id: "B-T2",
    paper: &PAPER,
    place: "section 4, separable data",
    statement: "On separable data there is no catapult to a flatter minimum: the loss goes to zero at every rate, the kernel's curvature \
                does not fall, and the Hessian's goes to zero.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("rest", "the largest share of the first loss that is left").at_most(0.01),
        Quantity::new("kernel_low", "the least curvature of the kernel at the end over that at the start")
            .at_least(1.0),
        Quantity::new("kernel_high", "the largest").at_most(1.25),
        Quantity::new("hessian", "the largest curvature of the Hessian at the end over that at the start")
            .at_most(0.01),
    ],
    setting: |size, _| {
        let words = format!(
            "the solved two-layer linear network of width 1000, logistic loss, one label, from f = 0.5 and lambda = 2, eta lambda0 = 1 to \
             64, {} steps",
            separable(size)
        );
        Setting::model(1.0, words)
    },
    measure: |bench| {
        let (loss, start) = (ScalarLoss::Logistic { positive: 1.0 }, State { f: 0.5, lambda: 2.0 });
        let (mut rests, mut kernels, mut hessians) = (vec![], vec![], vec![]);
        for c in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0] {
            let run = run(loss, c / 2.0, 1000.0, start, separable(bench.size()))?;
            let bend = |state: State| state.lambda * loss.curvature(state.f);
            rests.push(loss.value(run.last.f) / run.initial_loss);
            kernels.push(run.last.lambda / start.lambda);
            hessians.push(bend(run.last) / bend(start));
        }
        bench.read("rest", Reading::most(&rests));
        bench.read("kernel_low", Reading::least(&kernels));
        bench.read("kernel_high", Reading::most(&kernels));
        bench.read("hessian", Reading::most(&hessians));
        Ok(())
    },
};

fn separable(size: Size) -> usize {
    size.of([20_000, 200_000, 200_000])
}
