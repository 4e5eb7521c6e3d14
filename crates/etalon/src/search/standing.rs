//! What a climb knows, and what follows from it.

mod short;

use super::ahead::Ahead;
use super::climb::STEP;
use super::surrogate::{Observed, Surrogate};
use super::training::{Measure, Question, Trained};
use super::{CurvePoint, Recommendation, Role};
use crate::units::significant;
use short::NOTHING;

/// A rate is as good as the best if it loses no more than this, in percent. The rate to use is the middle of those that do by
/// the model's mean; the set of all that cannot be told from the best has those that do ...
const LOSS: f64 = 1.0;
/// ... with at least this probability.
const CHANCE: f64 = 0.05;
/// The distance that is kept from any divergence, in octaves: other seeds diverge at less.
const DISTANCE: f64 = 1.0;
/// The same from a guard's that diverged.
const GUARDED: f64 = 1.1;
/// Rates that are no more steps apart, and rounding, are taken for the same where seeds are compared.
const SAME: f64 = 1.0 + 1e-9;
/// The share of the error at chance that two trainings on the same samples usually differ by.
const UNPAIRED: f64 = 0.6;
/// How many differences between seeds the expected noise weighs.
const CONFIDENCE: f64 = 4.0;
/// A training so far behind the best, in percent, tells nothing of the rates about the best: beyond an edge the metric falls
/// faster than a smooth model can follow.
const FAR: f64 = 15.0;
/// Where nothing was learnt the next training is so many steps away.
const UNEXPLORED: f64 = 4.0;
/// Places at which the model is looked at, an octave.
const FINE: f64 = 32.0;

/// A training that was made.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) role: Role,
    /// Steps above the start.
    pub(super) place: f64,
    pub(super) question: Question,
    pub(super) trained: Trained,
}

impl Tried {
    fn x(&self) -> f64 {
        libm::log2(self.question.eta)
    }

    /// The training loss of a short training that survived, infinity of another.
    pub(super) fn short_score(&self) -> f64 {
        let loss = self.trained.loss;
        if self.trained.survived() && loss.is_finite() { loss } else { f64::INFINITY }
    }
}

/// Everything a climb knows.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    measure: Measure,
    pub(super) ahead: Ahead,
    /// How long a short training is, as a share of the budget.
    share: f64,
    /// In the order in which it was asked.
    pub(super) tried: Vec<Tried>,
}

impl Standing {
    pub(super) fn new(measure: Measure, share: f64) -> Standing {
        Standing { measure, ahead: Ahead::NOTHING, share, tried: Vec::new() }
    }

