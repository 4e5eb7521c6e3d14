//! Where an axis has its marks.

/// Marks within each power of ten where the range is short, else at powers of ten, every so many where there would be
/// more than a dozen.
pub(super) fn ticks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = high.log10() - low.log10();
    let factors: &[f64] = if decades < 1.5 {
        &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]
    } else if decades < 3.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let stride = ((decades / 12.0).ceil() as i32).max(1);
    let all = (first..=last).filter(|power| power.rem_euclid(stride) == 0);
    // A mark at the very end may miss it by rounding.
    let inside = |tick: &f64| *tick >= low * (1.0 - 1e-12) && *tick <= high * (1.0 + 1e-12);
    // A quotient of whole numbers is rounded once, so that a mark is the number that people write.
    let scaled = |factor: f64, power: i32| {
        if power < 0 { (10.0 * factor).round() / 10f64.powi(1 - power) } else { factor * 10f64.powi(power) }
    };
    all.flat_map(|power| factors.iter().map(move |&factor| scaled(factor, power))).filter(inside).collect()
}

/// Marks of an even axis: about six of them, at multiples of 1, 2 or 5 times a power of ten.
pub(super) fn even_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    // The reciprocal of a lower power is no number, and a step of 0 has no end.
    let power = (rough.log10().floor() as i32).max(-308);
    let digit = rough / 10f64.powi(power);
    let digit = [1.0, 2.0, 5.0, 10.0].into_iter().find(|&nice| nice >= digit * (1.0 - 1e-12)).unwrap_or(10.0);
    // A quotient of whole numbers is rounded once, as for the logarithmic axis.
    let mark = |index: f64| {
        if power < 0 { index * digit / 10f64.powi(-power) } else { index * digit * 10f64.powi(power) }
    };
    let step = mark(1.0);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|index| mark(index as f64)).collect()
}

/// A mark's text: plain up to a million and down to a thousandth, else as a power of ten.
pub(super) fn text(tick: f64) -> String {
    if (1e-3..1e6).contains(&tick) {
        // Marks have two digits; the rest is rounding.
        let digits = (1 - tick.log10().floor() as i32).max(0) as usize;
        let text = format!("{tick:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
    } else {
        format!("{tick:.0e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ranges_have_marks_between_the_powers_of_ten() {
        assert_eq!(ticks(0.5, 8.0), [0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]);
        assert_eq!(ticks(0.5, 40.0), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(ticks(10.0, 1e6), [10.0, 1e2, 1e3, 1e4, 1e5, 1e6]);
        assert_eq!(ticks(1.2, 4.5), [1.5, 2.0, 3.0, 4.0]);
        assert_eq!(ticks(1e-20, 1e20).len(), 11);
    }

    #[test]
    fn even_axes_have_about_six_round_marks() {
        assert_eq!(even_ticks(0.0, 600.0), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0]);
        assert_eq!(even_ticks(-3.2, 0.4), [-3.0, -2.0, -1.0, 0.0]);
        assert_eq!(even_ticks(0.0, 0.7), [0.0, 0.2, 0.4, 0.6]);
        assert_eq!(even_ticks(-2.0, 310.0), [0.0, 100.0, 200.0, 300.0]);
    }

    #[test]
    fn an_axis_shorter_than_any_step_has_few_marks() {
        let ticks = even_ticks(0.0, 1e-310);
        assert!(!ticks.is_empty() && ticks.len() < 10, "{ticks:?}");
    }

    #[test]
    fn marks_are_written_as_people_write_them() {
        for (tick, expected) in [
            (0.5, "0.5"),
            (2.5, "2.5"),
            (10.0, "10"),
            (1e5, "100000"),
            (1e6, "1e6"),
            (0.002, "0.002"),
            (1e-9, "1e-9"),
        ] {
            assert_eq!(text(tick), expected);
        }
    }
}
