//! Critical and maximal learning rates of the scalar models: in closed form, and by bisection.

use serde::{Deserialize, Serialize};

use super::{Map, Run, RunSettings, ScalarLoss, State, TheoryError};

/// The learning rate above which the minimum is unstable at curvature `lambda`: `2 / (lambda l''(f*))`.
///
/// That is `2 / lambda` for the squared loss, `2 / (lambda p (1 - p))` for the logistic loss with a share `p` of
/// positive labels (8 / lambda when balanced), `1 / (lambda sqrt(p (1 - p)))` for the exponential loss. None for
/// separable data, which have no minimum to be unstable, and for a curvature that is not positive.
///
/// Source: linear stability; Lewkowycz et al. 2020, section 2, for the squared loss; Huang, Wang and Liu 2020
/// (large learning rates under logistic loss) for the logistic. Checked in
/// `critical_rates_are_where_the_phase_changes`.
pub fn critical_eta(loss: ScalarLoss, lambda: f64) -> Option<f64> {
    let curvature = lambda * loss.curvature(loss.minimizer()?);
    (curvature > 0.0).then(|| 2.0 / curvature)
}

/// The learning rate above which a two-layer linear network from curvature `lambda` diverges:
/// - squared loss, target 0: `4 / lambda`, at every width (exact: below it the map stays bounded);
/// - logistic: `sqrt(2 n) / max|G|` with `max|G| = max(p, 1 - p)`, whatever the curvature (leading order in `n`:
///   between saturated gradients of both signs a step multiplies the distance by `x^2 - 1`,
///   `x = eta |G| / sqrt(n)`). For balanced labels `2 sqrt(2 n)`.
///
/// None where no closed form is known: other targets; unequal labels, where the gradients of the two sides
/// differ and the first divergence lies above `sqrt(2 n) / max|G|` (20 % at `p = 0.6` or `0.7`, 6 % at `0.9`, at
/// width 1e5); the exponential loss, whose window above the critical rate closes as the width grows.
///
/// Source: Lewkowycz et al. 2020, section 2; the logistic one from the saturated two-cycle. Checked in
/// `maximal_rates_are_where_bisection_finds_them`.
pub fn catapult_eta(loss: ScalarLoss, lambda: f64, width: f64) -> Option<f64> {
    match loss {
        ScalarLoss::Mse { target: 0.0 } if lambda > 0.0 => Some(4.0 / lambda),
        ScalarLoss::Logistic { positive } if positive == 0.5 && width > 0.0 => {
            Some((2.0 * width).sqrt() / positive)
        }
        _ => None,
    }
}

/// The learning rate above which a network of this width has no stable minimum at all, wherever it started:
/// the flattest weights with output `f*` have `lambda = 2 |f*| / sqrt(n)`, so `sqrt(n) / (|f*| l''(f*))`. None
/// where `f* = 0` (some weights are as flat as wanted) or at infinity.
///
/// Source: Kalra and Barkeshli 2023 (the UV model). Checked in `no_run_converges_above_the_last_stable_rate`.
pub fn largest_stable_eta(loss: ScalarLoss, width: f64) -> Option<f64> {
    let f = loss.minimizer()?;
    (f != 0.0).then(|| width.sqrt() / (f.abs() * loss.curvature(f)))
}

/// Two learning rates close to each other, one on each side of a change of the answer. Where rates cease to be accepted
/// on the way up, `accepted < refused`; where they begin to be, `accepted > refused`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bracket {
    /// The one that is accepted.
    pub accepted: f64,
    /// The one that is refused.
    pub refused: f64,
}

impl Bracket {
    /// Their geometric mean.
    pub fn middle(&self) -> f64 {
        (self.accepted * self.refused).sqrt()
    }
}

/// Where to look for a boundary, and how closely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least learning rate to try.
    pub low: f64,
    /// The largest learning rate to try.
    pub high: f64,
    /// Equal steps on the logarithmic axis that are tried one after the other from `low`; the first in which
    /// the answer changes is bisected. 1 bisects the whole range.
    pub steps: usize,
    /// The ratio of the two learning rates that are returned is at most `1 + tolerance`.
    pub tolerance: f64,
}

impl Range {
    /// The ratio of two neighbours among the learning rates that are tried one after the other.
    pub fn ratio(&self) -> f64 {
        (self.high / self.low).powf(1.0 / self.steps as f64)
    }

    /// Whether it is a range.
    ///
    /// # Errors
    /// Where a number of it is outside of its own.
    pub fn check(&self) -> Result<(), TheoryError> {
        let error = |name, got, range| Err(TheoryError::OutOfRange { name, got, range });
        if !(self.low > 0.0 && self.low.is_finite()) {
            return error("low", self.low, "positive and finite");
        }
        if !(self.high > self.low && self.high.is_finite()) {
            return error("high", self.high, "finite and above the lower end");
        }
        if self.steps == 0 {
            return error("steps", 0.0, "at least 1");
        }
        if self.tolerance.is_nan() || self.tolerance <= 0.0 {
            return error("tolerance", self.tolerance, "positive");
        }
        Ok(())
    }
}

