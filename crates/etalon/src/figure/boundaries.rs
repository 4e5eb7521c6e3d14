//! The boundaries of early training against a size.

use super::{Band, BandPicture, Curve, Figure, FigureError};
use crate::phase::boundaries::EVENTS;
use crate::sweep::{BOUNDARIES, Diagram, Place};

/// What lies to the right in a picture of boundaries.
pub(crate) const RIGHT: &str = "c_h = learning rate × sharpness at the start";

/// A diagram of a sweep: a curve for each boundary, `c_h` to the right and the size upwards.
///
/// # Errors
/// As [`BandPicture::figure`].
pub fn boundaries(diagram: &Diagram, title: &str) -> Result<Figure, FigureError> {
    let curve = |(boundary, meaning): (&str, &str)| {
        let places = diagram.places.iter().filter(|place| place.boundary == boundary);
        let band = |place: &Place| {
            let [low, median, high] = place.band()?;
            Some(Band { size: place.size, low, median, high })
        };
        Curve { name: format!("{boundary}: {meaning}"), bands: places.filter_map(band).collect() }
    };
    let curves: Vec<Curve> = BOUNDARIES.into_iter().zip(EVENTS).map(curve).collect();
    let of = if diagram.fixed.is_empty() { String::new() } else { format!(", {}", diagram.fixed) };
    let picture =
        BandPicture { title: format!("{title}{of}"), right: RIGHT, up: &diagram.size, curves: &curves };
    picture.figure()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_boundary_is_a_curve_over_the_sizes_where_most_seeds_have_it() {
        let place = |boundary, size, values: &[f64], missing| Place {
            boundary,
            size,
            values: values.into(),
            missing,
        };
        let places = vec![
            place(BOUNDARIES[0], 8.0, &[2.0, 8.0], 0),
            place(BOUNDARIES[0], 16.0, &[3.0], 0),
            place(BOUNDARIES[2], 8.0, &[9.0], 1),
        ];
        let diagram = Diagram { fixed: "network.depth=2".into(), size: "network.width".into(), places };
        let figure = boundaries(&diagram, "Early training").unwrap();
        assert_eq!(figure.title, "Early training, network.depth=2");
        let series = &figure.panels[0].series;
        let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(
            names,
            ["c_h_loss: the loss rises", "c_h_sharp: sharpness rises", "c_h_max: training diverges"]
        );
        assert_eq!(series.iter().map(|series| series.points.len()).collect::<Vec<_>>(), [2, 0, 0]);
        assert_eq!((series[0].points[0].y, series[0].points[0].spread), (8.0, Some([2.0, 8.0])));
    }
}
