//! Groups of curves, such as the seeds of each rate or what is learnt of each kind of sample: a median and a band each.

use super::{Colour, Point, Series, Spread, Stroke, thin};
use etalon::statistics::median_in;
use std::collections::BTreeMap;

/// Points at most of a band.
const POINTS: usize = 300;

/// Curves that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they are called in the legend.
    pub name: String,
    /// For each, its values by step. A value that is no finite number counts as above all others: a median of seeds most
    /// of which have left the numbers has left them, too.
    pub curves: Vec<Vec<(u64, f64)>>,
}

/// A series for each group: the median over its curves at every step that one of them has, with the range of those that
/// are finite.
pub fn bands(groups: &[Group]) -> Vec<Series> {
    let band = |(index, group): (usize, &Group)| {
        let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for &(step, value) in group.curves.iter().flatten() {
            by_step.entry(step).or_default().push(if value.is_finite() { value } else { f64::INFINITY });
        }
        let point = |(step, mut values): (u64, Vec<f64>)| {
            // A curve that has ended early has left the numbers.
            values.resize(group.curves.len().max(values.len()), f64::INFINITY);
            values.sort_by(f64::total_cmp);
            let mut finite = values.iter().copied().filter(|value| value.is_finite());
            let ends = finite.clone().next().zip(finite.next_back());
            let spread = ends.filter(|_| values.len() > 1).map(|(low, high)| [low, high]);
            Point { x: step as f64, y: median_in(&mut values), spread, hollow: false }
        };
        let points: Vec<Point> = by_step.into_iter().map(point).collect();
        Series {
            name: group.name.clone(),
            colour: Colour::of(index),
            stroke: Stroke::Line,
            spread: Spread::Up,
            points: thin(&points, POINTS),
        }
    };
    groups.iter().enumerate().map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_the_median_and_the_range_of_what_is_finite() {
        let curves = vec![
            vec![(0, 1.0), (1, 2.0)],
            vec![(0, 3.0), (1, f64::NAN)],
            vec![(0, 2.0), (1, 4.0)],
            vec![(0, 9.0)],
        ];
        let group = |curves| Group { name: "η = 1".into(), curves };
        let [series] = &bands(&[group(curves)])[..] else { panic!("one series") };
        let point =
            |index: usize| (series.points[index].x, series.points[index].y, series.points[index].spread);
        assert_eq!(point(0), (0.0, 2f64.sqrt() * 3f64.sqrt(), Some([1.0, 9.0])));
        // Half of them have left the numbers.
        assert_eq!(point(1), (1.0, f64::INFINITY, Some([2.0, 4.0])));
        let [alone] = &bands(&[group(vec![vec![(0, 1.0), (1, f64::INFINITY)]])])[..] else {
            panic!("one series")
        };
        assert_eq!((alone.points[0].spread, alone.points[1].y), (None, f64::INFINITY));
    }
}
