//! What training does at a rate.

use super::{BALANCED, PAPER, run};
use crate::network::Subject;
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::fit::{self, Point, power_law};
use etalon::phase::Observed;
use etalon::theory::{Phase, ScalarLoss, State, critical_eta};
use rayon::prelude::*;

pub(super) const PREDICTOR: Claim = Claim {
    id: "B-1",
    paper: &PAPER,
    place: "sections 3 and 4, linear predictor",
    statement: "A linear predictor on data that cannot be separated converges below a critical rate. Above, it runs into a cycle of \
                two under logistic loss, and diverges under exponential loss. On separable data its loss goes to zero at any rate.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new(
            "converged",
            "the share of rates below the critical one at which it converges, both losses",
        )
        .at_least(1.0),
        Quantity::new(
            "cycles",
            "the share of rates above at which it runs into a cycle of two, logistic, as many of both labels",
        )
        .at_least(1.0),
        Quantity::new(
            "bounded",
            "the share of rates above at which it stays bounded, logistic, unequal labels",
        )
        .at_least(1.0),
        Quantity::new("diverged", "the share of rates above at which it diverges, exponential").at_least(1.0),
        Quantity::new(
            "separable",
            "the largest share of the first loss that is left on separable data, logistic",
        )
        .at_most(0.01),
    ],
    setting: |size, _| {
        let (rates, most) = predictor(size);
        let words = format!(
            "the solved predictor (all inputs alike), {rates} rates from 0.05 to {most} times the critical one, shares 0.5, 0.6, 0.7, 0.9 \
             of positive labels, and 1 on separable data"
        );
        Setting::model(2.0, words)
    },
    measure: |bench| {
        let (rates, most) = predictor(bench.size());
        let over = |low: f64, high: f64| {
            (0..rates).map(move |at| low * (high / low).powf(f64::from(at) / f64::from(rates - 1)))
        };
        // Off the minimum by little: further off, the exponential loss is steeper than at it.
        let at = |loss: ScalarLoss, factor: f64, off: f64| -> Result<Phase, Error> {
            let eta = factor * critical_eta(loss, 1.0).unwrap_or(1.0);
            let start = State { f: loss.minimizer().unwrap_or(0.0) + off, lambda: 1.0 };
            Ok(run(loss, eta, f64::INFINITY, start, 50_000)?.phase)
        };
        let exponential = ScalarLoss::Exponential { positive: 0.5 };
        let (mut converged, mut cycles, mut bounded, mut diverged) = (vec![], vec![], vec![], vec![]);
        let mut separable = Vec::new();
        for factor in over(0.05, 0.98) {
            for loss in [BALANCED, exponential] {
                converged.push(matches!(at(loss, factor, 0.1)?, Phase::Lazy | Phase::Catapult));
            }
        }
        for factor in over(1.05, most) {
            cycles.push(at(BALANCED, factor, 1.0)? == Phase::Cycle(2));
            diverged.push(at(exponential, factor, 0.1)? == Phase::Divergent);
            for positive in [0.6, 0.7, 0.9] {
                bounded.push(at(ScalarLoss::Logistic { positive }, factor, 1.0)? != Phase::Divergent);
            }
            let (loss, start) = (ScalarLoss::Logistic { positive: 1.0 }, State { f: 0.5, lambda: 1.0 });
            let end = run(loss, 8.0 * factor, f64::INFINITY, start, 50_000)?;
            separable.push(loss.value(end.last.f) / end.initial_loss);
        }
        bench.read("converged", Reading::share(&converged));
        bench.read("cycles", Reading::share(&cycles));
        bench.read("bounded", Reading::share(&bounded));
        bench.read("diverged", Reading::share(&diverged));
        bench.read("separable", Reading::most(&separable));
        Ok(())
    },
};

fn predictor(size: Size) -> (u32, f64) {
    size.of([(15, 50.0), (60, 100.0), (200, 100.0)])
}

