//! One seed's search, as questions and answers.

use super::definition::{self, Boundary};
use super::plan::Ground;
use super::{Outcome, Probed, SearchError, Settings};
use serde::{Deserialize, Serialize};

/// The search for one seed's eta* as a state machine: [`ask`](Self::ask) which rates are wanted,
/// [`tell`](Self::tell) what happened there, until nothing is asked any more.
///
/// It moves in rounds: the next round is planned when every rate of this one was told, so the order of tells
/// does not matter. It is deterministic: to resume after an interruption, start anew and tell the outcomes
/// kept from before.
#[derive(Clone, Debug)]
pub struct SeedSearch {
    ground: Ground,
    /// Everything known, sorted by rate.
    probes: Vec<Probed>,
    /// Answers to the present round.
    round: Vec<Probed>,
    /// Rates of the present round still to be told.
    pending: Vec<f64>,
}

impl SeedSearch {
    /// A search from the rate `start`, the best guess at hand (such as 2 / lambda0); moved into
    /// `settings.range` if it lies outside.
    ///
    /// # Errors
    /// If the settings are not valid, or `start` is not a positive, finite rate.
    pub fn new(start: f64, settings: &Settings) -> Result<Self, SearchError> {
        settings.validate()?;
        let bounds = settings.bounds(start)?;
        let start = start.clamp(bounds[0], bounds[1]);
        let ground = Ground { start, bounds, settings: settings.clone() };
        let pending = ground.next(&[]);
        Ok(Self { ground, probes: Vec::new(), round: Vec::new(), pending })
    }

    /// By what factor the highest rate of the run that trained lies beyond the start, as far as is known; none before a rate has
    /// ended that run, unless the search is over, or where none trained.
    pub fn reach(&self) -> Option<f64> {
        let reached = match definition::boundary(&self.probes)? {
            Boundary::Found { low, .. } => low,
            Boundary::CensoredAbove(highest) if self.pending.is_empty() => highest,
            Boundary::CensoredAbove(_) | Boundary::Undefined { .. } => return None,
        };
        Some(reached / self.ground.start)
    }

    /// Begins by this factor beyond the start, within the range that the start has given: rates that trained with other seeds
    /// need not all be tried again. Nothing changes once an outcome was told, or by what is no factor above 0.
    pub fn begin_beyond(&mut self, reach: f64) {
        if reach > 0.0 && self.probes.is_empty() && self.round.is_empty() {
            let [low, high] = self.ground.bounds;
            self.ground.start = (reach * self.ground.start).clamp(low, high);
            self.pending = self.ground.next(&[]);
        }
    }

    /// The rates wanted next; empty when the search is over.
    pub fn ask(&self) -> Vec<f64> {
        self.pending.clone()
    }

    /// Takes the outcome at a rate that [`ask`](Self::ask) returned.
    ///
    /// # Errors
    /// [`SearchError::NotAsked`] if this rate is not awaited; nothing changes then.
    pub fn tell(&mut self, eta: f64, outcome: Outcome) -> Result<(), SearchError> {
        let Some(place) = self.pending.iter().position(|&asked| asked == eta) else {
            return Err(SearchError::NotAsked(eta));
        };
        self.pending.remove(place);
        self.round.push(Probed { eta, verdict: outcome.verdict, steps: outcome.steps });
        if self.pending.is_empty() {
            self.probes.append(&mut self.round);
            self.probes.sort_by(|a, b| a.eta.total_cmp(&b.eta));
            self.pending = self.ground.next(&self.probes);
            self.pending.truncate(self.ground.settings.max_probes - self.probes.len());
        }
        Ok(())
    }

    /// The result, as that of `seed`; `None` while rates are still asked.
    pub fn result(&self, seed: u64) -> Option<SeedResult> {
        if !self.pending.is_empty() {
            return None;
        }
        let boundary = definition::boundary(&self.probes)?;
        let stopped = match boundary {
            _ if !self.ground.next(&self.probes).is_empty() => Stopped::ProbeLimit(self.probes.len()),
            Boundary::Found { low, high } => Stopped::Converged { ratio: high / low },
            Boundary::CensoredAbove(_) | Boundary::Undefined { .. } => Stopped::RangeExhausted,
        };
        let ends_run = definition::lowest_run(&self.probes).map_or(0, |run| run.end);
        Some(SeedResult {
            seed,
            boundary,
            islands: definition::islands(&self.probes),
            failure: self.probes.get(ends_run).and_then(Probed::failure),
            stopped,
            probes: self.probes.clone(),
        })
    }
}

/// How a seed's search ended, with the number that ended it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// The bracket is as narrow as asked and its guards were probed.
    Converged {
        /// high / low of the bracket.
        ratio: f64,
    },
    /// Every rate of the range that could tell more was tried.
    RangeExhausted,
    /// This many probes were made, the most allowed; the boundary is what they show, wider or less guarded
    /// than asked.
    ProbeLimit(usize),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stopped::Converged { ratio } => {
                write!(f, "the bracket is as narrow as asked (a factor of {ratio:.4})")
            }
            Stopped::RangeExhausted => f.write_str("every rate of the range was tried"),
            Stopped::ProbeLimit(probes) => write!(f, "{probes} probes were made, the most allowed"),
        }
    }
}

/// What the search found for one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// The seed whose start and batches these are.
    pub seed: u64,
    /// Where its boundary lies.
    pub boundary: Boundary,
    /// Rates above the boundary that trained nonetheless.
    pub islands: Vec<f64>,
    /// What went wrong just above the boundary (at the lowest rate tried, if nothing trained); `None` if
    /// nothing failed there.
    pub failure: Option<String>,
    /// How the search ended.
    pub stopped: Stopped,
    /// Every probe, sorted by rate.
    pub probes: Vec<Probed>,
}

impl SeedResult {
    /// This seed's eta*; `None` if censored or undefined.
    pub fn eta(&self) -> Option<f64> {
        self.boundary.eta()
    }

    /// Gradient steps spent on this seed.
    pub fn gradient_steps(&self) -> u64 {
        self.probes.iter().map(|probed| probed.steps).sum()
    }
}

#[cfg(test)]
mod tests;
