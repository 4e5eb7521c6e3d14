//! Axes: what they show, where they end, and where a value lies on them.

use super::FigureError;
use super::ticks::{even_ticks, text, ticks};

/// A ruler of a figure: what it measures, in which unit, and how it is marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The quantity, as the figure names it.
    pub label: String,
    /// In what unit; empty for a plain number.
    pub unit: String,
    /// How values are spread over it.
    pub scale: Scale,
    /// Whether it ends where the values do, without room beyond.
    pub tight: bool,
    /// Marks and their texts; where there are none, round numbers.
    pub marks: Vec<(f64, String)>,
    /// Its ends where they are given, beyond which nothing has a place.
    pub limits: Option<[f64; 2]>,
}

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// By their logarithm.
    Log,
    /// Evenly.
    Even,
    /// Evenly, and the values are powers of ten: marks say `1e3` at 3. For numbers that no float holds.
    Exponent,
}

/// An axis with its ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ruler<'a> {
    pub axis: &'a Axis,
    pub low: f64,
    pub high: f64,
    /// Values that lie so far from all others that the axis ends before them.
    pub beyond: usize,
}

impl Axis {
    fn new(label: impl Into<String>, scale: Scale) -> Axis {
        Axis {
            label: label.into(),
            unit: String::new(),
            scale,
            tight: false,
            marks: Vec::new(),
            limits: None,
        }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Axis {
        Axis::new(label, Scale::Log)
    }

    /// An even axis.
    pub fn even(label: impl Into<String>) -> Axis {
        Axis::new(label, Scale::Even)
    }

    /// An axis of powers of ten.
    pub fn exponent(label: impl Into<String>) -> Axis {
        Axis::new(label, Scale::Exponent)
    }

    /// The axis of the steps of training.
    pub fn steps() -> Axis {
        Axis::even("step").tight()
    }

    /// The same axis with a unit.
    pub fn in_unit(mut self, unit: impl Into<String>) -> Axis {
        self.unit = unit.into();
        self
    }

    /// The same axis, ending where the values do.
    pub fn tight(mut self) -> Axis {
        self.tight = true;
        self
    }

    /// The same axis from one value to another.
    ///
    /// # Errors
    /// When they have no place on it in that order.
    pub fn within(mut self, limits: [f64; 2]) -> Result<Axis, FigureError> {
        self.limits = None;
        if !(self.takes(limits[0]) && self.takes(limits[1]) && limits[0] < limits[1]) {
            return Err(FigureError::Limits { label: self.label, limits });
        }
        self.limits = Some(limits);
        Ok(self)
    }

    /// The label and the unit.
    pub fn text(&self) -> String {
        if self.unit.is_empty() { self.label.clone() } else { format!("{} ({})", self.label, self.unit) }
    }

    /// Whether a value has a place on such an axis.
    pub(super) fn takes(&self, value: f64) -> bool {
        value.is_finite()
            && (self.scale != Scale::Log || value > 0.0)
            && self.limits.is_none_or(|[low, high]| (low..=high).contains(&value))
    }

    /// The axis around values, which need not be in order; those that have no place on it are left out. None where there
    /// is no value.
    pub(super) fn around(&self, values: impl Iterator<Item = f64>) -> Option<Ruler<'_>> {
        let mut values: Vec<f64> = values.filter(|&value| self.takes(value)).collect();
        values.sort_by(f64::total_cmp);
        let all = values.len();
        let values = if self.scale == Scale::Even && !self.tight { common(&values) } else { &values[..] };
        let (&[mut low, ..], &[.., mut high]) = (values, values) else { return None };
        if let Some([low, high]) = self.limits {
            return Some(Ruler { axis: self, low, high, beyond: 0 });
        }
        match self.scale {
            Scale::Log => {
                // The quotient of two numbers may be none.
                let room = (0.06 * (high.ln() - low.ln())).exp().max(1.05);
                if !self.tight || low == high {
                    (low, high) = ((low / room).max(f64::MIN_POSITIVE), (high * room).min(f64::MAX));
                }
            }
            Scale::Even | Scale::Exponent => {
                // A twentieth of a decade at least; and around a single value something that changes it.
                let decades = if self.scale == Scale::Exponent { 0.05 } else { 0.0 };
                let single = if low == high { (0.02 * high.abs()).max(1e-300) } else { 0.0 };
                let room = (0.04 * (high - low)).max(decades).max(single);
                if !self.tight || low == high {
                    (low, high) = (low - room, high + room);
                }
            }
        }
        Some(Ruler { axis: self, low, high, beyond: all - values.len() })
    }
}

