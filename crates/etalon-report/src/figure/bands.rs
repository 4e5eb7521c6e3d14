//! Boundaries against a size, with what they do from seed to seed.

use super::{Axis, Colour, Figure, FigureError, Panel, Point, Series, Spread, Stroke};

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

/// Curves over sizes: `c_h` to the right, the size upwards, both logarithmic; a line for the medians, an area from the
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
    /// What it shows.
    ///
    /// # Errors
    /// With no curve, or with less than two sizes.
    pub fn figure(&self) -> Result<Figure, FigureError> {
        let sizes = || self.curves.iter().flat_map(|curve| &curve.bands).map(|band| band.size);
        // Written so that an empty range, whose ends are no numbers, is refused.
        if !sizes().any(|size| size != sizes().fold(f64::INFINITY, f64::min)) {
            return Err(FigureError::Empty("a boundary over sizes needs at least two of them"));
        }
        let point = |band: &Band| Point {
            x: band.median,
            y: band.size,
            spread: Some([band.low, band.high]),
            hollow: false,
        };
        let series = self.curves.iter().enumerate().map(|(index, curve)| Series {
            name: curve.name.clone(),
            colour: Colour::of(index),
            stroke: Stroke::Both,
            spread: Spread::Right,
            points: curve.bands.iter().map(point).collect(),
        });
        let panel = Panel { series: series.collect(), ..Panel::new(Axis::log(self.up)) };
        Ok(Figure {
            name: "boundaries".into(),
            title: self.title.clone(),
            note: String::new(),
            x: Axis::log(self.right),
            panels: vec![panel],
            details: None,
        })
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
        BandPicture { title: "Boundaries".into(), right: "c", up: "width", curves }.figure()?.svg()
    }

    #[test]
    fn a_picture_has_a_line_and_an_area_for_each_curve() {
        let curves = [
            curve("c_h_loss", &[(64.0, 2.0), (256.0, 2.1)]),
            curve("c_h_max", &[(64.0, 8.0), (256.0, 20.0)]),
        ];
        let svg = svg(&curves).unwrap();
        assert_eq!((svg.matches("class=\"area\"").count(), svg.matches("<circle").count()), (2, 4));
        for expected in ["Boundaries", "c_h_loss", "c_h_max", "width", "#0072B2", "#D55E00"] {
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
