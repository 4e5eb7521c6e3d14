//! Sweeps over the learning rate, rate by rate.

use super::bench::ClaimError;
use super::{Bench, Reading};
use etalon::statistics::median;
use etalon::sweep::Table;

/// A rate and what came of it: medians over seeds.
pub(super) struct Rate {
    pub(super) eta: f64,
    /// `eta lambda_0`.
    pub(super) c: f64,
    /// Held-out accuracy at the end.
    pub(super) accuracy: f64,
    /// Held-out loss at the end.
    pub(super) loss: f64,
    /// The Hessian's largest eigenvalue at the start and at the end.
    pub(super) sharpness: [f64; 2],
    /// The share of seeds that diverged.
    pub(super) diverged: f64,
}

/// The rates of a sweep's summary, the lowest first; of the rows with a value of a column alone, if `only` says so.
pub(super) fn rates(table: &Table, only: Option<(&str, f64)>) -> Result<Vec<Rate>, ClaimError> {
    let (eta, phase) = (table.need("optimizer.eta")?, table.need("phase")?);
    let (c, accuracy, loss) = (table.need("c")?, table.need("test_accuracy")?, table.need("test_loss")?);
    let (start, end) = (table.need("hessian")?, table.need("hessian_end")?);
    let only = only.map(|(name, value)| Ok::<_, ClaimError>((table.need(name)?, value))).transpose()?;
    let number = |row: &[String], column: usize| row[column].parse().unwrap_or(f64::NAN);
    let wanted = |row: &&Vec<String>| only.is_none_or(|(column, value)| number(row, column) == value);
    let mut rows: Vec<&Vec<String>> = table.rows.iter().filter(wanted).collect();
    rows.sort_by(|a, b| number(a, eta).total_cmp(&number(b, eta)));
    // What is no number belongs to a seed that has left the numbers: it counts as above all others.
    let known = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    let median =
        |rows: &[&Vec<String>], column: usize| median(rows.iter().map(|row| known(number(row, column))));
    let rate = |rows: &[&Vec<String>]| Rate {
        eta: number(rows[0], eta),
        c: median(rows, c),
        accuracy: median(rows, accuracy),
        loss: median(rows, loss),
        sharpness: [median(rows, start), median(rows, end)],
        diverged: rows.iter().filter(|row| row[phase] == "divergent").count() as f64 / rows.len() as f64,
    };
    Ok(rows.chunk_by(|a, b| number(a, eta) == number(b, eta)).map(rate).collect())
}

/// The rate of the highest held-out accuracy among some.
pub(super) fn best<'a>(rates: impl IntoIterator<Item = &'a Rate>) -> Option<&'a Rate> {
    rates.into_iter().max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
}

/// A number of a rate, none where there is no rate.
pub(super) fn reading(rate: Option<&Rate>, of: fn(&Rate) -> f64) -> Reading {
    Reading::one(rate.map_or(f64::NAN, of))
}

/// Leaves the rates as a curve.
pub(super) fn keep(bench: &mut Bench<'_>, name: &'static str, rates: &[Rate]) {
    const COLUMNS: &[&str] =
        &["eta", "c", "test_accuracy", "test_loss", "sharpness_start", "sharpness_end", "diverged"];
    let row = |rate: &Rate| {
        let Rate { eta, c, accuracy, loss, sharpness: [start, end], diverged } = *rate;
        vec![eta, c, accuracy, loss, start, end, diverged]
    };
    bench.curve(name, COLUMNS, rates.iter().map(row).collect());
}
