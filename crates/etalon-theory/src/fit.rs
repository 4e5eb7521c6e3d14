//! Power laws: `y = exp(a) x1^b1 x2^b2 ...`, fitted on logarithms, with what was left out and why.
//!
//! Two laws stand side by side. The joint one has a single exponent for the product of all sizes, as in "eta* is a
//! power of depth x width"; the free one has an exponent for each. How far the second is the better one tells whether
//! the product is the right coordinate.

mod least_squares;
mod theil_sen;

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The fewest distinct sizes that a law is fitted to: two make any line exact, three leave one degree of freedom.
const MIN_SIZES: usize = 4;

/// One measurement at sizes such as depth and width.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What it is called where it is left out.
    pub label: String,
    /// The sizes, one for each name.
    pub x: Vec<f64>,
    /// What was measured; NaN where there was nothing.
    pub y: f64,
}

/// A measurement at one size, as it is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What it belongs to: marks of one group have one colour.
    pub group: String,
    /// The product of the sizes, as the joint law takes it.
    pub x: f64,
    /// The median over seeds.
    #[serde(deserialize_with = "crate::units::number")]
    pub y: f64,
    /// The least and the most of the seeds.
    #[serde(deserialize_with = "crate::units::numbers")]
    pub spread: [f64; 2],
    /// Whether the law was fitted to it.
    pub used: bool,
}

/// A law, and what it was fitted to and what not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// The exponents with their intervals.
    #[serde(flatten)]
    pub law: PowerLaw,
    /// The medians over seeds, those that were left out among them.
    pub marks: Vec<Mark>,
}

/// A point that was left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excluded {
    /// The label of the point.
    pub label: String,
    /// Why it was left out.
    pub reason: String,
}

/// A number with its uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// The size whose exponent it is, `a * b` for a product, or `intercept` (on the logarithm's scale).
    pub name: String,
    /// Its estimate by least squares.
    pub value: f64,
    /// The deviation of the estimate, from that of log y about the law.
    pub standard_error: f64,
    /// The lower end of the confidence interval, Student's at the level of the law.
    pub low: f64,
    /// The upper end of that interval.
    pub high: f64,
}

/// A line in logarithms by ordinary least squares: every residual of log y has the same variance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// `a` of `log y = a + ...`, in natural logarithms.
    pub intercept: Coefficient,
    /// The exponent of each size, or of their product alone.
    pub exponents: Vec<Coefficient>,
    /// The share of the variance of log y that the law explains; none where log y does not vary.
    pub r_squared: Option<f64>,
    /// The deviation of log y about the law.
    pub residual_deviation: f64,
    /// Points less coefficients; the intervals are Student's with so many.
    pub degrees_of_freedom: usize,
}

/// A line that a minority of wild points cannot move: the Theil-Sen estimator, the median of the slopes of all pairs,
/// with Sen's interval from the ranks (normal approximation, to the nearest rank, corrected for equal sizes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    /// The estimator by name, such as Theil-Sen.
    pub method: String,
    /// The exponent of the product of the sizes, the median slope.
    pub exponent: f64,
    /// The lower end of its confidence interval.
    pub low: f64,
    /// The upper end of that interval.
    pub high: f64,
    /// The median of `log y - exponent log x`.
    pub intercept: f64,
}

/// `y` as a power of sizes: `log y = a + b log(x1 x2 ...)`, and with an exponent for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// The name of what was measured, such as eta*.
    pub y: String,
    /// The names of the sizes.
    pub x: Vec<String>,
    /// The level of all intervals, such as 0.95.
    pub level: f64,
    /// How many points the law was fitted to, seeds counted one by one.
    pub points: usize,
    /// Distinct values of the product of the sizes among them.
    pub sizes: usize,
    /// One exponent for the product of all sizes.
    pub joint: Regression,
    /// An exponent for each size; none where there is but one size, or where the points cannot tell them apart.
    pub free: Option<Regression>,
    /// Why there is none.
    pub no_free: Option<String>,
    /// The joint law by a robust estimator, where it was asked for.
    pub robust: Option<Robust>,
    /// The points that were left out.
    pub excluded: Vec<Excluded>,
}

