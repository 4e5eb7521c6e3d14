//! Schedules for other programs.

use super::WithoutDecay;
use std::fmt::Write;

/// The class that the snippet ends with; it reads the constants before it.
const CLASS: &str = include_str!("export/schedule.py");

/// A schedule and its equivalent, to be written down.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    plain: &'a [f64],
    weight_decay: f64,
    converted: &'a WithoutDecay,
}

impl<'a> Export<'a> {
    /// Of the natural logarithms of the rates under a weight decay, and their equivalent without.
    pub fn of(plain: &'a [f64], weight_decay: f64, converted: &'a WithoutDecay) -> Self {
        Export { plain, weight_decay, converted }
    }

    /// CSV: `step,log_eta,eta,plain_eta`; the rate itself is `inf` where no number holds it. Etalon reads it back as
    /// `schedule.file`.
    pub fn csv(&self) -> String {
        let mut csv = "step,log_eta,eta,plain_eta\n".to_string();
        for (step, (log_eta, plain)) in self.converted.log_eta.iter().zip(self.plain).enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{step},{log_eta:?},{:?},{:?}", log_eta.exp(), plain.exp());
        }
        csv
    }

    /// A Python file that needs nothing but PyTorch. `about` is its first line, without line ends or quotes.
    pub fn pytorch(&self, about: &str) -> String {
        let mut text = format!("\"\"\"{}\"\"\"\n\n", about.replace(['"', '\\', '\n'], " "));
        let _ = writeln!(text, "MOMENTUM = {:?}", self.converted.momentum);
        let _ = writeln!(text, "# Of the parameters that keep it.\nWEIGHT_DECAY = {:?}", self.weight_decay);
        text += "# Natural logarithms of the rates, one a step: without weight decay, and with it.\n";
        text += &list("LOG_ETA", &self.converted.log_eta);
        text += &list("PLAIN_LOG_ETA", self.plain);
        text +=
            "# Of how many times longer the weights are without it: before each step, and after the last.\n";
        text += &list("LOG_SCALE", &self.converted.log_scale);
        text +=
            "# What the momentum buffer loses before a step, per weight and over the square of that scale.\n";
        text += "CORRECTIONS = {";
        for correction in &self.converted.corrections {
            let _ = write!(text, "\n    {}: {:?},", correction.step, correction.per_weight);
        }
        text += if self.converted.corrections.is_empty() { "}\n\n" } else { "\n}\n\n" };
        text + CLASS
    }
}

/// `NAME = [...]`, six numbers a line.
fn list(name: &str, numbers: &[f64]) -> String {
    let mut text = format!("{name} = [\n");
    for row in numbers.chunks(6) {
        let row: Vec<String> = row.iter().map(|&number| python(number)).collect();
        text += &format!("    {},\n", row.join(", "));
    }
    text + "]\n"
}

/// A number as Python reads it back to the bit.
fn python(number: f64) -> String {
    if number == f64::NEG_INFINITY { "float(\"-inf\")".into() } else { format!("{number:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{RateFile, WithDecay};

    #[test]
    fn a_csv_is_read_back_as_the_schedule_that_it_is() {
        let plain = [0.1f64.ln(), f64::NEG_INFINITY, 0.01f64.ln()];
        let converted = WithDecay::constant(plain.to_vec(), 1e-2, 0.9).exact().unwrap();
        let csv = Export::of(&plain, 1e-2, &converted).csv();
        assert_eq!(csv.lines().nth(2), Some("1,-inf,0.0,0.0"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.csv");
        std::fs::write(&path, csv).unwrap();
        let read = RateFile::load(&path).unwrap();
        let rates: Vec<f64> = read.shape.log_factors.iter().map(|factor| factor + read.log_unit).collect();
        assert_eq!(rates, converted.log_eta);
    }

    #[test]
    fn a_snippet_names_what_it_holds() {
        let plain = [0.1f64.ln(), f64::NEG_INFINITY];
        let converted = WithDecay::constant(plain.to_vec(), 1e-3, 0.9).by_phases().unwrap();
        let text = Export::of(&plain, 1e-3, &converted).pytorch("by \"hand\"");
        assert!(text.starts_with("\"\"\"by  hand \"\"\"\n\nMOMENTUM = 0.9\n"), "{text}");
        assert!(text.contains("    -2.3025850929940455, float(\"-inf\"),\n]\n"), "{text}");
        assert!(text.contains("CORRECTIONS = {\n    0: 0.01") && text.contains("class Schedule:"), "{text}");
        let scale = &converted.log_scale;
        let listed = format!("LOG_SCALE = [\n    0.0, {:?}, {:?},\n]\n", scale[1], scale[2]);
        assert!(text.contains(&listed), "one more than steps: {text}");
    }
}
