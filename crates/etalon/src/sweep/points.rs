//! Points of a power law from the trials of a sweep.

use super::{Constraint, NoColumn, Rows, Table};
use crate::fit::{Excluded, Point};
use crate::spec::Key;
use crate::statistics::median;
use std::collections::HashMap;

/// Which numbers of a summary to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The column that is measured, such as `eta_star`.
    pub y: String,
    /// The columns of the sizes, such as `network.depth` and `network.width`.
    pub x: Vec<String>,
    /// Comparisons that a row must meet.
    pub only: Vec<Constraint>,
}

/// What a selection finds in a summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The points to fit, the median of y over seeds on a logarithmic axis.
    pub points: Vec<Point>,
    /// The least and the most of y over the seeds of each point.
    pub spreads: Vec<[f64; 2]>,
    /// Rows that do not meet a comparison, with it as the reason.
    pub excluded: Vec<Excluded>,
    /// The points that these rows would make, and their spreads; without those that an equality excludes, which are
    /// another slice of the table.
    pub left_out: Vec<(Point, [f64; 2])>,
}

/// Rows that differ in their seed alone.
#[derive(Default)]
struct Groups<'a> {
    places: HashMap<Vec<&'a str>, usize>,
    groups: Vec<Group>,
}

#[derive(Default)]
struct Group {
    label: String,
    /// For each size, that of every row: what is measured at the start differs from seed to seed.
    x: Vec<Vec<f64>>,
    /// That of every row.
    y: Vec<f64>,
}

impl<'a> Groups<'a> {
    fn push(&mut self, key: Vec<&'a str>, label: String, x: impl Iterator<Item = f64>, y: f64) {
        let place = *self.places.entry(key).or_insert(self.groups.len());
        if place == self.groups.len() {
            self.groups.push(Group { label, ..Group::default() });
        }
        let group = &mut self.groups[place];
        for (index, x) in x.enumerate() {
            if index == group.x.len() {
                group.x.push(Vec::new());
            }
            group.x[index].push(x);
        }
        group.y.push(y);
    }

    /// A point for each; one without a value makes a point without one.
    fn points(self) -> impl Iterator<Item = (Point, [f64; 2])> {
        self.groups.into_iter().map(|Group { label, x, y }| {
            let fold = |[low, high]: [f64; 2], &value: &f64| [low.min(value), high.max(value)];
            let spread = y.iter().fold([f64::INFINITY, f64::NEG_INFINITY], fold);
            (Point { label, x: x.into_iter().map(median).collect(), y: median(y) }, spread)
        })
    }
}

/// The points of a selection: rows that differ in their seed alone make one point, with the medians of its columns on
/// logarithmic axes.
///
/// # Errors
/// When the summary has no such column, with those it has.
pub fn points(table: &Table, selection: &Selection) -> Result<Measured, NoColumn> {
    let y = table.need(&selection.y)?;
    let x = selection.x.iter().map(|name| table.need(name)).collect::<Result<Vec<usize>, _>>()?;
    let mut names = selection.only.iter().flat_map(Constraint::names);
    names.try_for_each(|name| table.need(name).map(drop))?;
    let cell = cell(&table.columns);

    let (mut used, mut left_out) = (Groups::default(), Groups::default());
    let mut excluded = Vec::new();
    for row in &table.rows {
        let number = |index: usize| row[index].parse().unwrap_or(f64::NAN);
        let label = label(&table.columns, row, &cell);
        let value = |name: &str| table.column(name).map(number);
        let unmet = selection.only.iter().find(|only| only.holds(&value) != Some(true));
        if let Some(unmet) = unmet {
            let seed = table.column("seed").map_or(String::new(), |index| format!(" seed={}", row[index]));
            let reason = format!("does not meet {}", unmet.text());
            excluded.push(Excluded { label: label.clone() + &seed, reason });
        }
        let key = cell.iter().map(|&index| row[index].as_str()).collect();
        let sizes = x.iter().map(|&index| number(index));
        let is_other_slice = |only: &&Constraint| only.is_equality() && only.holds(&value) != Some(true);
        match unmet {
            None => used.push(key, label, sizes, number(y)),
            Some(_) if selection.only.iter().any(|only| is_other_slice(&only)) => {}
            Some(_) => left_out.push(key, label, sizes, number(y)),
        }
    }
    let (points, spreads) = used.points().unzip();
    Ok(Measured { points, spreads, excluded, left_out: left_out.points().collect() })
}

