//! Learning rates over the steps.

use super::{Axis, Colour, Figure, FigureError, Panel, Series, Stroke};
use std::f64::consts::LN_10;

/// Learning rates step by step: one curve or several, upwards on a logarithmic axis that no rate outgrows.
#[derive(Debug)]
pub struct RatePicture<'a> {
    /// What stands above it.
    pub title: String,
    /// Names, and natural logarithms of the rates, one a step; one that is not finite is left out.
    pub curves: Vec<(&'a str, &'a [f64])>,
}

/// As many points as the picture has columns, and some: more would be lost in a pixel.
const POINTS: usize = 4000;

impl RatePicture<'_> {
    /// What it shows.
    ///
    /// # Errors
    /// With fewer than two steps that have a rate.
    pub fn figure(&self) -> Result<Figure, FigureError> {
        let rates = || self.curves.iter().flat_map(|(_, rates)| rates.iter());
        let steps = self.curves.iter().map(|(_, rates)| rates.len()).max().unwrap_or_default();
        if rates().filter(|log_eta| log_eta.is_finite()).count() < 2 || steps < 2 {
            return Err(FigureError::NoRates);
        }
        let series = self.curves.iter().enumerate().map(|(index, (name, rates))| {
            Series::plain(
                *name,
                Colour::of(index),
                Stroke::Line,
                curve(rates.iter().map(|rate| rate / LN_10)),
            )
        });
        let panel = Panel { series: series.collect(), ..Panel::new(Axis::exponent("learning rate")) };
        Ok(Figure {
            name: "rates".into(),
            title: self.title.clone(),
            note: String::new(),
            x: Axis::steps(),
            panels: vec![panel],
            details: None,
        })
    }

    /// The same for two curves, and below it the second rate over the first.
    ///
    /// # Errors
    /// As [`RatePicture::figure`].
    pub fn figure_with_difference(&self) -> Result<Figure, FigureError> {
        let mut figure = self.figure()?;
        if let [(_, first), (_, second)] = self.curves[..] {
            let ratio = second.iter().zip(first).map(|(second, first)| (second - first) / LN_10);
            let series = Series::plain("the second over the first", Colour::Ink, Stroke::Line, curve(ratio));
            let mut panel = Panel::new(Axis::exponent("ratio"));
            panel.weight = 0.5;
            panel.series.push(series);
            figure.panels.push(panel);
        }
        Ok(figure)
    }
}

/// A curve through powers of ten, one a step, of which those that are not finite are left out.
fn curve(powers: impl ExactSizeIterator<Item = f64>) -> Vec<(f64, f64)> {
    let stride = powers.len().div_ceil(POINTS).max(1);
    // A rate changes at once: both ends of a drop are shown where every step is.
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(2 * POINTS);
    for (step, power) in powers.enumerate().step_by(stride).filter(|(_, power)| power.is_finite()) {
        if let Some(&(_, last)) = points.last().filter(|(_, last)| (last - power).abs() > 0.1) {
            points.push((step as f64, last));
        }
        points.push((step as f64, power));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_curves_and_marks_beyond_all_numbers() {
        let (plain, grown): (Vec<f64>, Vec<f64>) = (0..600).map(|step| (-2.0, 2.0 * f64::from(step))).unzip();
        let picture = RatePicture {
            title: "Two".into(),
            curves: vec![("with weight decay", &plain), ("without", &grown)],
        };
        let svg = picture.figure().unwrap().svg().unwrap();
        for expected in ["Two", "with weight decay", "#0072B2", "#D55E00", "1e400", "learning rate", "500"] {
            assert!(svg.contains(expected), "{expected}");
        }
    }

    #[test]
    fn rates_of_zero_are_left_out_and_nothing_is_no_picture() {
        let rates = [0.0, f64::NEG_INFINITY, -1.0];
        let picture = |rates| RatePicture { title: String::new(), curves: vec![("", rates)] };
        assert!(!picture(&rates).figure().unwrap().svg().unwrap().contains("inf"));
        assert_eq!(picture(&rates[1..]).figure(), Err(FigureError::NoRates));
        assert_eq!(picture(&[]).figure(), Err(FigureError::NoRates));
    }
}
