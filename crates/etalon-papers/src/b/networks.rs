//! Networks of images under logistic loss.

use super::PAPER;
use crate::rates::{Rate, best, keep, rates};
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::fit::{self, Point, power_law};
use etalon::models::separability;
use etalon::spec::Spec;

/// Two classes of images that no linear function separates, without the grid.
fn spec(size: Size) -> String {
    let data = size.of([
        "name = \"fashion-mini\"\nclasses = [0, 6]\ntrain = 400\ntest = 100\nshrink = 4",
        "name = \"fashion-mnist\"\nclasses = [0, 6]\ntrain = 2048\ntest = 2000\nshrink = 2",
        "name = \"cifar10\"\nclasses = [1, 5]\ntrain = 2048\ntest = 2000\nshrink = 4",
    ]);
    format!(
        "loss = \"logistic\"\n[data]\n{data}\n[network]\ndepth = 2\nwidth = {}\nbias = false\nparametrization = \"ntk\"\n[schedule]\n\
         last_eta = 3.0\n[train]\nbatch = \"full\"\nphysical_time = {:?}\ncheck_every = 1000000\n[measure]\nsamples = 400\n",
        size.of([128, 256, 1024]),
        size.of([1000.0, 4000.0, 20_000.0])
    )
}

/// Steps at the low rate.
const LAST: u64 = 100;

/// Rates about the critical one, 2 / sharpness, with and without steps at a low rate after them.
fn grid(size: Size, seed: u64) -> String {
    let seeds: Vec<String> = (0..size.of([2, 3, 5])).map(|index| (seed + index).to_string()).collect();
    format!(
        "{}[grid]\n\"schedule.last_steps\" = [0, {LAST}]\n\"optimizer.eta\" = {{ log = [5.0, 80.0], points = {} }}\nseed = \
         [{}]\ncurvature = true\n",
        spec(size),
        size.of([9, 11, 17]),
        seeds.join(", ")
    )
}

fn setting(size: Size, seed: u64) -> Setting {
    let words = "a fully connected ReLU network with two hidden layers, two classes of images, logistic loss, all of them in one batch, \
                 equal physical time eta t, with and without 100 steps at a low rate after it; the critical rate is 2 over the \
                 Hessian's largest eigenvalue at the start; medians over seeds";
    Setting::network(size.of([15.0, 150.0, 40_000.0]), grid(size, seed), words.into())
}

/// The rates without and with the low one after them.
fn measured(bench: &mut Bench<'_>) -> Result<[Vec<Rate>; 2], ClaimError> {
    let table = bench.sweep(&grid(bench.size(), bench.seed()))?;
    let at = |steps: u64| rates(&table, Some(("schedule.last_steps", steps as f64)));
    Ok([at(0)?, at(LAST)?])
}

/// The rate in units of the critical one.
fn over_critical(rate: &Rate) -> f64 {
    rate.eta * rate.sharpness[0] / 2.0
}

/// The highest rate in units of the critical one that counts as below it, for sharpness rises in training and lowers the
/// border; and those that count as above it, for at still higher ones little is learnt in the same time.
const BELOW: f64 = 0.7;
const ABOVE: [f64; 2] = [1.25, 5.0];

pub(super) const SHARPNESS: Claim = Claim {
    id: "B-4",
    paper: &PAPER,
    place: "experiments",
    statement: "In networks of images, too, the sharpness at which training ends does not depend on the rate below the critical one, and \
                falls with the rate above.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new(
            "flat",
            "the largest over the least sharpness at the end, at rates up to 0.7 of the critical one",
        )
        .at_most(1.2),
        Quantity::new(
            "exponent",
            "the power of the rate with which it goes, from 1.25 to 5 times the critical one",
        )
        .between(-1.5, -0.5),
        Quantity::new("least", "the least of these over that below the critical rate"),
    ],
    setting,
    measure: |bench| {
        let [found, _] = measured(bench)?;
        keep(bench, "rates", &found);
        let low: Vec<f64> =
            found.iter().filter(|rate| over_critical(rate) <= BELOW).map(|rate| rate.sharpness[1]).collect();
        let high: Vec<&Rate> =
            found.iter().filter(|rate| (ABOVE[0]..=ABOVE[1]).contains(&over_critical(rate))).collect();
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let below = least(&mut low.iter().copied());
        bench.read("flat", Reading::one(low.iter().copied().fold(f64::NAN, f64::max) / below));
        let point =
            |rate: &&Rate| Point { label: rate.eta.to_string(), x: vec![rate.eta], y: rate.sharpness[1] };
        let points: Vec<Point> = high.iter().map(point).collect();
        let law = power_law("sharpness", &["eta".into()], &points, vec![], &fit::Options::default())?;
        bench.read("exponent", Reading::exponent(&law));
        bench.read("least", Reading::one(least(&mut high.iter().map(|rate| rate.sharpness[1])) / below));
        Ok(())
    },
};

pub(super) const ACCURACY: Claim = Claim {
    id: "B-5",
    paper: &PAPER,
    place: "experiments",
    statement: "Where the data are not separable, held-out accuracy after equal physical time and a low rate is better at rates above the \
                critical one; the low rate helps there.",
    certainty: Certainty::Recalled,
    quantities: &[
        Quantity::new("separable", "whether a linear function separates the training data, 1 or 0")
            .at_most(0.0),
        Quantity::new(
            "gain",
            "the highest accuracy above the critical rate less the highest below, after the low rate",
        )
        .at_least(0.005),
        Quantity::new("change", "the median change by the low rate above the critical one").at_least(0.0),
        Quantity::new(
            "loss",
            "the lowest held-out loss above the critical rate over the lowest below, after the low rate",
        ),
        Quantity::new("best", "the highest accuracy above the critical rate, after the low rate"),
    ],
    setting,
    measure: |bench| {
        let (report, ..) = separability(&Spec::parse(&spec(bench.size())).map_err(etalon::Error::from)?)?;
        bench.read("separable", Reading::one(report.separable.map_or(f64::NAN, |yes| u8::from(yes).into())));
        let [before, after] = measured(bench)?;
        keep(bench, "rates", &before);
        keep(bench, "rates-after", &after);
        let (low, high): (Vec<&Rate>, Vec<&Rate>) = after.iter().partition(|rate| over_critical(rate) <= 1.0);
        let accuracy = |rates: &[&Rate]| best(rates.iter().copied()).map_or(f64::NAN, |rate| rate.accuracy);
        let loss = |rates: &[&Rate]| rates.iter().map(|rate| rate.loss).fold(f64::NAN, f64::min);
        bench.read("gain", Reading::one(accuracy(&high) - accuracy(&low)));
        let changes: Vec<f64> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| over_critical(before) > 1.0 && before.diverged + after.diverged == 0.0)
            .map(|(before, after)| after.accuracy - before.accuracy)
            .collect();
        bench.read("change", Reading::median(&changes));
        bench.read("loss", Reading::one(loss(&high) / loss(&low)));
        bench.read("best", Reading::one(accuracy(&high)));
        Ok(())
    },
};
