//! Boundaries against a size, with what they do from seed to seed.

use super::canvas::{Axis, Canvas};
use super::{COLOURS, FigureError};

/// A boundary at one size: its median over seeds, and the least and the most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The size.
    pub size: f64,
    /// The least.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The most.
    pub high: f64,
}

/// A boundary over all sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it is called in the legend.
    pub name: String,
    /// Where it lies, the sizes ascending.
    pub bands: Vec<Band>,
}

/// Curves over sizes: `c` to the right, the size upwards, both logarithmic; a line for the medians, an area from the
/// least to the most.
#[derive(Debug)]
pub struct BandPicture<'a> {
    /// The heading.
    pub title: String,
    /// What lies to the right.
    pub right: &'a str,
    /// What lies upwards: the size.
    pub up: &'a str,
    /// The curves.
    pub curves: &'a [Curve],
}

impl BandPicture<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// With no curve, or with less than two sizes.
    pub fn svg(&self) -> Result<String, FigureError> {
        let bands = || self.curves.iter().flat_map(|curve| &curve.bands);
        let sizes = Axis::around(bands().map(|band| band.size), self.up);
        // Written so that an empty range, whose ends are no numbers, is refused.
        if !bands().any(|band| band.size != bands().map(|band| band.size).fold(f64::INFINITY, f64::min)) {
            return Err(FigureError::Empty("a boundary over sizes needs at least two of them"));
        }
        let values = Axis::around(bands().flat_map(|band| [band.low, band.high]), self.right);
        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, values, sizes)?;
        let mut at = 96;
        for (curve, &colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let Curve { name, bands } = curve;
            if bands.is_empty() {
                continue;
            }
            let low = bands.iter().map(|band| (band.low, band.size));
            let high = bands.iter().rev().map(|band| (band.high, band.size));
            canvas.area(&low.chain(high).collect::<Vec<_>>(), colour)?;
            let medians: Vec<(f64, f64)> = bands.iter().map(|band| (band.median, band.size)).collect();
            canvas.curve(&medians, colour)?;
            medians.iter().try_for_each(|&median| canvas.mark(median, false, colour))?;
            at = canvas.legend(at, colour, name)?;
        }
        canvas.finish(&self.title)?;
        Ok(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, places: &[(f64, f64)]) -> Curve {
        let band = |&(size, c): &(f64, f64)| Band { size, low: 0.9 * c, median: c, high: 1.2 * c };
        Curve { name: name.into(), bands: places.iter().map(band).collect() }
    }

    fn svg(curves: &[Curve]) -> Result<String, FigureError> {
        BandPicture { title: "Boundaries".into(), right: "c", up: "width", curves }.svg()
    }

    #[test]
    fn a_picture_has_a_line_and_an_area_for_each_curve() {
        let curves =
            [curve("c_loss", &[(64.0, 2.0), (256.0, 2.1)]), curve("c_max", &[(64.0, 8.0), (256.0, 20.0)])];
        let svg = svg(&curves).unwrap();
        assert_eq!((svg.matches("<polygon").count(), svg.matches("<circle").count()), (2, 4));
        for expected in ["Boundaries", "c_loss", "c_max", "width", "#0072B2", "#D55E00"] {
            assert!(svg.contains(expected), "{expected}");
        }
    }

    #[test]
    fn fewer_than_two_sizes_are_refused() {
        for curves in [&[][..], &[curve("c", &[])], &[curve("c", &[(64.0, 2.0)])]] {
            assert!(matches!(svg(curves), Err(FigureError::Empty(_))), "{curves:?}");
        }
    }
}
