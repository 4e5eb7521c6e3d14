//! The numbers of a figure.

use super::{Figure, Place, Point, Spread};
use etalon::sweep::Table;

const COLUMNS: [&str; 10] = ["panel", "what", "name", "x", "y", "x_low", "x_high", "y_low", "y_high", "text"];

impl Figure {
    /// All its numbers: a row for each point of a series or of a line, and for each cell. `panel` is the label of the
    /// axis upwards, of a facet what it alone shows; a number that is not there is an empty field. On an axis of powers of
    /// ten the numbers are powers.
    pub fn table(&self) -> Table {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for panel in &self.panels {
            let label = if self.is_faceted() { &panel.facet } else { &panel.y.label };
            let mut push = |what: &str, name: &str, numbers: [f64; 6], text: &str| {
                let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
                let words = [label.as_str(), what, name].map(String::from);
                rows.push(words.into_iter().chain(numbers.map(number)).chain([text.into()]).collect());
            };
            const NONE: f64 = f64::NAN;
            for cell in &panel.cells {
                let ([x0, x1], [y0, y1]) = (cell.x, cell.y);
                push("cell", &panel.kinds[cell.kind].name, [NONE, NONE, x0, x1, y0, y1], &cell.text);
            }
            for line in &panel.lines {
                let points = match &line.place {
                    Place::Level(y) => &[(NONE, *y)][..],
                    Place::At(x) => &[(*x, NONE)],
                    Place::Through(points) => points,
                };
                for &(x, y) in points {
                    push("line", &line.name, [x, y, NONE, NONE, NONE, NONE], "");
                }
            }
            for series in &panel.series {
                for point in &series.points {
                    let Point { x, y, spread, hollow } = *point;
                    let [low, high] = spread.unwrap_or([NONE; 2]);
                    let numbers = match series.spread {
                        Spread::Up => [x, y, NONE, NONE, low, high],
                        Spread::Right => [x, y, low, high, NONE, NONE],
                    };
                    push("point", &series.name, numbers, if hollow { "left out" } else { "" });
                }
            }
        }
        Table { columns: COLUMNS.map(Into::into).into(), rows }
    }
}

#[cfg(test)]
mod tests {
    use crate::figure::{Axis, Band, BandPicture, Curve, Figure, Panel, Reference};

    #[test]
    fn spreads_lie_along_their_axis_and_what_is_not_there_is_empty() {
        let band = |size: f64| Band { size, low: 1.0, median: 2.0, high: 4.0 };
        let curves = [Curve { name: "c, max".into(), bands: vec![band(8.0), band(16.0)] }];
        let picture = BandPicture { title: String::new(), right: "c", up: "width", curves: &curves };
        let mut figure: Figure = picture.figure().unwrap();
        figure
            .panels
            .push(Panel { lines: vec![Reference::level("2/eta", 0.5)], ..Panel::new(Axis::log("loss")) });
        let csv = figure.table().to_csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "panel,what,name,x,y,x_low,x_high,y_low,y_high,text");
        assert_eq!(lines[1], "width,point,\"c, max\",2,8,1,4,,,");
        assert_eq!(lines[3], "loss,line,2/eta,,0.5,,,,,");
    }
}
