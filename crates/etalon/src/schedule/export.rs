//! Schedules for other programs.

use super::WithoutDecay;
use std::fmt::Write;

/// The class that [`Export::pytorch`] ends with, and what it imports; it reads `MOMENTUM`, `LOG_ETA`, `PLAIN_LOG_ETA`,
/// `LOG_SCALE` and `CORRECTIONS`, which stand before it.
pub const CLASS: &str = include_str!("export/schedule.py");

/// Longer lists are written in pieces.
const WHOLE: usize = 2000;
/// How far a number may lie from the polynomial of its piece, in units of the larger of 1 and the number: rounding adds as
/// much up over a long schedule.
const ROOM: f64 = 1e-12;

/// Reads such a list.
const THROUGH: &str = "\
def _through(pieces, steps):
    \"\"\"A number for each of so many steps. A piece is one to four pairs of a step and its number; from its first step to
    the next piece's, numbers are those of the polynomial through these pairs.\"\"\"
    numbers = []
    for piece, end in zip(pieces, [piece[0][0] for piece in pieces[1:]] + [steps]):
        at, slopes = zip(*piece)
        slopes = list(slopes)
        for order in range(1, len(at)):
            for i in range(len(at) - 1, order - 1, -1):
                slopes[i] = (slopes[i] - slopes[i - 1]) / (at[i] - at[i - order])
        for step in range(at[0], end):
            number = slopes[-1]
            for start, slope in zip(at[-2::-1], slopes[-2::-1]):
                number = number * (step - start) + slope
            numbers.append(number)
    return numbers


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

/// `NAME = [...]`, six numbers a line; of a long list its pieces, one a line.
fn list(name: &str, numbers: &[f64]) -> String {
    let row = |row: String| format!("    {row},\n");
    if numbers.len() >= WHOLE {
        let pair = |&step: &usize| format!("({step}, {})", python(numbers[step]));
        let piece =
            |knots: Vec<usize>| row(format!("[{}]", knots.iter().map(pair).collect::<Vec<_>>().join(", ")));
        let rows: String = pieces(numbers).into_iter().map(piece).collect();
        return format!("{name} = _through([\n{rows}], {})\n", numbers.len());
    }
    let numbers: Vec<String> = numbers.iter().map(|&number| python(number)).collect();
    format!("{name} = [\n{}]\n", numbers.chunks(6).map(|six| row(six.join(", "))).collect::<String>())
}

/// The steps whose numbers the polynomial of each piece goes through: one where all of its numbers are the same, else up to
/// four, the piece's first and last among them.
fn pieces(numbers: &[f64]) -> Vec<Vec<usize>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    while start < numbers.len() {
        let rest = &numbers[start..];
        let same = rest.iter().take_while(|&number| number == &rest[0]).count();
        // Twice as long until it is too long, then the bracket halved.
        let mut fits = 1;
        while 2 * fits <= rest.len() && is_met(&rest[..2 * fits]) {
            fits *= 2;
        }
        let mut beyond = (2 * fits).min(rest.len() + 1);
        while beyond - fits > 1 {
            let middle = fits.midpoint(beyond);
            if is_met(&rest[..middle]) { fits = middle } else { beyond = middle }
        }
        if same >= fits {
            pieces.push(vec![start]);
        } else {
            pieces.push(knots(fits).into_iter().map(|knot| start + knot).collect());
        }
        start += same.max(fits);
    }
    pieces
}

/// Up to four places among so many, about equally far from each other, the first and the last among them.
fn knots(len: usize) -> Vec<usize> {
    let mut knots: Vec<usize> = (0..4).map(|i| i * (len - 1) / 3).collect();
    knots.dedup();
    knots
}

/// Whether the polynomial through its knots meets every number of a piece.
fn is_met(piece: &[f64]) -> bool {
    let at = knots(piece.len());
    let mut slopes: Vec<f64> = at.iter().map(|&knot| piece[knot]).collect();
    for order in 1..at.len() {
        for i in (order..at.len()).rev() {
            slopes[i] = (slopes[i] - slopes[i - 1]) / (at[i] - at[i - order]) as f64;
        }
    }
    piece.iter().enumerate().all(|(step, number)| {
        let terms = at.iter().zip(&slopes).rev();
        let through = terms.fold(0.0, |sum, (&start, slope)| sum * (step as f64 - start as f64) + slope);
        number.is_finite() && (through - number).abs() <= ROOM * number.abs().max(1.0)
    })
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
    fn a_long_list_is_pieces_of_polynomials() {
        // Growth after a transient, a drop, and steps without a rate.
        let of = |step: usize| match step {
            5000..5003 => f64::NEG_INFINITY,
            _ => 1e-3 * step as f64 + 0.9f64.powi(step as i32) - if step < 6000 { 0.0 } else { 2.3 },
        };
        let numbers: Vec<f64> = (0..100_000).map(of).collect();
        let pieces = pieces(&numbers);
        assert!(pieces.len() < 60, "{}", pieces.len());
        assert!(pieces.contains(&vec![5000]), "what is not finite is a piece of its own");
        let ends = pieces.iter().skip(1).map(|piece| piece[0]).chain([numbers.len()]);
        for (piece, end) in pieces.iter().zip(ends) {
            let numbers = &numbers[piece[0]..end];
            match piece.len() {
                1 => assert!(numbers.iter().all(|number| number == &numbers[0])),
                _ => assert!(piece[piece.len() - 1] == end - 1 && is_met(numbers), "{piece:?}"),
            }
        }
        let text = list("RATES", &numbers);
        assert!(
            text.starts_with("RATES = _through([\n    [(0, 1.0), (") && text.len() < 8_000,
            "{}",
            text.len()
        );
        assert!(text.ends_with("], 100000)\n"));
    }

    #[test]
    fn a_cosine_of_many_steps_is_a_short_file() {
        let cosine = |step: usize| (0.05 * (1.0 + (std::f64::consts::PI * step as f64 / 2e5).cos())).ln();
        let plain: Vec<f64> = (0..200_000).map(cosine).collect();
        let converted = WithDecay::constant(plain.clone(), 1e-4, 0.9).exact().unwrap();
        let text = Export::of(&plain, 1e-4, &converted).pytorch("long");
        assert!(text.len() < 1_000_000, "{}", text.len());
    }
}
