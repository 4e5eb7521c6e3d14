//! Schedules with weight decay and their equivalents without.

use crate::experiment::{ClaimError, Experiment};
use crate::measurement::Measurement;
use etalon::Error;
use etalon::equivalence::{Verification, verify};
use etalon::schedule::conversion::{largest_intrinsic_rate, log_growth};
use etalon::schedule::{Conversion, WithDecay};
use etalon::spec::{Spec, TrainOptions};
use etalon::theory::{Range, TheoryError, first_change};
use serde::Deserialize;

/// Functions are the same in f64 if nothing but rounding parts them.
const SAME: f64 = 1e-8;

/// Trains both ways, in both precisions, and keeps the differences.
fn compare(experiment: &mut Experiment<'_>, conversion: Conversion) -> Result<(), ClaimError> {
    experiment.at("both schedules side by side")?;
    let spec = Spec::parse(&experiment.spec()?)?;
    let Verification { agreement, .. } = verify(&spec, conversion, SAME, &mut |_, _| {})?;
    for agreement in agreement {
        // Runs that ended early have no difference to show.
        let whole = |value: f64| Measurement::one(if agreement.ended.is_none() { value } else { f64::NAN });
        if agreement.precision == "f64" {
            experiment.measured("direction", whole(agreement.direction));
            experiment.measured("logits", whole(agreement.logits));
            experiment.measured("norm", whole(agreement.norm));
        } else {
            experiment.measured("single", whole(agreement.direction));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Equivalence {
    /// How the equivalent without weight decay is made.
    conversion: Conversion,
}

/// How far training by a schedule with weight decay and by its equivalent without it part.
pub(crate) fn equivalence(
    Equivalence { conversion }: Equivalence,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    compare(experiment, conversion)
}

/// The same, and the final test accuracy of both.
pub(crate) fn equivalence_and_accuracy(
    Equivalence { conversion }: Equivalence,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    compare(experiment, conversion)?;
    let mut accuracies = Vec::new();
    let converted = conversion.to_string();
    for conversion in ["none", &converted] {
        experiment.at("the final accuracy")?;
        let text = experiment.spec_with(&[("applied", conversion.into())])?;
        let spec = Spec::parse(&text)?;
        let (report, _) = spec.train(&TrainOptions::default(), &mut |_, _| {})?;
        accuracies.push(report.last.test_accuracy.unwrap_or(f64::NAN));
    }
    experiment.measured("accuracy_gap", Measurement::one((accuracies[0] - accuracies[1]).abs()));
    experiment.measured("accuracy", Measurement::one(accuracies[0]));
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Normalizers {
    /// By the names of their quantities.
    normalizers: Vec<String>,
}

/// How far both trainings part behind each normaliser, in f64.
pub(crate) fn normalizers(
    Normalizers { normalizers }: Normalizers,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    for name in normalizers {
        experiment.at(&name)?;
        let spec = Spec::parse(&experiment.spec_with(&[("normalizer", name.as_str().into())])?)?;
        let Verification { agreement, .. } = verify(&spec, Conversion::Exact, SAME, &mut |_, _| {})?;
        let double =
            agreement.iter().find(|agreement| agreement.precision == "f64" && agreement.ended.is_none());
        let farthest = double.map_or(f64::NAN, |double| double.direction.max(double.logits).max(double.norm));
        experiment.measured(name, Measurement::one(farthest));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CosineAgainstStep {
    /// The keys of the step schedule, in the place of those of the cosine.
    step: String,
}

/// Held-out accuracy under the equivalent of a cosine schedule beside that under the equivalent of a step schedule.
pub(crate) fn cosine_against_step(
    CosineAgainstStep { step }: CosineAgainstStep,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let cosine = experiment.trained()?;
    let step = experiment.trained_with(&[("schedule", step.into())])?;
    let images = cosine.first().map_or(0, |trial| trial.spec.data.test);
    let accuracies =
        [&cosine, &step].map(|trials| -> Vec<f64> { trials.iter().map(|trial| trial.accuracy).collect() });
    let terms = [(1.0, &accuracies[0][..]), (-1.0, &accuracies[1][..])];
    experiment.measured("ahead", Measurement::contrast(&terms, images));
    experiment.measured("cosine", Measurement::mean(&accuracies[0]));
    experiment.measured("step", Measurement::mean(&accuracies[1]));
    let rows = cosine
        .iter()
        .zip(&step)
        .map(|(cosine, step)| vec![cosine.spec.seed as f64, cosine.accuracy, step.accuracy]);
    let rows = rows.collect();
    experiment.curve("accuracies", &["seed", "cosine", "step"], rows);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Growth {
    eta: f64,
    weight_decay: f64,
    momentum: f64,
    /// Steps of an epoch.
    epoch: u32,
    /// Those at which the exact recursion is tried.
    momenta: Vec<f64>,
}

/// How fast the equivalent rate grows, and up to which rate there is one.
pub(crate) fn growth(
    Growth { eta, weight_decay, momentum, epoch, momenta }: Growth,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let growth = log_growth(eta, weight_decay, momentum).map_err(Error::from)?;
    experiment.measured("growth", Measurement::one((f64::from(epoch) * growth).exp()));
    let mut ratios = Vec::new();
    for momentum in momenta {
        let expected = largest_intrinsic_rate(momentum);
        let range = Range { low: 0.5 * expected, high: 2.0 * expected, steps: 1, tolerance: 1e-5 };
        let exists = |decay: f64| {
            Ok::<bool, TheoryError>(WithDecay::constant(vec![0.0; 20_000], decay, momentum).exact().is_ok())
        };
        ratios.push(first_change(&range, exists)?.middle() / expected);
    }
    experiment.measured("boundary", Measurement::farthest(&ratios, 1.0));
    Ok(())
}