pub(super) const NETWORK: Claim = Claim {
    id: "B-2",
    paper: &PAPER,
    place: "section 4, two-layer linear network",
    statement: "A two-layer linear network on data that cannot be separated has a catapult above its critical rate: the loss grows, \
                then falls to the minimum, and curvature ends lower, under logistic and exponential loss.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("rise", "the least rise of the loss over its start, logistic").at_least(1.05),
        Quantity::new("rest", "the largest loss at the end over the minimum").at_most(1.001),
        Quantity::new("flattening", "the largest curvature at the end over that at the start").at_most(0.95),
        Quantity::new("final_c", "the largest eta lambda at the end").at_most(8.001),
        Quantity::new(
            "hessian",
            "the farthest from 1/4 of the Hessian's largest eigenvalue over the kernel's at the end",
        )
        .between(0.249, 0.251),
        Quantity::new(
            "exponential",
            "the share of runs under exponential loss that are catapults to a flatter minimum",
        )
        .at_least(1.0),
    ],
    setting: |size, seed| {
        let (width, steps, seeds) = network(size);
        let words = format!(
            "a network of width {width} on ten samples that are alike, half of them positive, {steps} steps, {seeds} seeds, eta lambda0 = \
             12 and 24 (critical: 8); the exponential loss solved at width 20, eta lambda0 = 2.1, 2.15 and 2.2 (critical: 2)"
        );
        Setting::network(size.of([2.0, 10.0, 30.0]), degenerate(seed, width, steps), words)
    },
    measure: measure_network,
};

fn network(size: Size) -> (usize, usize, u64) {
    size.of([(200, 2000, 3), (1000, 8000, 10), (1000, 8000, 20)])
}

fn degenerate(seed: u64, width: usize, steps: usize) -> String {
    format!(
        "seed = {seed}\nprecision = \"f64\"\nloss = \"logistic\"\n[data]\nname = \"degenerate\"\npositive = 0.5\ntrain = 10\ntest = 10\n\
         [network]\ndepth = 1\nwidth = {width}\nactivation = \"identity\"\nparametrization = \"ntk\"\ninit = \"lecun\"\nbias = false\n\
         [train]\nbatch = \"full\"\nsteps = {steps}\ncheck_every = 1000000\n[measure]\nsamples = 10\ntolerance = 1e-8\niterations = 200\n"
    )
}

fn measure_network(bench: &mut Bench<'_>) -> Result<(), ClaimError> {
    let (width, steps, seeds) = network(bench.size());
    let subject = Subject::<f64>::new(&degenerate(bench.seed(), width, steps))?;
    bench.at("logistic loss")?;
    let jobs: Vec<(u64, f64)> =
        bench.seeds(seeds).into_iter().flat_map(|seed| [(seed, 12.0), (seed, 24.0)]).collect();
    let run_at = |(seed, c): (u64, f64)| {
        bench.go_on()?;
        Ok((c, subject.observe(&subject.plan, &subject.start(seed)?, c, 0)?))
    };
    let runs = jobs.into_par_iter().map(run_at).collect::<Result<Vec<(f64, Observed<f64>)>, ClaimError>>()?;
    let of = |what: &dyn Fn(f64, &Observed<f64>) -> f64| {
        runs.iter().map(|(c, run)| what(*c, run)).collect::<Vec<_>>()
    };
    let fall = |run: &Observed<f64>| {
        run.verdict.ntk_end.unwrap_or(f64::NAN) / run.verdict.ntk_start.unwrap_or(f64::NAN)
    };
    let hessian = |run: &Observed<f64>| {
        let end = run.trajectory.records.last();
        end.and_then(|record| Some(record.hessian? / record.ntk?)).unwrap_or(f64::NAN)
    };
    let minimum = BALANCED.minimum();
    let readings = [
        (
            "rise",
            Reading::least(&of(&|_, run| run.verdict.peak_loss.unwrap_or(f64::NAN) / run.verdict.first_loss)),
        ),
        ("rest", Reading::most(&of(&|_, run| run.trajectory.train.loss / minimum))),
        ("flattening", Reading::most(&of(&|_, run| fall(run)))),
        ("final_c", Reading::most(&of(&|c, run| c * fall(run)))),
        ("hessian", Reading::farthest(&of(&|_, run| hessian(run)), 0.25)),
    ];
    readings.into_iter().for_each(|(name, reading)| bench.read(name, reading));
    bench.at("exponential loss")?;
    let mut catapults = Vec::new();
    for c in [2.1, 2.15, 2.2] {
        let start = State { f: 0.1, lambda: 2.0 };
        let run = run(ScalarLoss::Exponential { positive: 0.5 }, c / 2.0, 20.0, start, 50_000)?;
        let flatter = run.last.lambda < 0.99 * start.lambda && c * run.last.lambda / 2.0 <= 2.0;
        catapults.push(run.phase == Phase::Catapult && run.peak_step > 0 && flatter);
    }
    bench.read("exponential", Reading::share(&catapults));
    Ok(())
}

