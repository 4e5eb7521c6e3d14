//! Schedules for other programs.

use super::WithoutDecay;
use std::fmt::Write;

/// The class that [`Export::pytorch`] ends with, and what it imports; it reads `MOMENTUM`, `LOG_ETA`, `PLAIN_LOG_ETA`,
/// `LOG_SCALE` and `CORRECTIONS`, which stand before it.
pub const CLASS: &str = include_str!("export/schedule.py");

/// Longer lists are written by their bends.
const WHOLE: usize = 2000;
/// How far a number between two bends may lie from the straight line through them, in units of the larger of 1 and the
/// number: rounding adds as much up over a long schedule.
const BEND: f64 = 1e-12;

/// Reads such a list.
const THROUGH: &str = "\
def _through(bends):
    \"\"\"A number a step: those of `bends`, pairs of a step and its number, and straight lines between them.\"\"\"
    numbers = []
    for (start, low), (end, high) in zip(bends, bends[1:]):
        # Between infinity and a number lies no step.
        numbers += [low] + [low + (high - low) * (step - start) / (end - start) for step in range(start + 1, end)]
    return numbers + [bends[-1][1]]


";

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
        if self.converted.log_scale.len() > WHOLE {
            text += "\n\n";
            text += THROUGH;
        }
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

/// `NAME = [...]`, six numbers a line; of a long list its bends, three a line.
fn list(name: &str, numbers: &[f64]) -> String {
    if numbers.len() >= WHOLE {
        let bends: Vec<String> =
            bends(numbers).into_iter().map(|step| format!("({step}, {})", python(numbers[step]))).collect();
        let rows = bends.chunks(3).map(|row| format!("    {},\n", row.join(", ")));
        return format!("{name} = _through([\n{}])\n", rows.collect::<String>());
    }
    let mut text = format!("{name} = [\n");
    for row in numbers.chunks(6) {
        let row: Vec<String> = row.iter().map(|&number| python(number)).collect();
        text += &format!("    {},\n", row.join(", "));
    }
    text + "]\n"
}

/// The steps between which numbers lie on straight lines: the first and the last, and every step to which no line from
/// the bend before leads that passes all between them.
fn bends(numbers: &[f64]) -> Vec<usize> {
    const ANY: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
    let (mut bends, mut slopes) = (vec![0], ANY);
    for step in 1..numbers.len() {
        let slope = |start: usize| (numbers[step] - numbers[start]) / (step - start) as f64;
        let mut start = bends[bends.len() - 1];
        let is_finite = numbers[step - 1].is_finite() && slope(start).is_finite();
        let is_passed = (slopes[0]..=slopes[1]).contains(&slope(start));
        if step > start + 1 && !(is_finite && is_passed) {
            start = step - 1;
            bends.push(start);
            slopes = ANY;
        }
        let room = BEND * numbers[step].abs().max(1.0) / (step - start) as f64;
        slopes = [slopes[0].max(slope(start) - room), slopes[1].min(slope(start) + room)];
    }
    bends.extend((numbers.len() > 1).then(|| numbers.len() - 1));
    bends
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

    #[test]
    fn a_long_list_is_its_bends_and_a_line_through_them_meets_every_number() {
        // Growth after a transient, a drop, and steps without a rate.
        let of = |step: usize| match step {
            5000..5003 => f64::NEG_INFINITY,
            _ => 1e-3 * step as f64 + 0.9f64.powi(step as i32) - if step < 6000 { 0.0 } else { 2.3 },
        };
        let numbers: Vec<f64> = (0..100_000).map(of).collect();
        let bends = bends(&numbers);
        assert!(bends.len() < 400, "{}", bends.len());
        for pair in bends.windows(2) {
            let (start, end) = (pair[0], pair[1]);
            for step in start..end {
                let through = match step == start {
                    true => numbers[start],
                    false => {
                        let share = (step - start) as f64 / (end - start) as f64;
                        numbers[start] + (numbers[end] - numbers[start]) * share
                    }
                };
                let close = (through - numbers[step]).abs() <= 2e-12 * numbers[step].abs().max(1.0);
                assert!(through == numbers[step] || close, "{step}: {through}, {}", numbers[step]);
            }
        }
        let text = list("RATES", &numbers);
        assert!(
            text.starts_with("RATES = _through([\n    (0, 1.0), (1, ") && text.len() < 20_000,
            "{}",
            text.len()
        );
    }
}
