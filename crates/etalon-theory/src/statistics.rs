//! The one median.

/// The median: the middle value; of an even number the geometric mean of the two in the middle where both are positive (what
/// is measured here are rates, curvatures, losses, whose axis is logarithmic), else their arithmetic mean. Infinite values
/// count as what they are; NaN where there is no value, or one that is no number.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    median_in(&mut values.into_iter().collect::<Vec<f64>>())
}

/// As [`median`], of values that may be put into another order. Allocates nothing.
pub fn median_in(values: &mut [f64]) -> f64 {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let (below, above) = middle_two(values);
    match below == above {
        true => below,
        // Not the root of the product, which can overflow.
        false if below > 0.0 => below.sqrt() * above.sqrt(),
        false => 0.5 * (below + above),
    }
}

/// The median of slopes and of other differences, whose axis is not logarithmic: of an even number always the arithmetic
/// mean of the two in the middle. There must be a value.
pub(crate) fn median_slope(slopes: impl IntoIterator<Item = f64>) -> f64 {
    let (below, above) = middle_two(&mut slopes.into_iter().collect::<Vec<f64>>());
    0.5 * (below + above)
}

/// The two values in the middle; twice the same of an odd number.
fn middle_two(values: &mut [f64]) -> (f64, f64) {
    let (is_even, half) = (values.len().is_multiple_of(2), values.len() / 2);
    let (lower, above, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let above = *above;
    (if is_even { lower.iter().copied().fold(f64::NEG_INFINITY, f64::max) } else { above }, above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_odd_number_it_is_the_middle_value_to_the_bit() {
        assert_eq!(median([0.1, 7.0, 0.3]), 0.3);
        assert_eq!(median([f64::INFINITY, 0.7, 0.0]), 0.7);
    }

    #[test]
    fn of_an_even_number_it_lies_between_the_middle_two() {
        assert_eq!(median([4.0, 1.0]), 2.0);
        assert_eq!(median([9.0, 1.0, 4.0, 0.5]), 2.0);
        assert_eq!(median([-1.0, 2.0]), 0.5);
        assert_eq!(median([0.0, 4.0]), 2.0);
        assert_eq!(median([1e200, 1e300]), 1e100 * 1e150);
        assert_eq!(median([1.0, f64::INFINITY]), f64::INFINITY);
    }

    #[test]
    fn differences_have_an_arithmetic_median() {
        assert_eq!(median_slope([4.0, 1.0]), 2.5);
        assert_eq!(median_slope([-1.0, 5.0, 2.0]), 2.0);
    }

    #[test]
    fn what_is_no_number_has_no_median() {
        assert!(median([]).is_nan() && median([1.0, f64::NAN, 2.0]).is_nan());
    }
}
