//! A trial from its first step to its last, which can be left after any step and taken up again.

use super::{Evaluation, RECORDS, Trial};
use crate::json_lines::{digest, sealed, unsealed};
use crate::train::motion::WeightsBefore;
use crate::train::{Annealed, Learning, Record, State, Stop, Trajectory};
use etalon_nn::Scalar;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

/// What is recorded of a trial on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Course {
    records: Vec<Record>,
    first_loss: f64,
    peak_step: u64,
    peak_loss: f64,
    /// What was looked at after an update belongs to the state before the next one.
    evaluation: Option<Evaluation>,
}

impl Course {
    /// Of a trial of so many steps, before the first.
    fn new(total: u64) -> Course {
        Course {
            records: Vec::with_capacity(total.min(RECORDS + RECORDS / 10 + 2) as usize),
            first_loss: f64::NAN,
            peak_step: 0,
            peak_loss: f64::NEG_INFINITY,
            evaluation: None,
        }
    }
}

/// A trial after a step, with all that it needs to go on to the same bits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checkpoint {
    facts: Facts,
    /// Parameters, running statistics, and the optimiser's buffers; f64 holds every f32.
    numbers: Vec<Vec<f64>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Facts {
    step: u64,
    course: Course,
    /// Updates that the optimiser has counted.
    updates: u64,
    /// Corrections of growth, and its exponent.
    rescaling: (usize, f64),
    limit: f64,
    learning: Option<Learning>,
    annealed: Option<Annealed>,
}

/// The first line of a checkpoint's file.
#[derive(Serialize, Deserialize)]
struct Head {
    etalon: String,
    /// What it is a checkpoint of.
    of: String,
    lengths: Vec<usize>,
    /// The digest of the bytes that follow.
    numbers: String,
    facts: Facts,
}

impl Checkpoint {
    /// The recorded steps so far.
    pub(crate) fn records(&self) -> &[Record] {
        &self.facts.course.records
    }

    /// As a file, of a trial with this name: a line of JSON, then numbers as eight bytes each, least first.
    ///
    /// # Errors
    /// None: it has a form in JSON.
    pub(crate) fn to_bytes(&self, of: &str) -> serde_json::Result<Vec<u8>> {
        let numbers: Vec<u8> =
            self.numbers.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let head = Head {
            etalon: env!("CARGO_PKG_VERSION").into(),
            of: of.into(),
            lengths: self.numbers.iter().map(Vec::len).collect(),
            numbers: digest(&numbers),
            facts: self.facts.clone(),
        };
        Ok([sealed(&serde_json::to_vec(&head)?), vec![b'\n'], numbers].concat())
    }

    /// From a file; none where it is not whole, has changed, or is that of another trial or version: then training begins
    /// anew, and comes to the same.
    pub(crate) fn from_bytes(bytes: &[u8], of: &str) -> Option<Checkpoint> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        let head: Head = serde_json::from_slice(&unsealed(line).ok()?).ok()?;
        let (words, odd) = rest.as_chunks::<8>();
        let length = head.lengths.iter().try_fold(0usize, |sum, &length| sum.checked_add(length))?;
        let is_ours = head.etalon == env!("CARGO_PKG_VERSION") && head.of == of;
        if !is_ours || !odd.is_empty() || words.len() != length || digest(rest) != head.numbers {
            return None;
        }
        let mut words = words.iter().map(|&word| f64::from_le_bytes(word));
        let numbers = head.lengths.iter().map(|&length| words.by_ref().take(length).collect()).collect();
        Some(Checkpoint { facts: head.facts, numbers })
    }
}

