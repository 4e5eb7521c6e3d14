//! The local engine: one trial a thread, the expensive ones first; one that would outlast the others has more.

use super::jobs::Shared;
use super::ledger::Ledger;
use super::tasks::Tasks;
use super::{Cell, Grid, Job, Shard, Store, SweepError};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How to run a sweep.
pub struct Options<'a> {
    /// Trials at a time, each on a thread of its own; the probes of as many searches, and trials that would outlast
    /// all others, share rayon's threads. With a trainer it is the trainer's slots, all of them for each search.
    pub threads: usize,
    /// Set to stop: trials under way are finished, searches under way are dropped, and none is started.
    pub stop: &'a AtomicBool,
}

/// What just happened to a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It was done before.
    Kept,
    /// It is done.
    Done,
    /// It failed; the text says why.
    Failed(&'a str),
    /// Another process has it.
    Elsewhere,
}

/// How a sweep ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Trials of the grid.
    pub cells: usize,
    /// Done before this call.
    pub kept: usize,
    /// Done by this call.
    pub done: usize,
    /// Failed in this call.
    pub failed: usize,
    /// Under way in another process.
    pub elsewhere: usize,
    /// Not looked at, because of a stop.
    pub left: usize,
    /// The error of the first failed trial in grid order.
    pub first_failure: Option<String>,
    /// Whether it stopped because all of its first trials failed, and so would the others.
    pub gave_up: bool,
}

impl Tally {
    /// Why trials are left, and what to do; none where none is.
    pub fn unfinished(&self) -> Option<String> {
        let Tally { cells, failed, left, .. } = self;
        match &self.first_failure {
            _ if *left == 0 => None,
            Some(error) if self.gave_up => Some(format!(
                "the first {failed} trials failed, and the other {left} were not started: {error}; mend that, then the same \
                 command goes on"
            )),
            _ => Some(format!("stopped with {left} of {cells} trials left; the same command goes on")),
        }
    }
}

/// Where so many trials on each thread fail and none has a result, the others would fail too: a typo, a file that is missing.
const HOPELESS: usize = 3;

