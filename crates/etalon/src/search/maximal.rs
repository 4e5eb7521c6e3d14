//! eta* over several seeds.

use super::boundary::{SeedResult, SeedSearch, Stopped};
use super::definition::{Boundary, DEFINITION_VERSION};
use super::error::check_seeds;
use super::observe::Inquiry;
use super::order::{order_interval, proper_median, sorted};
use super::{Observer, Probe, SearchError, Settings};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The maximal initial learning rate of several seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtaStar {
    /// The median over seeds of log eta* (the geometric mean of the middle two for an even number), censored
    /// seeds counting as +infinity, undefined ones as -infinity. `None` if that is not finite: see `reason`.
    pub median: Option<f64>,
    /// The lower end of the interval for the median: a lower end of a bracket, or a rate at which the search
    /// was censored. `None` if the seed that would set it is undefined.
    pub low: Option<f64>,
    /// The upper end of the interval, the upper end of a bracket. `None` if the seed that would set it is
    /// censored (open above) or undefined.
    pub high: Option<f64>,
    /// The probability that an interval between these ranks covers the median over all seeds there could be:
    /// 0.9375 from minimum to maximum of 5 seeds, 0 for a single seed (its interval is only its bracket).
    pub coverage: f64,
    /// The relative tolerance of each seed's bracket.
    pub tolerance: f64,
    /// Every seed's search, in the order of the starts.
    pub seeds: Vec<SeedResult>,
    /// Seeds that trained up to the highest rate tried.
    pub censored: usize,
    /// Seeds that trained at no rate.
    pub undefined: usize,
    /// Why there is no median, and what to do.
    pub reason: Option<String>,
    /// Gradient steps spent, all seeds.
    pub gradient_steps: u64,
    /// Probes made, all seeds.
    pub probes: usize,
    /// Which [`DEFINITION`](super::DEFINITION) of eta* this is.
    pub definition: u32,
}

/// So many seeds look for a failure before the others, which then begin near to it.
const FIRST: usize = 2;

/// Searches eta* for each `(seed, start)` of `starts`, in parallel on the rayon pool that it is called in: inside
/// `pool.install(..)` on one's own, else on the global one. The result does not depend on the number of threads.
///
/// The first two seeds go up from their starts until they fail. By as much as the less far of them got beyond its start, the
/// others begin beyond theirs: the rates on the way, at which all train, are not tried by each again.
///
/// # Errors
/// If the settings, a start or the seeds are not valid, a probe fails, or the observer cancels.
pub fn maximal_rate<P: Probe + ?Sized>(
    probe: &P,
    starts: &[(u64, f64)],
    settings: &Settings,
    observer: Observer<'_>,
) -> Result<EtaStar, SearchError> {
    check_seeds(starts.iter().map(|&(seed, _)| seed))?;
    // All searches exist before the first probe runs: a bad start costs nothing.
    let mut searches: Vec<(u64, SeedSearch)> = starts
        .iter()
        .map(|&(seed, start)| Ok((seed, SeedSearch::new(start, settings)?)))
        .collect::<Result<_, SearchError>>()?;
    let inquiry = Inquiry::new(observer);
    let (first, others) = searches.split_at_mut(FIRST.min(starts.len()));
    first.par_iter_mut().try_for_each(|(seed, search)| {
        while search.reach().is_none() && run_round(probe, *seed, search, &inquiry)? {}
        Ok(())
    })?;
    if let Some(reach) = first.iter().filter_map(|(_, search)| search.reach()).min_by(f64::total_cmp) {
        others.iter_mut().for_each(|(_, search)| search.begin_beyond(reach));
    }
    run_in_turn(probe, &mut searches, &inquiry)?;
    let seeds = searches.iter().filter_map(|(seed, search)| search.result(*seed)).collect();
    EtaStar::from_seeds(seeds, settings.tolerance)
}

/// Runs all searches to their ends, each round of one in the order in which they wait, so that all of them end at about the same
/// time: the last to begin would else keep one thread for long while the others have nothing to do.
fn run_in_turn<P: Probe + ?Sized>(
    probe: &P,
    searches: &mut [(u64, SeedSearch)],
    inquiry: &Inquiry<'_>,
) -> Result<(), SearchError> {
    let workers = rayon::current_num_threads().min(searches.len());
    let waiting = Mutex::new(VecDeque::from_iter(searches));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    (0..workers).into_par_iter().try_for_each(|_| {
        while let Some(search) = next() {
            if run_round(probe, search.0, &mut search.1, inquiry)? {
                waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(search);
            }
        }
        Ok(())
    })
}

