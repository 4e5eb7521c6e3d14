//! Runs claims.

use super::bench::{Bench, ClaimError, Shared, Stopped};
use super::claim::{Claim, Quantity, Setting};
use super::reading::{Curve, Reading};
use etalon::claims::{Judgement, Measured, Size, Verdict, verdict};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A claim that takes longer than this, in seconds on two cores, is run only where it is asked for by name.
const LONG: f64 = 3600.0;

/// What a claim came to, with the curves behind its numbers.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The judgement.
    pub judgement: Judgement,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// Claims that are run one after the other.
pub struct Session<'a> {
    shared: Shared<'a>,
}

impl<'a> Session<'a> {
    /// A session whose seeds begin at `seed`; `stop` ends it between two trials, `progress` hears what it is at.
    pub fn new(seed: u64, stop: &'a AtomicBool, progress: &'a (dyn Fn(&str) + Sync)) -> Self {
        Session { shared: Shared { seed, stop, progress, tables: Mutex::default() } }
    }

    /// Runs a claim and judges it. What hinders it leaves it open, with the reason.
    ///
    /// # Errors
    /// When it was stopped.
    pub fn judge(&self, claim: &Claim, size: Size) -> Result<Judged, Stopped> {
        let started = Instant::now();
        let mut bench =
            Bench { session: &self.shared, size, readings: Vec::new(), curves: Vec::new(), spared: 0.0 };
        let hindered = match (claim.measure)(&mut bench) {
            Ok(()) => None,
            Err(ClaimError::Stopped(stopped)) => return Err(stopped),
            Err(error) => Some(error.to_string()),
        };
        let seconds = started.elapsed().as_secs_f64() + bench.spared;
        let setting = (claim.setting)(size, self.shared.seed);
        let judgement = judgement(claim, (size, self.shared.seed), setting, &bench.readings, seconds);
        Ok(Judged {
            judgement: match hindered {
                None => judgement,
                Some(reason) => left_open(judgement, reason),
            },
            curves: bench.curves,
        })
    }

    /// The judgement of a claim that takes too long to be run among others; none where it does not.
    pub fn too_long(&self, claim: &Claim, size: Size) -> Option<Judgement> {
        let setting = (claim.setting)(size, self.shared.seed);
        let needs = setting.seconds;
        let name = size.name();
        (needs > LONG).then(|| {
            let reason = format!(
                "needs about {} on two cores; etalon reproduce {} --size {name} runs it",
                duration(needs),
                claim.id
            );
            left_open(judgement(claim, (size, self.shared.seed), setting, &[], 0.0), reason)
        })
    }
}

/// The judgement of a claim by its readings.
fn judgement(
    claim: &Claim,
    (size, seed): (Size, u64),
    setting: Setting,
    readings: &[(&'static str, Reading)],
    seconds: f64,
) -> Judgement {
    let measured: Vec<Measured> = claim
        .quantities
        .iter()
        .map(|quantity| {
            let found = readings.iter().find(|(name, _)| *name == quantity.name);
            let reading =
                found.map_or(Reading { value: None, low: None, high: None, count: 0 }, |found| found.1);
            let Reading { value, low, high, count } = reading;
            let Quantity { name, what, unit, .. } = *quantity;
            Measured { name: name.into(), what: what.into(), unit: unit.into(), value, low, high, count }
        })
        .collect();
    let rule = claim.rule();
    let (verdict, reason) = verdict(&rule.conditions, &measured);
    let paper = claim.paper;
    Judgement {
        id: claim.id.into(),
        paper: format!("{}, {} ({})", paper.authors, paper.title, paper.arxiv),
        place: claim.place.into(),
        statement: claim.statement.into(),
        certainty: claim.certainty.to_string(),
        size,
        setting: setting.words,
        spec: setting.spec,
        seed,
        command: format!("etalon reproduce {} --size {} --seed {seed}", claim.id, size.name()),
        measured,
        rule,
        verdict,
        reason,
        seconds,
    }
}

/// The same, left open for a reason.
fn left_open(judgement: Judgement, reason: String) -> Judgement {
    Judgement { verdict: Verdict::NotDecided, reason: Some(reason), ..judgement }
}

/// A time as people say it: `40 s`, `5 min`, `3 h`, `2 days`.
pub fn duration(seconds: f64) -> String {
    let (count, unit) = match seconds {
        ..100.0 => (seconds, "s"),
        ..6000.0 => (seconds / 60.0, "min"),
        ..172_800.0 => (seconds / 3600.0, "h"),
        _ => (seconds / 86_400.0, "days"),
    };
    format!("{} {unit}", count.round().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let texts = [0.2, 42.4, 300.0, 7200.0, 3e5].map(duration);
        assert_eq!(texts, ["1 s", "42 s", "5 min", "2 h", "3 days"]);
    }
}