    /// The trainings of a role.
    pub(super) fn of(&self, role: Role) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(move |at| at.role == role)
    }

    /// Full trainings and guards.
    pub(super) fn whole(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|at| at.role != Role::Short)
    }

    /// The base-2 logarithm of the rate at a place.
    pub(super) fn x_of(&self, place: f64) -> f64 {
        self.origin() + place * STEP
    }

    /// The place of a rate.
    pub(super) fn place_of(&self, x: f64) -> f64 {
        (x - self.origin()) / STEP
    }

    fn origin(&self) -> f64 {
        self.tried.first().map_or(0.0, |at| at.x() - at.place * STEP)
    }

    /// The place of the lowest rate that diverged. What comes to nothing below all that survives is too slow.
    pub(super) fn lowest_failure(&self) -> Option<f64> {
        self.failures().map(|at| at.place).reduce(f64::min)
    }

    fn failures(&self) -> impl Iterator<Item = &Tried> {
        let survivors = self.tried.iter().filter(|at| at.trained.survived());
        let lowest = survivors.map(|at| at.place).fold(f64::INFINITY, f64::min);
        let diverged = move |at: &&Tried| at.place > lowest || lowest.is_infinite();
        self.tried.iter().filter(|at| !at.trained.survived()).filter(diverged)
    }

    /// The best validation metric, so turned that more is better.
    fn best(&self) -> Option<f64> {
        self.judged().map(|at| self.measure.turned(at.trained.validation)).reduce(f64::max)
    }

    /// The trainings that survived to have a validation metric.
    fn judged(&self) -> impl Iterator<Item = &Tried> {
        self.whole().filter(|at| at.trained.survived() && at.trained.validation.is_finite())
    }

    /// How far the best is from chance; none where the difference is no more than an accident.
    fn span(&self) -> Option<f64> {
        let span = self.best()? - self.measure.turned(self.measure.chance);
        (span > 2.0 * self.measure.error).then_some(span)
    }

    /// The metric of a training in percent of the way from chance to the best.
    fn percent(&self, at: &Tried) -> f64 {
        let chance = self.measure.turned(self.measure.chance);
        100.0 * (self.measure.turned(at.trained.validation) - chance) / self.scale()
    }

    /// The deviation of a training's metric, in percent: what was expected, and what seeds have shown at the same rate. A
    /// difference between two seeds has twice the variance of a training and twice that of its seed.
    fn noise(&self) -> f64 {
        let (expected, differences) = (self.expected_noise(), self.differences());
        let shown: f64 = differences.iter().map(|difference| difference * difference / 4.0).sum();
        ((CONFIDENCE * expected * expected + shown) / (CONFIDENCE + differences.len() as f64)).sqrt()
    }

    /// The differences between seeds at the same rate, in percent.
    fn differences(&self) -> Vec<f64> {
        let pairs = self.pairs(SAME).into_iter().filter(|(a, b)| a.question.seed != b.question.seed);
        pairs.map(|(a, b)| self.percent(a) - self.percent(b)).collect()
    }

    /// Pairs of trainings in the model that are so many steps apart at most.
    fn pairs(&self, apart: f64) -> Vec<(&Tried, &Tried)> {
        let good: Vec<&Tried> = self.usable().collect();
        let pairs = good.iter().enumerate().flat_map(|(i, a)| good[..i].iter().map(move |b| (*a, *b)));
        pairs.filter(|(a, b)| (a.place - b.place).abs() <= apart).collect()
    }

    /// What the validation samples leave open in the difference between two trainings, and no less than seeds usually make.
    fn expected_noise(&self) -> f64 {
        let least: f64 = if self.measure.higher_is_better { 1.5 } else { 2.0 };
        let pairs = self.pairs(3.0).into_iter();
        let errors: Vec<f64> =
            pairs.filter_map(|(a, b)| paired(&a.trained.samples, &b.trained.samples)).collect();
        // Each of two has half of the difference's variance.
        let error = match errors.len() {
            0 => UNPAIRED * self.measure.error,
            pairs => (errors.iter().map(|error| error * error).sum::<f64>() / (2 * pairs) as f64).sqrt(),
        };
        least.max(100.0 * error / self.scale())
    }

    /// What 100 % are.
    fn scale(&self) -> f64 {
        self.span().unwrap_or(2.0 * self.measure.error).max(f64::MIN_POSITIVE)
    }

    /// Full trainings that survived and are not far behind.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Tried> {
        self.judged().filter(|at| !self.is_far_behind(at))
    }

    /// Whether a survivor is so much worse than the best that it tells nothing of the rates about it. Where another seed at
    /// its rate or above is not, it is no edge but the seed, and counts; a guard's, beyond what is suggested, is never excused.
    fn is_far_behind(&self, at: &Tried) -> bool {
        let noise = 100.0 * UNPAIRED * self.measure.error / self.scale();
        let least = 100.0 - f64::max(FAR, 4.0 * noise);
        let is_twin = |other: &Tried| {
            // A rate between two of the grid is that of the nearest.
            let is_near = (-0.5..=SAME).contains(&(other.place - at.place));
            at.role != Role::Guard && other.question.seed != at.question.seed && is_near
        };
        self.percent(at) < least && !self.judged().any(|other| is_twin(other) && self.percent(other) >= least)
    }

    /// The model of the full trainings; none where none has survived.
    pub(super) fn model(&self) -> Option<Surrogate> {
        let observed = |at: &Tried| Observed { x: at.x(), seed: at.question.seed, y: self.percent(at) };
        let observed: Vec<Observed> = self.usable().map(observed).collect();
        (!observed.is_empty()).then(|| Surrogate::new(&observed, self.noise()))
    }

    /// The places of the lowest and the highest rate in the model.
    pub(super) fn bounds(&self) -> [f64; 2] {
        let places = || self.usable().map(|at| at.place);
        [places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max)]
    }

    /// The places past which no training is worth its cost: of rates far behind below and above the model's, or diverged.
    pub(super) fn limits(&self) -> [Option<f64>; 2] {
        let [low, high] = self.bounds();
        let bad = || self.whole().filter(|at| self.is_bad(at)).map(|at| at.place);
        let below = bad().filter(|&place| place < low).reduce(f64::max);
        let above = bad().filter(|&place| place > high).chain(self.lowest_failure()).reduce(f64::min);
        [below, above]
    }

    fn is_bad(&self, at: &Tried) -> bool {
        !at.trained.survived() || !at.trained.validation.is_finite() || self.is_far_behind(at)
    }

    /// The logarithm of the highest rate that keeps its distance from all that diverged, or fell far behind above the model.
    fn ceiling(&self) -> f64 {
        let [_, highest] = self.bounds();
        let behind = self.whole().filter(|at| self.is_bad(at) && at.place > highest + 1e-9);
        let distance = |at: &Tried| if at.role == Role::Guard { GUARDED } else { DISTANCE };
        self.failures().chain(behind).map(|at| at.x() - distance(at)).fold(f64::INFINITY, f64::min)
    }

    /// Rates of the model, as logarithms, from a place to another, both included.
    fn scan(&self, [low, high]: [f64; 2]) -> Vec<f64> {
        let [low, high] = [self.x_of(low), self.x_of(high)];
        let parts = ((high - low) * FINE).ceil().max(1.0);
        (0..=parts as usize).map(|i| low + (high - low) * i as f64 / parts).collect()
    }

    /// The logarithm of the rate to use: the middle of what is as high as the model's maximum.
    pub(super) fn suggested(&self) -> Option<f64> {
        let model = self.model()?;
        let ceiling = self.ceiling();
        let [low, high] = self.bounds();
        let lowest = self.x_of(low);
        let places: Vec<f64> = self.scan([low, high]).into_iter().filter(|&x| x <= ceiling).collect();
        if places.is_empty() {
            return Some(ceiling.min(lowest));
        }
        let means: Vec<f64> = places.iter().map(|&x| model.mean(x)).collect();
        let best = (0..means.len()).rev().max_by(|&a, &b| means[a].total_cmp(&means[b]))?;
        let is_top = |&i: &usize| means[i] >= means[best] - LOSS;
        let from = (0..=best).rev().take_while(is_top).last().unwrap_or(best);
        let to = (best..means.len()).take_while(is_top).last().unwrap_or(best);
        Some(0.5 * (places[from] + places[to]))
    }

    /// Where full trainings have learnt nothing, the place to look at next: above those that were too slow, whose loss is about that
    /// of a constant prediction, and below those that were too fast, whose loss is higher, or diverged; half way where there are
    /// both. None where something was learnt, where the two have met, and where that loss is not known.
    pub(super) fn unexplored(&self) -> Option<f64> {
        let limit = NOTHING * self.measure.constant_loss;
        if self.span().is_some() || !limit.is_finite() {
            return None;
        }
        let is_slow = |at: &&Tried| at.trained.survived() && at.trained.loss < limit;
        let slow = self.whole().filter(is_slow).map(|at| at.place).reduce(f64::max);
        let fast = self.whole().filter(|at| !is_slow(at)).map(|at| at.place);
        let fast = fast.filter(|&place| slow.is_none_or(|slow| place > slow)).chain(self.lowest_failure());
        match (slow, fast.reduce(f64::min)) {
            (Some(slow), None) => Some(slow + UNEXPLORED),
            (None, Some(fast)) => Some(fast - UNEXPLORED),
            (Some(slow), Some(fast)) if fast - slow > 1.5 => Some(0.5 * (slow + fast)),
            _ => None,
        }
    }

    /// The ends of the rates that cannot be told from the best; an end that no training closes is open, and none.
    fn set(&self, suggested: f64) -> [Option<f64>; 2] {
        let Some(model) = self.model() else { return [None; 2] };
        let [low, high] = self.bounds();
        let failed = self.lowest_failure().map(|place| self.x_of(place));
        let places: Vec<f64> = self
            .scan([low - 1.0, high + 1.0])
            .into_iter()
            .filter(|&x| failed.is_none_or(|failed| x < failed))
            .collect();
        let means = places.iter().map(|&x| (x, model.mean(x)));
        let Some((best, _)) = means.max_by(|a, b| a.1.total_cmp(&b.1)) else { return [None; 2] };
        let is_good = |x: f64| model.as_good(x, best, LOSS) >= CHANCE;
        // What was measured counts as well as what is modelled.
        let margin = LOSS + self.noise();
        let measured = self.usable().filter(|at| self.percent(at) >= 100.0 - margin).map(Tried::x);
        let modelled = places.iter().copied().filter(|&x| is_good(x));
        let good: Vec<f64> = modelled.chain(measured).chain([suggested]).collect();
        let lowest = good.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = good.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let [below, above] = self.limits().map(|place| place.map(|place| self.x_of(place)));
        // Beyond the trainings nothing is known, unless one there was bad.
        let closed_low = lowest > places[0] + 1e-9 || below.is_some_and(|bad| bad >= places[0] - STEP);
        let last = places[places.len() - 1];
        let closed_high = highest < last - 1e-9 || above.is_some_and(|bad| bad <= last + STEP);
        [closed_low.then(|| libm::exp2(lowest)), closed_high.then(|| libm::exp2(highest))]
    }

    /// The choice by what is known, of rates in a range.
    pub(super) fn recommendation(&self, range: Option<[f64; 2]>) -> Recommendation {
        let suggested = if self.whole().next().is_some() {
            self.span().and_then(|_| self.suggested())
        } else {
            self.suggested_by_short()
        };
        let range = range.map(|ends| ends.map(libm::log2));
        let suggested = suggested.map(|x| range.map_or(x, |[low, high]| x.clamp(low, high)));
        let [low, high] = suggested.map_or([None; 2], |x| self.set(x));
        let near = suggested.map(|x| self.nearest(x)).unwrap_or_default();
        let mean = |of: fn(&Trained) -> f64| {
            let mean = near.iter().map(|at| of(&at.trained)).sum::<f64>() / near.len() as f64;
            mean.is_finite().then_some(mean)
        };
        let mut recommendation = Recommendation {
            // A rate that was trained is given as it was.
            eta: suggested
                .map(|x| near.first().filter(|at| at.x() == x).map_or(libm::exp2(x), |at| at.question.eta)),
            low,
            high,
            metric: self.measure.name.clone(),
            validation: mean(|trained| trained.validation),
            test: mean(|trained| trained.test),
            seeds: near.len(),
            chance: self.measure.chance,
            noise: (!near.is_empty()).then(|| self.noise()),
            why: String::new(),
            curve: self.curve(),
            budgets: self.tried.iter().map(|at| at.trained.budgets).sum(),
            gradient_steps: self.tried.iter().map(|at| at.trained.steps).sum(),
        };
        recommendation.why = self.why(&recommendation);
        recommendation
    }

    /// The surviving full trainings nearest to a rate, within half a step of the nearest.
    fn nearest(&self, x: f64) -> Vec<&Tried> {
        let distance = |at: &Tried| (at.x() - x).abs();
        let survivors = || self.whole().filter(|at| at.trained.survived());
        let nearest = survivors().map(distance).fold(f64::INFINITY, f64::min);
        survivors().filter(|at| distance(at) <= nearest.max(0.5 * STEP) + 1e-9).collect()
    }

    fn curve(&self) -> Vec<CurvePoint> {
        let point = |Tried { role, question, trained, .. }: &Tried| CurvePoint {
            eta: question.eta,
            seed: question.seed,
            role: *role,
            failure: trained.failure.clone(),
            train_loss: trained.loss,
            validation: trained.validation,
            test: trained.test,
            steps: trained.steps,
        };
        let mut points: Vec<CurvePoint> = self.tried.iter().map(point).collect();
        points.sort_by(|a, b| a.eta.total_cmp(&b.eta));
        points
    }

    /// The best training metric that a full training has reached, where more is better or not.
    pub(super) fn reached(&self, higher_is_better: bool) -> Option<f64> {
        let reached = self.whole().filter(|at| at.trained.survived()).map(|at| at.trained.reached);
        let reached = reached.filter(|value| value.is_finite());
        reached.reduce(if higher_is_better { f64::max } else { f64::min })
    }

    fn why(&self, choice: &Recommendation) -> String {
        let short = |value: f64| significant(value, 3);
        let rates = |tried: &mut dyn Iterator<Item = &Tried>| {
            let mut rates: Vec<f64> = tried.map(|at| at.question.eta).collect();
            rates.sort_by(f64::total_cmp);
            rates.dedup();
            rates
        };
        let name = self.measure.name.replace('_', " ");
        let tried = rates(&mut self.tried.iter());
        let (Some(&lowest), Some(&highest)) = (tried.first(), tried.last()) else {
            return "nothing was trained".into();
        };
        let span = format!("from {} to {}", short(lowest), short(highest));
        let Some(best) = self.best() else {
            return match choice.eta {
                Some(_) => self.why_short(&span),
                None => format!(
                    "of {} trainings {span} none survived: lower search.range, or look at the data and the initialisation",
                    self.tried.len()
                ),
            };
        };
        let full = rates(&mut self.whole());
        let (count, trainings) = (full.len(), self.whole().count());
        let span = match full[..] {
            [lowest, .., highest] => format!("from {} to {}", short(lowest), short(highest)),
            _ => span,
        };
        if choice.eta.is_none() {
            let best = significant(self.measure.turned(best), 4);
            let chance = significant(self.measure.chance, 4);
            return format!(
                "nothing was learnt that holds on held-out samples: {name} came to {best} at best, a prediction that ignores \
                 its input has {chance}; {trainings} trainings at {count} rates {span}. Train longer, take another network or \
                 initialisation, or look at whether the labels belong to the inputs"
            );
        }
        let of = |value: Option<f64>| value.map_or("?".into(), |value| significant(value, 4));
        // A trainer that is not Etalon's has one metric and no parts.
        let test = choice.test.map_or(String::new(), |_| {
            format!(" on the validation part, {} on the test part", of(choice.test))
        });
        format!(
            "{name} {}{test} ({}), by {trainings} full trainings at {count} rates {span}",
            of(choice.validation),
            match choice.seeds {
                1 => "1 seed".to_string(),
                seeds => format!("mean of {seeds} seeds"),
            }
        )
    }
}

/// The standard error of the mean difference of paired samples; none where they are not paired.
fn paired(a: &[f32], b: &[f32]) -> Option<f64> {
    let count = a.len() as f64;
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let differences = || a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b));
    let mean = differences().sum::<f64>() / count;
    let variance = differences().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    let error = (variance / count).sqrt();
    error.is_finite().then_some(error)
}
