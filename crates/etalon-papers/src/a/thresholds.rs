//! The learning rates at which something changes.

use super::PAPER;
use super::map::drawn;
use super::networks::starts;
use crate::network::{Start, Subject, rises, trained};
use crate::{Bench, Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::models::linear_runs;
use etalon::spec::Spec;
use etalon::theory::thresholds::{Activation, Batch, Loss, ThresholdInputs, thresholds};
use etalon::theory::{Axis, Phase, Range, RunSettings, ScalarLoss, boundary};
use etalon_nn::optim::{Rule, Sgd};
use rayon::prelude::*;

/// Images of two classes or of ten under squared loss, in one batch.
fn images(seed: u64, classes: &str, samples: usize, network: &str, steps: u64) -> String {
    format!(
        "seed = {seed}\nloss = \"mse\"\n[data]\nname = \"fashion-mini\"\nclasses = {classes}\ntrain = {samples}\ntest = 20\n[network]\n{network}\n\
         parametrization = \"ntk\"\nbias = false\n[train]\nbatch = \"full\"\nsteps = {steps}\ncheck_every = 1000000\n[measure]\nsamples \
         = {samples}\n"
    )
}

/// The rate of each start at which an answer changes, in units of 1 / lambda0.
fn changes<'a>(
    bench: &Bench<'_>,
    subject: &Subject<f32>,
    starts: impl IntoParallelIterator<Item = &'a Start<f32>>,
    range: &Range,
    ask: fn(&etalon::train::Trajectory) -> bool,
) -> Result<Vec<f64>, ClaimError> {
    let change = |start: &Start<f32>| {
        bench.go_on()?;
        subject.change(start, range, ask)
    };
    starts.into_par_iter().map(change).collect()
}

pub(super) const LAZY: Claim = Claim {
    id: "A-T1",
    paper: &PAPER,
    place: "section 1",
    statement: "The loss begins to rise at eta = 2/lambda0, whatever the depth.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "one",
            "the median eta lambda0 at which the loss rises from one step to the next, 1 hidden layer",
        )
        .between(1.8, 2.2),
        Quantity::new("two", "the same, 2 hidden layers").between(1.8, 2.2),
        Quantity::new("three", "the same, 3 hidden layers").between(1.8, 2.2),
    ],
    setting: |size, seed| {
        let (width, samples, seeds) = lazy(size);
        let words = format!(
            "ReLU networks of width {width}, two classes, {samples} images in one batch, 40 steps, {seeds} seeds; by bisection to 2 %. \
             The spec is that of one hidden layer"
        );
        Setting::network(
            size.of([8.0, 60.0, 600.0]),
            images(seed, "[0, 6]", samples, &relu(1, width), 40),
            words,
        )
    },
    measure: |bench| {
        let (width, samples, seeds) = lazy(bench.size());
        let range = Range { low: 1.4, high: 4.0, steps: 4, tolerance: 0.02 };
        for (depth, name) in [(1, "one"), (2, "two"), (3, "three")] {
            let subject = Subject::new(&images(bench.seed(), "[0, 6]", samples, &relu(depth, width), 40))?;
            let starts = starts(bench, &subject, seeds)?;
            bench.at(&format!("{depth} hidden layers"))?;
            let found = changes(bench, &subject, &starts, &range, rises)?;
            bench.read(name, Reading::median(&found));
        }
        Ok(())
    },
};

fn relu(depth: usize, width: usize) -> String {
    format!("depth = {depth}\nwidth = {width}\nactivation = \"relu\"")
}

fn lazy(size: Size) -> (usize, usize, u64) {
    size.of([(512, 60, 3), (768, 80, 5), (8192, 500, 10)])
}

