//! Gaussian noise before activations, in training alone.

use etalon_nn::Scalar;
use etalon_nn::random::{Purpose, stream};
use rand_distr::{Distribution, StandardNormal};

/// How strong the noise is, and when it ends. It is added to the output of every normalisation, the same for all samples
/// and channels (1907.04595, section 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Its deviation.
    pub level: f64,
    /// The first step at which it is multiplied by `factor`; without, the one at which the rate is lowered because the
    /// training loss is low enough.
    pub until: Option<u64>,
    /// What it is multiplied by from then on; 0 removes it.
    pub factor: f64,
}

impl Noise {
    /// The deviation at a step, before which the rate has been lowered or not.
    pub(super) fn level_at(&self, step: u64, annealed: bool) -> f64 {
        let over = self.until.map_or(annealed, |until| step >= until);
        if over { self.factor * self.level } else { self.level }
    }
}

/// Draws the noise of a step: a pure function of seed and step.
pub(super) fn draw<T: Scalar>(seed: u64, step: u64, level: f64, noise: &mut [T]) {
    let mut generator = stream(seed, Purpose::Noise, step);
    for number in noise {
        let normal: f64 = StandardNormal.sample(&mut generator);
        *number = T::from_f64(level * normal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_ends_at_a_step_or_with_the_anneal() {
        let told = Noise { level: 0.8, until: Some(10), factor: 0.5 };
        assert_eq!([9, 10].map(|step| told.level_at(step, true)), [0.8, 0.4]);
        let following = Noise { until: None, factor: 0.0, ..told };
        assert_eq!([false, true].map(|annealed| following.level_at(99, annealed)), [0.8, 0.0]);
    }

    #[test]
    fn noise_has_its_deviation_and_depends_on_seed_and_step() {
        let noise = |seed, step| {
            let mut noise = vec![0.0f64; 4000];
            draw(seed, step, 0.5, &mut noise);
            noise
        };
        let square = noise(0, 0).iter().map(|x| x * x).sum::<f64>() / 4000.0;
        // Four deviations of a mean of 4000 squares.
        assert!((square - 0.25).abs() < 0.25 * 4.0 * (2.0f64 / 4000.0).sqrt(), "{square}");
        assert_eq!(noise(1, 2), noise(1, 2));
        assert!(noise(1, 2) != noise(1, 3) && noise(1, 2) != noise(2, 2));
    }
}
