//! The two-layer linear network with one input, solved.

use super::PAPER;
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::fit::{self, Point, power_law};
use etalon::theory::{
    Dimensionless, Map, Modes, Phase, Range, Run, RunSettings, ScalarLoss, State, boundary,
};
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};

const LOSS: ScalarLoss = ScalarLoss::Mse { target: 0.0 };

/// Output and curvature of weights that are drawn from N(0, 1).
pub(super) fn drawn(seed: u64, width: usize) -> State {
    let mut random = stream(seed, Purpose::Parameters, 0);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let (mut product, mut squares) = (0.0, 0.0);
    for _ in 0..width {
        let (u, v) = (normal(), normal());
        product += u * v;
        squares += u * u + v * v;
    }
    State { f: product / (width as f64).sqrt(), lambda: squares / width as f64 }
}

fn run(start: State, c: f64, width: f64) -> Result<Run, Error> {
    Ok(Map::new(LOSS, c / start.lambda, width)?.run(start, &RunSettings::default())?)
}

/// `eta lambda` at the end of a run at `c`.
fn end(run: &Run, c: f64) -> f64 {
    c * run.last.lambda / run.start.lambda
}

pub(super) const OUT_AND_BACK: Claim = Claim {
    id: "A-1",
    paper: &PAPER,
    place: "figure 1a",
    statement: "Between 2/lambda0 and 4/lambda0 gradient descent climbs out of the valley that it starts in, and comes back \
                to a minimum that is flatter.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("rise", "the least rise of the loss over its start").at_least(10.0),
        Quantity::new("rest", "the largest share of the first loss that is left").at_most(1e-9),
        Quantity::new("flattening", "the largest curvature at the end over that at the start").at_most(0.95),
    ],
    setting: |size, _| {
        let (width, seeds) = out_and_back(size);
        let words = format!(
            "the solved two-layer linear network of width {width}, squared loss, from {seeds} draws of its weights; eta \
             lambda0 = 2.5, 3 and 3.5"
        );
        Setting::model(1.0, words)
    },
    measure: |bench| {
        let (width, seeds) = out_and_back(bench.size());
        let (mut rises, mut rests, mut curvatures) = (Vec::new(), Vec::new(), Vec::new());
        for seed in bench.seeds(seeds) {
            let start = drawn(seed, width);
            for c in [2.5, 3.0, 3.5] {
                let run = run(start, c, width as f64)?;
                rises.push(run.peak_loss / run.initial_loss);
                rests.push(LOSS.value(run.last.f) / run.initial_loss);
                curvatures.push(run.last.lambda / start.lambda);
            }
        }
        bench.read("rise", Reading::least(&rises));
        bench.read("rest", Reading::most(&rests));
        bench.read("flattening", Reading::most(&curvatures));
        let first = drawn(bench.seed(), width);
        bench.curve(
            "slice",
            &["step", "along_sum", "along_difference", "eta_lambda"],
            slice(first, 3.0, width as f64),
        );
        Ok(())
    },
};

fn out_and_back(size: Size) -> (usize, u64) {
    size.of([(1000, 5), (4000, 50), (10_000, 200)])
}

/// The trajectory in the plane in which it stays: the weights along `u = v` and along `u = -v`, in units in which
/// `eta lambda` is the sum of their squares.
fn slice(start: State, c: f64, width: f64) -> Vec<Vec<f64>> {
    let mut modes = Modes::from(Dimensionless::of(start, c / start.lambda, width));
    (0..60)
        .map(|step| {
            let row = vec![f64::from(step), modes.p.sqrt(), modes.q.sqrt(), modes.p + modes.q];
            modes = modes.step();
            row
        })
        .collect()
}

pub(super) const PHASES: Claim = Claim {
    id: "A-2",
    paper: &PAPER,
    place: "figure 2 and theorem of section 2",
    statement: "In the two-layer linear network curvature does not move below 2/lambda0 (by O(1/n)); up to 4/lambda0 it \
                falls until eta lambda is at most 2, and training converges; above, training diverges.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("lazy_change", "the largest relative change of curvature, eta lambda0 up to 1.5")
            .at_most(0.05),
        Quantity::new("lazy_exponent", "the power of the width with which that change goes")
            .between(-1.1, -0.9),
        Quantity::new(
            "converged",
            "the share of runs between 2.1 and 3.9 that come back to a stable minimum",
        )
        .at_least(1.0),
        Quantity::new("final_c", "the largest eta lambda at the end of those").at_most(2.0),
        Quantity::new("boundary_low", "the lowest eta lambda0 at which a start begins to diverge")
            .at_least(3.99),
        Quantity::new("boundary_high", "the highest").at_most(4.01),
    ],
    setting: |size, _| {
        let Phases { widths, seeds, rates } = phases(size);
        let words = format!(
            "the solved two-layer linear network, squared loss, widths {widths:?}, {seeds} draws of its weights each, {rates} \
             rates with eta lambda0 from 0.5 to 3.9; the boundary by bisection"
        );
        Setting::model(size.of([1.0, 20.0, 60.0]), words)
    },
    measure: measure_phases,
};

struct Phases {
    widths: &'static [usize],
    seeds: u64,
    rates: usize,
}

fn phases(size: Size) -> Phases {
    size.of([
        Phases { widths: &[500, 2000], seeds: 3, rates: 18 },
        Phases { widths: &[500, 1000, 2000, 5000, 10_000], seeds: 10, rates: 171 },
        Phases { widths: &[500, 1000, 2000, 5000, 10_000], seeds: 20, rates: 341 },
    ])
}

