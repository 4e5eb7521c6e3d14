//! Samples with pattern P, pattern Q, or both.

use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution as _, StandardNormal, StandardUniform};
use serde::{Deserialize, Serialize};

/// The distribution. `x1 = y (gap / sqrt(d) + |n_0|) w* + n` without its part along `w*`, `n` normal of variance `1/d`:
/// the label and a margin along one direction, in noise. `x2 = a z` for one label and `a (z + b zeta)` for the other, `b`
/// either sign: three clusters on a line, which no linear function tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// `d`, of either half of an input.
    pub dimension: usize,
    /// How many training samples are drawn.
    pub train: usize,
    /// Test samples of each kind.
    pub test: usize,
    /// Share of training samples with P alone: rounded to whole samples, not drawn.
    pub p_only: f64,
    /// Share with Q alone, likewise.
    pub q_only: f64,
    /// Half the gap between the classes of P, in units of `1 / sqrt(d)`; the paper has 1.
    pub gap: f64,
    /// The length of `z`; the paper has 1.
    pub norm: f64,
    /// The length of `zeta`, which is orthogonal to `z`, in units of that of `z`.
    pub separation: f64,
    /// `|a|` is uniform from this to 1; the paper has 0.
    pub least: f64,
    /// Whether `a` is positive, as in the paper; else its sign is drawn.
    pub one_sided: bool,
}

/// Which patterns a sample has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// P alone.
    P,
    /// Q alone.
    Q,
    /// Both.
    Both,
}

impl Kind {
    /// All kinds, in the order in which results list them.
    pub const ALL: [Kind; 3] = [Kind::P, Kind::Q, Kind::Both];
}

/// Samples of one kind.
#[derive(Debug)]
pub(super) struct Part {
    /// Samples x `d`; empty where they have no P.
    pub(super) x1: Vec<f64>,
    /// The coordinates of `x2` along `z` and `zeta`, the only ones it has; zeros where they have no Q.
    pub(super) x2: Vec<[f64; 2]>,
    /// Labels, +1 or -1.
    pub(super) y: Vec<f64>,
}

impl Distribution {
    /// Training samples of each kind.
    pub(super) fn counts(&self) -> [usize; 3] {
        let count = |share: f64| (share * self.train as f64).round() as usize;
        let (p, q) = (count(self.p_only), count(self.q_only));
        [p, q, self.train - p - q]
    }

    /// The training set, kind by kind.
    pub(super) fn training_set(&self, seed: u64) -> [Part; 3] {
        let counts = self.counts();
        [0, 1, 2].map(|index| self.draw(Kind::ALL[index], counts[index], seed, index as u64))
    }

    /// The test set, kind by kind.
    pub(super) fn test_set(&self, seed: u64) -> [Part; 3] {
        [0, 1, 2].map(|index| self.draw(Kind::ALL[index], self.test, seed, 3 + index as u64))
    }

    fn draw(&self, kind: Kind, samples: usize, seed: u64, index: u64) -> Part {
        let mut generator = stream(seed, Purpose::Data, index);
        let d = self.dimension;
        let scale = 1.0 / (d as f64).sqrt();
        let mut part =
            Part { x1: Vec::new(), x2: Vec::with_capacity(samples), y: Vec::with_capacity(samples) };
        for _ in 0..samples {
            let mut uniform = || -> f64 { StandardUniform.sample(&mut generator) };
            let mut coin = || if uniform() < 0.5 { 1.0 } else { -1.0 };
            let (y, sign, b) = (coin(), coin(), coin());
            let a = (if self.one_sided { 1.0 } else { sign }) * (self.least + (1.0 - self.least) * uniform());
            part.y.push(y);
            part.x2.push(match kind {
                Kind::P => [0.0, 0.0],
                _ if y > 0.0 => [a * self.norm, 0.0],
                _ => [a * self.norm, a * b * self.separation * self.norm],
            });
            if kind != Kind::Q {
                let first = part.x1.len();
                part.x1.extend((0..d).map(|_| {
                    let normal: f64 = StandardNormal.sample(&mut generator);
                    scale * normal
                }));
                part.x1[first] = y * (self.gap * scale + part.x1[first].abs());
            }
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::pq::PqSetting;

    #[test]
    fn p_has_a_margin_and_the_norm_of_its_noise_and_q_three_clusters() {
        let distribution = Distribution { dimension: 50, train: 1000, ..PqSetting::default().distribution };
        let [p, q, both] = distribution.training_set(0);
        assert_eq!([p.y.len(), q.y.len(), both.y.len()], [20, 200, 780]);
        assert!(p.x2.iter().all(|x2| *x2 == [0.0; 2]) && q.x1.is_empty());
        let margins = both.x1.chunks_exact(50).zip(&both.y).map(|(x, y)| y * x[0]);
        let least = margins.clone().fold(f64::INFINITY, f64::min);
        let mean = margins.sum::<f64>() / 780.0;
        // gap / sqrt(d) at least, and sqrt(2 / (pi d)) more on average.
        let gap = 0.5 / 50f64.sqrt();
        assert!(
            least >= gap && (mean - gap - (0.02 / std::f64::consts::PI).sqrt() * 2f64.sqrt()).abs() < 0.02
        );
        let square = both.x1.iter().map(|x| x * x).sum::<f64>() / 780.0;
        assert!((square - 1.0).abs() < 0.1, "{square}");
        for (x2, y) in q.x2.iter().zip(&q.y) {
            let along = x2[0].abs();
            assert!((8.0..=10.0).contains(&along));
            let across = if *y > 0.0 { 0.0 } else { 0.2 * along };
            assert!((x2[1].abs() - across).abs() < 1e-12);
        }
        let positive = |one_sided| {
            let [_, q, _] = Distribution { one_sided, ..distribution }.training_set(0);
            q.x2.iter().filter(|x2| x2[0] > 0.0).count()
        };
        assert!(positive(true) == 200 && (70..130).contains(&positive(false)));
    }
}
