//! What the directions of the weights feel, and how long it takes them to settle.

use super::PAPER;
use crate::network::Subject;
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::fit::{self, Point, power_law};
use etalon::schedule::equilibrium;
use etalon::train::{Motion, Record, Trajectory, run};
use rayon::prelude::*;

/// A network whose trained weights are all scale-invariant, and small enough for many steps.
fn network(
    size: Size,
    seed: u64,
    data: &str,
    (eta, decay): (f64, f64),
    steps: u64,
    schedule: &str,
) -> String {
    let width = size.of([32, 64, 256]);
    // Small batches of noise turn weights by rare large angles, for which the law is not.
    let batch = if data == NOISE { 256 } else { 32 };
    format!(
        "seed = {seed}\n[data]\n{data}\ntest = 20\n[network]\ndepth = 2\nwidth = {width}\nbias = false\nnormalizer = \"batch\"\naffine = \
         false\nnormalizer_epsilon = 0.0\n[optimizer]\neta = {eta}\nweight_decay = {decay}\nfactors = {{ \"layers.4.weight\" = 0.0 \
         }}\n[schedule]\n{schedule}\n[train]\nbatch = {batch}\nsteps = {steps}\ncheck_every = 1000000\ncheck_samples = 64\n[measure]\n\
         samples = 64\nweights = true\n"
    )
}

const IMAGES: &str = "name = \"fashion-mini\"\ntrain = 500";
/// Classes that overlap, and too many samples to learn by heart: gradients stay noise. Of 20000 the network learns some at
/// small rates, so that their noise falls with the rate, and relaxation comes sooner than the law has it.
const NOISE: &str =
    "name = \"two-gaussians\"\ndimension = 20\nmargin = -1.0\nencoding = \"one_hot\"\ntrain = 200000";

fn trajectory(bench: &Bench<'_>, text: &str) -> Result<Trajectory, ClaimError> {
    bench.go_on()?;
    let subject = Subject::<f32>::new(text)?;
    let eta = subject.spec.optimizer.eta;
    Ok(run(&subject.task, &subject.plan, eta, subject.spec.seed, false).map_err(Error::from)?)
}

/// The motion of the second layer's weights.
fn motion(record: &Record) -> Option<&Motion> {
    record.weights.as_ref()?.iter().find(|motion| motion.segment == HIDDEN)
}

const HIDDEN: &str = "layers.2.weight";

pub(super) const TAPERED: Claim = Claim {
    id: "D-3",
    paper: &PAPER,
    place: "section 2, tapered exponential schedules",
    statement: "At a step of the schedule it is the growth that must change. Leaving the instant decay of the rate out makes no lasting \
                difference while growth is fast, and does where it is slow; decaying the rate and going on with the old growth helps for a \
                short time only.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("fast", "the effective rate without the instant decay over that of the step schedule, after the first step")
            .between(0.7, 1.3),
        Quantity::new("slow", "the same after the second step").at_least(2.0),
        Quantity::new("dropped", "the effective rate with the old growth, just after the rate has decayed, over that before").at_most(0.3),
        Quantity::new("reverted", "the same at the end").at_least(0.7),
    ],
    setting: |size, seed| {
        let words = "two hidden layers with batch normalisation, the last layer at rest, eta lambda = 0.01, tenfold lower after 400 and after \
                     1600 of 2800 steps; effective rates eta / |w|^2 of the second layer, means of 100 steps";
        Setting::network(size.of([4.0, 20.0, 100.0]), tapered(size, seed, "none"), words.into())
    },
    measure: |bench| {
        let (size, seed) = (bench.size(), bench.seed());
        bench.at("three schedules")?;
        let texts = [tapered(size, seed, "none"), tapered(size, seed, "growth_only"), dropped(size, seed)];
        let runs = texts.into_par_iter().map(|text| trajectory(bench, &text)).collect::<Result<Vec<_>, ClaimError>>()?;
        // The mean of the logarithms of the effective rate over the steps before one.
        let before = |run: &Trajectory, end: u64| {
            let rates = run.records.iter().filter(|record| (end.saturating_sub(100)..end).contains(&record.step));
            let logs: Vec<f64> = rates.filter_map(|record| Some(motion(record)?.effective_rate?.ln())).collect();
            (logs.iter().sum::<f64>() / logs.len() as f64).exp()
        };
        let ratio = |end: u64| before(&runs[1], end) / before(&runs[0], end);
        bench.read("fast", Reading::one(ratio(1600)));
        bench.read("slow", Reading::one(ratio(2800)));
        let start = before(&runs[2], 400);
        let at = |step: u64| {
            let found = runs[2].records.iter().find(|record| record.step >= step);
            found.and_then(|record| motion(record)?.effective_rate).unwrap_or(f64::NAN)
        };
        bench.read("dropped", Reading::one(at(402) / start));
        bench.read("reverted", Reading::one(before(&runs[2], 1600) / start));
        let rows = runs.iter().zip(0u8..).flat_map(|(run, index)| {
            run.records.iter().filter_map(move |record| {
                Some(vec![f64::from(index), record.step as f64, record.loss?, motion(record)?.effective_rate?])
            })
        });
        bench.curve("rates", &["schedule", "step", "loss", "effective_rate"], rows.collect());
        Ok(())
    },
};

fn tapered(size: Size, seed: u64, conversion: &str) -> String {
    let schedule =
        format!("kind = \"step\"\nmilestones = [400, 1600]\nfactor = 0.1\nconversion = \"{conversion}\"");
    network(size, seed, IMAGES, (0.5, 0.02), 2800, &schedule)
}

