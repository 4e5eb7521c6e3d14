//! Numbers that were measured.

use etalon::fit::PowerLaw;
use etalon::statistics::median;

/// A number, with the spread of what it was taken from. What is not finite is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The number that the rule is about.
    pub value: Option<f64>,
    /// The lowest of those it was taken from, or the lower end of its interval.
    pub low: Option<f64>,
    /// The highest.
    pub high: Option<f64>,
    /// How many there were.
    pub count: usize,
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Reading {
    /// A single number.
    pub fn one(value: f64) -> Self {
        Reading { value: finite(value), low: None, high: None, count: 1 }
    }

    /// A number with its interval, taken from so many.
    pub fn interval(value: f64, [low, high]: [f64; 2], count: usize) -> Self {
        Reading { value: finite(value), low: finite(low), high: finite(high), count }
    }

    /// The median.
    pub fn median(values: &[f64]) -> Self {
        Self::of(median(values.iter().copied()), &sorted(values))
    }

    /// The largest.
    pub fn most(values: &[f64]) -> Self {
        let sorted = sorted(values);
        Self::of(sorted.last().copied().unwrap_or(f64::NAN), &sorted)
    }

    /// The smallest.
    pub fn least(values: &[f64]) -> Self {
        let sorted = sorted(values);
        Self::of(sorted.first().copied().unwrap_or(f64::NAN), &sorted)
    }

    /// The one that is farthest from where it should be.
    pub fn farthest(values: &[f64], from: f64) -> Self {
        let farther = |a: f64, b: f64| if (b - from).abs() > (a - from).abs() { b } else { a };
        Self::of(values.iter().copied().reduce(farther).unwrap_or(f64::NAN), &sorted(values))
    }

    /// The joint exponent of a power law, with its interval.
    pub fn exponent(law: &PowerLaw) -> Self {
        // A fit has as many exponents as it has columns, and a joint one has one.
        let exponent = &law.joint.exponents[0];
        Self::interval(exponent.value, [exponent.low, exponent.high], law.points)
    }

    /// The share of what is true.
    pub fn share(values: &[bool]) -> Self {
        let share = values.iter().filter(|&&value| value).count() as f64 / values.len() as f64;
        Reading { value: finite(share), low: None, high: None, count: values.len() }
    }

    fn of(value: f64, sorted: &[f64]) -> Self {
        // One number that is none makes the whole unknown: it may not be passed over.
        if sorted.iter().any(|value| value.is_nan()) {
            return Reading { value: None, low: None, high: None, count: sorted.len() };
        }
        let end = |value: Option<&f64>| value.copied().and_then(finite);
        Reading {
            value: finite(value),
            low: end(sorted.first()),
            high: end(sorted.last()),
            count: sorted.len(),
        }
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// What was measured on the way, as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Its name, which is that of its file.
    pub name: &'static str,
    /// The names of its columns.
    pub columns: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Vec<f64>>,
}

impl Curve {
    /// As CSV; what is not finite is empty.
    pub fn csv(&self) -> String {
        let mut text = self.columns.join(",") + "\n";
        for row in &self.rows {
            let cells =
                row.iter().map(|value| if value.is_finite() { value.to_string() } else { String::new() });
            text += &(cells.collect::<Vec<_>>().join(",") + "\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_keep_their_spread_and_nothing_hides() {
        let values = [3.0, 1.0, 2.0, 5.0];
        assert_eq!(
            Reading::median(&values),
            Reading { value: Some(2f64.sqrt() * 3f64.sqrt()), low: Some(1.0), high: Some(5.0), count: 4 }
        );
        assert_eq!((Reading::most(&values).value, Reading::least(&values).value), (Some(5.0), Some(1.0)));
        assert_eq!(Reading::median(&[1.0, f64::NAN]).value, None);
        assert_eq!(Reading::least(&[1.0, f64::NAN]).value, None);
        assert_eq!(Reading::most(&[1.0, f64::INFINITY]).value, None);
        assert_eq!(Reading::median(&[]).value, None);
        assert_eq!(Reading::share(&[true, false]).value, Some(0.5));
        assert_eq!(Reading::share(&[]).value, None);
    }

    #[test]
    fn curves_are_csv() {
        let curve =
            Curve { name: "c", columns: &["step", "loss"], rows: vec![vec![0.0, 1.5], vec![1.0, f64::NAN]] };
        assert_eq!(curve.csv(), "step,loss\n0,1.5\n1,\n");
    }
}
