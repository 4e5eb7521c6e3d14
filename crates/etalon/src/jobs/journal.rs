//! What a search under way has tried, so that one that is killed loses no more than what it was at.

use super::trials::Memory;
use crate::folder::disk;
use crate::json_lines::{sealed, unsealed};
use crate::search::{Length, Outcome, Question, Trained};
use crate::train::MOST_STEPS;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A line of the file. A training has a length, a probe has none.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Training {
        question: Question,
        trained: Trained,
    },
    Probe {
        seed: u64,
        eta: f64,
        #[serde(flatten)]
        outcome: Outcome,
    },
}

impl Line {
    fn steps(&self) -> u64 {
        match self {
            Line::Training { trained, .. } => trained.steps,
            Line::Probe { outcome, .. } => outcome.steps,
        }
    }
}

/// A file with a line for each probe and training, in the order in which they ended. It only saves time: the result of a
/// search is the same without.
pub(crate) struct Journal {
    probes: HashMap<(u64, u64), Outcome>,
    trainings: HashMap<(u64, u64, bool), Trained>,
    /// None where it cannot be written: then nothing is kept.
    file: Mutex<Option<File>>,
    path: PathBuf,
}

impl Journal {
    /// Opens a journal, and reads what an earlier run has left in it. A line that was cut short or changed is passed over,
    /// as is one with more steps than a trial can have.
    pub(crate) fn open(path: &Path) -> Journal {
        let text = fs::read_to_string(path).unwrap_or_default();
        let (mut probes, mut trainings) = (HashMap::new(), HashMap::new());
        let line = |line: &str| serde_json::from_slice(&unsealed(line.as_bytes()).ok()?).ok();
        let lines = text.lines().filter_map(line);
        for line in lines.filter(|line: &Line| line.steps() as f64 <= MOST_STEPS) {
            match line {
                Line::Probe { seed, eta, outcome } => drop(probes.insert((seed, eta.to_bits()), outcome)),
                Line::Training { question, trained } => drop(trainings.insert(key(&question), trained)),
            }
        }
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = folder.and_then(|()| File::options().create(true).append(true).open(path));
        let file = file.and_then(|mut file| {
            // What follows a line that was cut short must not become part of it.
            let cut = !text.is_empty() && !text.ends_with('\n');
            if cut { file.write_all(b"\n") } else { Ok(()) }.map(|()| file)
        });
        Journal { probes, trainings, file: Mutex::new(file.ok()), path: path.into() }
    }

    fn write(&self, line: &Line) {
        let Ok(line) = serde_json::to_vec(line) else { return };
        let mut line = sealed(&line);
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_mut().is_some_and(|file| disk::append(file, &self.path, &line).is_err()) {
            *file = None;
        }
    }
}

fn key(question: &Question) -> (u64, u64, bool) {
    (question.seed, question.eta.to_bits(), question.length == Length::Full)
}

impl Memory for Journal {
    fn recall(&self, eta: f64, seed: u64) -> Option<Outcome> {
        self.probes.get(&(seed, eta.to_bits())).cloned()
    }

    fn keep(&self, eta: f64, seed: u64, outcome: &Outcome) {
        self.write(&Line::Probe { seed, eta, outcome: outcome.clone() });
    }

    fn recall_training(&self, question: &Question) -> Option<Trained> {
        self.trainings.get(&key(question)).cloned()
    }

    fn keep_training(&self, question: &Question, trained: &Trained) {
        self.write(&Line::Training { question: *question, trained: trained.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Answer;

    #[test]
    fn what_was_kept_is_recalled_to_the_bit_and_half_a_line_is_not() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("probes/abc.jsonl");
        let eta = 0.1 + 0.2;
        let fast = Outcome { verdict: Answer::TooFast("a loss of 1e13".into()), steps: 3 };
        let slow = Outcome { verdict: Answer::TooSlow, steps: 160 };
        let journal = Journal::open(&path);
        journal.keep(eta, 7, &fast);
        journal.keep(eta, 8, &slow);
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 5]).unwrap();
        let journal = Journal::open(&path);
        assert_eq!(journal.recall(eta, 7), Some(fast.clone()));
        assert_eq!((journal.recall(0.3, 7), journal.recall(eta, 8)), (None, None));
        journal.keep(eta, 8, &slow);
        let journal = Journal::open(&path);
        assert_eq!((journal.recall(eta, 7), journal.recall(eta, 8)), (Some(fast), Some(slow)));
        // Sums of steps would leave the numbers.
        let text = fs::read_to_string(&path).unwrap();
        let line = unsealed(text.lines().last().unwrap().as_bytes()).unwrap();
        let absurd = String::from_utf8(line).unwrap().replace("160", "18446744073709551615");
        fs::write(&path, [sealed(absurd.as_bytes()), b"\n".to_vec()].concat()).unwrap();
        assert_eq!(Journal::open(&path).recall(eta, 8), None);
        // Nor is a digit believed that was changed.
        fs::write(&path, text.replace("160", "170")).unwrap();
        assert_eq!(Journal::open(&path).recall(eta, 8), None);
    }

    #[test]
    fn trainings_are_recalled_by_rate_seed_and_length() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("probes.jsonl");
        let question = Question { eta: 0.1 + 0.2, seed: 7, length: Length::Full };
        let trained = Trained {
            failure: None,
            loss: 0.1 + 0.7,
            reached: 0.9,
            validation: 0.8,
            test: 0.7,
            samples: vec![1.0, 0.0, 1.0 / 3.0],
            steps: 500,
            budgets: 1.0,
        };
        Journal::open(&path).keep_training(&question, &trained);
        let journal = Journal::open(&path);
        assert_eq!(journal.recall_training(&question), Some(trained));
        assert_eq!(journal.recall_training(&Question { length: Length::Short, ..question }), None);
        assert_eq!(journal.recall_training(&Question { seed: 8, ..question }), None);
        assert_eq!(journal.recall(question.eta, 7), None);
    }
}
