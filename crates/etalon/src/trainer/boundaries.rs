//! The boundaries of early training of a trainer, from its logs.

use super::course::{Course, Until};
use super::probes::Probes;
use super::runner::{Going, Interrupted, Runner};
use super::{Trainer, TrainerError};
use crate::jobs::{BoundarySettings, Memory};
use crate::phase::boundaries::{EVENTS, first};
use crate::phase::judge::least_rise;
use crate::phase::{Boundaries, Boundary, DEFINITION, Noise, Side};
use crate::search::{Answer, Measure, Probe, check_rate, check_seeds};
use crate::theory::Range;
use crate::watch::Row;
use std::collections::HashMap;

/// At this share of the rate to start from nothing moves: losses differ by their noise alone.
const STILL: f64 = 1e-9;
/// Rows of such a training, by which noise is known.
const ROWS: usize = 32;
/// The noise of fewer, as a share of the first value.
const UNKNOWN: f64 = 0.1;

/// What is watched for a rise: the loss, and the curvature.
const COLUMNS: [fn(&Row) -> Option<f64>; 2] = [|row| row.loss, |row| row.curvature];

/// The boundaries of early training, as [`jobs::boundaries`](crate::jobs::boundaries) finds them on a network, by the same walk.
/// A log's losses have noise, which a training shows whose rate is too low to move anything; what rises by more, by the rule
/// of [`watch`](crate::watch), has risen. Of the settings it takes seeds and range: in units of 1 / curvature where the first
/// row of the log has one, else of the rate to start from. What whole trainings came to is kept in `memory`; early ones have
/// their logs. `going` is asked all the time whether to go on.
///
/// # Errors
/// When `going` says no, a training gives no answer (see [`Fault`](super::Fault)), or the range is none.
pub fn boundaries(
    trainer: &Trainer,
    settings: &BoundarySettings,
    memory: &dyn Memory,
    going: Going<'_>,
) -> Result<Vec<Boundaries>, TrainerError> {
    check_seeds(settings.seeds.iter().copied())?;
    check_rate("the rate to start from", trainer.start)?;
    trainer.check(settings.seeds.len())?;
    settings.range.check()?;
    let runner = Runner::new(trainer, going)?;
    let of_seed = |&seed| Walk::new(&runner, memory, seed)?.boundaries(&settings.range);
    let found: Result<Vec<_>, TrainerError> = settings.seeds.iter().map(of_seed).collect();
    runner.answer(found)
}

/// The search from one seed.
struct Walk<'a> {
    probes: Probes<'a>,
    seed: u64,
    /// A training at which nothing moves.
    still: Course,
    /// From which multiple of its first value on each of [`COLUMNS`] has risen.
    limits: [f64; 2],
    /// Whether each of [`COLUMNS`] stayed in the early trainings that were made, by the bits of their rates.
    early: HashMap<u64, [bool; 2]>,
}

impl<'a> Walk<'a> {
    fn new(runner: &'a Runner<'a>, memory: &'a dyn Memory, seed: u64) -> Result<Self, Interrupted> {
        let measure = Measure::unknown();
        let probes = Probes { runner, memory, share: 1.0, until: Until::End, total: 0, measure };
        // The first training; one that fails is not tried again.
        let still = runner.decided(STILL * runner.trainer.start, seed, Until::Rows(ROWS), 0)?;
        let limit = |column: fn(&Row) -> Option<f64>| {
            let mut noise = Noise::default();
            still
                .rows
                .iter()
                .filter_map(column)
                .filter(|value| value.is_finite())
                .for_each(|value| noise.push(value));
            least_rise(noise.share().unwrap_or(UNKNOWN), DEFINITION.transient as u64 + 1)
        };
        Ok(Walk { probes, seed, limits: COLUMNS.map(limit), still, early: HashMap::new() })
    }

    fn boundaries(mut self, range: &Range) -> Result<Boundaries, TrainerError> {
        let start = self.probes.runner.trainer.start;
        let sharpness = self.still.sharpness;
        // Without a curvature, what is looked for is the rate itself.
        let (name, unit, range) = match sharpness {
            Some(sharpness) => ("c_h", 1.0 / sharpness, *range),
            None => ("eta", 1.0, Range { low: start * range.low, high: start * range.high, ..*range }),
        };
        let has_curvature = self.still.rows.iter().filter(|row| row.curvature.is_some()).count() > 1;
        let c_h_loss = first(&range, EVENTS[0], name, |at| self.stays(unit * at, 0))?;
        let c_h_sharp = match has_curvature {
            true => first(&range, EVENTS[1], name, |at| self.stays(unit * at, 1))?,
            false => Boundary::Outside {
                side: Side::Unknown,
                reason: "the log has no curvature after its first row".into(),
            },
        };
        let survives = |at| Ok::<_, TrainerError>(self.survives(unit * at)?);
        let c_h_max = first(&range, EVENTS[2], name, survives)?;
        Ok(Boundaries {
            seed: Some(self.seed),
            width: f64::NAN,
            sharpness,
            resolution: range.ratio(),
            c_h_loss,
            c_h_sharp,
            c_h_max,
            divergence: None,
        })
    }

    /// Whether a column stays below its limit in the first steps.
    fn stays(&mut self, eta: f64, column: usize) -> Result<bool, TrainerError> {
        if let Some(known) = self.early.get(&eta.to_bits()) {
            return Ok(known[column]);
        }
        let runner = self.probes.runner;
        let last = self.still.first_step() + DEFINITION.transient as u64;
        let course = runner.decided(eta, self.seed, Until::Step(last), runner.trainer.retries)?;
        let stay = |column: usize| {
            let rows = course.rows.iter().filter(|row| row.step <= last);
            let mut values = rows.filter_map(COLUMNS[column]);
            let limit = self.limits[column] * values.next().unwrap_or(f64::NAN);
            // So written that NaN is above every limit.
            course.survived() && values.all(|value| value <= limit)
        };
        let known = [stay(0), stay(1)];
        self.early.insert(eta.to_bits(), known);
        Ok(known[column])
    }

    fn survives(&self, eta: f64) -> Result<bool, Interrupted> {
        Ok(!matches!(self.probes.probe(eta, self.seed)?.verdict, Answer::TooFast(_)))
    }
}
