//! Networks and their linear models.

use super::PAPER;
use super::networks::starts;
use crate::network::{Start, Subject};
use crate::{Certainty, Claim, ClaimError, Quantity, Reading, Setting, Size};
use etalon::Error;
use etalon::train::{Twin, accuracy};
use rayon::prelude::*;

pub(super) const CLAIM: Claim = Claim {
    id: "A-10",
    paper: &PAPER,
    place: "figure 6",
    statement: "A network follows its linear model below 2/lambda0. Above, it does not; but it follows the linear model that is \
                taken after the catapult, for rates up to about 4/lambda0.",
    certainty: Certainty::Found,
    quantities: &[
        Quantity::new(
            "lazy_gap",
            "the largest difference of test accuracy to the linear model of the start, below 2/lambda0",
        )
        .at_most(0.03),
        Quantity::new(
            "early_loss",
            "the least final loss of that linear model above 2/lambda0, over the network's",
        )
        .at_least(1e3),
        Quantity::new(
            "late_gap",
            "the largest difference of test accuracy to the linear model taken after the catapult",
        )
        .at_most(0.03),
        Quantity::new(
            "late_loss",
            "the largest final loss of that linear model above 2/lambda0, over its start",
        )
        .at_most(1.0),
    ],
    setting: |size, seed| {
        let Pairs { width, samples, seeds, steps, .. } = pairs(size);
        let words = format!(
            "one hidden layer of {width}, ReLU, two classes, {samples} images in one batch, {seeds} seeds, eta lambda0 = 1, 2.5 and 3; \
             {steps} steps beside the linear model of the start, then {steps} beside that of the point reached"
        );
        Setting::network(size.of([8.0, 60.0, 600.0]), spec(size, seed), words)
    },
    measure: |bench| {
        let Pairs { seeds, .. } = pairs(bench.size());
        let subject = Subject::new(&spec(bench.size(), bench.seed()))?;
        let starts = starts(bench, &subject, seeds)?;
        bench.at("networks beside their linear models")?;
        let jobs: Vec<(&Start<f32>, f64)> =
            starts.iter().flat_map(|start| [1.0, 2.5, 3.0].map(|c| (start, c))).collect();
        let run = |(start, c): (&Start<f32>, f64)| {
            bench.go_on()?;
            beside(&subject, start, c)
        };
        let pairs = jobs.into_par_iter().map(run).collect::<Result<Vec<Pair>, ClaimError>>()?;
        let (low, high): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| pair.c < 2.0);
        let of = |pairs: &[&Pair], what: &dyn Fn(&Pair) -> f64| {
            pairs.iter().map(|pair| what(pair)).collect::<Vec<_>>()
        };
        bench.read("lazy_gap", Reading::most(&of(&low, &|pair| pair.early.gap())));
        bench.read(
            "early_loss",
            Reading::least(&of(&high, &|pair| pair.early.losses[1] / pair.early.losses[0])),
        );
        bench.read("late_gap", Reading::most(&of(&high, &|pair| pair.late.gap())));
        bench.read("late_loss", Reading::most(&of(&high, &|pair| pair.late.losses[1] / pair.late.first)));
        let rows = pairs.iter().map(|Pair { seed, c, early, late }| {
            let numbers = |side: &Side| [side.accuracies, side.losses].concat();
            [vec![*seed as f64, *c], numbers(early), numbers(late)].concat()
        });
        let columns = &[
            "seed",
            "c",
            "accuracy",
            "twin_accuracy",
            "loss",
            "twin_loss",
            "late_accuracy",
            "late_twin_accuracy",
            "late_loss",
            "late_twin_loss",
        ];
        bench.curve("accuracies", columns, rows.collect());
        Ok(())
    },
};

struct Pairs {
    data: &'static str,
    width: usize,
    samples: usize,
    seeds: u64,
    steps: u64,
}

fn pairs(size: Size) -> Pairs {
    size.of([
        Pairs { data: "fashion-mini", width: 512, samples: 100, seeds: 2, steps: 60 },
        Pairs { data: "fashion-mini", width: 1024, samples: 150, seeds: 3, steps: 60 },
        Pairs { data: "mnist", width: 2048, samples: 2000, seeds: 5, steps: 100 },
    ])
}

fn spec(size: Size, seed: u64) -> String {
    let Pairs { data, width, samples, steps, .. } = pairs(size);
    format!(
        "seed = {seed}\nloss = \"mse\"\n[data]\nname = \"{data}\"\nclasses = [0, 6]\ntrain = {samples}\ntest = 100\n[network]\ndepth = 1\n\
         width = {width}\nparametrization = \"ntk\"\nbias = false\n[train]\nbatch = \"full\"\nsteps = {steps}\ncheck_every = 1000000\n\
         [measure]\nsamples = {samples}\n"
    )
}

/// A network beside its linear model: the network's number first.
struct Side {
    accuracies: [f64; 2],
    losses: [f64; 2],
    /// The loss that both started from.
    first: f64,
}

impl Side {
    fn gap(&self) -> f64 {
        (self.accuracies[0] - self.accuracies[1]).abs()
    }
}

struct Pair {
    seed: u64,
    c: f64,
    early: Side,
    late: Side,
}

/// Trains a network and the linear model of its start, then it and that of the point it has reached.
fn beside(subject: &Subject<f32>, start: &Start<f32>, c: f64) -> Result<Pair, ClaimError> {
    let task = &subject.task;
    let side = |from: &[f32]| -> Result<(Side, Vec<f32>), ClaimError> {
        // The rate is that of the beginning, wherever this part starts.
        let part = Start { seed: start.seed, parameters: from.to_vec(), lambda: start.lambda };
        let observed = subject.observe(&subject.plan, &part, c, 0)?;
        let mut twin = Twin::at(task, from, false);
        let eta = c / start.lambda;
        let steps = subject.plan.steps(eta, task.train.len).map_err(Error::from)?;
        (0..steps).for_each(|_| {
            twin.step(eta);
        });
        let trajectory = &observed.trajectory;
        let twin_accuracy = accuracy(&twin.outputs_on(task.test.batch()), &task.test.targets, 1);
        let own = trajectory.test.accuracy.unwrap_or(f64::NAN);
        let side = Side {
            accuracies: [own, twin_accuracy],
            losses: [trajectory.train.loss, twin.value()],
            first: trajectory.first_loss,
        };
        Ok((side, observed.parameters))
    };
    let (early, reached) = side(&start.parameters)?;
    let (late, _) = side(&reached)?;
    Ok(Pair { seed: start.seed, c, early, late })
}
