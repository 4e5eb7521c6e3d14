//! The values that something is scanned over: numbers and ranges, never written out before they are counted.

use std::str::FromStr;

/// Numbers in the order they were asked for. Text such as `1,1.9,2.5` or `0.5..8/400`: numbers, and ranges
/// `LOW..HIGH/POINTS` that are spaced evenly on the logarithmic axis, separated by commas.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Number(f64),
    /// Both ends included; at least two points.
    Range {
        low: f64,
        high: f64,
        points: usize,
    },
}

impl Part {
    fn len(&self) -> usize {
        match *self {
            Part::Number(_) => 1,
            Part::Range { points, .. } => points,
        }
    }

    fn get(&self, index: usize) -> f64 {
        match *self {
            Part::Number(number) => number,
            // The ends are themselves, without the rounding of the power.
            Part::Range { high, points, .. } if index + 1 == points => high,
            Part::Range { low, high, points } => low * (high / low).powf(index as f64 / (points - 1) as f64),
        }
    }
}

/// A text that is no axis.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "`{text}` {problem}; write positive numbers and ranges LOW..HIGH/POINTS, separated by commas, such as 1,2.5 or \
     0.5..8/400"
)]
pub struct AxisError {
    /// The part that is wrong.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Axis {
    /// How many values it has; a number too large to count is the largest there is.
    pub fn len(&self) -> usize {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.len()))
    }

    /// Whether it has none, which no axis from a text is.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Value number `index`, counted from 0; none from [`Axis::len`] on.
    pub fn get(&self, mut index: usize) -> Option<f64> {
        for part in &self.parts {
            if index < part.len() {
                return Some(part.get(index));
            }
            index -= part.len();
        }
        None
    }

    /// All values, in order.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.parts.iter().flat_map(|part| (0..part.len()).map(|index| part.get(index)))
    }
}

impl From<Vec<f64>> for Axis {
    fn from(numbers: Vec<f64>) -> Self {
        Axis { parts: numbers.into_iter().map(Part::Number).collect() }
    }
}

impl FromStr for Axis {
    type Err = AxisError;

    fn from_str(text: &str) -> Result<Self, AxisError> {
        Ok(Axis { parts: text.split(',').map(part).collect::<Result<_, _>>()? })
    }
}

fn part(text: &str) -> Result<Part, AxisError> {
    let text = text.trim();
    let error = |problem| AxisError { text: text.into(), problem };
    let number = |text: &str| match text.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        Ok(_) => Err(error("is not positive and finite")),
        Err(_) => Err(error("is no number")),
    };
    let Some((low, rest)) = text.split_once("..") else {
        return number(text).map(Part::Number);
    };
    let (high, points) = rest.split_once('/').ok_or_else(|| error("does not say how many points"))?;
    let (low, high) = (number(low)?, number(high)?);
    let points = points.trim().parse().map_err(|_| error("does not say how many points"))?;
    if low >= high {
        return Err(error("does not rise"));
    }
    if points < 2 {
        return Err(error("has fewer than two points"));
    }
    Ok(Part::Range { low, high, points })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_come_in_the_order_asked() {
        let axis: Axis = "3, 1,10..1000/3".parse().unwrap();
        assert_eq!(axis.values().collect::<Vec<_>>(), [3.0, 1.0, 10.0, 100.0, 1000.0]);
        assert_eq!((axis.len(), axis.get(3), axis.get(5)), (5, Some(100.0), None));
    }

    #[test]
    fn what_is_too_long_to_write_out_is_counted_all_the_same() {
        let axis: Axis = "1..2/18446744073709551615,3".parse().unwrap();
        assert_eq!(axis.len(), usize::MAX);
        assert_eq!(axis.get(0), Some(1.0));
    }

    #[test]
    fn texts_that_mean_nothing_are_named() {
        for (text, problem) in [
            ("1,zwei", "`zwei` is no number"),
            ("", "`` is no number"),
            ("0", "`0` is not positive and finite"),
            ("-1", "`-1` is not positive and finite"),
            ("NaN", "`NaN` is not positive and finite"),
            ("inf", "`inf` is not positive and finite"),
            ("1..2", "`1..2` does not say how many points"),
            ("2..1/5", "`2..1/5` does not rise"),
            ("1..2/1", "`1..2/1` has fewer than two points"),
        ] {
            let error = text.parse::<Axis>().unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
    }
}
