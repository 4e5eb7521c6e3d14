//! The choice of the rate to use, as questions and answers.

use super::choice::{choose, why};
use super::curve::CurvePoint;
use super::error::{check_rate, check_seeds};
use super::order::order_interval;
use super::{LadderSettings, Recommendation, Scored, SearchError};

/// The choice among a ladder of rates below a ceiling (eta*) as a state machine, for engines that train by themselves:
/// [`ask`](Self::ask) which rates are wanted with which seeds, [`tell`](Self::tell) how good they were, until nothing is
/// asked any more.
///
/// Each rate is trained with all seeds for the full budget. Rates whose median differs from the best by no more than the
/// seed noise (the standard error of the best rate's median, 1.2533 s / sqrt(n) with the seeds' standard deviation s) tie
/// with it, and the lowest median loss among them decides; then the lower rate. If the choice is the lowest rate, the
/// ladder is extended downwards until it is not, or `max_rates` are tried. A rate at which any seed was too fast, or has a
/// non-finite metric or loss, is excluded.
///
/// It moves in rounds, as [`SeedSearch`](super::SeedSearch) does: the order of tells does not matter, and to resume, start
/// anew and tell what was kept.
#[derive(Clone, Debug)]
pub struct Ladder {
    ceiling: f64,
    seeds: Vec<u64>,
    settings: LadderSettings,
    higher_is_better: bool,
    /// Every rate that is judged, in ascending order.
    curve: Vec<CurvePoint>,
    gradient_steps: u64,
    /// The rates of the present round in descending order, and their seeds' answers.
    round: Vec<(f64, Vec<Option<Scored>>)>,
    /// How many rungs were laid so far, those of the present round included.
    rungs: usize,
}

impl Ladder {
    /// A ladder below `ceiling`. `higher_is_better` says whether more of the metric is (an accuracy), or less (a loss).
    ///
    /// # Errors
    /// If the settings, the ceiling or the seeds are not valid.
    pub fn new(
        ceiling: f64,
        seeds: &[u64],
        settings: &LadderSettings,
        higher_is_better: bool,
    ) -> Result<Self, SearchError> {
        settings.validate()?;
        check_rate("the ceiling of a recommendation", ceiling)?;
        check_seeds(seeds.iter().copied())?;
        let mut ladder = Ladder {
            ceiling,
            seeds: seeds.to_vec(),
            settings: settings.clone(),
            higher_is_better,
            curve: Vec::new(),
            gradient_steps: 0,
            round: Vec::new(),
            rungs: 0,
        };
        ladder.lay(settings.rates);
        Ok(ladder)
    }

    /// The next rungs, down to that number. Rates that underflow are none.
    fn lay(&mut self, to: usize) {
        let rate = |rung: usize| self.ceiling * libm::exp2(-self.settings.octaves * rung as f64);
        let rates = (self.rungs + 1..=to).map(rate).take_while(|eta| eta.is_normal());
        self.round = rates.map(|eta| (eta, vec![None; self.seeds.len()])).collect();
        self.rungs = to;
    }

    /// The rates wanted next, each with a seed; empty when the choice is made.
    pub fn ask(&self) -> Vec<(f64, u64)> {
        let open = |(eta, answers): &(f64, Vec<Option<Scored>>)| {
            let eta = *eta;
            let seeds = self.seeds.iter().zip(answers).filter(|(_, answer)| answer.is_none());
            seeds.map(|(&seed, _)| (eta, seed)).collect::<Vec<_>>()
        };
        self.round.iter().flat_map(open).collect()
    }

    /// Takes what came of a rate and seed that [`ask`](Self::ask) returned.
    ///
    /// # Errors
    /// [`SearchError::NotAsked`] if they are not awaited; nothing changes then.
    pub fn tell(&mut self, eta: f64, seed: u64, scored: Scored) -> Result<(), SearchError> {
        let place = self.seeds.iter().position(|&asked| asked == seed);
        // Rungs so close that they are the same rate are asked for one by one.
        let mut open = self.round.iter_mut().filter(|(asked, _)| *asked == eta);
        let answer = place.and_then(|place| {
            open.find_map(|(_, answers)| Some(&mut answers[place]).filter(|answer| answer.is_none()))
        });
        *answer.ok_or(SearchError::NotAsked(eta))? = Some(scored);
        if self.round.iter().all(|(_, answers)| answers.iter().all(Option::is_some)) {
            self.judge();
        }
        Ok(())
    }

    /// Puts the answers of a round into the curve, and lays the next rungs if the best is the lowest.
    fn judge(&mut self) {
        for (eta, answers) in std::mem::take(&mut self.round) {
            let scored: Vec<Scored> = answers.into_iter().flatten().collect();
            self.gradient_steps += scored.iter().map(|scored| scored.steps).sum::<u64>();
            self.curve.insert(0, CurvePoint::new(eta, &scored));
        }
        let choice = choose(&self.curve, self.higher_is_better);
        let at_the_end = choice.is_none_or(|choice| choice.index == 0);
        let LadderSettings { rates, max_rates, .. } = self.settings;
        if at_the_end && self.rungs < max_rates {
            // By half a ladder: what is wanted is often just beyond the end.
            self.lay(self.rungs.saturating_add(rates.div_ceil(2)).min(max_rates));
        }
    }

    /// The choice, by a metric of that name; `None` while rates are still asked.
    pub fn result(&self, metric: &str) -> Option<Recommendation> {
        if !self.round.is_empty() {
            return None;
        }
        let choice = choose(&self.curve, self.higher_is_better);
        let chosen = choice.as_ref().map(|choice| &self.curve[choice.index]);
        Some(Recommendation {
            eta: chosen.map(|point| point.eta),
            median: chosen.and_then(|point| point.median),
            low: chosen.and_then(|point| point.low),
            high: chosen.and_then(|point| point.high),
            coverage: order_interval(self.seeds.len()).coverage,
            why: why(metric, choice.as_ref(), &self.curve),
            metric: metric.to_string(),
            ceiling: self.ceiling,
            curve: self.curve.clone(),
            gradient_steps: self.gradient_steps,
        })
    }
}
