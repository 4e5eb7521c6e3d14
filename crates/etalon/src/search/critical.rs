//! The largest step along a direction that does not raise the loss, as questions and answers.

use super::SearchError;

/// The first step lets the loss fall by this share of itself, to first order.
const FALL: f64 = 0.05;
/// Steps grow and shrink by this factor at most.
const FACTOR: f64 = 16.0;

/// The search for the step `eta` with `L(w - eta d) = L(w)`: [`ask`](Self::ask) which step is wanted, [`tell`](Self::tell) the
/// loss there, until nothing is asked any more. It needs losses alone.
///
/// What is solved is `f(eta) = (L(w - eta d) - L(w)) / eta = 0`, by regula falsi in the Illinois form (Dowell and Jarratt, BIT
/// 11, 1971), from `f(0) = -g.d`, which costs nothing. Of a quadratic `f` is a line, `-g.d + eta d.H.d / 2`, so that two steps
/// tell `eta = 2 g.d / d.H.d`. That is a curvature along one direction, and no more than that: along the gradient `2 / eta` is at
/// most the largest eigenvalue of the Hessian, and often far below.
///
/// Where the loss crosses its value several times, it is one of the crossings.
#[derive(Clone, Debug)]
pub struct CriticalStep {
    loss: f64,
    slope: f64,
    tolerance: f64,
    most: usize,
    /// Steps and their losses, in the order in which they were told.
    history: Vec<(f64, f64)>,
    /// The two longest steps up to the crossing that did not raise the loss, the shorter one first.
    below: [Point; 2],
    /// The shortest step that raised it.
    above: Option<Point>,
    asked: Option<f64>,
}

/// A step, `f` there, and the value by which it takes part in the next interpolation.
#[derive(Clone, Copy, Debug)]
struct Point {
    eta: f64,
    value: f64,
    weighed: f64,
}

impl Point {
    fn new(eta: f64, value: f64) -> Point {
        Point { eta, value, weighed: value }
    }
}

/// What a search for a critical step has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Critical {
    /// The step, from the line through the ends of the bracket; the longest tried, where none raised the loss; 0, where the
    /// direction does not descend.
    pub eta: f64,
    /// The longest step below `eta` that did not raise the loss.
    pub low: f64,
    /// The shortest that did; infinite where none was met.
    pub high: f64,
    /// Whether the bracket is as narrow as asked.
    pub converged: bool,
    /// Steps and their losses, in the order in which they were tried.
    pub history: Vec<(f64, f64)>,
}

impl CriticalStep {
    /// A search from `loss`, which falls by `slope = g.d` for each unit of the step, to a bracket of `high / low` at most
    /// `1 + tolerance`, with `most` losses at most.
    ///
    /// # Errors
    /// If the tolerance is not in (0, 1], no loss may be asked, or loss and slope are not finite.
    pub fn new(loss: f64, slope: f64, tolerance: f64, most: usize) -> Result<Self, SearchError> {
        if !(tolerance > 0.0 && tolerance <= 1.0) {
            return Err(SearchError::Tolerance(tolerance));
        }
        if most == 0 {
            return Err(SearchError::MaxProbes);
        }
        if !(loss.is_finite() && slope.is_finite()) {
            return Err(SearchError::Slope { loss, slope });
        }
        let origin = Point::new(0.0, -slope);
        let first = if loss == 0.0 { 1.0 } else { FALL * loss.abs() / slope };
        Ok(Self {
            loss,
            slope,
            tolerance,
            most,
            history: Vec::new(),
            below: [origin; 2],
            above: None,
            asked: (slope > 0.0 && first.is_normal()).then_some(first),
        })
    }

    /// The step wanted next; none when the search is over.
    pub fn ask(&self) -> Option<f64> {
        self.asked
    }

    /// Takes the loss at the step that [`ask`](Self::ask) returned. One that is not finite has risen.
    ///
    /// # Errors
    /// [`SearchError::NotAsked`] if another step is awaited; nothing changes then.
    pub fn tell(&mut self, eta: f64, loss: f64) -> Result<(), SearchError> {
        if self.asked != Some(eta) {
            return Err(SearchError::NotAsked(eta));
        }
        self.history.push((eta, loss));
        let value = (loss - self.loss) / eta;
        if value <= 0.0 {
            // Twice on the same side: the other end counts half.
            if self.is_last(false) {
                self.above.iter_mut().for_each(|above| above.weighed /= 2.0);
            }
            self.below = [self.below[1], Point::new(eta, value)];
        } else {
            if self.is_last(true) {
                self.below[1].weighed /= 2.0;
            }
            // A loss beyond all bounds would draw the next step to the lower end.
            let bound = FACTOR * self.slope;
            self.above = Some(Point::new(eta, if value < bound { value } else { bound }));
        }
        self.asked = (!self.is_narrow() && self.history.len() < self.most).then(|| self.next());
        self.asked = self.asked.filter(|eta| eta.is_normal());
        Ok(())
    }

    /// Whether the step before the last one told was on this side.
    fn is_last(&self, rose: bool) -> bool {
        let before = self.history.len().checked_sub(2).map(|last| self.history[last].1);
        before.is_some_and(|loss| rose != (loss <= self.loss))
    }

    fn is_narrow(&self) -> bool {
        self.above.is_some_and(|above| above.eta <= self.below[1].eta * (1.0 + self.tolerance))
    }

