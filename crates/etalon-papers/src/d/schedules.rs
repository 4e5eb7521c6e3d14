//! Schedules with weight decay and their equivalents without.

use super::PAPER;
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::equivalence::{Verification, verify};
use etalon::schedule::conversion::{largest_intrinsic_rate, log_growth};
use etalon::schedule::{Conversion, WithDecay};
use etalon::spec::{Spec, TrainOptions};
use etalon::theory::{Range, TheoryError, first_change};

/// Functions are the same if nothing but rounding parts them.
const SAME: f64 = 1e-8;
/// In single precision, over some hundred steps.
const SINGLE: f64 = 1e-3;

/// A normalised network: of fully connected layers, or the paper's residual network.
fn network(size: Size, seed: u64, steps: [u64; 3], schedule: &str) -> String {
    let steps = size.of(steps);
    let kind = size.of([
        "[data]\nname = \"fashion-mini\"\ntrain = 512\ntest = 200\n[network]\ndepth = 1\nwidth = 64",
        "[data]\nname = \"fashion-mini\"\ntrain = 2000\ntest = 500\n[network]\ndepth = 1\nwidth = 256",
        "[data]\nname = \"cifar10\"\ntrain = 50000\ntest = 10000\n[network]\nkind = \"preresnet\"\ndepth = 32",
    ]);
    let (batch, eta) = size.of([(32, 0.05), (64, 0.05), (128, 0.1)]);
    format!(
        "seed = {seed}\n{kind}\nnormalizer = \"batch\"\nnormalizer_epsilon = 0.0\n[optimizer]\neta = {eta}\nmomentum = 0.9\nweight_decay = \
         5e-4\n[schedule]\n{schedule}\n[train]\nbatch = {batch}\nsteps = {steps}\ncheck_every = 1000000\ncheck_samples = 64\n[measure]\n\
         samples = 64\n"
    )
}

/// What is run, in words.
fn words(size: Size, more: &str) -> String {
    let network = size.of([
        "one hidden layer of 64 with batch normalisation, 512 images of fashion-mini, batches of 32",
        "one hidden layer of 256 with batch normalisation, 2000 images of fashion-mini, batches of 64",
        "PreResNet-32 on CIFAR-10, batches of 128",
    ]);
    format!("{network}, momentum 0.9, weight decay 5e-4; {more}")
}

/// Trains both ways, in both precisions.
fn compare(bench: &Bench<'_>, text: &str, conversion: Conversion) -> Result<Verification, ClaimError> {
    bench.at("both schedules side by side")?;
    let spec = Spec::parse(text).map_err(Error::from)?;
    Ok(verify(&spec, conversion, SAME, &mut |_, _| {})?)
}

/// The differences of the runs in f64 and in f32.
fn read_differences(bench: &mut Bench<'_>, found: &Verification) {
    for agreement in &found.agreement {
        // Runs that ended early have no difference to show.
        let whole = |value: f64| if agreement.ended.is_none() { value } else { f64::NAN };
        if agreement.precision == "f64" {
            bench.read("direction", Reading::one(whole(agreement.direction)));
            bench.read("logits", Reading::one(whole(agreement.logits)));
            bench.read("norm", Reading::one(whole(agreement.norm)));
        } else {
            bench.read("single", Reading::one(whole(agreement.direction)));
        }
    }
}

const DIRECTION: Quantity =
    Quantity::new("direction", "the largest distance between the directions of the weights, in f64")
        .at_most(SAME);
const LOGITS: Quantity = Quantity::new("logits", "the largest difference of outputs, in f64").at_most(SAME);
const NORM: Quantity =
    Quantity::new("norm", "how far the growth of norms is from the predicted one, in f64").at_most(SAME);
const SINGLE_DIRECTION: Quantity =
    Quantity::new("single", "the largest distance between the directions of the weights, in f32")
        .at_most(SINGLE);

pub(super) const CONSTANT: Claim = Claim {
    id: "D-1",
    paper: &PAPER,
    place: "figure 1 and theorem 2.12",
    statement: "SGD with a constant rate and weight decay trains the same functions as SGD without, at a rate that grows \
                exponentially, where a normalisation makes the scale of the weights not matter.",
    certainty: Certainty::Found,
    quantities: &[DIRECTION, LOGITS, NORM, SINGLE_DIRECTION],
    setting: |size, seed| {
        Setting::network(
            size.of([3.0, 20.0, 2e5]),
            constant(size, seed),
            words(size, "a constant rate, step by step"),
        )
    },
    measure: |bench| {
        let found = compare(bench, &constant(bench.size(), bench.seed()), Conversion::Exact)?;
        read_differences(bench, &found);
        Ok(())
    },
};