/// Sorted values without those that would flatten all others: few, and many times farther from the middle half than it is
/// wide.
fn common(values: &[f64]) -> &[f64] {
    /// How many widths of the middle half.
    const FAR: f64 = 12.0;
    let count = values.len();
    if count < 8 {
        return values;
    }
    let (low, high) = (values[count / 4], values[count - 1 - count / 4]);
    let room = FAR * (high - low);
    let near = |value: &f64| (low - room..=high + room).contains(value);
    let first = values.iter().position(near).unwrap_or(0);
    let last = values.iter().rposition(near).map_or(count, |last| last + 1);
    if room > 0.0 && count - (last - first) <= (count / 50).max(1) { &values[first..last] } else { values }
}

impl Ruler<'_> {
    /// The axis's label and unit, and what it leaves out.
    pub(super) fn text(&self) -> String {
        let text = self.axis.text();
        match self.beyond {
            0 => text,
            1 => format!("{text}; 1 value beyond"),
            beyond => format!("{text}; {beyond} values beyond"),
        }
    }

    /// The share of the axis that lies below a value; what lies beyond an end is at the end.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.axis.scale == Scale::Log && value <= 0.0 {
            return 0.0;
        }
        let share = match self.axis.scale {
            Scale::Log => (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
            Scale::Even | Scale::Exponent => (value - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }

    /// Marks and their texts.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        if !self.axis.marks.is_empty() {
            return self.axis.marks.clone();
        }
        let even = || even_ticks(self.low, self.high).into_iter();
        match self.axis.scale {
            Scale::Log => log_marks(self.low, self.high),
            Scale::Even => even().map(|tick| (tick, even_text(tick))).collect(),
            // Ends that are numbers have the marks of a logarithmic axis.
            Scale::Exponent if self.low > -300.0 && self.high < 300.0 => {
                let marks = log_marks(10f64.powf(self.low), 10f64.powf(self.high)).into_iter();
                marks.map(|(tick, text)| (tick.log10(), text)).collect()
            }
            Scale::Exponent => even().map(|tick| (tick, format!("1e{tick}"))).collect(),
        }
    }
}

/// Marks of a logarithmic axis and their texts; those of an even one where it is so short that fewer than three would be left.
fn log_marks(low: f64, high: f64) -> Vec<(f64, String)> {
    let marks = ticks(low, high);
    if marks.len() < 3 {
        return even_ticks(low, high).into_iter().map(|tick| (tick, even_text(tick))).collect();
    }
    marks.into_iter().map(|tick| (tick, text(tick))).collect()
}