pub(super) const CATAPULT: Claim = Claim {
    id: "A-T2",
    paper: &PAPER,
    place: "section 2",
    statement: "Training ends at eta = 4/lambda0: exactly in the two-layer linear network with one input, closely with many, and at \
                about that in ReLU networks of one hidden layer.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new(
            "one_input",
            "the farthest from 4 of eta lambda0 at which the one-input network diverges, widths 10 to 1e5",
        )
        .between(3.999, 4.001),
        Quantity::new(
            "many_inputs",
            "the lowest eta lambda0 at which the linear network on 40 samples of 10 numbers diverges",
        )
        .between(3.6, 5.0),
        Quantity::new("relu", "the median eta lambda0 up to which the ReLU network trains").between(3.2, 5.2),
    ],
    setting: |size, seed| {
        let (width, samples, seeds) = catapult(size);
        let words = format!(
            "the solved networks by bisection and at 60 rates; ReLU, one hidden layer of {width}, two classes, {samples} images in one \
             batch, 100 steps, {seeds} seeds"
        );
        Setting::network(
            size.of([10.0, 60.0, 600.0]),
            images(seed, "[0, 6]", samples, &relu(1, width), 100),
            words,
        )
    },
    measure: |bench| {
        let (width, samples, seeds) = catapult(bench.size());
        bench.at("the solved networks")?;
        let mut exact = Vec::new();
        for seed in bench.seeds(seeds) {
            for width in [10, 100, 1000, 10_000, 100_000] {
                let start = drawn(seed, width);
                let range =
                    Range { low: 3.0 / start.lambda, high: 6.0 / start.lambda, steps: 20, tolerance: 1e-5 };
                let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
                let (loss, width) = (ScalarLoss::Mse { target: 0.0 }, width as f64);
                let found =
                    boundary(loss, width, start, &range, &settings, |run| run.phase != Phase::Divergent);
                exact.push(found.map_err(Error::from)?.middle() * start.lambda);
            }
        }
        bench.read("one_input", Reading::farthest(&exact, 4.0));
        let text = images(bench.seed(), "[0, 6]", samples, &relu(1, width), 100);
        let spec = Spec::parse(&teacher(bench.seed())).map_err(Error::from)?;
        let axis: Axis = "3..6/60".parse().map_err(|error| ClaimError::Other(format!("{error}")))?;
        let solved = linear_runs(&spec, &axis, 2000)?;
        let diverged = solved.runs.iter().find(|run| run.phase == Phase::Divergent);
        bench.read("many_inputs", Reading::one(diverged.map_or(f64::NAN, |run| run.c)));
        let subject = Subject::new(&text)?;
        let starts = starts(bench, &subject, seeds)?;
        bench.at("the ReLU network")?;
        let range = Range { low: 2.5, high: 10.0, steps: 6, tolerance: 0.05 };
        bench.read("relu", Reading::median(&changes(bench, &subject, &starts, &range, trained)?));
        Ok(())
    },
};

/// The data of the solved network with many inputs.
fn teacher(seed: u64) -> String {
    format!(
        "seed = {seed}\nprecision = \"f64\"\nloss = \"mse\"\n[data]\nname = \"teacher\"\ndimension = 10\ntrain = 40\ntest = 10\n[network]\n\
         width = 2000\n[train]\nbatch = \"full\"\n"
    )
}

fn catapult(size: Size) -> (usize, usize, u64) {
    size.of([(512, 60, 3), (768, 80, 5), (8192, 500, 10)])
}

pub(super) const ACTIVATION: Claim = Claim {
    id: "A-T3",
    paper: &PAPER,
    place: "section 1",
    statement: "The largest rate that trains is c_act/lambda0, where c_act depends strongly on the nonlinearity (about 12 for ReLU) \
                and weakly on the rest of the architecture.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new("relu", "the median c_act of ReLU, 3 hidden layers, 10 classes").between(8.0, 16.0),
        Quantity::new("relu_over_tanh", "ReLU's over tanh's, 3 hidden layers, 10 classes").at_least(1.5),
        Quantity::new("shallow", "the median c_act of ReLU, 1 hidden layer, 10 classes"),
        Quantity::new("two_classes", "the median c_act of ReLU, 3 hidden layers, 2 classes"),
        Quantity::new("spread", "the largest over the least of the three medians of ReLU").at_most(1.5),
    ],
    setting: |size, seed| {
        let (width, samples, seeds) = activation(size);
        let words = format!(
            "networks of width {width}, {samples} images in one batch, 60 steps, {seeds} seeds; by bisection to 10 %. The spec is that of \
             the first"
        );
        Setting::network(
            size.of([15.0, 200.0, 6000.0]),
            images(seed, "[]", samples, &relu(3, width), 60),
            words,
        )
    },
    measure: |bench| {
        let (width, samples, seeds) = activation(bench.size());
        let limit = |classes: &str, network: &str, what: &str| -> Result<Reading, ClaimError> {
            let subject = Subject::new(&images(bench.seed(), classes, samples, network, 60))?;
            let starts = starts(bench, &subject, seeds)?;
            bench.at(what)?;
            let range = Range { low: 1.5, high: 48.0, steps: 12, tolerance: 0.1 };
            // At low rates 60 steps may be too few: a walk from below looks for where training ends.
            let settled = |trajectory: &etalon::train::Trajectory| {
                !trajectory.stop.diverged() && trajectory.train.loss < trajectory.start.loss
            };
            Ok(Reading::median(&changes(bench, &subject, &starts, &range, settled)?))
        };
        let relu_limit = limit("[]", &relu(3, width), "ReLU, 3 hidden layers, 10 classes")?;
        let tanh = limit(
            "[]",
            &format!("depth = 3\nwidth = {width}\nactivation = \"tanh\"\ninit = \"lecun\""),
            "tanh",
        )?;
        let shallow = limit("[]", &relu(1, width), "ReLU, 1 hidden layer, 10 classes")?;
        let two = limit("[0, 6]", &relu(3, width), "ReLU, 3 hidden layers, 2 classes")?;
        let number = |reading: Reading| reading.value.unwrap_or(f64::NAN);
        let medians = [relu_limit, shallow, two].map(number);
        let ends = medians
            .iter()
            .fold([f64::INFINITY, 0.0f64], |[low, high], &value| [low.min(value), high.max(value)]);
        bench.read("relu", relu_limit);
        bench.read("relu_over_tanh", Reading::one(number(relu_limit) / number(tanh)));
        bench.read("shallow", shallow);
        bench.read("two_classes", two);
        bench.read("spread", Reading::one(ends[1] / ends[0]));
        Ok(())
    },
};

