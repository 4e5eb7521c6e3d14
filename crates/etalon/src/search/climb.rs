//! The rate to use, as questions and answers: a climb by short trainings, then a model of full ones.
//!
//! 1. Short trainings of one seed, two steps apart, up or down until neither neighbour has a lower training loss.
//! 2. Full trainings there and two steps to either side, with the same seed; where that is far above the start, the lower one
//!    half way back to it.
//! 3. A [model](super::surrogate) of the validation metric against the rate; a full training wherever it may be best (mean and
//!    two deviations), but never past a rate that diverged or is far behind. Where no rate promises much that is left out.
//! 4. Where the suggestion is at the lower end of what was trained, a training below it.
//! 5. The last gives the suggestion a second seed.
//! 6. Unless a rate two steps above does well, a third seed trains one step above: a rate at the edge is moved down.

mod full;

use super::ahead::Ahead;
use super::error::{check_range, check_rate, check_seeds};
use super::standing::{Standing, Tried};
use super::training::{Length, Measure, Question, Trained};
use super::{Recommendation, Role, SearchError};
use full::Stage;
use serde::{Deserialize, Serialize};

/// The distance between neighbouring rates, in octaves: six rates a decade.
pub(super) const STEP: f64 = std::f64::consts::LOG2_10 / 6.0;
/// Short trainings stand so many steps apart.
const STRIDE: i32 = 2;
/// No training is farther from the start, in steps: fifteen decades.
const FARTHEST: f64 = 90.0;
/// Short trainings that learn nothing go no more steps below the start: three decades.
const LOWEST: i32 = 18;
/// The most short trainings: with strides that double, enough for any start.
const MOST_SHORT: usize = 24;

/// How much a climb trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClimbSettings {
    /// The most full trainings, the guard's not counted; with none the choice is that of the short ones. Fewer suffice where no
    /// rate promises much.
    pub trainings: usize,
    /// How long a short training is, as a share of the budget.
    pub share: f64,
    /// The lowest and the highest rate that may be tried.
    pub range: Option<[f64; 2]>,
}

impl Default for ClimbSettings {
    fn default() -> Self {
        ClimbSettings { trainings: 7, share: 0.1, range: None }
    }
}

impl ClimbSettings {
    /// Refuses a share of the budget that is none, and a range that is none. NaN never passes.
    ///
    /// # Errors
    /// [`SearchError::Share`] and [`SearchError::Range`].
    pub(crate) fn validate(&self) -> Result<(), SearchError> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err(SearchError::Share(self.share));
        }
        check_range(self.range)
    }
}

/// The choice of the rate to use as a state machine: [`ask`](Self::ask) which trainings are wanted, [`tell`](Self::tell)
/// what came of them, until nothing is asked any more.
///
/// It moves in rounds: the next is planned when every training of this one was told, so that the order of tells does not
/// matter. It is deterministic: to resume after an interruption, start anew and tell what was kept from before.
#[derive(Clone, Debug)]
pub struct Climb {
    start: f64,
    seeds: Vec<u64>,
    settings: ClimbSettings,
    standing: Standing,
    /// What the next full training is for.
    stage: Stage,
    /// What was asked in this round.
    round: Vec<Asked>,
}

/// A training that is wanted.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    role: Role,
    place: f64,
    /// The index of its seed.
    seed: usize,
}

/// A training of a round.
#[derive(Clone, Debug)]
struct Asked {
    role: Role,
    place: f64,
    question: Question,
    /// What came of it, once that was told.
    told: Option<Trained>,
}

impl Climb {
    /// A climb from the rate `start`, the best guess at hand (such as `2 / lambda`). `seeds` are used in their order; where
    /// they are too few, others follow on the first.
    ///
    /// # Errors
    /// When the settings make no climb, `start` is no rate, or the seeds are none.
    pub fn new(
        start: f64,
        seeds: &[u64],
        measure: Measure,
        settings: &ClimbSettings,
    ) -> Result<Climb, SearchError> {
        settings.validate()?;
        check_rate("the start of a climb", start)?;
        check_seeds(seeds.iter().copied())?;
        let start = settings.range.map_or(start, |[low, high]| start.clamp(low, high));
        let mut climb = Climb {
            start,
            seeds: seeds.into(),
            settings: settings.clone(),
            standing: Standing::new(measure, settings.share),
            stage: Stage::Explore,
            round: Vec::new(),
        };
        climb.plan();
        Ok(climb)
    }

    /// The same climb, with what short trainings do not see.
    pub(crate) fn ahead(mut self, ahead: Ahead) -> Climb {
        self.standing.ahead = ahead;
        self
    }

    /// The trainings wanted next; empty when the climb is over.
    pub fn ask(&self) -> Vec<Question> {
        self.round.iter().filter(|asked| asked.told.is_none()).map(|asked| asked.question).collect()
    }

    /// Takes what came of a training that [`ask`](Self::ask) returned.
    ///
    /// # Errors
    /// [`SearchError::NotAsked`] if it is not awaited; nothing changes then.
    pub fn tell(&mut self, question: &Question, trained: Trained) -> Result<(), SearchError> {
        let is_meant = |asked: &&mut Asked| asked.question == *question && asked.told.is_none();
        let Some(asked) = self.round.iter_mut().find(is_meant) else {
            return Err(SearchError::NotAsked(question.eta));
        };
        asked.told = Some(trained);
        if self.round.iter().all(|asked| asked.told.is_some()) {
            for Asked { role, place, question, told } in std::mem::take(&mut self.round) {
                self.standing.tried.extend(told.map(|trained| Tried { role, place, question, trained }));
            }
            self.plan();
        }
        Ok(())
    }