/// Without weight decay: the rate grows as its equivalent does, falls tenfold after 400 steps, and grows on.
fn dropped(size: Size, seed: u64) -> String {
    // Without momentum a step of eta lambda = 0.01 grows by (1 - 0.01)^-2.
    let grown = |steps: i32| 0.99f64.powi(-2 * steps);
    let factors = [1.0, grown(399), 0.1 * grown(400), 0.1 * grown(1599)];
    let schedule = format!(
        "kind = \"piecewise\"\nmilestones = [0, 399, 400, 1599]\nfactors = {factors:?}\ninterpolation = \"log\""
    );
    network(size, seed, IMAGES, (0.5, 0.0), 1600, &schedule)
}

pub(super) const RELAXATION: Claim = Claim {
    id: "D-6",
    paper: &PAPER,
    place: "section on the equilibrium of norms; Li, Lyu and Arora 2020",
    statement: "In equilibrium weights turn by about sqrt(2 eta lambda) a step, and it takes about 1/(eta lambda) steps to come there.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("exponent", "the power of eta lambda with which the angle of a step goes")
            .between(0.4, 0.6),
        Quantity::new("angle", "the farthest from 1 of that angle over sqrt(2 eta lambda)")
            .between(0.75, 1.33),
        Quantity::new(
            "time_exponent",
            "the power of eta lambda with which the steps to a new equilibrium go",
        )
        .between(-1.2, -0.8),
        Quantity::new("time", "the median of those steps times 4 eta lambda").between(0.5, 2.0),
    ],
    setting: |size, seed| {
        let words = "two classes that overlap, 200000 samples, batches of 256; two hidden layers with batch normalisation, the last layer at rest, eta = 0.5, 0.25, 0.125 and 0.0625, weight decay 0.04; \
                     angles at the end of 24/(4 eta lambda) steps, then the rate falls to a quarter, and |w|^4 goes by 1 - 1/e of its way to \
                     where it is after 8 such times. The spec is that of the first";
        Setting::network(size.of([4.0, 20.0, 100.0]), relaxing(size, seed, RATES[0]), words.into())
    },
    measure: measure_relaxation,
};

const RATES: [f64; 4] = [0.5, 0.25, 0.125, 0.0625];
const DECAY: f64 = 0.04;
/// Relaxation times until norms have come down from their initial values, far above those of equilibrium.
const SETTLING: f64 = 24.0;

/// Steps of so many relaxation times of |w|^4 at a rate.
fn times(eta: f64, count: f64) -> u64 {
    (count / (4.0 * eta * DECAY)).round() as u64
}

fn relaxing(size: Size, seed: u64, eta: f64) -> String {
    let (first, second) = (times(eta, SETTLING), times(eta / 4.0, 8.0));
    let schedule = format!("kind = \"step\"\nmilestones = [{first}]\nfactor = 0.25");
    network(size, seed, NOISE, (eta, DECAY), first + second, &schedule)
}

fn measure_relaxation(bench: &mut Bench<'_>) -> Result<(), ClaimError> {
    bench.at("rates of 0.5 to 0.0625")?;
    let one = |&eta: &f64| -> Result<[f64; 3], ClaimError> {
        let run = trajectory(bench, &relaxing(bench.size(), bench.seed(), eta))?;
        let first = times(eta, SETTLING);
        let settled = run.records.iter().filter(|record| (first * 2 / 3..first).contains(&record.step));
        let angles: Vec<f64> = settled.filter_map(|record| motion(record)?.angle).collect();
        let angle = (angles.iter().map(|angle| angle * angle).sum::<f64>() / angles.len() as f64).sqrt();
        let fourth = |record: &Record| motion(record).map(|motion| (4.0 * motion.log_norm).exp());
        let after: Vec<(u64, f64)> = run
            .records
            .iter()
            .filter(|record| record.step >= first)
            .filter_map(|record| Some((record.step - first, fourth(record)?)))
            .collect();
        let (Some(&(_, start)), Some(&(_, end))) = (after.first(), after.last()) else {
            return Ok([f64::NAN; 3]);
        };
        let way = start + (end - start) * (1.0 - (-1.0f64).exp());
        let reached = after.iter().find(|(_, value)| (value - start) / (way - start) >= 1.0);
        Ok([eta, angle, reached.map_or(f64::NAN, |(step, _)| *step as f64)])
    };
    let rows = RATES.par_iter().map(one).collect::<Result<Vec<[f64; 3]>, ClaimError>>()?;
    let fitted = |what: &dyn Fn(&[f64; 3]) -> [f64; 2]| {
        let points = rows.iter().map(|row| {
            let [x, y] = what(row);
            Point { label: format!("eta = {}", row[0]), x: vec![x], y }
        });
        power_law("y", &["eta lambda".into()], &points.collect::<Vec<_>>(), vec![], &fit::Options::default())
    };
    let angles: Vec<f64> = rows.iter().map(|row| row[1] / equilibrium::angle(row[0], DECAY, 0.0)).collect();
    let spans: Vec<f64> = rows.iter().map(|row| row[2] * row[0] * DECAY).collect();
    bench.read("exponent", Reading::exponent(&fitted(&|row| [row[0] * DECAY, row[1]])?));
    bench.read("angle", Reading::farthest(&angles, 1.0));
    bench.read("time_exponent", Reading::exponent(&fitted(&|row| [row[0] * DECAY, row[2]])?));
    // After the fall the rate is a quarter: 4 eta lambda is what it was before.
    bench.read("time", Reading::median(&spans));
    bench.curve("relaxation", &["eta", "angle", "steps"], rows.iter().map(|row| row.to_vec()).collect());
    Ok(())
}