    /// The zero of the line through two points.
    fn zero(a: (f64, f64), b: (f64, f64)) -> f64 {
        a.0 - a.1 * (b.0 - a.0) / (b.1 - a.1)
    }

    fn next(&self) -> f64 {
        let [before, low] = self.below;
        // Two such margins are the tolerance.
        let margin = (1.0 + self.tolerance).sqrt();
        match self.above {
            None => {
                let zero = Self::zero((before.eta, before.value), (low.eta, low.value));
                // Twice as far: losses of networks bend upwards later than a quadratic, and what lies beyond is between two.
                let step = if zero > low.eta { 2.0 * zero - low.eta } else { f64::INFINITY };
                step.max(low.eta * margin).min(low.eta * FACTOR)
            }
            Some(high) => {
                let zero = Self::zero((low.eta, low.weighed), (high.eta, high.weighed));
                let least = if low.eta > 0.0 { low.eta * margin } else { high.eta / FACTOR };
                zero.max(least).min(high.eta / margin)
            }
        }
    }

    /// What is known by now.
    pub fn so_far(&self) -> Critical {
        let low = self.below[1];
        let (eta, high) = match self.above {
            _ if self.slope <= 0.0 => (0.0, 0.0),
            None => (low.eta, f64::INFINITY),
            Some(high) => {
                let zero = Self::zero((low.eta, low.value), (high.eta, high.value));
                (zero.max(low.eta).min(high.eta), high.eta)
            }
        };
        let converged = self.slope <= 0.0 || self.is_narrow();
        Critical { eta, low: low.eta, high, converged, history: self.history.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(loss: impl Fn(f64) -> f64, slope: f64, tolerance: f64) -> Critical {
        let mut search = CriticalStep::new(loss(0.0), slope, tolerance, 60).unwrap();
        while let Some(eta) = search.ask() {
            search.tell(eta, loss(eta)).unwrap();
        }
        search.so_far()
    }

    #[test]
    fn of_a_quadratic_it_is_two_slopes_over_the_curvature() {
        for (loss, slope, bend) in [(3.0, 1.0, 4.0), (0.01, 200.0, 3e5), (-2.0, 1e-3, 1e-5), (0.0, 5.0, 0.3)]
        {
            let critical = found(|eta| loss - slope * eta + 0.5 * bend * eta * eta, slope, 0.05);
            assert!((critical.eta / (2.0 * slope / bend) - 1.0).abs() < 1e-10, "{critical:?}");
            assert!(critical.converged && critical.history.len() <= 6, "{critical:?}");
        }
    }

    #[test]
    fn the_bracket_holds_the_crossing_and_is_as_narrow_as_asked() {
        type Case<'a> = (&'a dyn Fn(f64) -> f64, f64, f64);
        let cases: [Case<'_>; 4] = [
            // Flat for long, then a wall.
            (&|eta: f64| 1.0 - 1e-3 * eta + eta.powi(9), 1e-3, 1e-3f64.powf(1.0 / 8.0)),
            // A loss beyond all bounds.
            (&|eta: f64| if eta < 7.0 { 2.0 - eta / 10.0 } else { f64::INFINITY }, 0.1, 7.0),
            // Falls slowly to begin with.
            (&|eta: f64| 1.0 - eta - 100.0 * eta * eta + 1e4 * eta.powi(3), 1.0, 0.0161803398875),
            // The first step is too long already.
            (&|eta: f64| 1.0 - eta + 1e4 * eta * eta, 1.0, 1e-4),
        ];
        for (loss, slope, crossing) in cases {
            for tolerance in [0.3, 0.05, 1e-3] {
                let critical = found(loss, slope, tolerance);
                let Critical { eta, low, high, converged, ref history } = critical;
                assert!(converged && low <= eta && eta <= high, "{critical:?}");
                assert!(
                    low <= crossing * 1.000001 && crossing <= high * 1.000001,
                    "{critical:?} of {crossing}"
                );
                assert!(high / low <= 1.0 + tolerance && history.len() <= 25, "{}", history.len());
                assert!(loss(low) <= loss(0.0) && !(loss(high) <= loss(0.0)));
            }
        }
    }

    #[test]
    fn what_never_rises_is_open_above() {
        let critical = found(|eta| 1.0 / (1.0 + eta), 1.0, 0.05);
        assert!(!critical.converged && critical.high == f64::INFINITY && critical.low == critical.eta);
        assert!(critical.eta > 1e6);
    }

    #[test]
    fn along_a_direction_that_does_not_descend_it_is_zero() {
        let critical = found(|eta| 1.0 + eta, -1.0, 0.05);
        assert_eq!((critical.eta, critical.high, critical.history.len()), (0.0, 0.0, 0));
    }

    #[test]
    fn what_was_not_asked_and_what_makes_no_search_is_refused() {
        let mut search = CriticalStep::new(1.0, 1.0, 0.05, 5).unwrap();
        assert_eq!(search.tell(0.3, 1.0), Err(SearchError::NotAsked(0.3)));
        let refused =
            |loss, slope, tolerance, most| CriticalStep::new(loss, slope, tolerance, most).unwrap_err();
        assert_eq!(refused(1.0, 1.0, 0.0, 5), SearchError::Tolerance(0.0));
        assert_eq!(refused(1.0, 1.0, 0.1, 0), SearchError::MaxProbes);
        let slope = f64::INFINITY;
        assert_eq!(refused(1.0, slope, 0.1, 5), SearchError::Slope { loss: 1.0, slope });
    }
}
