//! The files of trials, read so that a broken one harms no other.

use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// A trial as its file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Its recorded steps, in order; none of a search.
    pub steps: Vec<Step>,
    /// Its other lines, such as the whole result of a search.
    pub records: Vec<Value>,
    /// Its row of the summary; none of a single run's.
    pub result: Option<Map<String, Value>>,
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
                Some(Value::Object(result)) => trial.result = Some(result),
                Some(_) => return Err(fault(&"its result is no object")),
                None if fields.contains_key("step") => {
                    trial.steps.push(step(&fields).ok_or_else(|| fault(&"`step` is no number"))?);
                }
                None => trial.records.push(Value::Object(fields)),
            }
        }
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            return Err("it ends within a line".into());
        }
        Ok(trial)
    }
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
        assert_eq!(trial.records[0]["seed"], 3);
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
