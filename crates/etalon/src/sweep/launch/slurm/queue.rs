//! What Slurm says of the jobs of a sweep.

use super::call::CALLER;
use super::round::{COLLECTOR, Round};
use crate::sweep::{LaunchError, Store};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// States in which a job is over. Any other, known or not, may still change.
const OVER: [&str; 10] = [
    "COMPLETED",
    "CANCELLED",
    "FAILED",
    "TIMEOUT",
    "NODE_FAIL",
    "PREEMPTED",
    "BOOT_FAIL",
    "DEADLINE",
    "OUT_OF_MEMORY",
    "REVOKED",
];

/// The jobs of the last submission of a sweep and the collector that made it, elements of arrays one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Which submission.
    pub round: usize,
    /// Parts under way.
    pub running: usize,
    /// Parts that wait, with the reasons that Slurm gives.
    pub waiting: BTreeMap<String, usize>,
    /// Parts that Slurm will never start by itself, as an element that could not be launched while the controller was
    /// restarted, with the reasons; `scontrol release` frees them.
    pub held: BTreeMap<String, String>,
    /// Whether a part was cancelled.
    pub cancelled: bool,
    /// The numbers of the jobs that are not over, the collector among them.
    pub jobs: BTreeSet<u64>,
}

/// One line of squeue.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) job: u64,
    /// None outside of arrays.
    index: Option<u64>,
    state: String,
    pub(super) name: String,
    reason: String,
}

/// Asks Slurm for the jobs of the last submission; none if there was none. Jobs that ended long ago are forgotten by
/// Slurm, and missing.
///
/// # Errors
/// When Slurm gives no answer, which says nothing of the jobs.
pub fn queue(store: &Store) -> Result<Option<Queue>, LaunchError> {
    let Some(mut round) = Round::last(store)? else { return Ok(None) };
    loop {
        let queue = Queue::of(&round, &elements(&round.names())?);
        match Round::last(store)? {
            // A collector has submitted the next round meanwhile.
            Some(newer) if newer.number > round.number => round = newer,
            _ => return Ok(Some(queue)),
        }
    }
}

/// The jobs with certain names.
pub(super) fn elements(names: &[String]) -> Result<Vec<Element>, LaunchError> {
    // `--json` changes its shape between versions. The reason comes last, for it may have any characters.
    let names = format!("--name={}", names.join(","));
    let answer = CALLER
        .ask("squeue", &["--noheader", "--array", "--states=all", &names, "--format=%F|%K|%T|%j|%r"])?;
    let element = |line: &str| {
        Element::parse(line).ok_or_else(|| LaunchError::Answer { program: "squeue", answer: line.into() })
    };
    answer.lines().filter(|line| !line.trim().is_empty()).map(element).collect()
}

impl Element {
    fn parse(line: &str) -> Option<Element> {
        let mut fields = line.trim().splitn(5, '|');
        let job = fields.next()?.parse().ok()?;
        let index = fields.next()?.parse().ok();
        let [state, name, reason] = [fields.next()?, fields.next()?, fields.next()?].map(String::from);
        Some(Element { job, index, state, name, reason })
    }

    fn is_over(&self) -> bool {
        OVER.contains(&self.state.as_str())
    }

    /// As `scontrol` takes it.
    fn id(&self) -> String {
        self.index.map_or(self.job.to_string(), |index| format!("{}_{index}", self.job))
    }
}

impl Queue {
    fn of(round: &Round, elements: &[Element]) -> Queue {
        let mut queue = Queue { round: round.number, ..Queue::default() };
        for element in elements.iter().filter(|element| round.has(element.job)) {
            let is_part = !element.name.ends_with(COLLECTOR);
            if !element.is_over() {
                queue.jobs.insert(element.job);
            }
            match element.state.as_str() {
                _ if !element.is_over() && element.reason.to_lowercase().contains("held") => {
                    queue.held.insert(element.id(), element.reason.clone());
                }
                "CANCELLED" if is_part => queue.cancelled = true,
                "PENDING" if is_part => *queue.waiting.entry(element.reason.clone()).or_default() += 1,
                _ if is_part && !element.is_over() => queue.running += 1,
                _ => {}
            }
        }
        queue
    }

    /// Whether a job of it may still do something.
    pub fn is_alive(&self) -> bool {
        !self.jobs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::launch::slurm::Settings;

    fn round() -> Round {
        Round {
            number: 2,
            tag: "etalon-a".into(),
            jobs: vec![12, 13],
            before: Some(11),
            foreign: BTreeSet::from([7]),
            arrays: 1,
            shards: 6,
            done: 0,
            failed: 0,
            probed: 0,
            settings: Settings::default(),
        }
    }

    #[test]
    fn elements_are_counted_by_what_can_become_of_them() {
        let lines = "12|1|RUNNING|etalon-a-2-1|None\n12|2|PENDING|etalon-a-2-1|Resources\n\
            12|3|PENDING|etalon-a-2-1|launch failed requeued held\n12|4|COMPLETED|etalon-a-2-1|None\n\
            12|5|PENDING|etalon-a-2-1|Nodes required for job are DOWN, DRAINED or x|y\n\
            12|6|SOME_NEW_STATE|etalon-a-2-1|None\n13|N/A|PENDING|etalon-a-2-collect|Dependency\n";
        let elements: Vec<Element> = lines.lines().map(|line| Element::parse(line).unwrap()).collect();
        let round = round();
        let names = ["etalon-a-2-1", "etalon-a-2-collect", "etalon-a-1-collect"];
        assert_eq!(round.names(), names);
        let queue = Queue::of(&round, &elements);
        assert_eq!((queue.round, queue.running, queue.cancelled), (2, 2, false));
        let waiting =
            [("Nodes required for job are DOWN, DRAINED or x|y".to_string(), 1), ("Resources".into(), 1)];
        assert_eq!(queue.waiting, BTreeMap::from(waiting));
        assert_eq!(queue.held, BTreeMap::from([("12_3".into(), "launch failed requeued held".into())]));
        assert_eq!(queue.jobs, BTreeSet::from([12, 13]));
        let over = Element::parse("12|1|CANCELLED|etalon-a-2-1|None").unwrap();
        let queue = Queue::of(&round, &[over]);
        assert!(queue.cancelled && !queue.is_alive());
    }

    #[test]
    fn a_job_is_the_sweeps_by_its_number_and_by_its_name_only_before_that_is_known() {
        let mut round = round();
        let is_alive = |round: &Round, job: u64| {
            let element = Element::parse(&format!("{job}|1|PENDING|etalon-a-2-1|JobHeldUser")).unwrap();
            Queue::of(round, &[element]).is_alive()
        };
        assert_eq!([7, 11, 12, 13, 14].map(|job| is_alive(&round, job)), [false, true, true, true, false]);
        // It was killed before it kept the collector's number.
        round.jobs.pop();
        assert_eq!([7, 11, 12, 13, 14].map(|job| is_alive(&round, job)), [false, true, true, true, true]);
    }

    #[test]
    fn a_line_that_is_not_understood_is_no_job() {
        for line in ["", "12", "x|1|RUNNING|n|None", "12|1|RUNNING"] {
            assert_eq!(Element::parse(line), None, "{line}");
        }
    }
}
