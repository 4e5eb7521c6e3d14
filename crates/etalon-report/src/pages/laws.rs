//! Sweeps of searches: eta* against the size.

use super::content::{Content, Numbers, range, shown};
use super::doubts::doubts;
use super::fit::regressions;
use super::folder::Folder;
use crate::figure::{Figure, LawPicture, Reference, marks, symbol};
use etalon::fit::{Mark, Options, PowerLaw, power_law};
use etalon::search::{SeedResult, Stopped};
use etalon::sweep::{FindRow, Finished, Measured, Rows, Trial, points_of};

/// What is kept of a search.
pub(super) struct Searched {
    row: FindRow,
    /// Seeds that did not reach the tolerance, and why.
    unconverged: Vec<String>,
}

impl Searched {
    pub(super) fn new(trial: &Trial<FindRow>) -> Searched {
        let searches = trial.records.iter().filter_map(|found| found.search.as_ref());
        let seeds = searches.flat_map(|search| &search.seeds);
        Searched { row: trial.row.clone(), unconverged: seeds.filter_map(unconverged).collect() }
    }
}

/// Why the search of a seed did not end within its tolerance, where it did not.
fn unconverged(SeedResult { seed, stopped, .. }: &SeedResult) -> Option<String> {
    (!matches!(stopped, Stopped::Converged { .. })).then(|| format!("seed {seed}: {stopped}"))
}

/// What a law is of.
struct Quantity {
    /// Its column.
    name: &'static str,
    symbol: &'static str,
    figure: &'static str,
    of: fn(&FindRow) -> Option<f64>,
}

const ETA_STAR: Quantity =
    Quantity { name: "eta_star", symbol: "η*", figure: "eta-star", of: |row| row.eta_star };
const LAMBDA: Quantity = Quantity { name: "lambda", symbol: "λ", figure: "curvature", of: |row| row.lambda };

/// What a sweep of searches says.
pub(super) fn content(rows: &Rows<Searched>, folder: &Folder) -> Content {
    let mut content = Content::default();
    let sizes = sizes(rows);
    let mut laws = Vec::new();
    for (fixed, part) in parts(rows, &sizes) {
        for y in [&ETA_STAR, &LAMBDA] {
            match law(&part, y, &sizes) {
                Ok((law, measured)) => {
                    content.figures.extend(picture(&law, y, &measured, &fixed));
                    content.tables.push(regressions(&law, &fixed));
                    if y.name == ETA_STAR.name {
                        content.tables.extend(points_table(&law, &measured, &fixed));
                        laws.push((fixed.clone(), law));
                    }
                }
                Err(reason) => content.notes.push(format!("No law of {}{fixed}: {reason}.", y.symbol)),
            }
        }
        content.figures.extend(ratio(&part, &sizes, &fixed));
    }
    let found: Vec<f64> = rows.trials.iter().filter_map(|trial| trial.found.row.eta_star).collect();
    let (low, high) = found.iter().fold((f64::INFINITY, 0.0f64), |(l, h), &eta| (l.min(eta), h.max(eta)));
    match laws.first() {
        Some((fixed, law)) => {
            let exponent = &law.joint.exponents[0];
            let x = short(&law.x);
            content.answer = format!("η* ∝ ({x})^{}", shown(Some(exponent.value), 3));
            content.interval = format!(
                "{} % interval of the exponent {} to {}, R² = {}, {} networks{fixed}",
                shown(Some(100.0 * law.level), 2),
                shown(Some(exponent.low), 3),
                shown(Some(exponent.high), 3),
                shown(law.joint.r_squared, 3),
                law.points
            );
            if exponent.low <= 0.0 && exponent.high >= 0.0 {
                content.doubts.push(
                    "The interval of the exponent contains 0: these networks show no power of their size."
                        .into(),
                );
            }
        }
        None if found.is_empty() => content.answer = "no search has found η*".into(),
        None => content.answer = format!("η* = {}", range(low, high, 3)),
    }
    content.fact("η* of all trials", (!found.is_empty()).then(|| range(low, high, 3)));
    let without = rows.trials.len() - found.len();
    if without > 0 {
        content.doubts.push(format!(
            "{without} of {} searches have no η*: they trained at no rate, or up to the end of the range.",
            rows.trials.len()
        ));
    }
    content.doubts.extend(doubts(folder));
    content.tables.extend(without_interval(rows));
    content
}

/// The searches that did not reach their tolerance.
fn without_interval(rows: &Rows<Searched>) -> Option<Numbers> {
    let mut table = Numbers::new("Searches that did not reach their tolerance", ["trial", "why"]);
    for trial in rows.trials.iter().filter(|trial| !trial.found.unconverged.is_empty()) {
        table.row([trial.name.clone(), trial.found.unconverged.join("; ")]);
    }
    table.note = "Their interval of η* is wider than was asked for.".into();
    (!table.rows.is_empty()).then_some(table)
}