impl<T: Scalar> Trial<'_, T> {
    /// The trial as it is after a step.
    fn checkpoint(&self, course: &Course) -> Checkpoint {
        let vectors = [&self.parameters, &self.running].into_iter().chain(&self.memory.buffers);
        Checkpoint {
            facts: Facts {
                step: self.step,
                course: course.clone(),
                updates: self.memory.steps,
                rescaling: self.rescaling.done(),
                limit: self.limit,
                learning: self.learning,
                annealed: self.annealed,
            },
            numbers: vectors.map(|vector| vector.iter().map(|&number| number.to_f64()).collect()).collect(),
        }
    }

    /// Goes to where a checkpoint was made; none, and nothing changed, where it is not one of this trial.
    fn resume(&mut self, from: Checkpoint) -> Option<Course> {
        let Checkpoint { facts, numbers } = from;
        let mut vectors: Vec<&mut Vec<T>> =
            [&mut self.parameters, &mut self.running].into_iter().chain(&mut self.memory.buffers).collect();
        let fits = vectors.len() == numbers.len()
            && vectors.iter().zip(&numbers).all(|(vector, numbers)| vector.len() == numbers.len());
        if !fits || facts.step > self.end {
            return None;
        }
        for (vector, numbers) in vectors.iter_mut().zip(numbers) {
            vector.iter_mut().zip(numbers).for_each(|(to, number)| *to = T::from_f64(number));
        }
        (self.step, self.memory.steps, self.limit) = (facts.step, facts.updates, facts.limit);
        (self.learning, self.annealed) = (facts.learning, facts.annealed);
        self.rescaling.set_done(facts.rescaling);
        Some(facts.course)
    }

    /// Trains to the end. `observe` is called before each update and once after the last, and may leave curvature in
    /// the step's record.
    pub fn run(self, observe: &mut dyn FnMut(State<T>, &mut Record)) -> Trajectory {
        self.run_from(None, observe, &mut |_, _| {})
    }

    /// As [`Trial::run`], from a checkpoint, if one of this trial is given. `keep` is called after each update, with whether
    /// the trial is interrupted there, and may ask for a checkpoint.
    pub(crate) fn run_from(
        mut self,
        checkpoint: Option<Checkpoint>,
        observe: &mut dyn FnMut(State<T>, &mut Record),
        keep: &mut dyn FnMut(bool, &dyn Fn() -> Checkpoint),
    ) -> Trajectory {
        let start = self.train.take(&self.parameters, &self.running);
        let mut course = Course::new(self.total);
        let stop = self.follow(&mut course, checkpoint, observe, keep);
        let Course { mut records, first_loss, peak_step, peak_loss, evaluation } = course;
        // The last look, if there was one, was at this very state.
        let Evaluation { train, test, groups } = evaluation.unwrap_or_else(|| self.take(true));
        let test = test.unwrap_or_else(|| self.test.take(&self.parameters, &self.running));
        let mut end = Record::new(self.step, self.rate());
        (end.train, end.test, end.groups) = (Some(train), Some(test), groups);
        observe(self.state(true, stop.diverged()), &mut end);
        records.push(end);
        Trajectory {
            eta: self.eta,
            seed: self.seed,
            records,
            start,
            first_loss,
            peak_step,
            peak_loss,
            train,
            test,
            groups: self.learning,
            annealed: self.annealed,
            constant_loss: self.constant_loss,
            steps: self.step,
            stop,
        }
    }

    /// Trains to the end as [`Trial::run`] does, and tells only why it ended and after how many steps: it looks at no more
    /// than the plan asks for on the way, and at no more samples than tell that the goal is missed. `observe` hears of each
    /// step before its update.
    pub(crate) fn stop(mut self, observe: &mut dyn FnMut(u64)) -> (Stop, u64) {
        self.brief = true;
        let mut course = Course::new(self.total);
        let stop = self.follow(&mut course, None, &mut |state, _| observe(state.step), &mut |_, _| {});
        (stop, self.step)
    }

    /// Makes the steps of a course, and looks where the plan asks for it.
    fn follow(
        &mut self,
        course: &mut Course,
        checkpoint: Option<Checkpoint>,
        observe: &mut dyn FnMut(State<T>, &mut Record),
        keep: &mut dyn FnMut(bool, &dyn Fn() -> Checkpoint),
    ) -> Stop {
        let stride = (self.total / RECORDS).max(1);
        let kept = |step: u64| step < RECORDS / 10 || step.is_multiple_of(stride);
        let every = self.plan.check_every * (self.total / self.plan.check_every / RECORDS).max(1);
        let turn = self.turn();
        let looked_at = |record: &Record| {
            record.train.is_some() && (record.step.is_multiple_of(every) || Some(record.step) == turn)
        };
        let mut before = self.plan.motion.then(|| WeightsBefore::new(&self.parameters));
        // A checkpoint is made between an update and the look after it.
        let mut is_updated = false;
        if let Some(resumed) = checkpoint.and_then(|checkpoint| self.resume(checkpoint)) {
            (*course, is_updated) = (resumed, true);
        }
        loop {
            if !std::mem::take(&mut is_updated) {
                let mut record = Record::new(self.step, self.rate());
                if let Some(Evaluation { train, test, groups }) = course.evaluation {
                    (record.train, record.test, record.groups) = (Some(train), test, groups);
                }
                observe(self.state(false, false), &mut record);
                let watched = kept(record.step) || looked_at(&record) || record.is_measured();
                let mut before = before.as_mut().filter(|_| watched);
                if let Some(before) = &mut before {
                    let rate = |segment| self.log_rate_of(segment);
                    record.weights =
                        Some(before.remember(&self.task.network, &self.parameters, &self.rescaling, &rate));
                }
                let (loss, stop) = self.step();
                if let (Some(before), Some(weights), None) = (before, &mut record.weights, &stop) {
                    before.compare(&self.task.network, &self.parameters, weights);
                }
                record.loss = loss.is_finite().then_some(loss);
                if record.step == 0 {
                    course.first_loss = loss;
                }
                if loss > course.peak_loss {
                    (course.peak_step, course.peak_loss) = (record.step, loss);
                }
                if watched || stop.is_some() {
                    course.records.push(record);
                }
                if let Some(stop) = stop {
                    // The batch that diverged may have moved running statistics.
                    course.evaluation = None;
                    return stop;
                }
            }
            let interrupted = self.interrupted.is_some_and(|flag| flag.load(Ordering::Relaxed));
            keep(interrupted, &|| self.checkpoint(course));
            let (taken, stop) = self.check(interrupted);
            course.evaluation = taken;
            if let Some(stop) = stop {
                return stop;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;
    use crate::train::{Goal, Metric};

    const SMALL: &str = "data.train = 40\ndata.test = 20\ndata.shrink = 4\nnetwork.width = 6\nnetwork.depth = 2\n\
        train.steps = 23\ntrain.batch = 16\ntrain.check_every = 5\n";

    /// A trial of a spec, from a checkpoint where one is given; what came of it, and what was kept after each update.
    fn run(text: &str, from: Option<Checkpoint>) -> (Trajectory, Vec<f32>, Vec<Vec<u8>>) {
        let spec = Spec::parse(&format!("{SMALL}{text}")).unwrap();
        let task = spec.task::<f32>().unwrap();
        let plan = spec.plan(&task).unwrap();
        let trial = Trial::new(&task, &plan, spec.optimizer.eta, 3, false).unwrap();
        let (mut kept, mut end) = (Vec::new(), Vec::new());
        let trajectory =
            trial.run_from(from, &mut |state, _| end = state.parameters.to_vec(), &mut |_, checkpoint| {
                kept.push(checkpoint().to_bytes("a").unwrap())
            });
        (trajectory, end, kept)
    }

    /// Its records as they are written, where no infinity can be told from another, and the rest.
    fn written(trajectory: Trajectory) -> (Vec<u8>, Trajectory) {
        let records = crate::json_lines::lines(&trajectory.records).unwrap();
        (records, Trajectory { records: Vec::new(), ..trajectory })
    }

    #[test]
    fn a_trial_that_is_taken_up_anywhere_comes_to_the_same_bits() {
        for text in [
            "",
            "optimizer = { momentum = 0.9, weight_decay = 0.1 }\nmeasure.weights = true",
            "optimizer.kind = \"adamw\"",
            "noise.level = 0.1\nnetwork.normalizer = \"batch\"\ndata.augment.flip = true",
            "schedule = { kind = \"constant\", anneal_below = 10.0, factor = 0.5 }",
            "data.patch.size = 2",
        ] {
            let (whole, end, kept) = run(text, None);
            assert_eq!(kept.len(), 23, "{text}");
            for bytes in kept.iter().step_by(4) {
                let checkpoint = Checkpoint::from_bytes(bytes, "a").expect(text);
                let (resumed, again, _) = run(text, Some(checkpoint));
                assert_eq!(written(resumed), written(whole.clone()), "{text}");
                assert_eq!(again, end, "{text}");
            }
        }
    }

    #[test]
    fn looks_at_held_out_samples_that_are_left_out_change_no_bit() {
        let kinds = "network.normalizer = \"batch\"\ndata.patch.size = 2\ntrain.check_test = true\n";
        let looks = |text: &str| {
            let (trajectory, end, _) = run(&format!("{kinds}{text}"), None);
            let of_test = |record: &Record| Some((record.step, record.test?));
            (trajectory.records.iter().filter_map(of_test).collect::<Vec<_>>(), end)
        };
        let ((all, end), (mut some, again)) = (looks(""), looks("train.test_steps = [5, 15]"));
        assert_eq!(all.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [5, 10, 15, 20, 23]);
        assert_eq!(end, again);
        assert_eq!(some.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [5, 15, 23]);
        some.retain(|look| !all.contains(look));
        assert_eq!(some, [], "each is that of the same step");
        let refused = Spec::parse(&format!("{SMALL}{kinds}train.test_steps = [7]")).unwrap_err().to_string();
        assert!(refused.contains("train.check_every is 5"), "{refused}");
    }

    #[test]
    fn where_the_last_steps_begin_it_is_looked_at_as_at_the_end_of_a_trial_without_them() {
        for text in [
            "",
            "optimizer.momentum = 0.9\n",
            "network.normalizer = \"batch\"\ndata.augment.flip = true\nschedule.kind = \"cosine\"\n",
        ] {
            let (without, ..) = run(text, None);
            let (with, _, kept) =
                run(&format!("{text}schedule.last_steps = 8\nschedule.last_eta = 0.01"), None);
            let looks: Vec<&Record> = with.records.iter().filter(|record| record.test.is_some()).collect();
            assert_eq!(looks.iter().map(|look| look.step).collect::<Vec<_>>(), [23, 31], "{text}");
            assert_eq!(looks[0].train.zip(looks[0].test), Some((without.train, without.test)), "{text}");
            assert_ne!(with.test, without.test, "{text}");
            // One that is taken up there has the look too.
            let checkpoint = Checkpoint::from_bytes(&kept[22], "a");
            assert!(checkpoint.is_some());
            let (resumed, ..) =
                run(&format!("{text}schedule.last_steps = 8\nschedule.last_eta = 0.01"), checkpoint);
            assert_eq!(written(resumed), written(with), "{text}");
        }
    }

    #[test]
    fn looks_that_end_early_end_a_trial_where_whole_ones_do() {
        let text = "data.train = 600\ndata.test = 20\ndata.shrink = 4\nnetwork.width = 12\n\
            train = { steps = 60, batch = 30, check_every = 3, check_samples = 600 }\n";
        let mut ends = [0; 4];
        for setting in [
            "",
            "loss = \"mse\"",
            "data.patch.size = 2",
            "schedule = { kind = \"constant\", anneal_below = 1.0, factor = 0.1 }",
        ] {
            let spec = Spec::parse(&format!("{text}{setting}")).unwrap();
            let task = spec.task::<f32>().unwrap();
            let goals = [0.3, 0.6, 0.8, 0.9].map(|threshold| (Metric::TrainAccuracy, threshold));
            let losses = [2.0, 0.9, 0.4, 0.2].map(|threshold| (Metric::TrainLoss, threshold));
            for (metric, threshold) in goals.into_iter().chain(losses).chain([(Metric::TestAccuracy, 0.7)]) {
                let plan = spec.plan(&task).unwrap().with_goal(Goal { metric, threshold }, &task).unwrap();
                for eta in [1e-3, 0.05, 0.3, 3.0, 1e4] {
                    let trial = || Trial::new(&task, &plan, eta, 1, false).unwrap();
                    let whole = trial().run(&mut |_, _| {});
                    let ended = trial().stop(&mut |_| {});
                    assert_eq!(
                        ended,
                        (whole.stop.clone(), whole.steps),
                        "{setting}, {metric:?} {threshold}, {eta}"
                    );
                    ends[match whole.stop {
                        Stop::Goal { .. } => 0,
                        Stop::Budget { .. } => 1,
                        Stop::Dead { .. } => 2,
                        _ => 3,
                    }] += 1;
                }
            }
        }
        assert!(ends.iter().all(|&count| count > 0), "each end is tried: {ends:?}");
    }

    #[test]
    fn a_checkpoint_that_is_damaged_or_anothers_is_none() {
        let (whole, _, kept) = run("", None);
        let bytes = &kept[7];
        assert!(Checkpoint::from_bytes(bytes, "b").is_none());
        for place in (0..bytes.len()).step_by(97) {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(Checkpoint::from_bytes(&changed, "a").is_none(), "byte {place}");
            assert!(Checkpoint::from_bytes(&bytes[..place], "a").is_none(), "{place} bytes");
        }
        // One of a wider network does not fit, and the trial begins anew.
        let spec = Spec::parse(&format!("{SMALL}seed = 3\n")).unwrap();
        let other = Spec { network: crate::spec::NetworkSpec { width: 7, ..spec.network.clone() }, ..spec };
        let task = other.task::<f32>().unwrap();
        let plan = other.plan(&task).unwrap();
        let run = |from| {
            Trial::new(&task, &plan, 0.1, 3, false).unwrap().run_from(from, &mut |_, _| {}, &mut |_, _| {})
        };
        assert_eq!(run(Checkpoint::from_bytes(bytes, "a")), run(None));
        assert_ne!(run(None), whole);
    }
}
