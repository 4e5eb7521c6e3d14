//! Measurements and the power law through them.

use super::{
    Axis, Colour, Figure, FigureError, Panel, Place, Point, Reference, Series, Spread, Stroke, symbol,
};
use etalon::fit::Mark;
use etalon::fit::PowerLaw;
use etalon::sweep::Measured;
use etalon::units::significant;
use std::collections::BTreeSet;

/// Marks and a law on logarithmic axes: discs for what was fitted, rings for what was left out.
#[derive(Debug)]
pub struct LawPicture<'a> {
    /// The heading.
    pub title: String,
    /// What lies to the right.
    pub right: &'a str,
    /// The label of the axis upwards.
    pub up: &'a str,
    /// The measurements.
    pub marks: &'a [Mark],
    /// `a` and `b` of `log y = a + b log x`, in natural logarithms.
    pub law: (f64, f64),
}

impl LawPicture<'_> {
    /// What it shows.
    ///
    /// # Errors
    /// With no mark that has logarithms.
    pub fn figure(&self) -> Result<Figure, FigureError> {
        let marks = self.shown()?;
        let used = || marks.iter().filter(|mark| mark.used).map(|mark| mark.x);
        let ends = [used().fold(f64::INFINITY, f64::min), used().fold(0.0, f64::max)];
        let line = ends.map(|x| (x, self.at(x))).to_vec();
        let mut panel = Panel::new(Axis::log(self.up));
        panel.lines.push(Reference { name: String::new(), place: Place::Through(line), dashed: false });
        panel.series = series(&marks, |mark| Point {
            x: mark.x,
            y: mark.y,
            spread: Some(mark.spread),
            hollow: !mark.used,
        });
        Ok(Figure {
            name: "law".into(),
            title: self.title.clone(),
            note: String::new(),
            x: Axis::log(self.right),
            panels: vec![panel],
            details: None,
        })
    }

    /// The same, and below it how far each mark lies from the law.
    ///
    /// # Errors
    /// As [`LawPicture::figure`].
    pub fn figure_with_residuals(&self) -> Result<Figure, FigureError> {
        let mut figure = self.figure()?;
        let mut panel = Panel::new(Axis::log("measured / law"));
        panel.weight = 0.45;
        panel.lines.push(Reference { name: String::new(), place: Place::Level(1.0), dashed: false });
        panel.series = series(&self.shown()?, |mark| {
            let law = self.at(mark.x);
            let spread = Some(mark.spread.map(|y| y / law));
            Point { x: mark.x, y: mark.y / law, spread, hollow: !mark.used }
        });
        figure.panels.push(panel);
        Ok(figure)
    }

    /// What the law says.
    fn at(&self, x: f64) -> f64 {
        (self.law.0 + self.law.1 * x.ln()).exp()
    }

    /// The marks that have a place.
    fn shown(&self) -> Result<Vec<&Mark>, FigureError> {
        let proper = |value: f64| value > 0.0 && value.is_finite();
        // A median that is none has seeds that may be some.
        let is_shown = |mark: &&Mark| [mark.x, mark.y].iter().chain(&mark.spread).all(|&value| proper(value));
        let marks: Vec<&Mark> = self.marks.iter().filter(is_shown).collect();
        if marks.is_empty() {
            return Err(FigureError::Empty("no measurement has a logarithm"));
        }
        Ok(marks)
    }
}

/// A fitted law with the measurements that it was fitted to, and below it how far each lies from it.
///
/// # Errors
/// With no mark that has logarithms.
pub fn fitted(law: &PowerLaw, marks: &[Mark]) -> Result<Figure, FigureError> {
    let (a, b) = (law.joint.intercept.value, law.joint.exponents[0].value);
    let (y, x) = (symbol(&law.y), law.x.iter().map(|x| symbol(x)).collect::<Vec<_>>().join(" × "));
    let r_squared =
        law.joint.r_squared.map_or(String::new(), |value| format!(", R² = {}", significant(value, 3)));
    let scale = significant(a.exp(), 3);
    let title = format!("{y} = {scale} ({x})^{}{r_squared}, {} points", significant(b, 3), law.points);
    let up = format!("{y}: median and range over seeds");
    let mut figure = LawPicture { title, right: &x, up: &up, marks, law: (a, b) }.figure_with_residuals()?;
    if let Some(band) = band(law, marks) {
        figure.panels[0].series.insert(0, band);
    }
    Ok(figure)
}