/// Runs every trial of a grid that is not done yet, and writes the summary. Results do not depend on the number of
/// threads. Where all of the first trials fail, among them the cheapest, it stops. `observe` hears of every trial, from any thread.
///
/// # Errors
/// When a result cannot be kept; no other trial is then started.
pub fn run(
    store: &Store,
    grid: &Grid,
    options: &Options<'_>,
    observe: &(dyn Fn(&Event<'_>) + Sync),
) -> Result<Tally, SweepError> {
    store.tidy();
    let role = Role::Whole { summary: Mutex::new(Instant::now() + SUMMARY_EVERY) };
    let report = run_cells(store, grid, grid.cells().iter().collect(), role, options, observe);
    store.tidy();
    let report = report?;
    store.summarise(grid)?;
    Ok(report)
}

/// Runs the trials of one part that are not done yet, in the end also those that another process has and has not
/// finished: it may run on a node that the cluster has lost, and a trial that is done twice does no harm. Neither is the
/// summary written nor taken away what dead processes left: other workers may be at it, on other machines.
///
/// # Errors
/// As [`run`].
pub fn run_shard(
    store: &Store,
    grid: &Grid,
    shard: Shard,
    options: &Options<'_>,
    observe: &(dyn Fn(&Event<'_>) + Sync),
) -> Result<Tally, SweepError> {
    run_cells(store, grid, shard.cells(grid), Role::Part { put_off: Mutex::default() }, options, observe)
}

/// What a process is to a sweep.
enum Role {
    /// It sees to all trials, and leaves those that another process has to that. The summary is written now and then, so
    /// that it can be looked at on the way; the next time is kept here.
    Whole { summary: Mutex<Instant> },
    /// It sees to a part, at last to trials that another process has; their places are kept here.
    Part { put_off: Mutex<Vec<usize>> },
}

/// Runs those of these trials that are not done yet.
fn run_cells(
    store: &Store,
    grid: &Grid,
    cells: Vec<&Cell>,
    role: Role,
    options: &Options<'_>,
    observe: &(dyn Fn(&Event<'_>) + Sync),
) -> Result<Tally, SweepError> {
    // A trainer has slots, whose numbers must be no one else's: a search takes them all, other cells one each.
    let slots = |cell: &&Cell| grid.spec(cell).map_or(1, |spec| spec.trainer.slots);
    let threads = match (grid.sets("trainer.command"), grid.job()) {
        (false, _) => options.threads.max(1),
        (true, Job::Find) => 1,
        (true, _) => cells.first().map_or(1, slots),
    };
    let [broken, gave_up] = [const { AtomicBool::new(false) }; 2];
    let stopped = || [options.stop, &broken, &gave_up].iter().any(|flag| flag.load(Ordering::Relaxed));
    let report = Tally { cells: cells.len(), ..Tally::default() };
    let (kept, open): (Vec<&Cell>, Vec<&Cell>) =
        cells.into_par_iter().partition(|cell| store.is_done(&cell.name));
    let worker = Worker {
        grid,
        open,
        role,
        stopped: &stopped,
        broken: &broken,
        gave_up: &gave_up,
        failed_first: AtomicUsize::new(0),
        hopeless: HOPELESS * threads,
        observe,
        shared: Shared { store, tasks: Tasks::new(threads + 1), ledger: Ledger::new(), cancelled: &stopped },
        report: Mutex::new((report, usize::MAX)),
    };
    kept.iter().for_each(|_| worker.tell(usize::MAX, &Event::Kept));
    worker.pass((0..worker.open.len()).collect(), threads, false)?;
    if let Role::Part { put_off } = &worker.role {
        let put_off = std::mem::take(&mut *lock(put_off));
        worker.pass(put_off, threads, true)?;
    }
    let (mut report, _) = worker.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.left = report.cells - report.kept - report.done - report.failed - report.elsewhere;
    report.gave_up = gave_up.into_inner();
    Ok(report)
}

/// How long the summary may lag behind the trials, at least.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);
/// And how many times as long as writing it takes.
const SUMMARY_SHARE: u32 = 20;

struct Worker<'a> {
    grid: &'a Grid,
    /// The trials that had no result when this began.
    open: Vec<&'a Cell>,
    role: Role,
    stopped: &'a (dyn Fn() -> bool + Sync),
    /// Whether a result could not be kept.
    broken: &'a AtomicBool,
    /// Whether all of the first trials have failed, how many that were, and how many these trials are.
    gave_up: &'a AtomicBool,
    failed_first: AtomicUsize,
    hopeless: usize,
    observe: &'a (dyn Fn(&Event<'_>) + Sync),
    shared: Shared<'a>,
    /// With the place of the first failure.
    report: Mutex<(Tally, usize)>,
}

impl Worker<'_> {
    /// These places in the order to go, so that no core is idle at the end: the expensive first (those that cost the same in
    /// grid order), each with whether it would outlast all that come behind, and is to run on more than one thread. The last
    /// one goes before all: where it fails as the first ones do, neither size nor place is the reason.
    fn order(&self, places: Vec<usize>, threads: usize) -> Vec<(usize, bool)> {
        // A cell without a spec is told of when its turn comes.
        let cost = |place: usize| self.grid.spec(self.open[place]).map_or(0.0, |spec| spec.cost());
        let mut costs: Vec<(usize, f64)> = places.into_par_iter().map(|place| (place, cost(place))).collect();
        costs.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let mut left = 0.0;
        let mut order: Vec<(usize, bool)> = costs
            .into_iter()
            .rev()
            .map(|(place, cost)| {
                left += cost;
                (place, cost * threads as f64 > left)
            })
            .collect();
        order.reverse();
        if let Some(last) = order.pop() {
            order.insert(0, last);
        }
        order
    }

    /// Sees to the cells at some places, on some threads.
    fn pass(&self, places: Vec<usize>, threads: usize, repeat: bool) -> Result<(), SweepError> {
        let (places, next) = (self.order(places, threads), AtomicUsize::new(0));
        // Threads of their own rather than rayon's: one that waits for a task or for memory must not be handed another
        // trial meanwhile.
        let ended: Vec<Result<(), SweepError>> = std::thread::scope(|scope| {
            let (places, next) = (&places, &next);
            let start = |slot| scope.spawn(move || self.work(places, next, repeat, slot));
            let threads: Vec<_> = (0..threads.min(places.len())).map(start).collect();
            // A panic is a defect; it is passed on, not hidden.
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        ended.into_iter().collect()
    }

    /// Takes one cell after another until none is left, on the thread of that number.
    fn work(
        &self,
        places: &[(usize, bool)],
        next: &AtomicUsize,
        repeat: bool,
        slot: usize,
    ) -> Result<(), SweepError> {
        while !(self.stopped)() {
            let order = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(place, parallel)) = places.get(order) else { break };
            let attended = self.attend(place, parallel, repeat, slot);
            match attended.and_then(|has_failed| self.summarise().map(|()| has_failed)) {
                Ok(has_failed) if has_failed && order < self.hopeless => self.doubt(),
                Ok(_) => {}
                Err(error) => {
                    self.broken.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Gives up where all of the first trials have failed, and none has a result; one that runs on may yet have one.
    fn doubt(&self) {
        let failed = 1 + self.failed_first.fetch_add(1, Ordering::Relaxed);
        let (report, _) = &*lock(&self.report);
        if failed == self.hopeless && report.kept + report.done == 0 {
            self.gave_up.store(true, Ordering::Relaxed);
        }
    }

    /// Writes the summary now and then, so that it can be looked at on the way.
    fn summarise(&self) -> Result<(), SweepError> {
        let Role::Whole { summary } = &self.role else { return Ok(()) };
        // Another thread is at it.
        let Ok(mut due) = summary.try_lock() else { return Ok(()) };
        let start = Instant::now();
        if start >= *due {
            self.shared.store.summarise(self.grid)?;
            *due = Instant::now() + SUMMARY_EVERY.max(SUMMARY_SHARE * start.elapsed());
        }
        Ok(())
    }

    /// Sees to one cell, with `parallel` on rayon's threads; with `repeat` even if another process has it. Whether it failed.
    fn attend(&self, place: usize, parallel: bool, repeat: bool, slot: usize) -> Result<bool, SweepError> {
        let (store, cell) = (self.shared.store, self.open[place]);
        let claim = match (store.claim(cell)?, &self.role) {
            (Some(claim), _) => claim,
            (None, _) if repeat => store.claim_too(cell),
            (None, Role::Part { put_off }) => {
                lock(put_off).push(place);
                return Ok(false);
            }
            (None, Role::Whole { .. }) => {
                self.tell(place, &Event::Elsewhere);
                return Ok(false);
            }
        };
        // It may have been finished between the look and the claim.
        if store.is_done(&cell.name) {
            self.tell(place, &Event::Kept);
            return Ok(false);
        }
        let spec = self.grid.spec(cell)?;
        match self.shared.compute(cell, &spec, self.grid.job(), parallel, slot, claim.is_shared()) {
            Ok(content) => {
                claim.finish(&content)?;
                self.tell(place, &Event::Done);
            }
            // What was called off has not failed.
            Err(_) if (self.stopped)() && (self.grid.job() == Job::Find || spec.trainer.is_given()) => {}
            Err(error) => {
                claim.fail(&error)?;
                self.tell(place, &Event::Failed(&error));
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tell(&self, place: usize, event: &Event<'_>) {
        {
            let mut guard = lock(&self.report);
            let (report, first) = &mut *guard;
            match *event {
                Event::Kept => report.kept += 1,
                Event::Done => report.done += 1,
                Event::Elsewhere => report.elsewhere += 1,
                Event::Failed(error) => {
                    report.failed += 1;
                    if place < *first {
                        *first = place;
                        report.first_failure = Some(error.into());
                    }
                }
            }
        }
        (self.observe)(event);
    }
}

/// What a lock guards here is whole between any two statements, so that a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
