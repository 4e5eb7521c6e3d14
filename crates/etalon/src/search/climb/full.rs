//! Which full trainings a climb wants.

use super::{Climb, Role, STRIDE, Tried, Wanted};

/// How far beyond what was trained the next training may be, in steps.
const BEYOND: i32 = 3;
/// A rate is worth a training if its mean and two deviations are so far above the suggestion's mean, in percent, over the
/// number of trainings that the climb was given: who grants more of them wants the smaller gains, too.
const PROMISE: f64 = 70.0;
/// A suggestion is at the lower end of what was trained if it is no more steps above it.
const END: f64 = 1.0;
/// A guard tells of a suggestion that is so many steps below it at least.
const GUARDING: f64 = 0.25;
/// The most guards.
const GUARDS: usize = 2;
/// Rounding, in steps: what is no farther apart is the same rate.
const ROUNDING: f64 = 1e-9;

/// What the next full training is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// To look where the best rate may be.
    Explore,
    /// To give the suggestion a second seed.
    Confirm,
    /// To guard the suggestion.
    Guard,
}

impl Climb {
    /// The full trainings that are wanted next, and the guard.
    pub(super) fn full(&mut self) -> Vec<Wanted> {
        let (done, most) = (self.standing.of(Role::Full).count(), self.settings.trainings);
        if most == 0 {
            return Vec::new();
        }
        if done == 0 {
            return self.first_full();
        }
        if self.stage == Stage::Explore {
            let is_lost = self.standing.model().is_none() || self.unexplored().is_some();
            if done < most && is_lost {
                return self
                    .unexplored()
                    .or_else(|| self.lower())
                    .map(|place| full(place, 0))
                    .into_iter()
                    .collect();
            }
            // The last is for the suggestion.
            let promising = if done + 1 < most { self.promising() } else { None };
            if promising.is_some() {
                return promising.into_iter().collect();
            }
            self.stage = if done < most { Stage::Confirm } else { Stage::Guard };
            if let Some(place) = self.below_the_end().filter(|_| done < most) {
                return vec![full(place, 0)];
            }
        }
        if self.stage == Stage::Confirm {
            self.stage = Stage::Guard;
            let suggested = self.standing.suggested().map(|x| self.standing.place_of(x));
            if let Some(place) = suggested.filter(|&place| self.allowed(place)) {
                // Side by side with the guard, for it moves the suggestion little.
                let second = full(place, self.fresh(place, 0.5, 1));
                return [Some(second), self.guard()].into_iter().flatten().collect();
            }
        }
        self.guard().into_iter().collect()
    }

    /// The first: where the short ones were best and to both sides, by the first seed.
    fn first_full(&self) -> Vec<Wanted> {
        let standing = &self.standing;
        let Some(first) = standing.best_short() else { return Vec::new() };
        // Of short trainings that have learnt nothing none is the best: curvature is all there is to go by.
        let first = if standing.knows_nothing() { first.clamp(f64::from(-STRIDE), 0.0) } else { first };
        let failed = standing.lowest_failure();
        let upper = [f64::from(STRIDE), 1.0].map(|more| first + more);
        let upper = upper.into_iter().find(|&place| failed.is_none_or(|failed| place < failed));
        // Far above the start, climb and curvature contradict each other: the lower one goes half way back.
        let lower = first - f64::max((0.5 * first).round(), f64::from(STRIDE));
        let places = [Some(first), upper, Some(lower)].into_iter().flatten();
        let allowed = places.filter(|&place| self.allowed(place));
        allowed.map(|place| full(place, 0)).take(self.settings.trainings).collect()
    }

    /// Where to look as long as nothing was learnt.
    fn unexplored(&self) -> Option<f64> {
        self.standing.unexplored().filter(|&place| self.allowed(place))
    }

    /// Below all full trainings, where none has survived.
    fn lower(&self) -> Option<f64> {
        let lowest = self.standing.of(Role::Full).map(|at| at.place).fold(f64::INFINITY, f64::min);
        Some(lowest - f64::from(STRIDE)).filter(|&place| self.allowed(place))
    }

    /// The training that the model promises most of, if that is worth its cost.
    fn promising(&self) -> Option<Wanted> {
        let standing = &self.standing;
        let (model, suggested) = (standing.model()?, standing.suggested()?);
        let [low, high] = standing.bounds();
        let [below, above] = standing.limits();
        let candidates = (low.ceil() as i32 - BEYOND..=high.floor() as i32 + BEYOND).map(f64::from);
        let candidates = candidates.filter(|&place| {
            self.allowed(place) && below.is_none_or(|bad| place > bad) && above.is_none_or(|bad| place < bad)
        });
        let promise = |place: f64| {
            let (mean, deviation) = model.at(standing.x_of(place));
            mean + 2.0 * deviation
        };
        // The lower of two that promise the same.
        let best = candidates.rev().max_by(|&a, &b| promise(a).total_cmp(&promise(b)))?;
        let worth = PROMISE / self.settings.trainings as f64;
        // The seed that most rates have had tells most of a new one.
        let wanted = || full(best, self.fresh(best, ROUNDING, 0));
        (promise(best) - model.mean(suggested) >= worth).then(wanted)
    }

    /// A place below the lowest rate of the model, where the suggestion is there and nothing is known to be bad below.
    fn below_the_end(&self) -> Option<f64> {
        let standing = &self.standing;
        let place = standing.place_of(standing.suggested()?);
        let ([low, _], [below, _]) = (standing.bounds(), standing.limits());
        let is_open = below.is_none() && place <= low + END;
        Some(low - f64::from(STRIDE)).filter(|&lower| is_open && self.allowed(lower))
    }

    /// The first seed from this one on that has had no training to the end within so many steps of a place.
    fn fresh(&self, place: f64, reach: f64, from: usize) -> usize {
        let had = |seed: u64| {
            let is_near = |at: &Tried| (at.place - place).abs() <= reach;
            self.standing.whole().any(|at| at.question.seed == seed && is_near(at))
        };
        (from..).find(|&index| !had(self.seed(index))).unwrap_or_default()
    }

    /// The guard, where one is wanted: the third seed, or another, above the suggestion.
    fn guard(&self) -> Option<Wanted> {
        let standing = &self.standing;
        let place = standing.place_of(standing.suggested()?);
        let is_above = |at: &Tried, steps: f64| at.place >= place + steps - ROUNDING;
        // One that survived far behind makes nothing safe: it shows an edge, and where the seed has that is luck, too.
        let is_safe = standing.usable().any(|at| is_above(at, 2.0));
        let guard = place + 1.0;
        // Of a suggestion that has moved up to its guard another tells more.
        let is_wanted = !is_safe
            && standing.of(Role::Guard).count() < GUARDS
            && !standing.of(Role::Guard).any(|at| is_above(at, GUARDING))
            && standing.lowest_failure().is_none_or(|failed| guard < failed - ROUNDING);
        let wanted = || Wanted { role: Role::Guard, place: guard, seed: self.fresh(guard, ROUNDING, 2) };
        (is_wanted && self.allowed(guard)).then(wanted)
    }
}

/// A full training.
fn full(place: f64, seed: usize) -> Wanted {
    Wanted { role: Role::Full, place, seed }
}
