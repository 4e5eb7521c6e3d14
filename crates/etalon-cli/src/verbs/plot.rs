//! `etalon plot`: one column of a table against another.

use crate::context::{Context, Exit, Failure};
use crate::output::table;
use crate::picture::{Picture, StyleArguments};
use etalon::sweep::{Constraint, Store, Table};
use etalon::units::significant;
use etalon_report::figure::{Columns, Curve, Facet, LinePicture, curves, facets, symbol};
use serde::Serialize;
use std::path::PathBuf;

/// Draw a column of a sweep's summary, or of any CSV file, against another
///
/// Rows that agree in --x and --by, such as those of several seeds, are one point: their median, with an area from the
/// least to the most. With --facet each value of a column has a picture of its own, side by side on the same axes.
/// `etalon export DIR csv` writes the table of a sweep's trajectories, whose --x is step.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a sweep, whose summary is used, or a CSV file
    #[arg(value_name = "DIR | FILE.csv", value_hint = clap::ValueHint::AnyPath)]
    table: PathBuf,

    /// The column that lies to the right
    #[arg(long, value_name = "COLUMN")]
    x: String,

    /// The columns that lie upwards, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    y: Vec<String>,

    /// Columns whose values make curves of their own, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    by: Vec<String>,

    /// A column for each of whose values there is a picture of its own, beside the others and on the same axes
    #[arg(long, value_name = "COLUMN")]
    facet: Option<String>,

    /// Use only rows that meet this, such as "data.patch.size == 4"; may be given again
    #[arg(long, value_name = "COMPARISON")]
    only: Vec<String>,

    /// A logarithmic axis to the right
    #[arg(long, visible_alias = "log")]
    log_x: bool,

    /// A logarithmic axis upwards
    #[arg(long)]
    log_y: bool,

    /// Mark every point of the curves
    #[arg(long)]
    markers: bool,

    /// What stands above the picture
    #[arg(long, value_name = "TEXT", default_value = "")]
    title: String,

    /// Draw it, as SVG, PNG or PDF, and write its numbers as CSV beside it
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_hint = clap::ValueHint::FilePath)]
    figure: Option<Picture>,

    #[command(flatten)]
    style: StyleArguments,
}

/// The highest point of a curve.
#[derive(Serialize)]
struct Summit {
    #[serde(skip_serializing_if = "String::is_empty")]
    facet: String,
    curve: String,
    points: usize,
    x: f64,
    median: f64,
    least: f64,
    most: f64,
}

impl Arguments {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if let Some(file) = &self.figure {
            file.check()?;
        }
        let only = self.only.iter().map(|text| Constraint::parse(text)).collect::<Result<Vec<_>, _>>();
        let only = only.map_err(|error| format!("--only: {error}"))?;
        let columns = Columns { x: self.x, y: self.y, by: self.by, only };
        let table = read(&self.table)?;
        let facets = match &self.facet {
            Some(column) => facets(&table, &columns, column)?,
            None => vec![Facet::whole(curves(&table, &columns)?)],
        };
        if let Some(file) = &self.figure {
            let right = symbol(&columns.x);
            let up = columns.y.iter().map(|y| symbol(y)).collect::<Vec<_>>().join(", ");
            let title = if self.title.is_empty() { format!("{up} against {right}") } else { self.title };
            let picture = LinePicture {
                title,
                right: &right,
                up: &up,
                log: [self.log_x, self.log_y],
                markers: self.markers,
                facets: &facets,
            };
            file.write(&picture.figure()?, &self.style, &numbers(&columns.x, &facets).to_csv())?;
        }
        let summits =
            facets.iter().flat_map(|facet| facet.curves.iter().filter_map(|curve| summit(facet, curve)));
        let summits: Vec<Summit> = summits.collect();
        context.output.tell(&summits, || text(&summits, &columns.x))?;
        Ok(Exit::Done)
    }
}

fn read(path: &PathBuf) -> Result<Table, Failure> {
    if path.is_dir() {
        return Ok(Store::read_only(path)?.summary()?);
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Table::parse(&text).map_err(|fault| format!("{}: {fault}", path.display()))?)
}

/// The points of all curves; those of several facets say of which.
fn numbers(x: &str, facets: &[Facet]) -> Table {
    let mut columns: Vec<String> = ["curve", x, "median", "least", "most"].map(Into::into).into();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for Facet { name: facet, curves } in facets {
        for Curve { name, bands } in curves {
            rows.extend(bands.iter().map(|band| {
                let numbers = [band.size, band.median, band.low, band.high].map(|number| number.to_string());
                let names = [facet, name].into_iter().filter(|name| !name.is_empty()).cloned();
                names.chain(numbers).collect()
            }));
        }
    }
    if facets.iter().any(|facet| !facet.name.is_empty()) {
        columns.insert(0, "facet".into());
    }
    Table { columns, rows }
}

fn summit(facet: &Facet, Curve { name, bands }: &Curve) -> Option<Summit> {
    let best = bands.iter().max_by(|a, b| a.median.total_cmp(&b.median))?;
    Some(Summit {
        facet: facet.name.clone(),
        curve: name.clone(),
        points: bands.len(),
        x: best.size,
        median: best.median,
        least: best.low,
        most: best.high,
    })
}

fn text(summits: &[Summit], x: &str) -> String {
    let row = |summit: &Summit| {
        let Summit { facet, curve, points, x, median, least, most } = summit;
        let numbers = [*x, *median, *least, *most].map(|number| significant(number, 4));
        let [x, median, least, most] = numbers;
        let curve = if facet.is_empty() { curve.clone() } else { format!("{facet}: {curve}") };
        [curve, points.to_string(), median, x, least, most]
    };
    let at = format!("at {x}");
    table(["curve", "points", "highest median", &at, "least there", "most there"], summits.iter().map(row))
}