/// Where the line itself lies, with the confidence of the exponent's interval: `a + b log x` within
/// `t s sqrt(1/n + (log x - m)^2 / S)`, with `m` and `S` the mean of the sizes' logarithms and the sum of their squared
/// distances from it, `s` the deviation of the residuals and `t` Student's factor (Draper and Smith 1998, section 3.1).
/// None where the sizes do not vary, or the fit has no deviation.
fn band(law: &PowerLaw, marks: &[Mark]) -> Option<Series> {
    let exponent = &law.joint.exponents[0];
    let factor = (exponent.high - exponent.value) / exponent.standard_error;
    let sizes: Vec<f64> = marks.iter().filter(|mark| mark.used).map(|mark| mark.x.ln()).collect();
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    let squares: f64 = sizes.iter().map(|size| (size - mean).powi(2)).sum();
    let (low, high) =
        sizes.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, &x| (ends.0.min(x), ends.1.max(x)));
    let deviation = law.joint.residual_deviation;
    if !(factor.is_finite() && squares > 0.0 && deviation > 0.0) {
        return None;
    }
    let point = |place: u32| {
        let x = low + (high - low) * f64::from(place) / 40.0;
        let center = law.joint.intercept.value + exponent.value * x;
        let half = factor * deviation * (1.0 / sizes.len() as f64 + (x - mean).powi(2) / squares).sqrt();
        let spread = Some([(center - half).exp(), (center + half).exp()]);
        Point { x: x.exp(), y: center.exp(), spread, hollow: false }
    };
    let name = format!("law, with its {} % band", significant(100.0 * law.level, 3));
    let points = (0..=40).map(point).collect();
    Some(Series { points, ..Series::plain(name, Colour::Grey, Stroke::Line, []) })
}

/// A series for each group.
fn series(marks: &[&Mark], point: impl Fn(&Mark) -> Point) -> Vec<Series> {
    let mut groups: Vec<&str> = marks.iter().map(|mark| mark.group.as_str()).collect();
    groups.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    groups.dedup();
    let of = |(index, group): (usize, &str)| Series {
        name: group.into(),
        colour: Colour::of(index),
        stroke: Stroke::Marks,
        spread: Spread::Up,
        points: marks.iter().filter(|mark| mark.group == group).map(|mark| point(mark)).collect(),
    };
    groups.into_iter().enumerate().map(of).collect()
}

/// The points of a sweep as marks, those that were left out last. Their groups are the values of the first key that has
/// a few.
pub fn marks(measured: &Measured) -> Vec<Mark> {
    let used = measured.points.iter().zip(&measured.spreads).map(|(point, &spread)| (point, spread, true));
    let left_out = measured.left_out.iter().map(|(point, spread)| (point, *spread, false));
    let all: Vec<_> = used.chain(left_out).collect();
    // Colours go by the first key that has a few values.
    let part = |label: &str, index: usize| label.split(' ').nth(index).unwrap_or_default().to_owned();
    let values = |index: usize| -> BTreeSet<String> {
        all.iter().map(|(point, ..)| part(&point.label, index)).collect()
    };
    let keys = all.first().map_or(0, |(point, ..)| point.label.split(' ').count());
    let key = (0..keys).find(|&index| (2..=7).contains(&values(index).len()));
    let group = |label: &str| {
        let part = key.map_or(String::new(), |index| part(label, index));
        // Without the section, which every key of a grid has in its name.
        let (key, value) = part.split_once('=').unwrap_or((&part, ""));
        format!("{} {value}", symbol(key))
    };
    all.iter()
        .map(|(point, spread, used)| Mark {
            group: group(&point.label),
            x: point.x.iter().product(),
            y: point.y,
            spread: *spread,
            used: *used,
        })
        .collect()
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
        let svg = picture(&marks).figure().unwrap().svg().unwrap();
        assert_eq!(svg.matches("class=\"disc\"").count(), 3);
        assert_eq!(svg.matches("class=\"hole\"").count(), 1, "what was left out is a ring");
        assert!(svg.find("depth 9").unwrap() < svg.find("depth 10").unwrap(), "groups come in order");
        let figure = picture(&marks).figure_with_residuals().unwrap();
        let residuals = figure.panels[1].series.iter().flat_map(|series| &series.points);
        assert!(residuals.into_iter().all(|point| (point.y - 1.0).abs() < 1e-12), "all lie on the law");
        assert_eq!(figure.svg().unwrap().matches("class=\"disc\"").count(), 6);
        let nothing = Mark { y: f64::NAN, ..mark("", 1.0, true) };
        assert!(matches!(picture(&[nothing]).figure(), Err(FigureError::Empty(_))));
    }
}