/// What to fit, apart from the points.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The level of the intervals, between 0 and 1.
    pub level: f64,
    /// Whether to fit the joint law robustly as well.
    pub robust: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { level: 0.95, robust: false }
    }
}

/// Why no law can be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Too few distinct sizes: two make any line exact.
    #[error(
        "{found} distinct sizes of {x} are left ({excluded} points were left out), and a power law needs {MIN_SIZES}; measure more sizes"
    )]
    TooFewSizes {
        /// The product of the sizes.
        x: String,
        /// How many there are.
        found: usize,
        /// How many points were left out.
        excluded: usize,
    },
    /// A level that is none.
    #[error("the level of an interval is {0}; it must lie between 0 and 1, such as 0.95")]
    Level(f64),
    /// A point with another number of sizes than there are names.
    #[error(
        "the point {label} has {found} sizes, and there are {expected} names; give one size for each name"
    )]
    Sizes {
        /// The label of the point.
        label: String,
        /// How many sizes it has.
        found: usize,
        /// How many names there are.
        expected: usize,
    },
}

/// Fits `y` as a power of the sizes `x`. Points at which a logarithm does not exist are left out, with the reason;
/// `excluded` are points that the caller has left out already, to be reported with them.
///
/// # Errors
/// With fewer than four distinct products of the sizes, or a level outside (0, 1).
pub fn power_law(
    y: &str,
    x: &[String],
    points: &[Point],
    mut excluded: Vec<Excluded>,
    options: &Options,
) -> Result<PowerLaw, FitError> {
    let level = options.level;
    if !(level > 0.0 && level < 1.0) {
        return Err(FitError::Level(level));
    }
    let (mut sizes, mut logs) = (Vec::new(), Vec::new());
    for Point { label, x: values, y: value } in points {
        if values.len() != x.len() {
            let (found, expected) = (values.len(), x.len());
            return Err(FitError::Sizes { label: label.clone(), found, expected });
        }
        let named = x.iter().zip(values).chain([(&y.to_string(), value)]).find_map(|(name, &value)| {
            (!(value > 0.0 && value.is_finite())).then(|| match value.is_nan() {
                true => format!("{name} is missing"),
                false => format!("{name} is {value}, which has no logarithm"),
            })
        });
        if let Some(reason) = named {
            excluded.push(Excluded { label: label.clone(), reason });
            continue;
        }
        sizes.push(values.iter().map(|&value| libm::log(value)).collect::<Vec<f64>>());
        logs.push(libm::log(*value));
    }
    let products: Vec<f64> = sizes.iter().map(|logs| logs.iter().sum()).collect();
    // Sums of logarithms of equal products may differ by rounding.
    let distinct: HashSet<i64> = products.iter().map(|log| (log * 1e9).round() as i64).collect();
    let name = x.join(" * ");
    if distinct.len() < MIN_SIZES {
        return Err(FitError::TooFewSizes { x: name, found: distinct.len(), excluded: excluded.len() });
    }
    let joint_columns: Vec<Vec<f64>> = products.iter().map(|&log| vec![log]).collect();
    let joint = least_squares::fit(std::slice::from_ref(&name), &joint_columns, &logs, level);
    // Four distinct values of the one column determine it.
    let Some(joint) = joint else {
        return Err(FitError::TooFewSizes { x: name, found: distinct.len(), excluded: excluded.len() });
    };
    let free = if x.len() > 1 { least_squares::fit(x, &sizes, &logs, level) } else { None };
    let no_free = match (&free, x.len()) {
        (Some(_), _) => None,
        (None, ..=1) => Some("there is one size, whose exponent is the joint one".into()),
        (None, _) => {
            Some(format!("{} points do not tell the exponents of {} apart", logs.len(), x.join(", ")))
        }
    };
    let robust = options.robust.then(|| theil_sen::fit(&products, &logs, level));
    Ok(PowerLaw {
        y: y.into(),
        x: x.to_vec(),
        level,
        points: logs.len(),
        sizes: distinct.len(),
        joint,
        free,
        no_free,
        robust,
        excluded,
    })
}

#[cfg(test)]
mod tests;
