//! Normalisation and weight decay in the plane and in a linear classifier.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::{Measurement, spread};
use etalon::Error;
use etalon::models::{Toy, toy_runs};
use etalon::theory::scale_invariant::Training;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Toys {
    /// Of the classifier.
    steps: u64,
}

/// Stationary losses with normalisation, with weight decay, and with both.
pub(crate) fn toys(
    Toys { steps: classifier_steps }: Toys,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let training = |normalized, eta, weight_decay| Training { normalized, eta, weight_decay };
    let seed = experiment.seed();
    let run =
        |toy, trainings: &[Training], steps| toy_runs(toy, trainings, steps, seed, 0).map_err(Error::from);
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let plain = Toy::Ratio { noise: 0.0 };
    let alone = run(plain, &[training(true, 0.1, 0.0), training(false, 0.1, 0.1)], 100_000)?;
    experiment
        .measured("alone", Measurement::most(&alone.iter().map(|run| number(run.mean)).collect::<Vec<_>>()));
    let both = [0.1, 0.05, 0.02].map(|eta| training(true, eta, 0.1));
    let bursts: Vec<f64> = run(plain, &both, 100_000)?.iter().map(|run| run.bursts as f64).collect();
    experiment.measured("bursts", Measurement::least(&bursts));
    experiment.at("with noise")?;
    let pairs = [(0.1, 0.01), (0.05, 0.02), (0.01, 0.1)].map(|(eta, decay)| training(true, eta, decay));
    let means: Vec<f64> =
        run(Toy::Ratio { noise: 1e-3 }, &pairs, 200_000)?.iter().map(|run| number(run.mean)).collect();
    experiment.measured("same", Measurement::about(spread(&means), means.len()));
    experiment.at("a classifier")?;
    let three = [training(true, 0.1, 0.01), training(true, 0.1, 0.0), training(false, 0.1, 0.01)];
    let errors: Vec<f64> = run(Toy::Classifier { batch: 16, dimension: 20 }, &three, classifier_steps)?
        .iter()
        .map(|run| number(run.mean))
        .collect();
    experiment.measured("classifier", Measurement::one(errors[0] / errors[1].max(errors[2])));
    Ok(())
}
