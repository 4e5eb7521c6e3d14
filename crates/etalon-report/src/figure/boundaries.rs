//! The boundaries of early training against a size.

use super::{Band, BandPicture, Cell, Colour, Curve, Figure, FigureError, Kind, Panel, borders, symbol};
use etalon::phase::boundaries::EVENTS;
use etalon::sweep::{Diagram, Place};

/// A diagram of a sweep: a curve for each boundary, `c_h` or the rate to the right and the size upwards.
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
    let curves: Vec<Curve> = diagram.scale.columns().into_iter().zip(EVENTS).map(curve).collect();
    let of = if diagram.fixed.is_empty() { String::new() } else { format!(", {}", diagram.fixed) };
    let picture = BandPicture {
        title: format!("{title}{of}"),
        right: diagram.scale.meaning(),
        up: &symbol(&diagram.size),
        curves: &curves,
    };
    let mut figure = picture.figure()?;
    regions(&mut figure.panels[0], diagram);
    Ok(figure)
}

/// What training does between one boundary and the next, at each size.
const REGIONS: [(&str, Colour); 4] = [
    ("loss and sharpness fall", Colour::Sky),
    ("one of them rises first", Colour::Yellow),
    ("both rise first", Colour::Orange),
    ("no training", Colour::Grey),
];

/// Fills and names the regions between the medians of the boundaries, at the sizes that have all three with divergence as
/// the last.
fn regions(panel: &mut Panel, diagram: &Diagram) {
    let mut sizes: Vec<f64> = diagram.places.iter().map(|place| place.size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let edges = borders(&sizes);
    let median = |boundary: &str, size: f64| {
        let place = diagram.places.iter().find(|place| place.boundary == boundary && place.size == size)?;
        place.band().map(|[_, median, _]| median)
    };
    panel.kinds = REGIONS.map(|(name, colour)| Kind { name: name.into(), colour }).into();
    panel.pale = true;
    for (row, &size) in sizes.iter().enumerate() {
        let [Some(loss), Some(sharp), Some(end)] = diagram.scale.columns().map(|name| median(name, size))
        else {
            continue;
        };
        // What lies beyond an end of the axis is at it.
        let ends = [0.0, loss.min(sharp), loss.max(sharp), end, f64::INFINITY];
        if !ends.is_sorted() {
            continue;
        }
        for (kind, x) in ends.windows(2).enumerate() {
            let text = format!("{}, {} {size}", REGIONS[kind].0, symbol(&diagram.size));
            panel.cells.push(Cell {
                x: [x[0], x[1]],
                y: [edges[row], edges[row + 1]],
                kind,
                text,
                detail: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etalon::sweep::Scale;

    #[test]
    fn each_boundary_is_a_curve_over_the_sizes_where_most_seeds_have_it() {
        let place = |boundary, size, values: &[f64], missing| Place {
            boundary,
            size,
            values: values.into(),
            missing,
        };
        let (scale, names) = (Scale::Sharpness, Scale::Sharpness.columns());
        let places = vec![
            place(names[0], 8.0, &[2.0, 8.0], 0),
            place(names[0], 16.0, &[3.0], 0),
            place(names[2], 8.0, &[9.0], 1),
        ];
        let diagram =
            Diagram { fixed: "network.depth=2".into(), scale, size: "network.width".into(), places };
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
        assert!(figure.panels[0].cells.is_empty(), "no size has all three");
    }

    #[test]
    fn regions_between_the_boundaries_are_filled_and_named() {
        let place = |boundary, value| Place { boundary, size: 8.0, values: vec![value], missing: 0 };
        let [loss, sharp, end] = Scale::Sharpness.columns();
        let places = vec![place(loss, 3.0), place(sharp, 2.0), place(end, 9.0)];
        let mut panel = Panel::new(crate::figure::Axis::log("width"));
        regions(
            &mut panel,
            &Diagram { fixed: String::new(), scale: Scale::Sharpness, size: "network.width".into(), places },
        );
        let found: Vec<_> = panel.cells.iter().map(|cell| (cell.x, cell.text.as_str())).collect();
        assert_eq!(found[1], ([2.0, 3.0], "one of them rises first, width 8"));
        assert_eq!((found.len(), found[3].0), (4, [9.0, f64::INFINITY]));
    }
}
