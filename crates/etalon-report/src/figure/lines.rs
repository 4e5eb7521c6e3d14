//! One column of a table against another.

use super::{Axis, Band, Colour, Curve, Figure, FigureError, Panel, Point, Series, Spread, Stroke, symbol};
use etalon::statistics::median;
use etalon::sweep::{Constraint, Table};

/// Facets of a picture at most.
const FACETS: usize = 24;

/// Which columns of a table a picture shows.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// What lies to the right.
    pub x: String,
    /// What lies upwards: a curve for each.
    pub y: Vec<String>,
    /// Columns whose values make curves of their own.
    pub by: Vec<String>,
    /// Which rows are used.
    pub only: Vec<Constraint>,
}

/// The curves of a table: at each value of `x` the median, the least and the most of the rows that agree in `by`; rows in
/// which `x` or `y` is no finite number are left out. Curves come in the order in which the table has them.
///
/// # Errors
/// When a column is missing, or a comparison asks for one that has no numbers.
pub fn curves(table: &Table, columns: &Columns) -> Result<Vec<Curve>, FigureError> {
    let x = table.need(&columns.x)?;
    let by = columns.by.iter().map(|name| table.need(name)).collect::<Result<Vec<_>, _>>()?;
    for constraint in &columns.only {
        constraint.names().into_iter().try_for_each(|name| table.need(name).map(drop))?;
    }
    let number = |row: &[String], column: usize| row[column].parse::<f64>().ok().filter(|x| x.is_finite());
    let mut found: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for y in &columns.y {
        let upwards = table.need(y)?;
        for row in &table.rows {
            let value = |name: &str| table.column(name).and_then(|column| number(row, column));
            if !columns.only.iter().all(|constraint| constraint.holds(&value) == Some(true)) {
                continue;
            }
            let (Some(at), Some(value)) = (number(row, x), number(row, upwards)) else { continue };
            let mut name: Vec<String> =
                columns.by.iter().zip(&by).map(|(key, &c)| label(key, &row[c])).collect();
            if columns.y.len() > 1 || name.is_empty() {
                name.insert(0, symbol(y));
            }
            let name = name.join(", ");
            match found.iter_mut().find(|(other, _)| *other == name) {
                Some((_, points)) => points.push((at, value)),
                None => found.push((name, vec![(at, value)])),
            }
        }
    }
    Ok(found.into_iter().map(|(name, points)| Curve { name, bands: bands(points) }).collect())
}

/// The curves of those rows that have one value in a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// The column and the value; empty where all rows belong to it.
    pub name: String,
    /// Its curves.
    pub curves: Vec<Curve>,
}

impl Facet {
    /// All rows in one.
    pub fn whole(curves: Vec<Curve>) -> Facet {
        Facet { name: String::new(), curves }
    }
}

/// The curves for each value of a column, in the order of its values if they are numbers, else of the table.
///
/// # Errors
/// As [`curves`]; when the column has more values than a picture has room for.
pub fn facets(table: &Table, columns: &Columns, by: &str) -> Result<Vec<Facet>, FigureError> {
    let column = table.need(by)?;
    let mut values: Vec<&String> = Vec::new();
    table.rows.iter().map(|row| &row[column]).for_each(|value| {
        if !values.contains(&value) {
            values.push(value);
        }
    });
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    if let Some(numbers) = numbers {
        let mut order: Vec<_> = numbers.into_iter().zip(values).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        values = order.into_iter().map(|(_, value)| value).collect();
    }
    let facet = |value: &&String| {
        let rows = table.rows.iter().filter(|row| row[column] == **value).cloned().collect();
        let curves = curves(&Table { columns: table.columns.clone(), rows }, columns)?;
        Ok(Facet { name: label(by, value), curves })
    };
    let mut facets = values.iter().map(facet).collect::<Result<Vec<Facet>, FigureError>>()?;
    facets.retain(|facet| !facet.curves.is_empty());
    if facets.len() > FACETS {
        return Err(FigureError::Facets { column: by.into(), values: facets.len(), most: FACETS });
    }
    Ok(facets)
}

