//! Sweeps of searches: eta* against the size.

use super::content::{Content, Numbers, range, shown};
use super::doubts::doubts;
use super::fit::regressions;
use super::folder::Folder;
use super::sweep::Sweep;
use crate::figure::{Figure, LawPicture, Reference, marks};
use crate::fit::Mark;
use crate::fit::{Options, PowerLaw, power_law};
use crate::spec::KEYS;
use crate::sweep::{Measured, Selection, Table, points};

/// What a sweep of searches says.
pub fn content(sweep: &Sweep, folder: &Folder) -> Content {
    let mut content = Content::default();
    let summary = sweep.summary();
    let sizes = sizes(&summary);
    let mut laws = Vec::new();
    for (fixed, table) in parts(&summary, &sizes) {
        for y in ["eta_star", "lambda"] {
            match law(&table, y, &sizes) {
                Ok((law, measured)) => {
                    content.figures.extend(picture(&law, &measured, &fixed));
                    content.tables.push(regressions(&law, &fixed));
                    content.tables.extend(points_table(&law, &measured, &fixed).filter(|_| y == "eta_star"));
                    laws.push((fixed.clone(), law));
                }
                Err(reason) => content.notes.push(format!("No law of {y}{fixed}: {reason}.")),
            }
        }
        content.figures.extend(ratio(&table, &sizes, &fixed));
    }
    let of = |name: &str| -> Vec<f64> {
        let column = summary.column(name);
        summary.rows.iter().filter_map(|row| row[column?].parse().ok()).collect()
    };
    let found = of("eta_star");
    let (low, high) = found.iter().fold((f64::INFINITY, 0.0f64), |(l, h), &eta| (l.min(eta), h.max(eta)));
    let first = laws.iter().find(|(_, law)| law.y == "eta_star");
    match first {
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
    let without = summary.rows.len() - found.len();
    if without > 0 {
        content.doubts.push(format!(
            "{without} of {} searches have no η*: they trained at no rate, or up to the end of the range.",
            summary.rows.len()
        ));
    }
    content.doubts.extend(doubts(folder));
    content.tables.extend(unconverged(sweep));
    content
}

/// The searches that did not reach their tolerance.
fn unconverged(sweep: &Sweep) -> Option<Numbers> {
    let mut table = Numbers::new("Searches that did not reach their tolerance", ["trial", "why"]);
    for trial in sweep.done.iter().filter(|trial| !trial.unconverged.is_empty()) {
        table.row([trial.name.clone(), trial.unconverged.join("; ")]);
    }
    table.note = "Their interval of η* is wider than was asked for.".into();
    (!table.rows.is_empty()).then_some(table)
}

/// The keys that are sizes: width and depth where the grid runs over them, else the first one of numbers.
fn sizes(summary: &Table) -> Vec<String> {
    let varies = |name: &String| {
        let column = summary.column(name);
        let values: Option<Vec<f64>> =
            column.and_then(|column| summary.rows.iter().map(|row| row[column].parse().ok()).collect());
        values.is_some_and(|values| {
            values.iter().any(|value| *value != values[0]) && values.iter().all(|value| *value > 0.0)
        })
    };
    let keys = || summary.columns.iter().filter(|name| is_key(name)).filter(|name| varies(name));
    let named: Vec<String> =
        keys().filter(|name| ["network.width", "network.depth"].contains(&name.as_str())).cloned().collect();
    if named.is_empty() { keys().take(1).cloned().collect() } else { named }
}

fn is_key(name: &str) -> bool {
    name != "seed" && KEYS.iter().any(|key| key.path == name)
}

/// The summary, parted by the values of the keys that are no sizes, each with what it is called.
fn parts(summary: &Table, sizes: &[String]) -> Vec<(String, Table)> {
    let others: Vec<usize> = (0..summary.columns.len())
        .filter(|&index| is_key(&summary.columns[index]) && !sizes.contains(&summary.columns[index]))
        .filter(|&index| summary.rows.iter().any(|row| row[index] != summary.rows[0][index]))
        .collect();
    let mut parts: Vec<(String, Table)> = Vec::new();
    for row in &summary.rows {
        let values = others.iter().map(|&index| format!(", {} = {}", summary.columns[index], row[index]));
        let fixed: String = values.collect();
        let place = match parts.iter().position(|(there, _)| *there == fixed) {
            Some(place) => place,
            None => {
                parts.push((fixed, Table { columns: summary.columns.clone(), rows: Vec::new() }));
                parts.len() - 1
            }
        };
        parts[place].1.rows.push(row.clone());
    }
    parts
}

fn law(table: &Table, y: &str, sizes: &[String]) -> Result<(PowerLaw, Measured), String> {
    let selection = Selection { y: y.into(), x: sizes.to_vec(), only: Vec::new() };
    let measured = points(table, &selection).map_err(|missing| missing.to_string())?;
    let law = power_law(y, sizes, &measured.points, Vec::new(), &Options::default())
        .map_err(|error| error.to_string())?;
    Ok((law, measured))
}

/// The product of the sizes, without their sections.
fn short(x: &[String]) -> String {
    x.iter().map(|name| name.rsplit('.').next().unwrap_or(name)).collect::<Vec<_>>().join(" × ")
}

fn symbol(y: &str) -> &str {
    if y == "eta_star" { "η*" } else { "λ" }
}

fn picture(law: &PowerLaw, measured: &Measured, fixed: &str) -> Option<Figure> {
    let (a, b) = (law.joint.intercept.value, law.joint.exponents[0].value);
    let x = short(&law.x);
    let marks: Vec<Mark> = marks(measured);
    let symbol = symbol(&law.y);
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
    let name = if law.y == "eta_star" { "eta-star" } else { "curvature" };
    Some(Figure { name: name.into(), note, ..figure })
}

fn points_table(law: &PowerLaw, measured: &Measured, fixed: &str) -> Option<Numbers> {
    let mut table = Numbers::new(
        &format!("{} of each network{fixed}", symbol(&law.y)),
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
fn ratio(table: &Table, sizes: &[String], fixed: &str) -> Option<Figure> {
    let selection = Selection { y: "eta_star_over_2_lambda".into(), x: sizes.to_vec(), only: Vec::new() };
    let measured = points(table, &selection).ok()?;
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
