//! One training of a trainer, judged by its log.

use super::course::{Course, Decision, Until};
use super::runner::{Going, Runner};
use super::{Trainer, TrainerError};
use crate::jobs::TrainSettings;
use crate::phase::{Last, Score, TrialReport};
use crate::search::check_rate;
use crate::train::{Metrics, Record, Stop, Trajectory};
use crate::watch::Row;

/// Trains once, and judges what the log shows as [`watch`](crate::watch) does: at the row that shows divergence the training
/// is ended. Of the settings it takes rate, seed and name. `hear` is told of each row of the log as it comes, and `going` is
/// asked all the time whether to go on.
///
/// # Errors
/// When `going` says no, or the training gives no answer; see [`Fault`](super::Fault).
pub fn train(
    trainer: &Trainer,
    settings: &TrainSettings,
    going: Going<'_>,
    hear: &mut dyn FnMut(&Row),
) -> Result<(TrialReport, Trajectory), TrainerError> {
    let &TrainSettings { eta, seed, .. } = settings;
    check_rate("the learning rate of a training", eta)?;
    trainer.check(1)?;
    let runner = Runner::new(trainer, going)?;
    let course = runner.course(eta, seed, Until::End, trainer.retries, hear);
    let course = runner.answer(course)?;
    let trajectory = trajectory(&course, eta, seed);
    Ok((report(&course, &trajectory, trainer, &settings.name), trajectory))
}

fn report(course: &Course, trajectory: &Trajectory, trainer: &Trainer, name: &str) -> TrialReport {
    let evidence = course.phase();
    let finite = |value: f64| value.is_finite().then_some(value);
    let curvature = trajectory.records.iter().rev().find_map(|record| record.hessian);
    TrialReport {
        trial: name.into(),
        phase: evidence.phase,
        stop: trajectory.stop.clone(),
        last: Last {
            train_loss: finite(trajectory.train.loss),
            train_accuracy: None,
            test_loss: None,
            test_accuracy: None,
            ntk: None,
            hessian: curvature,
            preconditioned: None,
        },
        metric: trainer.goal.metric.clone().map(|name| Score { name, value: finite(course.last_metric()) }),
        groups: None,
        annealed: None,
        statistics: None,
        eta: trajectory.eta,
        c: None,
        limit: None,
        steps: trajectory.steps,
        evidence,
        warnings: Vec::new(),
    }
}

/// The rows of the log up to the one that decides. What a log does not tell is not a number.
fn trajectory(course: &Course, eta: f64, seed: u64) -> Trajectory {
    let record = |row: &Row| Record {
        step: row.step,
        eta: row.rate.unwrap_or(eta),
        loss: row.loss.filter(|loss| loss.is_finite()),
        train: None,
        test: None,
        groups: None,
        ntk: None,
        hessian: row.curvature,
        preconditioned: None,
        weights: None,
    };
    let unknown = Metrics { loss: f64::NAN, accuracy: None };
    let (peak_step, peak_loss) = course.peak().unwrap_or((0, f64::NAN));
    let steps = course.step;
    Trajectory {
        eta,
        seed,
        records: course.rows.iter().map(record).collect(),
        start: Metrics { loss: course.first_loss(), accuracy: None },
        first_loss: course.first_loss(),
        peak_step,
        peak_loss,
        train: Metrics { loss: course.last_loss(), accuracy: None },
        test: unknown,
        groups: None,
        annealed: None,
        constant_loss: f64::NAN,
        steps,
        stop: match &course.decision {
            Some(Decision::Diverged(why)) => Stop::Shown { step: steps, why: why.clone() },
            _ => Stop::Budget { steps },
        },
    }
}
