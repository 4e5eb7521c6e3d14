//! What a whole training has and its beginning has not.

use super::climb::STEP;

/// The most by which a schedule that falls raises a rate is the root of one over this.
const LOWEST: f64 = 0.25;
/// So many steps lower is the best rate of a training that weight decay rules, where a short one knows nothing of it.
const DECAYED: f64 = 2.5;

/// What short trainings do not see of whole ones: how the schedule goes on, and what weight decay comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// The schedule's mean rate, in units of the highest that a short training has.
    pub(crate) rate: f64,
    /// By how many e-folds weight decay alone shrinks a weight over a whole training at the rate 1.
    pub(crate) decay: f64,
}

impl Ahead {
    /// Of which nothing is known: it goes on as it began.
    pub(crate) const NOTHING: Ahead = Ahead { rate: 1.0, decay: 0.0 };

    /// Steps from the rate at which short trainings, of such a share of the budget, are best to that for whole ones.
    pub(super) fn steps(self, eta: f64, share: f64) -> f64 {
        // A limit by curvature bounds the highest rate, one by noise the mean: half way between.
        let raised = -0.5 * libm::log2(self.rate.clamp(LOWEST, 1.0));
        let folds = self.decay * eta * libm::exp2(raised);
        let unseen = libm::exp(-share * folds) - libm::exp(-folds);
        raised / STEP - DECAYED * unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_falls_may_begin_higher() {
        let steps = |rate: f64| Ahead { rate, ..Ahead::NOTHING }.steps(0.1, 0.1);
        assert_eq!(steps(1.0), 0.0);
        // A cosine to zero: the root of two.
        assert!((steps(0.5) * STEP - 0.5).abs() < 1e-12);
        assert!((steps(0.0) * STEP - 1.0).abs() < 1e-12);
        // One that grows is no reason to begin lower.
        assert_eq!(steps(3.0), 0.0);
    }

    #[test]
    fn only_decay_that_a_short_training_does_not_see_lowers_the_rate() {
        let steps = |decay: f64| Ahead { decay, ..Ahead::NOTHING }.steps(1.0, 0.1);
        assert_eq!(steps(0.0), 0.0);
        assert!(steps(1e-3).abs() < 0.01);
        assert!(steps(3.0) < -0.6 * DECAYED);
        // Of long trainings the beginning is as long as the memory.
        assert!(steps(100.0).abs() < 0.01);
    }
}