/// A mark's text on an even axis.
fn even_text(tick: f64) -> String {
    let plain = tick == 0.0 || (1e-3..1e6).contains(&tick.abs());
    // A product with a large power of ten is rounded; what is beyond ten digits is no part of a mark.
    let rounded = || format!("{tick:.9e}").parse().unwrap_or(tick);
    if plain { tick.to_string() } else { format!("{:e}", rounded()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_around_what_has_a_place_on_it() {
        let log = Axis::log("loss");
        let ruler = log.around([0.0, -1.0, f64::NAN, f64::INFINITY, 0.1, 10.0].into_iter()).unwrap();
        assert!(ruler.low < 0.1 && ruler.low > 0.05 && ruler.high > 10.0 && ruler.high < 20.0);
        assert!((ruler.share(1.0) - 0.5).abs() < 1e-12);
        assert_eq!((ruler.share(1e-9), ruler.share(1e9)), (0.0, 1.0));
        assert_eq!(log.around([0.0, f64::NAN].into_iter()), None);
        let tight = Axis::steps();
        let ruler = tight.around([0.0, 60.0].into_iter()).unwrap();
        assert_eq!((ruler.low, ruler.high), (0.0, 60.0));
    }

    #[test]
    fn a_single_value_has_room_on_every_axis() {
        for axis in [Axis::log("a"), Axis::even("b"), Axis::steps(), Axis::exponent("c")] {
            for value in [1e-300, 0.5, 3.0, 1e300] {
                let ruler = axis.around([value].into_iter()).unwrap();
                let share = ruler.share(value);
                assert!(ruler.low < ruler.high && (0.01..0.99).contains(&share), "{axis:?} {value} {share}");
            }
        }
        assert!(Axis::even("zero").around([0.0].into_iter()).unwrap().share(0.0) == 0.5);
    }

    #[test]
    fn marks_of_an_even_axis_are_short_however_large_the_numbers_are() {
        let axis = Axis::even("loss");
        for high in [2e7, 5.3e33, 7e-9, 3.1e120, -4.7e45] {
            let ruler = axis.around([0.0, high].into_iter()).unwrap();
            let marks = ruler.ticks();
            assert!(marks.len() > 2 && marks.iter().all(|(_, text)| text.len() < 8), "{marks:?}");
        }
    }

    #[test]
    fn a_short_logarithmic_axis_has_marks_enough_to_read_values() {
        let texts = |low: f64, high: f64| {
            let axis = Axis::log("rate").within([low, high]).unwrap();
            let ruler = axis.around([low].into_iter()).unwrap();
            ruler.ticks().into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(0.42, 0.56), ["0.45", "0.5", "0.55"]);
        assert_eq!(texts(0.97, 1.04), ["0.98", "1", "1.02", "1.04"]);
        assert_eq!(texts(1.9e-9, 2.1e-9), ["1.9e-9", "1.95e-9", "2e-9", "2.05e-9", "2.1e-9"]);
        assert_eq!(texts(1.2, 4.5), ["1.5", "2", "3", "4"]);
    }

    #[test]
    fn one_outlier_does_not_flatten_the_rest_and_a_wide_spread_is_none() {
        let axis = Axis::even("loss");
        let mut values: Vec<f64> = (0..30).map(|step| 1.0 + 0.01 * f64::from(step)).collect();
        values.push(4000.0);
        let ruler = axis.around(values.iter().copied()).unwrap();
        assert!(ruler.high < 1.5 && ruler.text() == "loss; 1 value beyond", "{ruler:?}");
        assert_eq!(ruler.share(4000.0), 1.0, "it lies at the edge");
        let doubling = (0..30).map(|step| f64::from(step).exp2());
        assert!(axis.around(doubling).unwrap().high > 5e8);
        let ruler = Axis::log("loss").around(values.into_iter()).map(|ruler| ruler.high);
        assert!(ruler.unwrap() > 4000.0, "a logarithmic axis has room");
    }

    #[test]
    fn limits_are_the_ends_and_nothing_beyond_has_a_place() {
        let axis = Axis::log("eta").within([0.1, 10.0]).unwrap();
        let ruler = axis.around([0.01, 1.0, 100.0].into_iter()).unwrap();
        assert_eq!((ruler.low, ruler.high), (0.1, 10.0));
        assert!(!axis.takes(0.01) && axis.takes(10.0));
        for limits in [[0.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0]] {
            let error = Axis::log("eta").within(limits).unwrap_err().to_string();
            assert!(error.contains("the axis `eta`"), "{error}");
        }
    }

    #[test]
    fn a_unit_stands_beside_its_label() {
        assert_eq!(Axis::log("loss").in_unit("nats").text(), "loss (nats)");
        assert_eq!(Axis::log("loss").text(), "loss");
    }
}