/// Answers one search's questions of a round, in parallel; whether there were any.
fn run_round<P: Probe + ?Sized>(
    probe: &P,
    seed: u64,
    search: &mut SeedSearch,
    inquiry: &Inquiry<'_>,
) -> Result<bool, SearchError> {
    let answer = |eta: f64| {
        let ask = || probe.probe(eta, seed);
        Ok((eta, inquiry.answer((eta, seed), ask, |outcome| (&outcome.verdict, outcome.steps))?))
    };
    let asked = search.ask();
    let is_open = !asked.is_empty();
    for (eta, outcome) in asked.into_par_iter().map(answer).collect::<Result<Vec<_>, SearchError>>()? {
        search.tell(eta, outcome)?;
    }
    Ok(is_open)
}

impl EtaStar {
    /// Puts the results of separate searches together.
    ///
    /// # Errors
    /// If there are none, or two of the same seed.
    pub fn from_seeds(seeds: Vec<SeedResult>, tolerance: f64) -> Result<Self, SearchError> {
        check_seeds(seeds.iter().map(|result| result.seed))?;
        // Rates from 0 (undefined) to infinity (censored); between them a bracket.
        let ends = |result: &SeedResult| match result.boundary {
            Boundary::Found { low, high } => [low, high],
            Boundary::CensoredAbove(highest) => [highest, f64::INFINITY],
            Boundary::Undefined { .. } => [0.0; 2],
        };
        let [lows, highs] = [0, 1].map(|i| sorted(seeds.iter().map(|result| ends(result)[i])));
        let median = proper_median(&sorted(seeds.iter().map(|result| result.boundary.rank())));
        let interval = order_interval(seeds.len());
        let proper = |eta: f64| (eta > 0.0 && eta.is_finite()).then_some(eta);
        let count = |wanted: fn(&Boundary) -> bool| seeds.iter().filter(|s| wanted(&s.boundary)).count();
        Ok(Self {
            median,
            low: proper(lows[interval.rank]),
            high: proper(highs[seeds.len() - 1 - interval.rank]),
            coverage: interval.coverage,
            tolerance,
            censored: count(|boundary| matches!(boundary, Boundary::CensoredAbove(_))),
            undefined: count(|boundary| matches!(boundary, Boundary::Undefined { .. })),
            reason: median.is_none().then(|| why_no_median(&seeds, &Terms::OWN)),
            gradient_steps: seeds.iter().map(SeedResult::gradient_steps).sum(),
            probes: seeds.iter().map(|result| result.probes.len()).sum(),
            definition: DEFINITION_VERSION,
            seeds,
        })
    }

    /// The rate and seed at which to look at what training does just below eta*: the highest rate that trained, of the seed
    /// in the middle.
    pub(crate) fn below_median(&self) -> Option<(u64, f64)> {
        let median = self.median?;
        let distance = |eta: f64| (eta / median).ln().abs();
        let found = self.seeds.iter().filter_map(|seed| Some((seed, seed.eta()?)));
        let (seed, _) = found.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
        let Boundary::Found { low, .. } = seed.boundary else { return None };
        Some((seed.seed, low))
    }

    /// Why there is no median, where there is none, in these terms.
    pub(crate) fn why_no_median(&self, terms: &Terms) -> Option<String> {
        self.median.is_none().then(|| why_no_median(&self.seeds, terms))
    }
}

/// What settings are called in advice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) range: &'static str,
    pub(crate) factor: &'static str,
}

impl Terms {
    const OWN: Terms = Terms { range: "the range of rates", factor: "factor of the bracket" };
}

/// Says how many seeds have no finite boundary, in which rates that was, and what to do about it.
fn why_no_median(seeds: &[SeedResult], terms: &Terms) -> String {
    let Terms { range, factor } = terms;
    let of = seeds.len();
    let mut parts = Vec::new();
    let unfinished = |result: &&SeedResult| matches!(result.stopped, Stopped::ProbeLimit(_));
    let open = seeds.iter().filter(|result| result.eta().is_none());
    let (unfinished, ended): (Vec<_>, Vec<_>) = open.partition(unfinished);
    let tops: Vec<f64> = sorted(ended.iter().filter_map(|result| match result.boundary {
        Boundary::CensoredAbove(highest) => Some(highest),
        _ => None,
    }));
    if let [lowest, ..] = tops[..] {
        parts.push(format!(
            "{} of {of} seeds trained at every rate up to the highest tried ({lowest:.3e}): raise the upper \
             end of {range}",
            tops.len()
        ));
    }
    let ranges = ended.iter().filter_map(|result| match result.boundary {
        Boundary::Undefined { lowest, highest } => Some((lowest, highest)),
        _ => None,
    });
    if let Some((lowest, highest)) = ranges.clone().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) {
        parts.push(format!(
            "{} of {of} seeds trained at no rate from {lowest:.3e} to {highest:.3e}: allow more steps, lower \
             the threshold, or widen {range}",
            ranges.count()
        ));
    }
    if let Some(first) = unfinished.first() {
        parts.push(format!(
            "{} of {of} searches were given up after {} probes, before they met a boundary: take a larger \
             {factor}, or narrow {range}",
            unfinished.len(),
            first.probes.len()
        ));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests;
