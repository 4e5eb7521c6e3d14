//! Runs claims and judges them.

use crate::claim::{Claim, Quantity, Setting};
use crate::cost::{Began, Cost};
use crate::experiment::{ClaimError, Experiment, Shared, Stopped};
use crate::measurement::{Curve, Measurement};
use etalon::claims::{Judgement, Measured, Size, Verdict, verdict};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

/// A claim that takes longer than this, in seconds on two cores, is run only where it is asked for by name.
const LONG: f64 = 3600.0;

/// What a claim came to, with the curves behind its numbers.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict with what was measured.
    pub judgement: Judgement,
    /// Tables of what was measured on the way.
    pub curves: Vec<Curve>,
}

/// Runs claims one after the other; a sweep that several of them need is run once.
pub struct Runner<'a> {
    shared: Shared<'a>,
}

impl<'a> Runner<'a> {
    /// A runner whose seeds begin at `seed`; `stop` ends it between two trials, `progress` hears what is being done.
    pub fn new(seed: u64, stop: &'a AtomicBool, progress: &'a (dyn Fn(&str) + Sync)) -> Self {
        Runner { shared: Shared { seed, stop, progress, sweeps: Mutex::default() } }
    }

    /// Runs a claim and judges it. What hinders it leaves it open, with the reason.
    ///
    /// # Errors
    /// When it was stopped.
    pub fn judge(&self, claim: &Claim, size: Size) -> Result<Outcome, Stopped> {
        let began = Began::now();
        let (experiment, result) = Experiment::run(&self.shared, claim, size);
        let hindered = match result {
            Ok(()) => unmeasured(claim, &experiment.measurements),
            Err(ClaimError::Stopped(stopped)) => return Err(stopped),
            Err(error) => Some(error.to_string()),
        };
        let Experiment { measurements, curves, spared, .. } = experiment;
        let cost = began.cost() + spared;
        let setting = claim.setting(size, self.shared.seed);
        let judgement = judgement(claim, (size, self.shared.seed), setting, &measurements, cost);
        let judgement = match hindered {
            None => judgement,
            Some(reason) => left_open(judgement, reason),
        };
        Ok(Outcome { judgement, curves })
    }

    /// The judgement of a claim that takes too long to be run among others; none where it does not.
    pub fn too_long(&self, claim: &Claim, size: Size) -> Option<Judgement> {
        let setting = claim.setting(size, self.shared.seed);
        (setting.seconds > LONG).then(|| {
            let reason = format!(
                "needs about {} on two cores; etalon reproduce {} --size {} runs it",
                duration(setting.seconds),
                claim.id,
                size.name()
            );
            left_open(judgement(claim, (size, self.shared.seed), setting, &[], Cost::default()), reason)
        })
    }
}

/// The judgement of a claim by what was measured.
fn judgement(
    claim: &Claim,
    (size, seed): (Size, u64),
    setting: Setting,
    measurements: &[(String, Measurement)],
    Cost { seconds, cpu_seconds }: Cost,
) -> Judgement {
    let measured = |quantity: &Quantity| {
        let Quantity { name, what, unit, .. } = quantity.clone();
        let found = measurements.iter().find(|(measured, _)| *measured == name);
        let found = found.map_or(Measurement::NONE, |found| found.1.clone());
        let Measurement { value, low, high, count, interval } = found;
        Measured { name, what, unit, value, low, high, count, interval }
    };
    let measured: Vec<Measured> = claim.quantities.iter().map(measured).collect();
    let rule = claim.rule();
    let (verdict, reason) = verdict(&rule.conditions, &measured);
    Judgement {
        id: claim.id.clone(),
        paper: claim.paper.to_string(),
        place: claim.place.clone(),
        statement: claim.statement.clone(),
        certainty: claim.certainty.to_string(),
        size,
        setting: setting.words,
        spec: setting.spec,
        seed,
        command: format!("etalon reproduce {} --size {} --seed {seed}", claim.id, size.name()),
        program: env!("CARGO_PKG_VERSION").into(),
        measured,
        rule,
        verdict,
        reason,
        seconds,
        cpu_seconds,
    }
}

/// Which quantity the function does not know, if there is one.
fn unmeasured(claim: &Claim, measurements: &[(String, Measurement)]) -> Option<String> {
    let known = |name: &str| measurements.iter().any(|(measured, _)| *measured == name);
    let quantity = claim.quantities.iter().find(|quantity| !known(&quantity.name))?;
    Some(format!("`{}` measures no `{}`", claim.function.name, quantity.name))
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
