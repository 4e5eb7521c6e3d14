//! What a map does at a learning rate: its phase, with the evidence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Map, ScalarLoss, State, TheoryError};

/// States looked at for a cycle, and the longest period that is told from chaos.
const WINDOW: usize = 128;
const LONGEST_PERIOD: usize = 64;

/// What training at a constant rate did: of a solvable model, of a network, of a log.
///
/// The first three are those of 2003.02218, section 1; networks can be stuck as well, and maps, which can be followed
/// for as long as one likes, recur without settling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The loss never rose above its start, and the minimum was stable from the start on: below the limit of stability.
    Lazy,
    /// The loss rose or curvature fell, and training settled all the same.
    Catapult,
    /// The loss left its limit, or the numbers.
    Divergent,
    /// Of a network: finite, but no better than a predictor that ignores its input.
    Stuck,
    /// Of a map: bounded, and returning to the same outputs, to 1e-5 of the largest, after this many steps (at least two).
    Cycle(usize),
    /// Of a map: bounded, neither converging nor in a cycle of up to 64 steps.
    Chaotic,
    /// Of a map: still on its way when the steps were spent.
    Unfinished,
}

impl Phase {
    /// All names, in the order of legends.
    pub const NAMES: [&str; 7] = ["lazy", "catapult", "divergent", "stuck", "cycle", "chaotic", "unfinished"];

    /// Its name in one word, without the length of a cycle.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lazy => "lazy",
            Self::Catapult => "catapult",
            Self::Divergent => "divergent",
            Self::Stuck => "stuck",
            Self::Cycle(_) => "cycle",
            Self::Chaotic => "chaotic",
            Self::Unfinished => "unfinished",
        }
    }

    /// The length of a cycle.
    pub fn period(self) -> Option<usize> {
        match self {
            Self::Cycle(period) => Some(period),
            _ => None,
        }
    }

    fn named(name: &str, period: Option<usize>) -> Option<Self> {
        Some(match (name, period) {
            ("cycle", Some(period)) => Self::Cycle(period),
            ("lazy", None) => Self::Lazy,
            ("catapult", None) => Self::Catapult,
            ("divergent", None) => Self::Divergent,
            ("stuck", None) => Self::Stuck,
            ("chaotic", None) => Self::Chaotic,
            ("unfinished", None) => Self::Unfinished,
            _ => return None,
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle(period) => write!(f, "{period}-cycle"),
            Self::Chaotic => f.write_str("bounded chaos"),
            _ => f.write_str(self.name()),
        }
    }
}

/// A phase as two columns: its name, and the length of a cycle.
pub(crate) mod columns {
    use super::Phase;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Columns {
        phase: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        period: Option<usize>,
    }

    pub(crate) fn serialize<S: Serializer>(phase: &Phase, serializer: S) -> Result<S::Ok, S::Error> {
        Columns { phase: phase.name().into(), period: phase.period() }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Phase, D::Error> {
        let Columns { phase, period } = Columns::deserialize(deserializer)?;
        Phase::named(&phase, period).ok_or_else(|| D::Error::custom(format!("`{phase}` is no phase")))
    }
}

/// How long to run, and what counts as done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunSettings {
    /// Steps at most. A wide network under logistic loss takes a few times its width. Default: 200 000.
    pub max_steps: usize,
    /// Converged when the loss above its minimum has fallen to this share of the start's. Default: 1e-12.
    pub tolerance: f64,
    /// Divergent when the loss is not at most this. Default: 1e100, which no transient reaches (it peaks at
    /// about the width).
    pub loss_limit: f64,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self { max_steps: 200_000, tolerance: 1e-12, loss_limit: 1e100 }
    }
}

/// One run of a map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Run {
    /// What the run did by its end.
    pub phase: Phase,
    /// Output and NTK before the first step.
    pub start: State,
    /// Output and NTK after the last step.
    pub last: State,
    /// Steps taken: to convergence, to divergence, or all.
    pub steps: usize,
    /// The loss at the start.
    pub initial_loss: f64,
    /// The largest loss, the start's included; where the run diverged, the largest before.
    pub peak_loss: f64,
    /// The step of the largest loss (0: the start).
    pub peak_step: usize,
}

