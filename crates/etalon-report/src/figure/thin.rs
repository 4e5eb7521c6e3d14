//! Fewer points that look the same.

use super::Point;

/// At most `most` points of a series (four at least): the first and the last, and of every stretch between them the
/// lowest and the highest, so that no peak is lost. Points whose height is not finite count as the highest: a line must
/// break where it broke.
pub fn thin(points: &[Point], most: usize) -> Vec<Point> {
    if points.len() <= most.max(4) {
        return points.to_vec();
    }
    let inner = &points[1..points.len() - 1];
    let stretches = (most.max(4) - 2) / 2;
    let mut kept = vec![points[0]];
    for stretch in 0..stretches {
        let place = |index: usize| index * inner.len() / stretches;
        let part = &inner[place(stretch)..place(stretch + 1)];
        // Ordered as NaN, infinity, numbers.
        let rank = |point: &Point| if point.y.is_nan() { f64::INFINITY } else { point.y };
        let ordered = |a: &(usize, &Point), b: &(usize, &Point)| rank(a.1).total_cmp(&rank(b.1));
        let lowest = part.iter().enumerate().min_by(ordered);
        let highest = part.iter().enumerate().max_by(ordered);
        if let (Some((low, _)), Some((high, _))) = (lowest, highest) {
            kept.push(part[low.min(high)]);
            if low != high {
                kept.push(part[low.max(high)]);
            }
        }
    }
    kept.push(points[points.len() - 1]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(heights: impl Iterator<Item = f64>) -> Vec<Point> {
        heights.enumerate().map(|(x, y)| Point { x: x as f64, y, spread: None, hollow: false }).collect()
    }

    #[test]
    fn ends_and_peaks_stay() {
        for length in [5usize, 99, 1000, 12345] {
            for peak in [1, length / 3, length - 2] {
                let all = points((0..length).map(|x| if x == peak { 1e9 } else { 1.0 / (1.0 + x as f64) }));
                let few = thin(&all, 40);
                assert!(few.len() <= 40, "{}", few.len());
                assert_eq!((few[0], few[few.len() - 1]), (all[0], all[length - 1]));
                assert!(few.contains(&all[peak]), "{length} {peak}");
                assert!(few.windows(2).all(|pair| pair[0].x < pair[1].x), "in order");
            }
        }
    }

    #[test]
    fn a_break_stays_and_few_points_are_as_they_were() {
        let all = points((0..500).map(|x| if x == 250 { f64::NAN } else { 1.0 }));
        assert!(thin(&all, 20).iter().any(|point| point.y.is_nan()));
        assert_eq!(thin(&all[..20], 20), all[..20]);
        assert_eq!(thin(&[], 20), []);
    }
}