/// A key without its section, and its value.
fn label(key: &str, value: &str) -> String {
    format!("{} {value}", symbol(key))
}

fn bands(mut points: Vec<(f64, f64)>) -> Vec<Band> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let of = |run: &[(f64, f64)]| {
        let (low, high) = (run[0].1, run[run.len() - 1].1);
        let median = median(run.iter().map(|at| at.1));
        Band { size: run[0].0, low, median, high }
    };
    points.chunk_by(|a, b| a.0 == b.0).map(of).collect()
}

/// Curves against what lies to the right, on a logarithmic axis if asked for; a line for the medians, an area from the
/// least to the most.
#[derive(Debug)]
pub struct LinePicture<'a> {
    /// The heading.
    pub title: String,
    /// What lies to the right.
    pub right: &'a str,
    /// The label of the axis upwards.
    pub up: &'a str,
    /// Whether the axis to the right, and that upwards, is logarithmic.
    pub log: [bool; 2],
    /// Whether every point is marked.
    pub markers: bool,
    /// The curves, side by side where there are several facets; a band's size is its place on that axis.
    pub facets: &'a [Facet],
}

impl LinePicture<'_> {
    /// What it shows.
    ///
    /// # Errors
    /// When no curve has two places, or a logarithmic axis a place that is not above 0.
    pub fn figure(&self) -> Result<Figure, FigureError> {
        let curves = || self.facets.iter().flat_map(|facet| &facet.curves);
        if !curves().any(|curve| curve.bands.len() > 1) {
            return Err(FigureError::Empty("no curve has two points"));
        }
        if self.log[0] && curves().flat_map(|curve| &curve.bands).any(|band| band.size <= 0.0) {
            return Err(FigureError::Empty("a logarithmic axis takes values above 0; leave --log-x out"));
        }
        // A curve has one colour in all facets.
        let mut names: Vec<&str> = Vec::new();
        curves().for_each(|curve| {
            if !names.contains(&curve.name.as_str()) {
                names.push(&curve.name);
            }
        });
        let axis = |log: bool, label: &str| if log { Axis::log(label) } else { Axis::even(label) };
        let panel = |facet: &Facet| {
            let colour = |curve: &Curve| names.iter().position(|name| *name == curve.name).unwrap_or(0);
            let series = facet.curves.iter().map(|curve| self.series(curve, Colour::of(colour(curve))));
            let panel = Panel::new(axis(self.log[1], self.up));
            Panel { facet: facet.name.clone(), series: series.collect(), ..panel }
        };
        Ok(Figure {
            name: "columns".into(),
            title: self.title.clone(),
            note: String::new(),
            x: axis(self.log[0], self.right),
            panels: self.facets.iter().map(panel).collect(),
            details: None,
        })
    }

    fn series(&self, curve: &Curve, colour: Colour) -> Series {
        // Where no place has several values there is no area, not one without a height.
        let spreads = curve.bands.iter().any(|band| band.low < band.high);
        let point = |band: &Band| Point {
            x: band.size,
            y: band.median,
            spread: spreads.then_some([band.low, band.high]),
            hollow: false,
        };
        Series {
            name: curve.name.clone(),
            colour,
            stroke: if self.markers { Stroke::Both } else { Stroke::Line },
            spread: Spread::Up,
            points: curve.bands.iter().map(point).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let rows = "0.1,0,0.5,0.9\n0.1,1,0.7,0.8\n0.1,2,0.6,\n1,0,0.2,0.1\n1,1,nan,0.3\n";
        Table::parse(&format!("optimizer.eta,seed,test,train\n{rows}")).unwrap()
    }

    fn columns(y: &[&str], by: &[&str], only: &[&str]) -> Columns {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let only = only.iter().map(|text| Constraint::parse(text).unwrap()).collect();
        Columns { x: "optimizer.eta".into(), y: names(y), by: names(by), only }
    }

    #[test]
    fn a_curve_has_the_median_and_the_range_at_each_place() {
        let found = curves(&table(), &columns(&["test", "train"], &[], &["seed < 2"])).unwrap();
        let names: Vec<&str> = found.iter().map(|curve| curve.name.as_str()).collect();
        assert_eq!(names, ["test", "train"]);
        assert_eq!(
            found[0].bands[0],
            Band { size: 0.1, low: 0.5, median: 0.5f64.sqrt() * 0.7f64.sqrt(), high: 0.7 }
        );
        assert_eq!(found[0].bands[1], Band { size: 1.0, low: 0.2, median: 0.2, high: 0.2 });
        let by_seed = curves(&table(), &columns(&["train"], &["seed"], &[])).unwrap();
        assert_eq!((by_seed.len(), by_seed[1].name.as_str()), (2, "seed 1"));
        let error = curves(&table(), &columns(&["tset"], &[], &[])).unwrap_err().to_string();
        assert!(error.contains("`tset`") && error.contains("optimizer.eta, seed, test, train"), "{error}");
    }

    #[test]
    fn a_picture_has_a_line_a_curve_and_needs_two_points() {
        let found = curves(&table(), &columns(&["test", "train"], &[], &[])).unwrap();
        let svg = |curves: &[Curve], log| {
            let log = [log, false];
            let facets = &[Facet::whole(curves.to_vec())];
            LinePicture { title: "Rates".into(), right: "eta", up: "accuracy", log, markers: false, facets }
                .figure()?
                .svg()
        };
        let drawn = svg(&found, true).unwrap();
        assert_eq!(drawn.matches("class=\"area\"").count(), 2);
        for expected in ["Rates", "eta", "accuracy", "train", "#0072B2", "#D55E00"] {
            assert!(drawn.contains(expected), "{expected}");
        }
        let one = Curve { name: "one".into(), bands: found[0].bands[..1].to_vec() };
        assert!(matches!(svg(&[one], false), Err(FigureError::Empty(_))));
        let mut zero = found[0].clone();
        zero.bands[0].size = 0.0;
        assert!(svg(&[zero.clone()], true).is_err() && svg(&[zero], false).is_ok());
    }
    #[test]
    fn facets_share_both_axes_and_the_colours_of_their_curves() {
        let rows = "128,0.1,2,8\n128,1,4,16\n64,0.1,0.5,1\n64,1,1,2\n";
        let table = Table::parse(&format!("network.width,optimizer.eta,test,train\n{rows}")).unwrap();
        let found = facets(&table, &columns(&["test", "train"], &[], &[]), "network.width").unwrap();
        let names: Vec<&str> = found.iter().map(|facet| facet.name.as_str()).collect();
        assert_eq!(names, ["width 64", "width 128"]);
        let (title, log) = ("Widths".into(), [true, true]);
        let picture = LinePicture { title, right: "η", up: "loss", log, markers: true, facets: &found };
        let figure = picture.figure().unwrap();
        let svg = figure.svg().unwrap();
        // Two frames at one height, each under its name, and each axis written once.
        for (text, times) in [("width 64<", 1), ("width 128<", 1), (">loss<", 1), (">η<", 1), (">10<", 1)] {
            assert_eq!(svg.matches(text).count(), times, "{text}: {svg}");
        }
        // The largest value of the lower facet lies at the height that the same value of the other would have.
        let down = |at: usize| -> f64 {
            let mark = svg.split("<circle").nth(at).unwrap();
            mark.split("cy=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        // Test and train at both rates of 64: 0.5, 1, 1, 2; of 128: 2, 4, 8, 16.
        assert_eq!(down(4), down(5), "2 in both");
        assert!(figure.table().to_csv().contains("width 128,point,train,1,16"));
        let many: String = (0..30).map(|width| format!("{width},0.1,1\n")).collect();
        let many = Table::parse(&format!("network.width,optimizer.eta,test\n{many}")).unwrap();
        let error = facets(&many, &columns(&["test"], &[], &[]), "network.width").unwrap_err().to_string();
        assert!(error.contains("30 values") && error.contains("at most 24"), "{error}");
    }
}