impl Run {
    /// The run of no step from a start at the minimum.
    pub(super) fn at_rest(loss: ScalarLoss, start: State) -> Self {
        let initial_loss = loss.value(start.f);
        let (phase, steps, peak_step) = (Phase::Lazy, 0, 0);
        Run { phase, start, last: start, steps, initial_loss, peak_loss: initial_loss, peak_step }
    }
}

impl Map {
    /// Runs the map from `start` until it has converged, diverged, or spent its steps.
    ///
    /// Converged means that the loss is down *and* the minimum is stable there
    /// (`eta lambda l'' < 2`): a trajectory may pass close to an unstable minimum by accident.
    ///
    /// # Errors
    /// A start that no weights have, one that is not finite, one at the minimum.
    pub fn run(&self, start: State, settings: &RunSettings) -> Result<Run, TheoryError> {
        self.check(start)?;
        let loss = self.loss();
        let floor = loss.minimum();
        let initial_loss = loss.value(start.f);
        if loss.gradient(start.f) == 0.0 {
            return Err(TheoryError::AtMinimum { f: start.f });
        }
        let enough = settings.tolerance * (initial_loss - floor);
        let mut run = Run {
            phase: Phase::Unfinished,
            start,
            last: start,
            steps: 0,
            initial_loss,
            peak_loss: initial_loss,
            peak_step: 0,
        };
        while run.steps < settings.max_steps {
            let state = self.step(run.last);
            let value = loss.value(state.f);
            run.steps += 1;
            run.last = state;
            // The negation catches NaN, which compares with nothing.
            if !(value <= settings.loss_limit && state.lambda.is_finite()) {
                run.phase = Phase::Divergent;
                return Ok(run);
            }
            if value > run.peak_loss {
                run.peak_loss = value;
                run.peak_step = run.steps;
            }
            if value - floor <= enough && self.eta() * state.lambda * loss.curvature(state.f) < 2.0 {
                let critical = loss.minimizer().map_or(0.0, |f| loss.curvature(f));
                let stable = self.eta() * start.lambda * critical <= 2.0;
                run.phase = if stable && run.peak_step == 0 { Phase::Lazy } else { Phase::Catapult };
                return Ok(run);
            }
        }
        run.phase = self.recurrence(run.last);
        Ok(run)
    }

