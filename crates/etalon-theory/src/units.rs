//! Numbers as people read them.

/// A number rounded to so many significant digits: `0.0123`, `4.57`, `12300`, `1.23e-7`.
pub fn significant(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return number.to_string().to_lowercase();
    }
    let decimals = digits.max(1) - 1;
    let scientific = format!("{number:.decimals$e}");
    // `{:e}` always writes an `e`, and what it writes reads back.
    let (_, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..7).contains(&exponent) {
        return scientific;
    }
    let rounded: f64 = scientific.parse().unwrap_or(number);
    format!("{rounded:.*}", (decimals as i32 - exponent).max(0) as usize)
}

/// Reads a number as JSON has it, where `null` stands for one that is not finite.
///
/// # Errors
/// Where it is neither.
pub fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number: Option<f64> = serde::Deserialize::deserialize(deserializer)?;
    Ok(number.unwrap_or(f64::NAN))
}

/// As [`number`], of two.
///
/// # Errors
/// Where they are not.
pub fn numbers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[f64; 2], D::Error> {
    let both: [Option<f64>; 2] = serde::Deserialize::deserialize(deserializer)?;
    Ok(both.map(|number| number.unwrap_or(f64::NAN)))
}

/// As [`number`], of a list.
///
/// # Errors
/// Where one is neither.
pub fn list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let all: Vec<Option<f64>> = serde::Deserialize::deserialize(deserializer)?;
    Ok(all.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}

/// Reads logarithms, where `null` stands for that of 0.
///
/// # Errors
/// Where they are none.
pub fn logarithms<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let all: Vec<Option<f64>> = serde::Deserialize::deserialize(deserializer)?;
    Ok(all.into_iter().map(|number| number.unwrap_or(f64::NEG_INFINITY)).collect())
}

/// A count and its noun: `1 figure`, `2 figures`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A size with its unit: `47.0 MB`; units are powers of 1000.
pub fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut size = count as f64 / 1000.0;
    let mut unit = 0;
    // From 999.5 on, three digits round to 1000.
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{} {}", significant(size, 3), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_significant_digits() {
        for (number, digits, expected) in [
            (0.0, 3, "0.00"),
            (0.0123456, 3, "0.0123"),
            (-4.5678, 3, "-4.57"),
            (9.999, 3, "10.0"),
            (12345.6, 3, "12300"),
            (1234567.0, 9, "1234567.00"),
            (0.000123456, 3, "0.000123"),
            (1.23456e-7, 3, "1.23e-7"),
            (9.9999e6, 3, "1.00e7"),
            (5.0, 0, "5"),
            (f64::NAN, 3, "nan"),
            (f64::NEG_INFINITY, 3, "-inf"),
        ] {
            assert_eq!(significant(number, digits), expected, "{number} to {digits} digits");
        }
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [0, 999, 1000, 999_499, 999_500, 47_040_016, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.00 kB", "999 kB", "1.00 MB", "47.0 MB", "18.4 EB"]);
    }
}
