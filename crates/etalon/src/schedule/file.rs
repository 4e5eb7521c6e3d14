//! Rates from a CSV file.

use super::{Interpolation, Piecewise};
use crate::csv_text::fields;
use std::path::{Path, PathBuf};

/// Rates that were written down: a CSV file with the columns `step` and `eta`, or `step` and `log_eta` (the natural
/// logarithm), in any order and among others. A rate holds until the next row's step; the first row has step 0.
#[derive(Clone, Debug, PartialEq)]
pub struct RateFile {
    /// The first rate above 0: the unit of [`RateFile::shape`].
    pub log_unit: f64,
    /// The rates in that unit.
    pub shape: Piecewise,
}

/// Why a file has no schedule.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the schedule {}: {source}; give schedule.file a CSV file with columns step and eta", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// It is not the one that was named.
    #[error(
        "{} has changed: its sha256 is {found}, not {expected}; restore it, or leave schedule.sha256 empty", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// As it was.
        expected: String,
        /// As it is.
        found: String,
    },
    /// Its text is no schedule.
    #[error("{}:{line}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        what: String,
    },
}

impl RateFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or its rows are no schedule.
    pub fn load(path: &Path) -> Result<RateFile, FileError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.into(), source })?;
        RateFile::parse(&text).map_err(|(line, what)| FileError::Content { path: path.into(), line, what })
    }

    /// Reads a text; the line and the fault where it is no schedule.
    fn parse(text: &str) -> Result<RateFile, (usize, String)> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let mut lines = lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (header, names) =
            lines.next().ok_or((1, "is empty; it takes columns step and eta".to_string()))?;
        let names = fields(names, b',');
        let names: Vec<&str> = names.iter().map(str::trim).collect();
        let column = |wanted: &str| names.iter().position(|&name| name == wanted);
        let (Some(step_column), Some((rate_column, is_log))) =
            (column("step"), column("log_eta").map(|c| (c, true)).or(column("eta").map(|c| (c, false))))
        else {
            let found = names.join(", ");
            return Err((header, format!("the columns are {found}; name one step and one eta or log_eta")));
        };
        let (mut steps, mut log_rates) = (Vec::new(), Vec::new());
        for (line, row) in lines {
            let cells = fields(row, b',');
            let cell = |column: usize| cells.get(column).map(str::trim).unwrap_or_default();
            let step: u64 = cell(step_column).parse().map_err(|_| {
                (line, format!("`{}` is no step: a whole number from 0 on", cell(step_column)))
            })?;
            let last = steps.last().copied();
            if last.map_or(step != 0, |last| step <= last) {
                let want =
                    last.map_or("the first step is 0".into(), |last| format!("it must be above {last}"));
                return Err((line, format!("step {step} is out of order: {want}")));
            }
            let rate = cell(rate_column).parse::<f64>().ok();
            let log_rate = rate.map(|rate| if is_log { rate } else { rate.ln() });
            let Some(log_rate) = log_rate.filter(|log_rate| *log_rate < f64::INFINITY) else {
                let want =
                    if is_log { "a finite number, or -inf for 0" } else { "a finite number from 0 on" };
                return Err((line, format!("`{}` is no rate: {want}", cell(rate_column))));
            };
            steps.push(step);
            log_rates.push(log_rate);
        }
        let Some(&log_unit) = log_rates.iter().find(|log_rate| log_rate.is_finite()) else {
            return Err((header, "has no rate above 0".into()));
        };
        let log_factors = log_rates.iter().map(|log_rate| log_rate - log_unit).collect();
        let interpolation = Interpolation::Constant;
        Ok(RateFile { log_unit, shape: Piecewise { steps, log_factors, interpolation } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_logarithms_are_the_same_schedule() {
        let rates = RateFile::parse("step,eta\n0,0\n1,0.5\n3,0.25\n").unwrap();
        let text = format!(
            "# by hand\nlog_eta , loss, step\n-inf,9,0\n{:?},,1\n\n{:?},2,3",
            0.5f64.ln(),
            0.25f64.ln()
        );
        assert_eq!(RateFile::parse(&text).unwrap(), rates);
        let factors: Vec<f64> = (0..5).map(|step| rates.shape.log_factor(step).exp()).collect();
        assert_eq!((rates.log_unit.exp(), factors), (0.5, vec![0.0, 1.0, 1.0, 0.5, 0.5]));
        let quoted = "\"step\",\"note\",\"eta\"\n\"0\",\"a, b\",\"0\"\n1,c,0.5\n3,,0.25\n";
        assert_eq!(RateFile::parse(quoted).unwrap(), rates);
        assert_eq!(RateFile::parse("step,log_eta\n0,5000").unwrap().log_unit, 5000.0);
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_line() {
        for (text, line, expected) in [
            ("", 1, "is empty"),
            ("step,rate\n0,1", 1, "the columns are step, rate; name one step and one eta"),
            ("step,eta\n1,0.1", 2, "the first step is 0"),
            ("step,eta\n0,0.1\n0,0.2", 3, "it must be above 0"),
            ("step,eta\n0,0.1\n-1,0.2", 3, "`-1` is no step"),
            ("step,eta\n0,-0.1", 2, "`-0.1` is no rate: a finite number from 0 on"),
            ("step,eta\n0,inf", 2, "`inf` is no rate"),
            ("step,log_eta\n0,NaN", 2, "`NaN` is no rate: a finite number, or -inf"),
            ("step,eta\n0", 2, "`` is no rate"),
            ("step,eta\n0,0", 1, "has no rate above 0"),
        ] {
            let (found, what) = RateFile::parse(text).unwrap_err();
            assert!(found == line && what.contains(expected), "{text}: {found}: {what}");
        }
    }
}
