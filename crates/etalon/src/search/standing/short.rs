//! What short trainings say of whole ones.

use super::{Role, STEP, Standing, Tried, significant};

/// Short trainings have learnt little where the lowest of their losses is between these shares of the loss of a constant
/// prediction: all that is asked of them at the first, nothing at the second. Those that are higher are on their way.
const LITTLE: [f64; 2] = [0.8, 1.0];
/// The loss of one that has learnt nothing is not above this share of a constant prediction's.
pub(super) const NOTHING: f64 = 1.003;
/// Where they have learnt nothing the rate to use is so many steps below what they say: curvature grows when learning begins,
/// and a rate that is too low loses less than one that is too high.
const CAUTION: f64 = 2.0;
/// Where short trainings alone decide, one that loses this share of the way from a constant prediction to the lowest loss (of
/// half of that prediction's loss at least) weighs 1 / e of the one that has it: the order of what has hardly begun is a
/// matter of luck, and the middle of the good ones is steadier.
const LUCK: f64 = 0.05;
/// What only short trainings have tried keeps so many steps from one that diverged: a longer one diverges at less.
const UNTRIED: f64 = 3.0;

impl Standing {
    /// The short trainings that survived, a step below any that did not.
    fn usable_short(&self) -> impl Iterator<Item = &Tried> {
        let failed = self.lowest_failure();
        let is_safe = move |at: &&Tried| failed.is_none_or(|failed| at.place <= failed - 1.0);
        self.of(Role::Short).filter(|at| at.short_score().is_finite()).filter(is_safe)
    }

    /// The place where the climb of short trainings ended.
    pub(in crate::search) fn best_short(&self) -> Option<f64> {
        let better = |a: &&Tried, b: &&Tried| {
            a.short_score().total_cmp(&b.short_score()).then(a.place.total_cmp(&b.place))
        };
        self.usable_short().min_by(better).map(|at| at.place)
    }

    /// The middle of the places of short trainings, each by how little it loses against the best.
    fn middle_of_short(&self) -> Option<f64> {
        let losses = || self.usable_short().map(Tried::short_score);
        let lowest = losses().fold(f64::INFINITY, f64::min);
        let constant = self.measure.constant_loss;
        let way = match constant.is_finite() {
            true => (constant - lowest).max(0.5 * constant),
            false => losses().fold(lowest, f64::max) - lowest,
        };
        let scale = (LUCK * way).max(f64::MIN_POSITIVE);
        let weight = |at: &Tried| libm::exp((lowest - at.short_score()) / scale);
        let total: f64 = self.usable_short().map(weight).sum();
        (total > 0.0).then(|| self.usable_short().map(|at| weight(at) * at.place).sum::<f64>() / total)
    }

    /// The logarithm of the rate to use by short trainings alone.
    pub(super) fn suggested_by_short(&self) -> Option<f64> {
        let middle = self.middle_of_short()?;
        let ceiling = self.lowest_failure().map_or(f64::INFINITY, |failed| failed - UNTRIED);
        Some(self.x_of((middle + self.steps_ahead(middle) - CAUTION * self.ignorance()).min(ceiling)))
    }

    /// Steps from the middle of short trainings, for what they do not see.
    fn steps_ahead(&self, middle: f64) -> f64 {
        self.ahead.steps(libm::exp2(self.x_of(middle)), self.share)
    }

    /// How little short trainings have learnt, from 0 to 1; 0 where that cannot be known.
    fn ignorance(&self) -> f64 {
        let lowest = self.of(Role::Short).map(Tried::short_score).fold(f64::INFINITY, f64::min);
        let ([much, none], left) = (LITTLE, lowest / self.measure.constant_loss);
        if left < NOTHING { ((left - much) / (none - much)).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Whether short trainings have learnt as good as nothing, so that the order of their losses is an accident.
    pub(in crate::search) fn knows_nothing(&self) -> bool {
        self.ignorance() > 0.95
    }

    /// How short trainings that tried rates of this span came to their suggestion.
    pub(super) fn why_short(&self, span: &str) -> String {
        let count = self.of(Role::Short).count();
        let (means, doubt) = if self.ignorance() > 0.5 {
            ("a cautious guess", "had learnt much yet: leave out --quick, or train longer")
        } else {
            ("lowest training losses", "was trained to the end")
        };
        let steps = self.middle_of_short().map_or(0.0, |middle| self.steps_ahead(middle));
        let factor = libm::exp2(STEP * steps);
        let ahead = match (factor - 1.0).abs() < 0.05 {
            true => String::new(),
            false => {
                format!("; {} times what they say, for the schedule and weight decay", significant(factor, 3))
            }
        };
        format!("{means}: of {count} short trainings {span} none {doubt}{ahead}")
    }
}
