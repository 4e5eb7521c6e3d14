//! Learning rates over the steps.

use super::FigureError;
use super::canvas::{Axis, Canvas, Scale};
use plotters::style::RGBColor;

/// Learning rates step by step: one curve or several, upwards on a logarithmic axis that no rate outgrows.
#[derive(Debug)]
pub struct RatePicture<'a> {
    /// What stands above it.
    pub title: String,
    /// Names, and natural logarithms of the rates, one a step; one that is not finite is left out.
    pub curves: Vec<(&'a str, &'a [f64])>,
}

const COLOURS: [RGBColor; 3] =
    [RGBColor(0x00, 0x72, 0xb2), RGBColor(0xd5, 0x5e, 0x00), RGBColor(0x00, 0x9e, 0x73)];

/// As many points as the picture has columns, and some: more would be lost in a pixel.
const POINTS: usize = 4000;

impl RatePicture<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// With fewer than two steps that have a rate, or when it cannot be drawn.
    pub fn svg(&self) -> Result<String, FigureError> {
        let powers = |log_eta: &f64| log_eta.is_finite().then_some(log_eta / std::f64::consts::LN_10);
        let all = || self.curves.iter().flat_map(|(_, rates)| rates.iter().filter_map(powers));
        let (low, high) = all()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), power| (low.min(power), high.max(power)));
        let steps = self.curves.iter().map(|(_, rates)| rates.len()).max().unwrap_or_default();
        if all().count() < 2 || steps < 2 {
            return Err(FigureError::NoRates);
        }
        let room = (0.04 * (high - low)).max(0.05);
        let mut svg = String::new();
        let canvas = Canvas::new(
            &mut svg,
            Axis { low: 0.0, high: (steps - 1) as f64, label: "step", scale: Scale::Even },
            Axis { low: low - room, high: high + room, label: "learning rate", scale: Scale::Exponent },
        )?;
        let mut at = 96;
        for ((name, rates), colour) in self.curves.iter().zip(COLOURS.into_iter().cycle()) {
            let stride = rates.len().div_ceil(POINTS);
            // A rate changes at once: both ends of a drop are shown where every step is.
            let mut points: Vec<(f64, f64)> = Vec::with_capacity(2 * POINTS);
            for (step, rate) in rates.iter().enumerate().step_by(stride) {
                let Some(power) = powers(rate) else { continue };
                if let Some(&(_, last)) = points.last().filter(|(_, last)| (last - power).abs() > 0.1) {
                    points.push((step as f64, last));
                }
                points.push((step as f64, power));
            }
            canvas.curve(&points, colour)?;
            at = canvas.legend(at, colour, name)?;
        }
        canvas.finish(&self.title)?;
        Ok(svg)
    }
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
        let svg = picture.svg().unwrap();
        for expected in ["Two", "with weight decay", "#0072B2", "#D55E00", "1e400", "learning rate", "500"] {
            assert!(svg.contains(expected), "{expected}");
        }
    }

    #[test]
    fn rates_of_zero_are_left_out_and_nothing_is_no_picture() {
        let rates = [0.0, f64::NEG_INFINITY, -1.0];
        let picture = |rates| RatePicture { title: String::new(), curves: vec![("", rates)] };
        assert!(!picture(&rates).svg().unwrap().contains("inf"));
        assert_eq!(picture(&rates[1..]).svg(), Err(FigureError::NoRates));
        assert_eq!(picture(&[]).svg(), Err(FigureError::NoRates));
    }
}
