//! The files of trials, read so that a broken one harms no other.

use crate::search::Found;
use crate::sweep::current_name;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// A trial as its file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Its recorded steps, in order, the last one the state at the end; none of a search.
    pub steps: Vec<Step>,
    /// Of each group of samples that it followed, the metrics by step, in the order in which they first come.
    pub groups: Vec<(String, Vec<Measured>)>,
    /// The whole results of its search, if it is one.
    pub searches: Vec<Found>,
    /// Its row of the summary; none of a single run's.
    pub result: Option<Map<String, Value>>,
}

/// The metrics of a group of samples at a step; NaN stands for what is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    pub step: f64,
    pub loss: f64,
    pub accuracy: f64,
}

/// A recorded step; NaN stands for what is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub step: f64,
    pub eta: f64,
    pub loss: f64,
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub test_loss: f64,
    pub test_accuracy: f64,
    pub ntk: f64,
    pub hessian: f64,
}

impl Trial {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(path: &Path) -> Result<Trial, String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| "it is no text".to_string())?;
        let mut trial = Trial::default();
        for (index, line) in text.lines().enumerate() {
            let fault = |reason: &dyn std::fmt::Display| format!("line {}: {reason}", index + 1);
            let value: Value = serde_json::from_str(line).map_err(|error| fault(&error))?;
            let Value::Object(mut fields) = value else { return Err(fault(&"it is no object")) };
            match fields.remove("result") {
                Some(Value::Object(result)) => {
                    let named = |(name, value): (String, Value)| (current_name(&name).to_string(), value);
                    trial.result = Some(result.into_iter().map(named).collect());
                }
                Some(_) => return Err(fault(&"its result is no object")),
                None if fields.contains_key("step") => {
                    let step = step(&fields).ok_or_else(|| fault(&"`step` is no number"))?;
                    trial.steps.push(step);
                    trial.take_groups(step.step, fields.get("groups"));
                }
                None if fields.contains_key("eta_star") => {
                    let found = Found::deserialize(Value::Object(fields)).map_err(|error| fault(&error))?;
                    trial.searches.push(found);
                }
                // The boundaries of a start: the row has what is shown of them.
                None => {}
            }
        }
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            return Err("it ends within a line".into());
        }
        Ok(trial)
    }

    /// Takes what a record says of groups of samples.
    fn take_groups(&mut self, step: f64, groups: Option<&Value>) {
        for (name, metrics) in groups.and_then(Value::as_object).into_iter().flatten() {
            let number = |field: &str| metrics.get(field).and_then(Value::as_f64).unwrap_or(f64::NAN);
            let measured = Measured { step, loss: number("loss"), accuracy: number("accuracy") };
            match self.groups.iter_mut().find(|(there, _)| there == name) {
                Some((_, list)) => list.push(measured),
                // Some are none in every record.
                None if metrics.is_object() => self.groups.push((name.clone(), vec![measured])),
                None => {}
            }
        }
    }
}

/// Those recorded steps that were taken: all but the state at the end, whose loss is no batch's. (Older files
/// have that of evaluation there.)
pub fn taken(steps: &[Step]) -> &[Step] {
    steps.split_last().map_or(steps, |(_, taken)| taken)
}

fn step(fields: &Map<String, Value>) -> Option<Step> {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(f64::NAN);
    let within = |set: &str, name: &str| number(fields.get(set).and_then(|set| set.get(name)));
    Some(Step {
        step: fields.get("step")?.as_f64()?,
        eta: number(fields.get("eta")),
        loss: number(fields.get("loss")),
        train_loss: within("train", "loss"),
        train_accuracy: within("train", "accuracy"),
        test_loss: within("test", "loss"),
        test_accuracy: within("test", "accuracy"),
        ntk: number(fields.get("ntk")),
        hessian: number(fields.get("hessian")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Trial, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Trial::read(file.path())
    }

    #[test]
    fn steps_and_results_are_told_apart() {
        let text = b"{\"step\":0,\"eta\":1,\"loss\":null,\"train\":{\"loss\":2,\"accuracy\":0.5}}\n\
            {\"trial\":\"a\",\"result\":{\"phase\":\"lazy\"}}\n{\"seed\":3}\n";
        let trial = read(text).unwrap();
        assert_eq!((trial.steps.len(), trial.steps[0].train_accuracy), (1, 0.5));
        assert!(trial.steps[0].loss.is_nan() && trial.steps[0].ntk.is_nan());
        assert_eq!(trial.result.unwrap()["phase"], "lazy");
        assert_eq!(trial.searches, []);
    }

    #[test]
    fn the_state_at_the_end_is_no_step_whatever_loss_an_old_file_has_there() {
        for end in ["null", "7"] {
            let text = format!(
                "{{\"step\":0,\"loss\":2}}\n{{\"step\":1,\"loss\":1}}\n{{\"step\":2,\"loss\":{end},\"train\":{{\"loss\":7}}}}\n"
            );
            let trial = read(text.as_bytes()).unwrap();
            let losses: Vec<f64> = taken(&trial.steps).iter().map(|step| step.loss).collect();
            assert_eq!((losses, trial.steps[2].train_loss), (vec![2.0, 1.0], 7.0));
        }
        assert!(taken(&[]).is_empty());
    }

    #[test]
    fn groups_of_samples_are_followed_by_name() {
        let record = |step: u64, loss: f64| {
            format!(
                "{{\"step\":{step},\"groups\":{{\"easy\":{{\"loss\":{loss},\"accuracy\":1}},\"hard\":null}}}}\n"
            )
        };
        let trial = read((record(0, 2.0) + "{\"step\":1}\n" + &record(2, 0.5)).as_bytes()).unwrap();
        let [(name, measured)] = &trial.groups[..] else { panic!("{:?}", trial.groups) };
        assert_eq!(
            (name.as_str(), measured.len(), measured[1].step, measured[1].loss),
            ("easy", 2, 2.0, 0.5)
        );
    }

    #[test]
    fn what_is_broken_says_where() {
        for (text, expected) in [
            (&b"{\"step\":0}\n{\"st"[..], "line 2"),
            (b"{\"step\":0}", "ends within a line"),
            (b"[1]\n", "line 1: it is no object"),
            (b"{\"step\":\"two\"}\n", "`step` is no number"),
            (b"{\"result\":3}\n", "its result is no object"),
            (b"\xff\xfe\n", "it is no text"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
