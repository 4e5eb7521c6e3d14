//! Numbers that were measured.

use etalon::claims::{Interval, Sample};
use etalon::fit::{Coefficient, FitError, Options, Point, PowerLaw, power_law};
use etalon::interval::{of_mean, of_median};
use etalon::statistics::median;

/// A number, with the spread of what it was taken from. What is not finite is none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measurement {
    /// The number that the rule is about.
    pub(crate) value: Option<f64>,
    /// The lowest of those it was taken from.
    pub(crate) low: Option<f64>,
    /// The highest.
    pub(crate) high: Option<f64>,
    /// How many there were.
    pub(crate) count: usize,
    /// Where what it estimates lies; none where it is about all that was run.
    pub(crate) interval: Option<Interval>,
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Measurement {
    /// No number.
    pub(crate) const NONE: Measurement =
        Measurement { value: None, low: None, high: None, count: 0, interval: None };

    /// The number; NaN where there is none.
    pub(crate) fn number(&self) -> f64 {
        self.value.unwrap_or(f64::NAN)
    }

    /// A single number.
    pub(crate) fn one(value: f64) -> Self {
        Self::about(value, 1)
    }

    /// A number that is about so many others.
    pub(crate) fn about(value: f64, count: usize) -> Self {
        Measurement { value: finite(value), count, ..Self::NONE }
    }

    /// The same as an estimate from so many of something, with its interval.
    fn estimated(self, [low, high]: [f64; 2], samples: &[(&str, usize)]) -> Self {
        let sample = |&(of, count): &(&str, usize)| Sample { of: of.into(), count };
        let samples = samples.iter().map(sample).collect();
        Measurement { interval: Some(Interval { low: finite(low), high: finite(high), samples }), ..self }
    }

    /// The median of what seeds gave, as an estimate of that of all seeds.
    pub(crate) fn median(values: &[f64]) -> Self {
        let median = Self::of(median(values.iter().copied()), &sorted(values));
        median.estimated(of_median(values), &[("seeds", values.len())])
    }

    /// The mean of what seeds gave, as an estimate of that of all seeds.
    pub(crate) fn mean(values: &[f64]) -> Self {
        let (mean, ends) = of_mean(values, 0.0);
        Self::of(mean, &sorted(values)).estimated(ends, &[("seeds", values.len())])
    }

    /// A sum of accuracies, each with its factor, of the same seeds on the same held-out images: its mean over seeds, as an
    /// estimate of that of all seeds and images. Accuracies count as independent in what the images do to them, which is too
    /// much: networks fail at the same images. Where all images of the data set are held out (0), it is about those.
    pub(crate) fn contrast(terms: &[(f64, &[f64])], images: usize) -> Self {
        let seeds = terms.first().map_or(0, |(_, accuracies)| accuracies.len());
        let sum = |seed: usize| terms.iter().map(|(factor, accuracies)| factor * accuracies[seed]).sum();
        let sums: Vec<f64> = (0..seeds).map(sum).collect();
        let mean = |accuracies: &[f64]| accuracies.iter().sum::<f64>() / accuracies.len() as f64;
        let variance = |(factor, accuracies): &(f64, &[f64])| {
            let mean = mean(accuracies);
            factor * factor * mean * (1.0 - mean)
        };
        let of_images = match images {
            0 => 0.0,
            _ => terms.iter().map(variance).sum::<f64>() / images as f64,
        };
        let (mean, ends) = of_mean(&sums, of_images);
        let samples = [("seeds", seeds), ("held-out images", images)];
        Self::of(mean, &sorted(&sums)).estimated(ends, if images == 0 { &samples[..1] } else { &samples })
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

    /// The exponent of one of the sizes of a power law that has an exponent for each, as an estimate from its points.
    pub(crate) fn free_exponent(law: &PowerLaw, index: usize) -> Self {
        let exponent = law.free.as_ref().and_then(|free| free.exponents.get(index));
        exponent.map_or(Self::NONE, |exponent| Self::of_exponent(exponent, law.points))
    }

    /// The joint exponent of a power law, as an estimate from its points.
    pub(crate) fn exponent(law: &PowerLaw) -> Self {
        // A fit has as many exponents as it has columns, and a joint one has one.
        Self::of_exponent(&law.joint.exponents[0], law.points)
    }

    fn of_exponent(exponent: &Coefficient, points: usize) -> Self {
        Self::about(exponent.value, points).estimated([exponent.low, exponent.high], &[("points", points)])
    }

    /// An exponent less another, whose errors are independent.
    pub(crate) fn difference(law: &PowerLaw, other: &PowerLaw) -> Self {
        let [a, b] = [law, other].map(|law| &law.joint.exponents[0]);
        let reach = (0.5 * (a.high - a.low)).hypot(0.5 * (b.high - b.low));
        let difference = a.value - b.value;
        Self::about(difference, law.points)
            .estimated([difference - reach, difference + reach], &[("points", law.points)])
    }

    /// The share of what is true.
    pub(crate) fn share(values: &[bool]) -> Self {
        let share = values.iter().filter(|&&value| value).count() as f64 / values.len() as f64;
        Self::about(share, values.len())
    }

    fn of(value: f64, sorted: &[f64]) -> Self {
        // One number that is none makes the whole unknown: it may not be passed over.
        if sorted.iter().any(|value| value.is_nan()) {
            return Self::about(f64::NAN, sorted.len());
        }
        let end = |value: Option<&f64>| value.copied().and_then(finite);
        Measurement {
            value: finite(value),
            low: end(sorted.first()),
            high: end(sorted.last()),
            count: sorted.len(),
            interval: None,
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

/// The correlation of two columns of as many numbers; NaN of fewer than two, and where one does not vary.
pub(crate) fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let centred = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect::<Vec<f64>>()
    };
    let (x, y) = (centred(x), centred(y));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()
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
    /// The table's rows, each as long as its columns are many.
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
    use etalon::sweep::{Selection, Table, points};
    use etalon_report::figure::{Columns, curves};

    #[test]
    fn measurements_keep_their_spread_and_nothing_hides() {
        let values = [3.0, 1.0, 2.0, 5.0];
        let median = Measurement::median(&values);
        assert_eq!((median.value, median.count), (Some(2f64.sqrt() * 3f64.sqrt()), 4));
        assert_eq!((median.low, median.high), (Some(1.0), Some(5.0)));
        let none = Interval { low: None, high: None, samples: vec![Sample { of: "seeds".into(), count: 4 }] };
        assert_eq!(median.interval, Some(none));
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
        // Of 1, 2, 3 with 1, 3, 2: the sum of products 1, the sums of squares 2.
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]), 0.5);
        assert!(correlation(&[1.0, 1.0], &[1.0, 2.0]).is_nan() && correlation(&[], &[]).is_nan());
        assert!(spread(&[1.0, f64::NAN]).is_nan());
    }

    #[test]
    fn a_contrast_has_the_variance_of_its_seeds_and_of_its_images() {
        let (large, small) = ([0.6, 0.7, 0.8], [0.5, 0.5, 0.5]);
        let contrast = |images| Measurement::contrast(&[(1.0, &large), (-1.0, &small)], images);
        // Means 0.2 and deviation 0.1; with 46 images 0.7 0.3 / 46 + 0.25 / 46 = 0.01 is added to 0.01 / 3.
        let reach = |images| {
            let interval = contrast(images).interval.unwrap();
            0.5 * (interval.high.unwrap() - interval.low.unwrap())
        };
        assert!((contrast(0).number() - 0.2).abs() < 1e-12 && (reach(46) / reach(0) - 2.0).abs() < 1e-12);
        assert_eq!(
            contrast(46).interval.unwrap().samples[1],
            Sample { of: "held-out images".into(), count: 46 }
        );
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