    /// What a bounded run that has not converged does from `state` on.
    fn recurrence(&self, state: State) -> Phase {
        let window: Vec<State> = self.states(state).take(WINDOW).collect();
        let size = window.iter().fold(f64::MIN_POSITIVE, |a, s| a.max(s.f.abs()));
        let returns = |period: usize| {
            window.iter().zip(&window[period..]).all(|(a, b)| (a.f - b.f).abs() <= 1e-5 * size)
        };
        match (1..=LONGEST_PERIOD).find(|&period| returns(period)) {
            Some(1) => return Phase::Unfinished,
            Some(period) => return Phase::Cycle(period),
            None => {}
        }
        let falling = window.windows(2).all(|w| self.loss().value(w[1].f) < self.loss().value(w[0].f));
        if falling { Phase::Unfinished } else { Phase::Chaotic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed_cases;
    use proptest::prelude::*;

    const MSE: ScalarLoss = ScalarLoss::Mse { target: 0.0 };
    const BALANCED: ScalarLoss = ScalarLoss::Logistic { positive: 0.5 };

    /// A run from f = 1, lambda = 2 at `c = eta lambda`.
    fn run(loss: ScalarLoss, c: f64, width: f64) -> Run {
        let map = Map::new(loss, c / 2.0, width).unwrap();
        map.run(State { f: 1.0, lambda: 2.0 }, &RunSettings::default()).unwrap()
    }

    // Final curvatures to six digits as computed with sixty: the transient, though chaotic, is short.

    #[test]
    fn catapults_at_width_1024_have_their_known_peaks_and_final_curvatures() {
        for (c, peak, last) in [
            (1.0, 0.5, 0.999268),
            (1.9, 0.5, 1.890650),
            (2.5, 56.0, 1.278806),
            (3.0, 189.3, 0.185360),
            (3.5, 344.0, 1.132891),
            (3.9, 282.3, 0.016110),
        ] {
            let run = run(MSE, c, 1024.0);
            assert_eq!(run.phase, if c < 2.0 { Phase::Lazy } else { Phase::Catapult });
            assert!((run.peak_loss - peak).abs() < 0.05, "peak {} at c = {c}", run.peak_loss);
            let c_last = run.last.lambda * c / 2.0;
            assert!((c_last - last).abs() < 1e-6, "c = {c} ends at {c_last}");
        }
        assert_eq!(run(MSE, 4.1, 1024.0).phase, Phase::Divergent);
    }

    #[test]
    fn final_curvatures_at_a_million_wide() {
        for (c, last) in [
            (2.01, 1.989832),
            (2.1, 1.892869),
            (2.5, 1.282334),
            (3.0, 0.185574),
            (3.5, 0.145868),
            (3.9, 0.646455),
            (3.99, 0.031734),
        ] {
            let run = run(MSE, c, 1e6);
            let c_last = run.last.lambda * c / 2.0;
            assert!((c_last - last).abs() < 1e-6, "c = {c} ends at {c_last}");
            assert!(c_last <= 2.0 && run.phase == Phase::Catapult);
        }
    }

    #[test]
    fn the_peak_comes_after_log_n_steps_and_is_as_high_as_n() {
        let widths = [1e2, 1e3, 1e4, 1e5, 1e6, 1e8, 1e10, 1e12];
        for (width, step) in widths.into_iter().zip([3, 5, 7, 8, 10, 13, 17, 20]) {
            let run = run(MSE, 3.0, width);
            assert_eq!(run.peak_step, step, "at width {width}");
            assert!((0.155..0.195).contains(&(run.peak_loss / width)), "{}", run.peak_loss / width);
        }
    }

    #[test]
    fn exactly_at_four_the_loss_is_bounded_and_never_converges() {
        let width = 1000.0;
        let run = run(MSE, 4.0, width);
        assert_eq!(run.phase, Phase::Chaotic);
        assert_eq!(run.last.lambda, 2.0);
        assert!(run.peak_loss > 0.99 * width / 2.0 && run.peak_loss <= 2.0 * width / 4.0 * (1.0 + 1e-9));
    }

    #[test]
    fn logistic_catapults_end_just_below_eight() {
        for (c, width, low, high) in [
            (9.0, 1e4, 7.9965, 7.9975),
            (40.0, 1e4, 7.935, 7.945),
            (20.0, 1e3, 7.845, 7.855),
            (100.0, 1e3, 3.05, 3.15),
        ] {
            let run = run(BALANCED, c, width);
            let c_last = run.last.lambda * c / 2.0;
            assert!((low..high).contains(&c_last), "c = {c}, width {width} ends at {c_last}");
            assert_eq!(run.phase, Phase::Catapult);
        }
        assert_eq!(run(BALANCED, 7.5, 1e4).phase, Phase::Lazy);
    }

    #[test]
    fn the_logistic_catapult_is_slow_and_a_two_cycle_meanwhile() {
        let run = run(BALANCED, 9.0, 1e3);
        assert!((1800..1900).contains(&run.steps), "{}", run.steps);
        let map = Map::new(BALANCED, 15.0, 1e8).unwrap();
        let early = RunSettings { max_steps: 1000, ..RunSettings::default() };
        let run = map.run(State { f: 1.0, lambda: 2.0 }, &early).unwrap();
        assert_eq!(run.phase, Phase::Cycle(2));
        // |f| = eta lambda |G(f)| / 2 on the cycle, with |G| close to its bound 1/2.
        let f = run.last.f;
        assert!((f.abs() - 15.0 * run.last.lambda * BALANCED.gradient(f).abs() / 2.0).abs() < 1e-5);
    }

    #[test]
    fn a_linear_predictor_cycles_under_logistic_loss_and_diverges_under_the_others() {
        let infinite = f64::INFINITY;
        assert_eq!(run(BALANCED, 7.9, infinite).phase, Phase::Lazy);
        assert_eq!(run(BALANCED, 50.0, infinite).phase, Phase::Cycle(2));
        assert_eq!(run(MSE, 2.1, infinite).phase, Phase::Divergent);
        assert_eq!(run(ScalarLoss::Exponential { positive: 0.5 }, 2.1, infinite).phase, Phase::Divergent);
    }

    #[test]
    fn separable_data_never_finish_and_their_curvature_grows_slightly() {
        for c in [1.0, 8.0, 64.0] {
            let map = Map::new(ScalarLoss::Logistic { positive: 1.0 }, c / 2.0, 1000.0).unwrap();
            let settings = RunSettings { max_steps: 20_000, ..RunSettings::default() };
            let run = map.run(State { f: 1.0, lambda: 2.0 }, &settings).unwrap();
            assert_eq!(run.phase, Phase::Unfinished);
            assert!((1.03..1.10).contains(&(run.last.lambda / 2.0)), "{}", run.last.lambda / 2.0);
        }
    }

    #[test]
    fn targets_off_zero_bring_period_doubling() {
        // The UV model: eta above sqrt(n)/|y| leaves no stable minimum, but a bounded cycle just above it.
        let map = |eta| Map::new(ScalarLoss::Mse { target: 1.0 }, eta, 4.0).unwrap();
        let start = State { f: 0.9, lambda: 1.0 };
        assert!(matches!(
            map(1.9).run(start, &RunSettings::default()).unwrap().phase,
            Phase::Lazy | Phase::Catapult
        ));
        assert_eq!(map(2.1).run(start, &RunSettings::default()).unwrap().phase, Phase::Cycle(2));
    }

    #[test]
    fn starts_that_mean_nothing_are_refused() {
        let map = Map::new(BALANCED, 1.0, 100.0).unwrap();
        let settings = RunSettings::default();
        let at_minimum = map.run(State { f: 0.0, lambda: 2.0 }, &settings).unwrap_err();
        assert_eq!(at_minimum, TheoryError::AtMinimum { f: 0.0 });
        assert!(map.run(State { f: f64::NAN, lambda: 2.0 }, &settings).is_err());
        assert!(map.run(State { f: 100.0, lambda: 2.0 }, &settings).is_err());
    }

    proptest! {
        #![proptest_config(fixed_cases(128))]
        #[test]
        fn the_edge_is_four_at_every_width_and_output(
            log_n in 0.0..6.0f64,
            share in 0.01..1.0f64,
            below in 0.1..3.99f64,
            above in 4.01..9.0f64,
        ) {
            let width = 10f64.powf(log_n);
            let start = State { f: 0.999 * share * width.sqrt(), lambda: 2.0 };
            let settings = RunSettings { max_steps: 10_000, ..RunSettings::default() };
            let phase = |c: f64| Map::new(MSE, c / 2.0, width).unwrap().run(start, &settings).unwrap().phase;
            // Bounded, but not always converged: a step that happens to land on u = -v or u = v slides into
            // the saddle u = v = 0, where curvature and loss fall together like a power of the time.
            prop_assert!(matches!(phase(below), Phase::Lazy | Phase::Catapult | Phase::Unfinished));
            prop_assert_eq!(phase(above), Phase::Divergent);
        }
    }

    #[test]
    fn a_loss_that_is_not_a_number_is_divergence() {
        let map = Map::new(MSE, 1e300, 1.0).unwrap();
        let run = map.run(State { f: 1e-3, lambda: 2.0 }, &RunSettings::default()).unwrap();
        assert_eq!(run.phase, Phase::Divergent);
        assert_eq!(run.steps, 1);
    }
}
