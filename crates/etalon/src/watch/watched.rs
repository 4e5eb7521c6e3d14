//! Logs with what was found in them, as a record keeps them.

use super::{Finding, Point};
use serde::{Deserialize, Serialize};

/// What `etalon watch --out` leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The logs in the order in which they were named.
    pub logs: Vec<WatchedLog>,
    /// The learning rate times the curvature at the limit of stability of the run's optimiser: 2 for gradient descent. None
    /// where it has no such limit.
    pub limit: Option<f64>,
}

/// A log, what was found in it, and enough of it to draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedLog {
    /// Its path, and its run where the path has several.
    pub name: String,
    /// The state it is in, with the evidence.
    pub finding: Finding,
    /// Its losses, thinned as [`Curve`] says.
    pub points: Vec<Point>,
}

/// Points that a curve keeps at most, but for its ends.
const MOST: usize = 2048;

/// A curve in constant memory: its ends, and of every stretch the lowest and the highest loss, so that no peak is lost. It is
/// whole while it has less than 2048 points.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    rows: u64,
    kept: Vec<(u64, Point)>,
    first: Option<(u64, Point)>,
    last: Option<(u64, Point)>,
    /// The lowest and the highest of the present stretch, and how many it has.
    ends: Option<[(u64, Point); 2]>,
    count: u64,
    /// How often the length of a stretch, 2 at first, was doubled.
    doublings: u32,
}

impl Curve {
    /// Takes the next point.
    pub fn push(&mut self, point: Point) {
        let here = (self.rows, point);
        self.rows += 1;
        self.first.get_or_insert(here);
        self.last = Some(here);
        let [low, high] = self.ends.unwrap_or([here; 2]);
        self.ends = Some([
            if height(here) < height(low) { here } else { low },
            if height(here) < height(high) { high } else { here },
        ]);
        self.count += 1;
        if self.count < 2 << self.doublings {
            return;
        }
        self.kept.extend(self.ends.take().into_iter().flat_map(in_order));
        self.count = 0;
        if self.kept.len() >= MOST {
            let ends = |four: &[(u64, Point)]| {
                let mut four = four.to_vec();
                four.sort_by(|a, b| height(*a).total_cmp(&height(*b)));
                in_order([four[0], four[four.len() - 1]])
            };
            self.kept = self.kept.chunks(4).flat_map(ends).collect();
            self.doublings += 1;
        }
    }

    /// What is kept, in order.
    pub fn points(&self) -> Vec<Point> {
        let mut all = self.kept.clone();
        all.extend(self.first.into_iter().chain(self.ends.into_iter().flatten()).chain(self.last));
        all.sort_by_key(|&(row, _)| row);
        all.dedup_by_key(|&mut (row, _)| row);
        all.into_iter().map(|(_, point)| point).collect()
    }
}

/// What is no number is above all.
fn height((_, point): (u64, Point)) -> f64 {
    if point.loss.is_nan() { f64::INFINITY } else { point.loss }
}

fn in_order([a, b]: [(u64, Point); 2]) -> [(u64, Point); 2] {
    if a.0 <= b.0 { [a, b] } else { [b, a] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(losses: impl Iterator<Item = f64>) -> Vec<Point> {
        let mut curve = Curve::default();
        for (step, loss) in losses.enumerate() {
            curve.push(Point { step: step as u64, loss, rate: None, curvature: None, norm: None });
        }
        curve.points()
    }

    #[test]
    fn short_curves_are_whole_and_long_ones_keep_ends_and_peaks() {
        for length in [1, 2, 3, 7, 2047] {
            assert_eq!(kept((0..length).map(|step| (step * 7 % 11) as f64)).len(), length);
        }
        assert_eq!(kept(std::iter::repeat_n(f64::NAN, 5)).len(), 5);
        for length in [2049, 10_000, 123_457] {
            for peak in [1, length / 3, length - 2] {
                let points =
                    kept((0..length).map(|step| if step == peak { 9.0 } else { 1.0 / (step + 1) as f64 }));
                assert!((500..=MOST + 4).contains(&points.len()), "{length}: {}", points.len());
                assert_eq!((points[0].step, points[points.len() - 1].step), (0, length as u64 - 1));
                assert!(points.iter().any(|point| point.loss == 9.0), "{length} {peak}");
                assert!(points.windows(2).all(|pair| pair[0].step < pair[1].step), "{length}");
            }
        }
    }
}
