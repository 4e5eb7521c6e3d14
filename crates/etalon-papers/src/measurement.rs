//! Numbers that were measured.

use etalon::fit::{FitError, Options, Point, PowerLaw, power_law};
use etalon::statistics::median;

/// A number, with the spread of what it was taken from. What is not finite is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measurement {
    /// The number that the rule is about.
    pub(crate) value: Option<f64>,
    /// The lowest of those it was taken from, or the lower end of its interval.
    pub(crate) low: Option<f64>,
    /// The highest.
    pub(crate) high: Option<f64>,
    /// How many there were.
    pub(crate) count: usize,
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Measurement {
    /// No number.
    pub(crate) const NONE: Measurement = Measurement { value: None, low: None, high: None, count: 0 };

    /// The number; NaN where there is none.
    pub(crate) fn number(self) -> f64 {
        self.value.unwrap_or(f64::NAN)
    }

    /// A single number.
    pub(crate) fn one(value: f64) -> Self {
        Measurement { value: finite(value), low: None, high: None, count: 1 }
    }

    /// A number with its interval, taken from so many.
    pub(crate) fn interval(value: f64, [low, high]: [f64; 2], count: usize) -> Self {
        Measurement { value: finite(value), low: finite(low), high: finite(high), count }
    }

    /// The median.
    pub(crate) fn median(values: &[f64]) -> Self {
        Self::of(median(values.iter().copied()), &sorted(values))
    }

    /// The largest.
    pub(crate) fn most(values: &[f64]) -> Self {
        let sorted = sorted(values);
        Self::of(sorted.last().copied().unwrap_or(f64::NAN), &sorted)
    }

    /// The smallest.
    pub(crate) fn least(values: &[f64]) -> Self {
        let sorted = sorted(values);
        Self::of(sorted.first().copied().unwrap_or(f64::NAN), &sorted)
    }

    /// The one that is farthest from where it should be.
    pub(crate) fn farthest(values: &[f64], from: f64) -> Self {
        let farther = |a: f64, b: f64| if (b - from).abs() > (a - from).abs() { b } else { a };
        Self::of(values.iter().copied().reduce(farther).unwrap_or(f64::NAN), &sorted(values))
    }

    /// The joint exponent of a power law, with its interval.
    pub(crate) fn exponent(law: &PowerLaw) -> Self {
        // A fit has as many exponents as it has columns, and a joint one has one.
        let exponent = &law.joint.exponents[0];
        Self::interval(exponent.value, [exponent.low, exponent.high], law.points)
    }

    /// The share of what is true.
    pub(crate) fn share(values: &[bool]) -> Self {
        let share = values.iter().filter(|&&value| value).count() as f64 / values.len() as f64;
        Measurement { value: finite(share), low: None, high: None, count: values.len() }
    }

    fn of(value: f64, sorted: &[f64]) -> Self {
        // One number that is none makes the whole unknown: it may not be passed over.
        if sorted.iter().any(|value| value.is_nan()) {
            return Measurement { value: None, low: None, high: None, count: sorted.len() };
        }
        let end = |value: Option<&f64>| value.copied().and_then(finite);
        Measurement {
            value: finite(value),
            low: end(sorted.first()),
            high: end(sorted.last()),
            count: sorted.len(),
        }
    }
}

/// The largest of some numbers over the smallest; NaN where one of them is none.
pub(crate) fn spread(values: &[f64]) -> f64 {
    Measurement::most(values).number() / Measurement::least(values).number()
}

/// `y` as a power of `x`, by pairs of both.
pub(crate) fn law(x: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Result<PowerLaw, FitError> {
    let point = |(x, y): (f64, f64)| Point { label: x.to_string(), x: vec![x], y };
    let points: Vec<Point> = points.into_iter().map(point).collect();
    power_law("y", &[x.into()], &points, Vec::new(), &Options::default())
}

/// A power law's joint exponent.
pub(crate) fn exponent(law: &PowerLaw) -> f64 {
    law.joint.exponents[0].value
}

/// How much of the logarithms' variance a power law explains; NaN where that is not known.
pub(crate) fn r_squared(law: &PowerLaw) -> f64 {
    law.joint.r_squared.unwrap_or(f64::NAN)
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
    use etalon::figure::{Columns, curves};
    use etalon::sweep::{Selection, Table, points};

    #[test]
    fn measurements_keep_their_spread_and_nothing_hides() {
        let values = [3.0, 1.0, 2.0, 5.0];
        assert_eq!(
            Measurement::median(&values),
            Measurement { value: Some(2f64.sqrt() * 3f64.sqrt()), low: Some(1.0), high: Some(5.0), count: 4 }
        );
        assert_eq!(
            (Measurement::most(&values).value, Measurement::least(&values).value),
            (Some(5.0), Some(1.0))
        );
        assert_eq!(Measurement::median(&[1.0, f64::NAN]).value, None);
        assert_eq!(Measurement::least(&[1.0, f64::NAN]).value, None);
        assert_eq!(Measurement::most(&[1.0, f64::INFINITY]).value, None);
        assert_eq!(Measurement::median(&[]).value, None);
        assert_eq!(Measurement::share(&[true, false]).value, Some(0.5));
        assert_eq!(Measurement::share(&[]).value, None);
        assert_eq!(spread(&values), 5.0);
        assert!(spread(&[1.0, f64::NAN]).is_nan());
    }

    /// Whoever folds seeds folds them in the same way.
    #[test]
    fn plots_fits_and_claims_have_the_same_median() {
        let text = "trial,network.width,seed,eta_star\na,64,0,1\nb,64,1,4\nc,128,0,9\nd,128,1,4\n";
        let table = Table::parse(text).unwrap();
        let (x, y) = ("network.width".to_string(), "eta_star".to_string());
        let columns = Columns { x: x.clone(), y: vec![y.clone()], by: Vec::new(), only: Vec::new() };
        let plotted: Vec<f64> =
            curves(&table, &columns).unwrap()[0].bands.iter().map(|band| band.median).collect();
        let selection = Selection { y, x: vec![x], only: Vec::new() };
        let fitted: Vec<f64> =
            points(&table, &selection).unwrap().points.iter().map(|point| point.y).collect();
        let claimed = [[1.0, 4.0], [9.0, 4.0]].map(|seeds| Measurement::median(&seeds).number());
        assert_eq!(plotted, [2.0, 6.0]);
        assert_eq!((&plotted, &plotted[..]), (&fitted, &claimed[..]));
    }

    #[test]
    fn curves_are_csv() {
        let curve =
            Curve { name: "c", columns: &["step", "loss"], rows: vec![vec![0.0, 1.5], vec![1.0, f64::NAN]] };
        assert_eq!(curve.csv(), "step,loss\n0,1.5\n1,\n");
    }
}
