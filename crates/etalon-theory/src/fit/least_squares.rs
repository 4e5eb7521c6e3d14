//! Ordinary least squares with an intercept, by QR on centred columns.

use super::{Coefficient, Regression};
use crate::interval::student;

/// A column that keeps less than this share of its length beside the others is a combination of them.
const DEPENDENT: f64 = 1e-9;

/// A matrix by columns.
type Columns = Vec<Vec<f64>>;

/// Regresses `y` on the rows' columns. None where the columns depend on one another or no degree of freedom is left.
pub(super) fn fit(names: &[String], rows: &[Vec<f64>], y: &[f64], level: f64) -> Option<Regression> {
    let (n, k) = (rows.len(), names.len());
    let freedom = n.checked_sub(k + 1).filter(|&freedom| freedom > 0)?;
    let mean = |values: &dyn Fn(usize) -> f64| (0..n).map(values).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..k).map(|column| mean(&|row| rows[row][column])).collect();
    let y_mean = mean(&|row| y[row]);
    let columns = (0..k).map(|column| rows.iter().map(|row| row[column] - means[column]).collect());
    let (q, r) = orthogonalise(columns.collect())?;
    // The coefficients solve R b = Q' y.
    let centred: Vec<f64> = y.iter().map(|value| value - y_mean).collect();
    let mut slopes: Vec<f64> = q.iter().map(|column| dot(column, &centred)).collect();
    for i in (0..k).rev() {
        slopes[i] = (slopes[i] - (i + 1..k).map(|j| r[j][i] * slopes[j]).sum::<f64>()) / r[i][i];
    }
    let residual = |row: usize| {
        let law: f64 = (0..k).map(|column| slopes[column] * (rows[row][column] - means[column])).sum();
        centred[row] - law
    };
    let left: f64 = (0..n).map(|row| residual(row).powi(2)).sum();
    let whole = dot(&centred, &centred);
    let variance = left / freedom as f64;
    // The covariance of the slopes is variance (R' R)^-1; `inverse[j]` is column j of R^-1.
    let inverse = invert(&r);
    let covariance =
        |a: usize, b: usize| variance * (a.max(b)..k).map(|j| inverse[j][a] * inverse[j][b]).sum::<f64>();
    let pairs = (0..k).flat_map(|a| (0..k).map(move |b| (a, b)));
    let spread: f64 = pairs.map(|(a, b)| means[a] * means[b] * covariance(a, b)).sum();
    let quantile = student(level, freedom);
    let coefficient = |name: &str, value: f64, variance: f64| {
        let standard_error = variance.max(0.0).sqrt();
        let reach = quantile * standard_error;
        Coefficient { name: name.into(), value, standard_error, low: value - reach, high: value + reach }
    };
    let offset = y_mean - slopes.iter().zip(&means).map(|(slope, mean)| slope * mean).sum::<f64>();
    Some(Regression {
        intercept: coefficient("intercept", offset, variance / n as f64 + spread),
        exponents: (0..k).map(|i| coefficient(&names[i], slopes[i], covariance(i, i))).collect(),
        r_squared: (whole > 0.0).then(|| 1.0 - left / whole),
        residual_deviation: variance.sqrt(),
        degrees_of_freedom: freedom,
    })
}

/// Orthonormal columns Q and the upper triangle R, by columns, of their coordinates; modified Gram-Schmidt, twice.
fn orthogonalise(columns: Columns) -> Option<(Columns, Columns)> {
    let k = columns.len();
    let (mut q, mut r): (Columns, Columns) = (Vec::new(), Vec::new());
    for (index, mut column) in columns.into_iter().enumerate() {
        let length = dot(&column, &column).sqrt();
        let mut coordinates = vec![0.0; k];
        for _ in 0..2 {
            for (other, coordinate) in q.iter().zip(&mut coordinates) {
                let part = dot(other, &column);
                *coordinate += part;
                column.iter_mut().zip(other).for_each(|(value, other)| *value -= part * other);
            }
        }
        let kept = dot(&column, &column).sqrt();
        if kept.is_nan() || kept <= DEPENDENT * length {
            return None;
        }
        coordinates[index] = kept;
        column.iter_mut().for_each(|value| *value /= kept);
        q.push(column);
        r.push(coordinates);
    }
    Some((q, r))
}

/// The inverse of an upper triangle, by columns.
fn invert(r: &[Vec<f64>]) -> Columns {
    let k = r.len();
    let mut inverse = vec![vec![0.0; k]; k];
    for (column, solution) in inverse.iter_mut().enumerate() {
        for row in (0..=column).rev() {
            let unit = f64::from(row == column);
            let known: f64 = (row + 1..=column).map(|j| r[j][row] * solution[j]).sum();
            solution[row] = (unit - known) / r[row][row];
        }
    }
    inverse
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
