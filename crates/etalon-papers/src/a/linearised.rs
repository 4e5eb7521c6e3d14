//! Networks and their linear models.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use crate::network::{Start, Subject, each, starts};
use etalon::Error;
use etalon::train::{Twin, accuracy};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinearModels {
    seeds: u64,
    /// `eta lambda_0`.
    rates: Vec<f64>,
}

/// How far networks part from the linear models of their start and of the point reached.
pub(crate) fn linear_models(
    LinearModels { seeds, rates }: LinearModels,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let subject = Subject::new(&experiment.spec()?)?;
    let starts = starts(experiment, &subject, seeds)?;
    experiment.at("networks beside their linear models")?;
    let pairs = each(experiment, &starts, &rates, |start, c| beside(&subject, start, c))?;
    let (low, high): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| pair.c < 2.0);
    let of = |pairs: &[&Pair], what: &dyn Fn(&Pair) -> f64| {
        pairs.iter().map(|pair| what(pair)).collect::<Vec<_>>()
    };
    experiment.measured("lazy_gap", Measurement::most(&of(&low, &|pair| pair.early.gap())));
    experiment.measured(
        "early_loss",
        Measurement::least(&of(&high, &|pair| pair.early.losses[1] / pair.early.losses[0])),
    );
    experiment.measured("late_gap", Measurement::most(&of(&high, &|pair| pair.late.gap())));
    experiment
        .measured("late_loss", Measurement::most(&of(&high, &|pair| pair.late.losses[1] / pair.late.first)));
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
    experiment.curve("accuracies", columns, rows.collect());
    Ok(())
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