    /// The choice; `None` while trainings are still asked.
    pub fn result(&self) -> Option<Recommendation> {
        self.round.is_empty().then(|| self.so_far())
    }

    /// The choice by what is known: that of a climb which is stopped.
    pub fn so_far(&self) -> Recommendation {
        self.standing.recommendation(self.settings.range)
    }

    /// The best that a full training has come to in the metric by which eta* is judged.
    pub fn reached(&self, higher_is_better: bool) -> Option<f64> {
        self.standing.reached(higher_is_better)
    }

    /// Plans the next round.
    fn plan(&mut self) {
        let wanted = self.next();
        let asked = |Wanted { role, place, seed }: Wanted| {
            let length = if role == Role::Short { Length::Short } else { Length::Full };
            let question = Question { eta: self.eta(place), seed: self.seed(seed), length };
            Asked { role, place, question, told: None }
        };
        self.round = wanted.into_iter().map(asked).collect();
    }

    fn eta(&self, place: f64) -> f64 {
        // The start stays as it was given.
        if place == 0.0 { self.start } else { self.start * libm::exp2(place * STEP) }
    }

    fn seed(&self, index: usize) -> u64 {
        self.seeds.get(index).copied().unwrap_or_else(|| {
            let others = (1u64..).map(|more| self.seeds[0].wrapping_add(more));
            // There are more numbers than seeds.
            let mut others = others.filter(|seed| !self.seeds.contains(seed));
            others.nth(index - self.seeds.len()).unwrap_or_default()
        })
    }

    fn allowed(&self, place: f64) -> bool {
        let eta = self.eta(place);
        // Rates that underflow or overflow are none.
        place.abs() <= FARTHEST
            && eta.is_normal()
            && self.settings.range.is_none_or(|[low, high]| (low..=high).contains(&eta))
    }

    /// The trainings of the next round.
    fn next(&mut self) -> Vec<Wanted> {
        let short = self.short();
        if !short.is_empty() {
            let wanted = |place| Wanted { role: Role::Short, place: f64::from(place), seed: 0 };
            return short.into_iter().map(wanted).collect();
        }
        self.full()
    }

    /// Where the next short trainings are wanted.
    fn short(&self) -> Vec<i32> {
        let allowed = |places: Vec<i32>| -> Vec<i32> {
            places.into_iter().filter(|&place| self.allowed(f64::from(place))).collect()
        };
        let tried: Vec<&Tried> = self.standing.of(Role::Short).collect();
        if tried.is_empty() {
            // What one costs a quick climb has to know.
            let is_quick = self.settings.trainings == 0;
            return allowed(if is_quick { vec![0] } else { vec![0, STRIDE, -STRIDE] });
        }
        // A quick climb has half a budget.
        let costs = || tried.iter().map(|at| at.trained.budgets);
        let left = if self.settings.trainings == 0 { 0.5 - costs().sum::<f64>() } else { f64::INFINITY };
        let affordable = ((left + 1e-9) / costs().fold(0.0, f64::max)).max(0.0) as usize;
        if tried.len() >= MOST_SHORT {
            return Vec::new();
        }
        let mut places: Vec<(i32, f64)> =
            tried.iter().map(|at| (at.place as i32, at.short_score())).collect();
        places.sort_by_key(|at| at.0);
        let (lowest, highest) = (places[0].0, places[places.len() - 1].0);
        // The higher of two that are equal: rates that are far too low change nothing.
        let best = (0..places.len()).rev().min_by(|&a, &b| places[a].1.total_cmp(&places[b].1));
        let Some(best) = best.filter(|&best| places[best].1.is_finite()) else {
            return allowed([lowest - (highest - lowest).max(STRIDE)].into_iter().take(affordable).collect());
        };
        let (place, first) = (places[best].0, places.len() <= 3);
        let next = |gap: i32| if first { STRIDE } else { 2 * gap };
        let below = best.checked_sub(1).map(|i| place - places[i].0);
        let above = places.get(best + 1).map(|at| at.0 - place);
        // Far below the start the losses of those that learn nothing are lower by accident alone.
        let is_lost = |place: i32| place < -LOWEST && self.standing.knows_nothing();
        let wanted = match (below, above) {
            (Some(gap), None) => vec![place + next(gap)],
            (None, Some(gap)) => vec![place - next(gap)],
            // Of two that are left the second may go where the first has shown.
            (None, None) if affordable <= 2 => vec![place + STRIDE],
            (None, None) => vec![place + STRIDE, place - STRIDE],
            (Some(below), Some(above)) => {
                let half = |gap: i32| gap / 2 / STRIDE * STRIDE;
                let lower = (below > STRIDE).then(|| place - half(below).max(STRIDE));
                let higher = (above > STRIDE).then(|| place + half(above).max(STRIDE));
                lower.into_iter().chain(higher).collect()
            }
        };
        let is_new = |place: &i32| places.iter().all(|at| at.0 != *place);
        allowed(
            wanted.into_iter().filter(|place| is_new(place) && !is_lost(*place)).take(affordable).collect(),
        )
    }
}

#[cfg(test)]
mod tests;