/// A place in a range at which an answer changes: the first that a walk up from the lower end meets, narrowed by
/// bisection on the logarithmic axis.
///
/// The change that is found is real; that it is the lowest is true only to the walk's resolution. Answers need not
/// change once: near the edge of divergence convergent and divergent learning rates alternate on every scale (logistic
/// loss at width 100: from `eta lambda_0 / sqrt(n)` = 5.87 to 6.48). The walk steps over whatever is narrower than its
/// steps, and bisection ends at one of the changes in the step where the walk ended. All rates tried below the bracket
/// gave the answer of the lower end.
///
/// # Errors
/// A range that is none; one whose every step gives the same answer; whatever `ask` fails with.
pub fn first_change<E: From<TheoryError>>(
    range: &Range,
    mut ask: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Bracket, E> {
    range.check()?;
    let at_low = ask(range.low)?;
    let Range { low, high, .. } = *range;
    let ends = walk(range, at_low, &mut ask)?;
    let ends = ends.ok_or(TheoryError::NoBoundary { low, high, answer: at_low })?;
    let [same, other] = narrow(ends, range.tolerance, at_low, ask)?;
    let (accepted, refused) = if at_low { (same, other) } else { (other, same) };
    Ok(Bracket { accepted, refused })
}

/// The walk up a range from its lower end, where the answer is `at_low`: the first place where it is another, after the
/// one before it; none where there is no such place.
///
/// # Errors
/// Whatever `ask` fails with.
pub fn walk<E>(
    range: &Range,
    at_low: bool,
    mut ask: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Option<[f64; 2]>, E> {
    let mut same = range.low;
    for step in 1..=range.steps {
        let share = step as f64 / range.steps as f64;
        // The last step is the upper end itself, without the rounding of the power.
        let place =
            if step == range.steps { range.high } else { range.low * (range.high / range.low).powf(share) };
        if ask(place)? != at_low {
            return Ok(Some([same, place]));
        }
        same = place;
    }
    Ok(None)
}

/// Bisection on the logarithmic axis between a place where the answer is `at_low` and a higher one where it is another,
/// until their ratio is at most `1 + tolerance`.
///
/// # Errors
/// Whatever `ask` fails with.
pub fn narrow<E>(
    [mut same, mut other]: [f64; 2],
    tolerance: f64,
    at_low: bool,
    mut ask: impl FnMut(f64) -> Result<bool, E>,
) -> Result<[f64; 2], E> {
    while other / same > 1.0 + tolerance {
        let middle = (same * other).sqrt();
        // Neighbouring numbers have no middle.
        if middle <= same || middle >= other {
            break;
        }
        if ask(middle)? == at_low { same = middle } else { other = middle }
    }
    Ok([same, other])
}

/// A learning rate in the range at which runs of the map stop (or start) being accepted: the one that
/// [`first_change`] finds.
///
/// # Errors
/// Those of [`Map::new`], [`Map::run`] and [`first_change`].
pub fn boundary(
    loss: ScalarLoss,
    width: f64,
    start: State,
    range: &Range,
    settings: &RunSettings,
    accept: impl Fn(&Run) -> bool,
) -> Result<Bracket, TheoryError> {
    first_change(range, |eta| Ok(accept(&Map::new(loss, eta, width)?.run(start, settings)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;

    const MSE: ScalarLoss = ScalarLoss::Mse { target: 0.0 };

    fn bounded(run: &Run) -> bool {
        run.phase != Phase::Divergent
    }

    /// The boundary near `expected` for starts at `f` with curvature 2.
    fn find(loss: ScalarLoss, width: f64, f: f64, expected: f64, accept: fn(&Run) -> bool) -> f64 {
        let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
        let start = State { f, lambda: 2.0 };
        let range = Range { low: 0.5 * expected, high: 1.5 * expected, steps: 400, tolerance: 1e-6 };
        boundary(loss, width, start, &range, &settings, accept).unwrap().middle()
    }

    #[test]
    fn critical_rates_are_where_the_phase_changes() {
        // Off the minimum by little, so that its curvature is the one that counts.
        for loss in [
            MSE,
            ScalarLoss::Mse { target: 0.3 },
            ScalarLoss::Logistic { positive: 0.5 },
            ScalarLoss::Logistic { positive: 0.7 },
            ScalarLoss::Logistic { positive: 0.9 },
            ScalarLoss::Exponential { positive: 0.5 },
            ScalarLoss::Exponential { positive: 0.2 },
        ] {
            let expected = critical_eta(loss, 2.0).unwrap();
            let f = loss.minimizer().unwrap() + 1e-3;
            // A loss that never rises: judged by the loss, not by the formula itself.
            let rises = |run: &Run| run.peak_step == 0;
            let found = find(loss, 1e12, f, expected, rises);
            assert!((found / expected - 1.0).abs() < 2e-3, "{loss:?}: {found} against {expected}");
        }
        assert_eq!(critical_eta(ScalarLoss::Logistic { positive: 0.5 }, 1.0), Some(8.0));
        assert_eq!(critical_eta(ScalarLoss::Logistic { positive: 1.0 }, 1.0), None);
        assert_eq!(critical_eta(MSE, -1.0), None);
    }

    #[test]
    fn maximal_rates_are_where_bisection_finds_them() {
        for width in [10.0, 100.0, 1e4] {
            let expected = catapult_eta(MSE, 2.0, width).unwrap();
            let found = find(MSE, width, 0.7, expected, bounded);
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} at width {width}");
        }
        // Logistic: 4 sqrt 2 = 5.657 in units of c / sqrt(n), from above as the width grows.
        let balanced = ScalarLoss::Logistic { positive: 0.5 };
        for (width, c) in [(1e2, 5.87), (1e3, 5.70), (3e3, 5.69), (1e4, 5.67)] {
            let expected = catapult_eta(balanced, 2.0, width).unwrap();
            let found = find(balanced, width, 1.0, expected, bounded);
            assert!((2.0 * found / f64::sqrt(width) - c).abs() < 0.02, "{found} at width {width}");
            assert!((found / expected - 1.0).abs() < 0.5 / width.sqrt() && found > expected);
        }
        // Unequal labels: no closed form, and above the largest slope's.
        for (positive, excess) in [(0.6, 1.20), (0.7, 1.18), (0.9, 1.06)] {
            let loss = ScalarLoss::Logistic { positive };
            assert_eq!(catapult_eta(loss, 2.0, 1e5), None);
            let bound = (2e5f64).sqrt() / loss.gradient_bound().unwrap();
            let found = find(loss, 1e5, 1.0, bound, bounded);
            assert!((found / bound - excess).abs() < 0.02, "p = {positive}: {}", found / bound);
        }
    }

    #[test]
    fn the_window_of_the_exponential_loss_closes() {
        let loss = ScalarLoss::Exponential { positive: 0.5 };
        for (width, c) in [(20.0, 2.264), (100.0, 2.029), (1000.0, 2.000)] {
            let found = find(loss, width, 0.1, 1.0, bounded);
            assert!((2.0 * found - c).abs() < 1e-3, "{} at width {width}", 2.0 * found);
        }
    }

    #[test]
    fn no_run_converges_above_the_last_stable_rate() {
        let (loss, width) = (ScalarLoss::Mse { target: 1.0 }, 4.0);
        let last = largest_stable_eta(loss, width).unwrap();
        assert_eq!(last, 2.0);
        assert_eq!(largest_stable_eta(MSE, width), None);
        let converges = |eta: f64, f: f64, lambda: f64| {
            let run = Map::new(loss, eta, width).unwrap().run(State { f, lambda }, &RunSettings::default());
            matches!(run.unwrap().phase, Phase::Lazy | Phase::Catapult)
        };
        let starts = (1..40).flat_map(|i| (0..20).map(move |j| (0.05 * f64::from(i), 0.05 * f64::from(j))));
        let starts: Vec<(f64, f64)> = starts.map(|(f, extra)| (f - 0.03, f + 0.1 * extra)).collect();
        assert!(starts.iter().any(|&(f, lambda)| converges(0.99 * last, f, lambda)));
        assert!(!starts.iter().any(|&(f, lambda)| converges(1.01 * last, f, lambda)));
    }

    #[test]
    fn a_range_without_a_boundary_is_refused() {
        let start = State { f: 1.0, lambda: 2.0 };
        let ask = |range: Range| {
            boundary(MSE, 100.0, start, &range, &RunSettings::default(), bounded).unwrap_err().to_string()
        };
        let range = Range { low: 0.1, high: 0.5, steps: 3, tolerance: 1e-3 };
        assert_eq!(
            ask(range),
            "no boundary between 0.1 and 0.5, all answers are the same (true): widen the range"
        );
        assert_eq!(ask(Range { low: 0.0, ..range }), "low = 0: it must be positive and finite");
        assert_eq!(
            ask(Range { high: 0.1, ..range }),
            "high = 0.1: it must be finite and above the lower end"
        );
        assert_eq!(ask(Range { tolerance: f64::NAN, ..range }), "tolerance = NaN: it must be positive");
    }
}
