//! What the user says about the jobs.

use crate::sweep::LaunchError;
use serde::{Deserialize, Serialize};

/// Options that the engine sets itself, and why.
const OURS: [(&str, &str); 12] = [
    ("array", "the parts are the array; give --shards, and --throttle for how many run at a time"),
    ("output", "logs lie in the sweep's folder"),
    ("error", "logs lie in the sweep's folder"),
    ("open-mode", "logs of a repeated part are appended"),
    ("requeue", "parts are always requeued"),
    ("no-requeue", "parts are always requeued"),
    ("signal", "workers are told before their time is up"),
    ("job-name", "the jobs of a sweep are known by their names"),
    ("dependency", "the collector waits for the parts"),
    ("wrap", "the script is Etalon's"),
    ("wait", "the command returns at once; `etalon status DIR` tells how far the sweep is"),
    ("parsable", "the answer is read by Etalon"),
];

/// What the user says about the jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Long options of `sbatch`, `key=value` or `key`.
    options: Vec<String>,
    /// Into how many parts the sweep is cut; none takes parts of some minutes.
    pub shards: Option<usize>,
    /// The most parts that run at a time.
    pub throttle: Option<usize>,
}

impl Settings {
    /// Takes options of `sbatch` as they are, such as `partition=main`, and checks that none is the engine's own.
    ///
    /// # Errors
    /// With the reason.
    pub fn new(options: &[String]) -> Result<Settings, LaunchError> {
        for text in options {
            let fault = |reason: &str| LaunchError::Setting { text: text.clone(), reason: reason.into() };
            let key = text.split('=').next().unwrap_or_default();
            if key.is_empty()
                || key.starts_with('-')
                || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            {
                return Err(fault(
                    "write an option of sbatch without its dashes, such as partition=main or time=30:00",
                ));
            }
            if text.contains(['\n', '\r']) {
                return Err(fault("an option is one line"));
            }
            // sbatch takes the beginning of a name for the name.
            if let Some((_, reason)) = OURS.iter().find(|(ours, _)| ours.starts_with(key)) {
                return Err(fault(&format!("Etalon sets it: {reason}")));
            }
        }
        Ok(Settings { options: options.to_vec(), shards: None, throttle: None })
    }

    /// The options, each with its value.
    pub(super) fn options(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.options.iter().map(|text| match text.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (text.as_str(), None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_as_they_are_except_the_engines_own() {
        let options = ["partition=main", "exclusive", "comment=a=b"].map(String::from);
        let settings = Settings::new(&options).unwrap();
        let found: Vec<_> = settings.options().collect();
        assert_eq!(found, [("partition", Some("main")), ("exclusive", None), ("comment", Some("a=b"))]);
        for (text, reason) in [
            ("array=1-3", "--shards"),
            ("output=x", "sweep's folder"),
            ("arr=1-1", "--shards"),
            ("outp=x", "sweep's folder"),
            ("wra=true", "script is Etalon's"),
            ("--time=1", "without its dashes"),
            ("=1", "without its dashes"),
            ("comment=a\nb", "one line"),
        ] {
            let error = Settings::new(&[text.into()]).unwrap_err().to_string();
            assert!(error.contains(reason) && error.starts_with(&format!("--slurm {text}")), "{error}");
        }
    }
}
