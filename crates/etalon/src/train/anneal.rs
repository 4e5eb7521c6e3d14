//! Lowering the rate once the training loss is low enough.

use crate::units::significant;
use serde::{Deserialize, Serialize};

/// When to lower the rate, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anneal {
    /// The training loss of a look that is to be reached.
    pub below: f64,
    /// What the rate is multiplied by from then on.
    pub factor: f64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annealed {
    /// The loss that was to be reached.
    pub threshold: f64,
    /// What the rate is multiplied by.
    pub factor: f64,
    /// The first step at the lower rate; none where the loss never reached the threshold.
    pub step: Option<u64>,
    /// The lowest training loss of the looks until then.
    pub lowest: Option<f64>,
}

impl Annealed {
    pub(super) fn not_yet(Anneal { below, factor }: Anneal) -> Self {
        Annealed { threshold: below, factor, step: None, lowest: None }
    }

    /// Takes in the training loss after so many steps.
    pub(super) fn follow(&mut self, step: u64, loss: f64) {
        if self.step.is_some() || !loss.is_finite() {
            return;
        }
        self.lowest = Some(self.lowest.map_or(loss, |lowest| lowest.min(loss)));
        if loss <= self.threshold {
            self.step = Some(step);
        }
    }
}

impl std::fmt::Display for Annealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Annealed { threshold, factor, step, lowest } = *self;
        match (step, lowest) {
            (Some(step), _) => {
                write!(
                    f,
                    "the training loss reached {threshold} and the rate was multiplied by {factor} at step {step}"
                )
            }
            (None, lowest) => {
                let lowest = lowest.map_or("no look had one".into(), |loss| {
                    format!("the lowest look had {}", significant(loss, 4))
                });
                write!(
                    f,
                    "the training loss never reached schedule.anneal_below = {threshold} ({lowest}): the rate was never \
                     lowered; raise it, look more often (train.check_every), or train longer"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_at_or_below_the_threshold_lowers_the_rate_for_good() {
        let mut annealed = Annealed::not_yet(Anneal { below: 0.5, factor: 0.1 });
        for (step, loss) in [(1, 0.9), (2, f64::NAN), (3, 0.7)] {
            annealed.follow(step, loss);
            assert_eq!(annealed.step, None);
        }
        assert!(
            annealed
                .to_string()
                .contains("never reached schedule.anneal_below = 0.5 (the lowest look had 0.7000)")
        );
        annealed.follow(4, 0.5);
        annealed.follow(5, 0.1);
        assert_eq!((annealed.step, annealed.lowest), (Some(4), Some(0.5)));
        assert!(annealed.to_string().ends_with("multiplied by 0.1 at step 4"));
    }
}
