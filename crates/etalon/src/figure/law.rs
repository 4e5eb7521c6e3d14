//! Measurements and the power law through them.

use super::canvas::{Axis, Canvas};
use super::{COLOURS, FigureError};

/// A measurement at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What it belongs to: marks of one group have one colour.
    pub group: String,
    /// The size.
    pub x: f64,
    /// The median over seeds.
    pub y: f64,
    /// The least and the most of the seeds.
    pub spread: [f64; 2],
    /// Whether the law was fitted to it.
    pub used: bool,
}

/// Marks and a law on logarithmic axes: discs for what was fitted, rings for what was left out.
#[derive(Debug)]
pub struct LawPicture<'a> {
    /// The heading.
    pub title: String,
    /// What lies to the right.
    pub right: &'a str,
    /// What lies upwards.
    pub up: &'a str,
    /// The measurements.
    pub marks: &'a [Mark],
    /// `a` and `b` of `log y = a + b log x`, in natural logarithms.
    pub law: (f64, f64),
}

impl LawPicture<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// With no mark that has logarithms.
    pub fn svg(&self) -> Result<String, FigureError> {
        let proper = |value: f64| value > 0.0 && value.is_finite();
        // A median that is none has seeds that may be some.
        let is_shown = |mark: &&Mark| [mark.x, mark.y].iter().chain(&mark.spread).all(|&value| proper(value));
        let marks: Vec<&Mark> = self.marks.iter().filter(is_shown).collect();
        if marks.is_empty() {
            return Err(FigureError::Empty("no measurement has a logarithm"));
        }
        let used = || marks.iter().filter(|mark| mark.used).map(|mark| mark.x);
        let ends = [used().fold(f64::INFINITY, f64::min), used().fold(0.0, f64::max)];
        let line = ends.map(|x| (x, (self.law.0 + self.law.1 * x.ln()).exp()));
        let x = Axis::around(marks.iter().map(|mark| mark.x), self.right);
        let y = Axis::around(marks.iter().flat_map(|mark| mark.spread), self.up);
        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, x, y)?;
        canvas.line(&line, false)?;
        let mut groups: Vec<&str> = marks.iter().map(|mark| mark.group.as_str()).collect();
        groups.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
        groups.dedup();
        let mut at = 96;
        for (group, &colour) in groups.into_iter().zip(COLOURS.iter().cycle()) {
            for mark in marks.iter().filter(|mark| mark.group == group) {
                canvas.curve(&mark.spread.map(|y| (mark.x, y)), colour)?;
                canvas.mark((mark.x, mark.y), !mark.used, colour)?;
            }
            at = canvas.legend(at, colour, group)?;
        }
        canvas.finish(&self.title)?;
        Ok(svg)
    }
}

/// The last number in a name, by which groups are sorted.
fn number(name: &str) -> f64 {
    name.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_marks_and_its_line() {
        let mark = |group: &str, x: f64, used| Mark {
            group: group.into(),
            x,
            y: 1.0 / x,
            spread: [0.9 / x, 1.1 / x],
            used,
        };
        let marks = [mark("depth 10", 1.0, true), mark("depth 9", 4.0, true), mark("depth 9", 9.0, false)];
        let picture =
            |marks| LawPicture { title: "A law".into(), right: "x", up: "y", marks, law: (0.0, -1.0) };
        let svg = picture(&marks).svg().unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.find("depth 9").unwrap() < svg.find("depth 10").unwrap(), "groups come in order");
        let nothing = Mark { y: f64::NAN, ..mark("", 1.0, true) };
        assert!(matches!(picture(&[nothing]).svg(), Err(FigureError::Empty(_))));
    }
}