/// The keys that are sizes: width and depth where the grid runs over them, else the first one of numbers.
fn sizes<T>(rows: &Rows<T>) -> Vec<String> {
    let varies = |name: &String| {
        rows.numbers(name).is_some_and(|values| {
            values.iter().any(|value| *value != values[0]) && values.iter().all(|value| *value > 0.0)
        })
    };
    let keys = || rows.keys.iter().filter(|name| *name != "seed").filter(|name| varies(name));
    let named: Vec<String> =
        keys().filter(|name| ["network.width", "network.depth"].contains(&name.as_str())).cloned().collect();
    if named.is_empty() { keys().take(1).cloned().collect() } else { named }
}

/// The trials, parted by the values of the keys that are no sizes, each part with what it is called.
fn parts<'a>(rows: &'a Rows<Searched>, sizes: &[String]) -> Vec<(String, Rows<&'a FindRow>)> {
    let Rows { keys, trials } = rows;
    let others: Vec<usize> = (0..keys.len())
        .filter(|&index| keys[index] != "seed" && !sizes.contains(&keys[index]))
        .filter(|&index| trials.iter().any(|trial| trial.values[index] != trials[0].values[index]))
        .collect();
    let mut parts: Vec<(String, Rows<&FindRow>)> = Vec::new();
    for Finished { name, values, found } in trials {
        let fixed: String =
            others.iter().map(|&index| format!(", {} = {}", symbol(&keys[index]), values[index])).collect();
        let place = match parts.iter().position(|(there, _)| *there == fixed) {
            Some(place) => place,
            None => {
                parts.push((fixed, Rows { keys: keys.clone(), trials: Vec::new() }));
                parts.len() - 1
            }
        };
        let trial = Finished { name: name.clone(), values: values.clone(), found: &found.row };
        parts[place].1.trials.push(trial);
    }
    parts
}

fn law(rows: &Rows<&FindRow>, y: &Quantity, sizes: &[String]) -> Result<(PowerLaw, Measured), String> {
    let measured = points_of(rows, sizes, |row| (y.of)(row)).map_err(|missing| missing.to_string())?;
    let law = power_law(y.name, sizes, &measured.points, Vec::new(), &Options::default())
        .map_err(|error| error.to_string())?;
    Ok((law, measured))
}

/// The product of the sizes, without their sections.
fn short(x: &[String]) -> String {
    x.iter().map(|name| symbol(name)).collect::<Vec<_>>().join(" × ")
}

fn picture(law: &PowerLaw, y: &Quantity, measured: &Measured, fixed: &str) -> Option<Figure> {
    let (a, b) = (law.joint.intercept.value, law.joint.exponents[0].value);
    let (x, symbol) = (short(&law.x), y.symbol);
    let marks: Vec<Mark> = marks(measured);
    let picture = LawPicture {
        title: format!("{symbol} = {} ({x})^{}{fixed}", shown(Some(a.exp()), 3), shown(Some(b), 3)),
        right: &x,
        up: symbol,
        marks: &marks,
        law: (a, b),
    };
    let figure = picture.figure_with_residuals().ok()?;
    let note = format!(
        "Medians and ranges over seeds, and the law fitted to them; R² = {}.",
        shown(law.joint.r_squared, 3)
    );
    Some(Figure { name: y.figure.into(), note, ..figure })
}

fn points_table(law: &PowerLaw, measured: &Measured, fixed: &str) -> Option<Numbers> {
    let mut table = Numbers::new(
        &format!("{} of each network{fixed}", ETA_STAR.symbol),
        ["network", "median", "over seeds", "measured / law"],
    );
    for (point, spread) in measured.points.iter().zip(&measured.spreads) {
        let size: f64 = point.x.iter().product();
        let expected = (law.joint.intercept.value + law.joint.exponents[0].value * size.ln()).exp();
        let finite = |value: f64| value.is_finite().then_some(value);
        table.row([
            point.label.clone(),
            shown(finite(point.y), 4),
            if spread[0].is_finite() { range(spread[0], spread[1], 3) } else { "–".into() },
            shown(finite(point.y / expected), 3),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// eta* in units of 2/lambda.
fn ratio(rows: &Rows<&FindRow>, sizes: &[String], fixed: &str) -> Option<Figure> {
    let measured = points_of(rows, sizes, |row| row.eta_star_over_2_lambda).ok()?;
    let (marks, x) = (marks(&measured), short(sizes));
    let picture = LawPicture {
        title: format!("η* against the limit of stability{fixed}"),
        right: &x,
        up: "η* in units of 2/λ",
        marks: &marks,
        law: (0.0, 0.0),
    };
    let mut figure = picture.figure().ok()?;
    figure.panels[0].lines = vec![Reference::level("1: the limit of stability", 1.0)];
    let note = "λ is the Hessian's largest eigenvalue at the start. Medians and ranges over seeds.".into();
    Some(Figure { name: "eta-star-over-limit".into(), note, ..figure })
}