/// The points of all trials of a sweep, `y` against keys of the grid: as [`points`].
///
/// # Errors
/// When the grid does not run over a key, with those that it runs over.
pub fn points_of<T>(
    rows: &Rows<T>,
    x: &[String],
    y: impl Fn(&T) -> Option<f64>,
) -> Result<Measured, NoColumn> {
    let place = |name: &String| {
        let missing = || NoColumn::among(name, &rows.keys);
        rows.keys.iter().position(|key| key == name).ok_or_else(missing)
    };
    let x = x.iter().map(place).collect::<Result<Vec<usize>, _>>()?;
    let cell = cell(&rows.keys);
    let mut groups = Groups::default();
    for trial in &rows.trials {
        let key = cell.iter().map(|&index| trial.values[index].as_str()).collect();
        let sizes = x.iter().map(|&index| trial.values[index].parse().unwrap_or(f64::NAN));
        groups.push(key, label(&rows.keys, &trial.values, &cell), sizes, y(&trial.found).unwrap_or(f64::NAN));
    }
    let (points, spreads) = groups.points().unzip();
    Ok(Measured { points, spreads, excluded: Vec::new(), left_out: Vec::new() })
}

/// The places of the columns by whose values rows are told apart: keys of a spec but the seed.
fn cell(columns: &[String]) -> Vec<usize> {
    let is_cell = |name: &str| name != "seed" && Key::of(name).is_some();
    (0..columns.len()).filter(|&index| is_cell(&columns[index])).collect()
}

/// What the rows of a point have in common, in words.
fn label(columns: &[String], row: &[String], cell: &[usize]) -> String {
    let parts = cell.iter().map(|&index| format!("{}={}", columns[index], row[index]));
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Finished;

    fn table() -> Table {
        let text = "trial,network.width,seed,eta_star\na,64,0,1\nb,64,1,4\nc,64,2,2\nd,128,0,1\ne,128,1,4\n\
            f,256,0,1\ng,256,1,\nh,16,0,9\n";
        Table::parse(text).unwrap()
    }

    fn selection(y: &str, only: &str) -> Selection {
        let only = vec![Constraint::parse(only).unwrap()];
        Selection { y: y.into(), x: vec!["network.width".into()], only }
    }

    #[test]
    fn seeds_are_folded_to_their_median_and_exclusions_are_told() {
        let Measured { points, spreads, excluded, left_out } =
            points(&table(), &selection("eta_star", "network.width > 16")).unwrap();
        let found: Vec<(f64, f64)> = points.iter().map(|point| (point.x[0], point.y)).collect();
        assert_eq!(found[..2], [(64.0, 2.0), (128.0, 2.0)]);
        assert!(found[2].0 == 256.0 && found[2].1.is_nan(), "one seed of it has no value");
        assert_eq!((points[0].label.as_str(), spreads[0]), ("network.width=64", [1.0, 4.0]));
        assert_eq!((left_out.len(), left_out[0].0.y), (1, 9.0));
        assert_eq!((excluded.len(), excluded[0].label.as_str()), (1, "network.width=16 seed=0"));
        assert_eq!(excluded[0].reason, "does not meet network.width > 16");
    }

    #[test]
    fn sizes_that_are_measured_are_folded_too() {
        let text = "trial,network.width,seed,eta_star,lambda\na,64,0,1,9\nb,64,1,1,2\nc,64,2,1,4\n";
        let selection = Selection { y: "eta_star".into(), x: vec!["lambda".into()], only: vec![] };
        let points = points(&Table::parse(text).unwrap(), &selection).unwrap().points;
        assert_eq!((points.len(), &points[0].x[..]), (1, &[4.0][..]));
    }

    #[test]
    fn typed_trials_make_the_points_of_their_table() {
        let rows = [("8", "0", 1.0), ("8", "1", 4.0), ("16", "0", f64::NAN)];
        let trial = |(width, seed, found): (&str, &str, f64)| Finished {
            name: String::new(),
            values: vec![width.into(), seed.into()],
            found,
        };
        let rows = Rows { keys: vec!["network.width".into(), "seed".into()], trials: rows.map(trial).into() };
        let found = points_of(&rows, &["network.width".into()], |&y| Some(y).filter(|y| y.is_finite()));
        let text = "network.width,seed,y\n8,0,1\n8,1,4\n16,0,\n";
        let selection = Selection { y: "y".into(), x: vec!["network.width".into()], only: Vec::new() };
        let wanted = points(&Table::parse(text).unwrap(), &selection).unwrap();
        // What has no value is NaN, which equals nothing.
        assert_eq!(format!("{:?}", found.unwrap()), format!("{wanted:?}"));
        let error = points_of(&rows, &["network.depth".into()], |&y| Some(y)).unwrap_err().to_string();
        assert_eq!(error, "there is no column `network.depth`; there are network.width, seed");
    }

    #[test]
    fn an_unknown_column_is_told_with_the_known_ones() {
        let error = points(&table(), &selection("eta", "1 < 2")).unwrap_err().to_string();
        assert!(error.contains("`eta`") && error.contains("eta_star"), "{error}");
        let error = points(&table(), &selection("eta_star", "depth < 2")).unwrap_err().to_string();
        assert!(error.contains("`depth`"), "{error}");
    }
}