pub(super) const SCAN: Claim = Claim {
    id: "B-3",
    paper: &PAPER,
    place: "section 4, curvature against the rate",
    statement: "The curvature at which training ends does not depend on the rate below the critical one, and falls as 1/eta above \
                (to 8/eta under logistic loss with as many of both labels).",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("lazy_change", "the largest relative change of curvature below the critical rate")
            .at_most(0.05),
        Quantity::new("exponent", "the power of the rate with which final curvature goes above")
            .between(-1.05, -0.95),
        Quantity::new("final_c_low", "the least eta lambda at the end of those").at_least(7.5),
        Quantity::new("final_c_high", "the largest").at_most(8.0),
    ],
    setting: |size, _| {
        let (width, rates) = scan(size);
        let words = format!(
            "the solved two-layer linear network of width {width}, logistic loss, from f = 1 and lambda = 2; {rates} rates with eta lambda0 \
             from 1 to 7.5, and as many from 9 to 40"
        );
        Setting::model(1.0, words)
    },
    measure: |bench| {
        let (width, rates) = scan(bench.size());
        let start = State { f: 1.0, lambda: 2.0 };
        let mut rows = Vec::new();
        for (low, high) in [(1.0f64, 7.5f64), (9.0, 40.0)] {
            for index in 0..rates {
                bench.go_on()?;
                let c = low * (high / low).powf(f64::from(index) / f64::from(rates - 1));
                let run = run(BALANCED, c / 2.0, width, start, 30 * width as usize)?;
                // Without convergence there is no final curvature.
                let ended = matches!(run.phase, Phase::Lazy | Phase::Catapult);
                rows.push(vec![c, if ended { run.last.lambda } else { f64::NAN }]);
            }
        }
        let (low, high): (Vec<&Vec<f64>>, Vec<&Vec<f64>>) = rows.iter().partition(|row| row[0] < 8.0);
        let changes: Vec<f64> = low.iter().map(|row| (row[1] / 2.0 - 1.0).abs()).collect();
        let ends: Vec<f64> = high.iter().map(|row| row[0] * row[1] / 2.0).collect();
        let point = |row: &&Vec<f64>| Point { label: format!("{}", row[0]), x: vec![row[0]], y: row[1] };
        let points: Vec<Point> = high.iter().map(point).collect();
        let law = power_law("lambda", &["eta".into()], &points, vec![], &fit::Options::default())?;
        bench.read("lazy_change", Reading::most(&changes));
        bench.read("exponent", Reading::exponent(&law));
        bench.read("final_c_low", Reading::least(&ends));
        bench.read("final_c_high", Reading::most(&ends));
        bench.curve("curvature", &["c", "final_lambda"], rows);
        Ok(())
    },
};

fn scan(size: Size) -> (f64, u32) {
    size.of([(1e4, 12), (1e5, 40), (1e5, 100)])
}