fn measure_phases(bench: &mut Bench<'_>) -> Result<(), ClaimError> {
    let Phases { widths, seeds, rates } = phases(bench.size());
    let (mut changes, mut ends, mut converged, mut boundaries) = (vec![], vec![], vec![], vec![]);
    let mut rows = Vec::new();
    for &width in widths {
        bench.at(&format!("width {width}"))?;
        for seed in bench.seeds(seeds) {
            let start = drawn(seed, width);
            for index in 0..rates {
                let c = 0.5 + 3.4 * index as f64 / (rates - 1) as f64;
                let run = run(start, c, width as f64)?;
                rows.push(vec![
                    width as f64,
                    seed as f64,
                    c,
                    end(&run, c),
                    run.peak_loss,
                    run.peak_step as f64,
                ]);
                if c <= 1.5 {
                    changes.push((run.last.lambda / start.lambda - 1.0).abs());
                } else if (2.1..=3.9).contains(&c) {
                    // A minimum may be so flat that all steps are spent on the way down to it.
                    converged.push(matches!(run.phase, Phase::Catapult | Phase::Unfinished));
                    ends.push(end(&run, c));
                }
            }
            let range =
                Range { low: 3.0 / start.lambda, high: 5.0 / start.lambda, steps: 20, tolerance: 1e-4 };
            let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
            let bounded = |run: &Run| run.phase != Phase::Divergent;
            let found =
                boundary(LOSS, width as f64, start, &range, &settings, bounded).map_err(Error::from)?;
            boundaries.push(found.middle() * start.lambda);
        }
    }
    // The same start at every width, so that the width alone differs.
    let start = State { f: 1.0, lambda: 2.0 };
    let change = |width: f64| Ok::<f64, Error>((run(start, 1.5, width)?.last.lambda / 2.0 - 1.0).abs());
    let points = [1e2, 1e3, 1e4, 1e5]
        .map(|width| Ok(Point { label: format!("{width}"), x: vec![width], y: change(width)? }))
        .into_iter()
        .collect::<Result<Vec<_>, Error>>()?;
    let law = power_law("change", &["width".into()], &points, Vec::new(), &fit::Options::default())?;
    bench.read("lazy_change", Reading::most(&changes));
    bench.read("lazy_exponent", Reading::exponent(&law));
    bench.read("converged", Reading::share(&converged));
    bench.read("final_c", Reading::most(&ends));
    bench.read("boundary_low", Reading::least(&boundaries));
    bench.read("boundary_high", Reading::most(&boundaries));
    bench.curve("runs", &["width", "seed", "c", "final_c", "peak_loss", "peak_step"], rows);
    Ok(())
}

pub(super) const WIDTHS: Claim = Claim {
    id: "A-3",
    paper: &PAPER,
    place: "section 2, theorem",
    statement: "A catapult's loss peaks at about the width n, after a time that grows as log n.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("peak_exponent", "the power of the width with which the largest loss goes")
            .between(0.97, 1.03),
        Quantity::new("peak_fit", "R^2 of that law").at_least(0.99),
        Quantity::new(
            "steps_per_fold",
            "steps to the peak for each factor e of the width, in units of 1 / (2 log(c - 1))",
        )
        .between(0.9, 1.1),
        Quantity::new("time_fit", "R^2 of the straight line of the steps in log n").at_least(0.98),
    ],
    setting: |size, _| {
        let (points, rates) = widths(size);
        let words = format!(
            "the solved two-layer linear network, squared loss, from f = 1 and lambda = 2, {points} widths from 1e2 to 1e12, eta \
             lambda0 = {rates:?}; each law is fitted at each rate, and the one farthest from the claim is told"
        );
        Setting::model(1.0, words)
    },
    measure: |bench| {
        let (points, rates) = widths(bench.size());
        let start = State { f: 1.0, lambda: 2.0 };
        let (mut peaks, mut peak_fits, mut folds, mut time_fits) = (vec![], vec![], vec![], vec![]);
        let mut rows = Vec::new();
        for &c in rates {
            let (mut losses, mut times) = (Vec::new(), Vec::new());
            for index in 0..points {
                let width = 10f64.powf(2.0 + 10.0 * index as f64 / (points - 1) as f64);
                let run = run(start, c, width)?;
                let point = |y| Point { label: format!("{width}"), x: vec![width], y };
                losses.push(point(run.peak_loss));
                // A line in log n is a power law of the exponential.
                times.push(point((run.peak_step as f64).exp()));
                rows.push(vec![c, width, run.peak_loss, run.peak_step as f64]);
            }
            let fitted =
                |points: &[Point]| power_law("", &["width".into()], points, vec![], &fit::Options::default());
            let (loss, time) = (fitted(&losses)?, fitted(&times)?);
            peaks.push(loss.joint.exponents[0].value);
            peak_fits.push(loss.joint.r_squared.unwrap_or(f64::NAN));
            folds.push(time.joint.exponents[0].value * 2.0 * (c - 1.0).ln());
            time_fits.push(time.joint.r_squared.unwrap_or(f64::NAN));
        }
        bench.read("peak_exponent", Reading::farthest(&peaks, 1.0));
        bench.read("peak_fit", Reading::least(&peak_fits));
        bench.read("steps_per_fold", Reading::farthest(&folds, 1.0));
        bench.read("time_fit", Reading::least(&time_fits));
        bench.curve("peaks", &["c", "width", "peak_loss", "peak_step"], rows);
        Ok(())
    },
};

fn widths(size: Size) -> (usize, &'static [f64]) {
    size.of([(21, &[3.0]), (101, &[2.5, 3.0, 3.5]), (101, &[2.5, 3.0, 3.5])])
}