fn activation(size: Size) -> (usize, usize, u64) {
    size.of([(256, 100, 2), (384, 150, 3), (2048, 5000, 5)])
}

pub(super) const MOMENTUM: Claim = Claim {
    id: "A-T4",
    paper: &PAPER,
    place: "thresholds with momentum, beyond the paper (Cohen et al. 2021)",
    statement: "With momentum b training becomes unstable at (2 + 2b)/lambda0 for a heavy ball, at (2 + 2b)/((1 + 2b) lambda0) for \
                Nesterov's, and at 2(1 + b)/((1 - b) lambda0) where the gradient is averaged by 1 - b.",
    certainty: Certainty::Derived,
    quantities: &[
        Quantity::new(
            "none",
            "the farthest from 1 of the measured limit over the predicted one, without momentum",
        )
        .between(0.98, 1.02),
        Quantity::new("heavy_ball", "the same for a heavy ball, b = 0.5 and 0.9").between(0.98, 1.02),
        Quantity::new("nesterov", "the same for Nesterov's").between(0.98, 1.02),
        Quantity::new("averaged", "the same for an averaged gradient").between(0.98, 1.02),
    ],
    setting: |size, seed| {
        let (samples, seeds) = momentum(size);
        let words = format!(
            "a linear model of {samples} samples of a noisy teacher, 3000 steps, {seeds} seeds; by bisection to 0.5 %"
        );
        Setting::network(size.of([3.0, 20.0, 20.0]), linear(seed, samples, 0.9, false), words)
    },
    measure: |bench| {
        let (samples, seeds) = momentum(bench.size());
        for (name, nesterov, averaged, momenta) in [
            ("none", false, false, &[0.0][..]),
            ("heavy_ball", false, false, &[0.5, 0.9]),
            ("nesterov", true, false, &[0.5, 0.9]),
            ("averaged", false, true, &[0.5, 0.9]),
        ] {
            bench.at(name)?;
            let mut ratios = Vec::new();
            for &b in momenta {
                let subject = Subject::<f64>::new(&linear(bench.seed(), samples, b, nesterov))?;
                for seed in bench.seeds(seeds) {
                    let start = subject.start(seed)?;
                    let predicted = limit(start.lambda, b, (nesterov, averaged)) * start.lambda;
                    // An average of gradients by 1 - b is a heavy ball at 1 - b times the rate.
                    let scale = if averaged { 1.0 - b } else { 1.0 };
                    let expected = predicted * scale;
                    let range =
                        Range { low: 0.8 * expected, high: 1.25 * expected, steps: 1, tolerance: 0.005 };
                    let bounded = |trajectory: &etalon::train::Trajectory| !trajectory.stop.diverged();
                    ratios.push(subject.change(&start, &range, bounded)? / expected);
                }
            }
            bench.read(name, Reading::farthest(&ratios, 1.0));
        }
        Ok(())
    },
};

fn momentum(size: Size) -> (usize, u64) {
    size.of([(50, 2), (200, 10), (200, 10)])
}

fn linear(seed: u64, samples: usize, momentum: f64, nesterov: bool) -> String {
    format!(
        "seed = {seed}\nprecision = \"f64\"\nloss = \"mse\"\n[data]\nname = \"teacher\"\ntrain = {samples}\ntest = 10\n[network]\ndepth = 0\n\
         bias = false\n[optimizer]\nmomentum = {momentum:?}\nnesterov = {nesterov}\n[train]\nbatch = \"full\"\nsteps = 3000\ncheck_every = \
         1000000\n[measure]\nsamples = {samples}\ntolerance = 1e-8\n"
    )
}

/// The limit that theory gives for a curvature.
fn limit(lambda: f64, momentum: f64, (nesterov, averaged): (bool, bool)) -> f64 {
    let inputs = ThresholdInputs {
        loss: Loss::Mse,
        ntk_top: Some(lambda),
        hessian_max: None,
        preconditioned_max: None,
        activation: Activation::Identity,
        hidden_layers: Some(0),
        outputs: 1,
        optimizer: Rule::Sgd(Sgd { momentum, nesterov }),
        weight_decay: 0.0,
        decayed: None,
        batch: Batch::Full,
        bias: false,
        scale: 1.0,
    };
    let name = match (momentum > 0.0, nesterov, averaged) {
        (false, ..) => "lazy-limit",
        (true, true, _) => "lazy-limit-nesterov",
        (true, false, true) => "lazy-limit-ema",
        (true, false, false) => "lazy-limit-heavy-ball",
    };
    thresholds(&inputs).eta(name).unwrap_or(f64::NAN)
}