fn constant(size: Size, seed: u64) -> String {
    network(size, seed, [200, 300, 62_560], "kind = \"constant\"")
}

pub(super) const STEPS: Claim = Claim {
    id: "D-2",
    paper: &PAPER,
    place: "figure 2",
    statement: "A step schedule has a tapered exponential schedule as its equivalent: the same functions, and so the same accuracy.",
    certainty: Certainty::Recalled,
    quantities: &[
        DIRECTION,
        LOGITS,
        Quantity::new("accuracy_gap", "the difference of final test accuracy, in f32").at_most(0.02),
        Quantity::new("accuracy", "the final test accuracy with weight decay"),
    ],
    setting: |size, seed| {
        let more = "the rate falls tenfold at a third and at two thirds, its equivalent in closed form";
        Setting::network(size.of([5.0, 40.0, 4e5]), stepped(size, seed, "none"), words(size, more))
    },
    measure: |bench| {
        let (size, seed) = (bench.size(), bench.seed());
        let found = compare(bench, &stepped(size, seed, "none"), Conversion::Phases)?;
        read_differences(bench, &found);
        let mut accuracies = Vec::new();
        for conversion in ["none", "phases"] {
            bench.at("the final accuracy")?;
            let spec = Spec::parse(&stepped(size, seed, conversion)).map_err(Error::from)?;
            let (report, _) = spec.train(&TrainOptions::default(), &mut |_, _| {})?;
            accuracies.push(report.last.test_accuracy.unwrap_or(f64::NAN));
        }
        bench.read("accuracy_gap", Reading::one((accuracies[0] - accuracies[1]).abs()));
        bench.read("accuracy", Reading::one(accuracies[0]));
        Ok(())
    },
};

fn stepped(size: Size, seed: u64, conversion: &str) -> String {
    let steps = [300, 450, 62_560];
    let milestones = size.of([[100, 200], [150, 300], [31_280, 46_920]]);
    let schedule =
        format!("kind = \"step\"\nmilestones = {milestones:?}\nfactor = 0.1\nconversion = \"{conversion}\"");
    network(size, seed, steps, &schedule)
}

pub(super) const COSINE: Claim = Claim {
    id: "D-4",
    paper: &PAPER,
    place: "section 2 and experiments",
    statement: "A cosine schedule has an equivalent without weight decay, too.",
    certainty: Certainty::Recalled,
    quantities: &[DIRECTION, LOGITS, NORM, SINGLE_DIRECTION],
    setting: |size, seed| {
        let more = "cosine after a warm-up, step by step";
        Setting::network(size.of([3.0, 20.0, 2e5]), cosine(size, seed), words(size, more))
    },
    measure: |bench| {
        let found = compare(bench, &cosine(bench.size(), bench.seed()), Conversion::Exact)?;
        read_differences(bench, &found);
        Ok(())
    },
};

fn cosine(size: Size, seed: u64) -> String {
    network(size, seed, [200, 300, 62_560], "kind = \"cosine\"\nwarmup = 40")
}

pub(super) const GROWTH: Claim = Claim {
    id: "D-T1",
    paper: &PAPER,
    place: "theorem 2.12 and the authors' account of figure 1",
    statement: "At momentum 0.9, weight decay 5e-4 and a rate of 0.1 the equivalent rate grows by a factor of 1.481 in an epoch of 391 \
                steps; it is real up to eta lambda = (1 - sqrt(momentum))^2.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new("growth", "the factor of an epoch").between(1.4805, 1.4815),
        Quantity::new("boundary", "the farthest from 1 of the eta lambda at which the exact recursion breaks down, over the predicted one")
            .between(0.999, 1.005),
    ],
    setting: |_, _| Setting::model(1.0, "the closed form, and the exact recursion over 20000 steps at momenta 0.5, 0.9 and 0.99".into()),
    measure: |bench| {
        let growth = log_growth(0.1, 5e-4, 0.9).map_err(Error::from)?;
        bench.read("growth", Reading::one((391.0 * growth).exp()));
        let mut ratios = Vec::new();
        for momentum in [0.5, 0.9, 0.99] {
            let expected = largest_intrinsic_rate(momentum);
            let range = Range { low: 0.5 * expected, high: 2.0 * expected, steps: 1, tolerance: 1e-5 };
            let exists = |decay: f64| {
                Ok::<bool, TheoryError>(WithDecay::constant(vec![0.0; 20_000], decay, momentum).exact().is_ok())
            };
            ratios.push(first_change(&range, exists).map_err(Error::from)?.middle() / expected);
        }
        bench.read("boundary", Reading::farthest(&ratios, 1.0));
        Ok(())
    },
};
