//! What the rows of a training's log come to.

use super::Bound;
use crate::phase::{Phase, PhaseVerdict};
use crate::search::{Answer, Outcome, Trained};
use crate::units::significant;
use crate::watch::{Detector, Point, Row, Settings, State};

/// Of the steps of a training, the share at its end over which its loss and metric are averaged, as in Etalon's own.
const TAIL: f64 = 0.2;
/// A loss that ends this many times above where it began has come to nothing, as in Etalon's own.
const FAR: f64 = 1.25;

/// How far a training is to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Until {
    /// To its end.
    End,
    /// To the first row whose metric comes to a bound.
    Goal(Bound),
    /// To the first row of this step or a later one.
    Step(u64),
    /// To so many rows with a loss.
    Rows(usize),
}

/// What ended a training before its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// It diverges; the reason.
    Diverged(String),
    /// The metric has come to its bound.
    Reached,
    /// It has gone as far as it was to.
    Cut,
}

/// A training as its log tells it, row by row. What comes after the row that decides is not looked at: how much of it there is
/// depends on when the training was ended.
#[derive(Clone, Debug)]
pub(super) struct Course {
    until: Until,
    detector: Detector,
    /// Up to the one that decides.
    pub(super) rows: Vec<Row>,
    /// How many of them have a loss.
    losses: usize,
    /// The curvature of the first row that has one, if no step was taken before it.
    pub(super) sharpness: Option<f64>,
    /// The last step.
    pub(super) step: u64,
    pub(super) decision: Option<Decision>,
}

impl Course {
    pub(super) fn new(until: Until) -> Course {
        Course {
            until,
            detector: Detector::new(Settings::default()),
            rows: Vec::new(),
            losses: 0,
            sharpness: None,
            step: 0,
            decision: None,
        }
    }

    /// The same, of a log that was begun anew.
    pub(super) fn anew(&self) -> Course {
        Course::new(self.until)
    }

    /// Takes the next row.
    pub(super) fn take(&mut self, row: Row) {
        if self.decision.is_some() {
            return;
        }
        let Row { step, loss, rate, curvature, norm, metric } = row;
        self.rows.push(row);
        if self.losses == 0 {
            self.sharpness = curvature.filter(|curvature| *curvature > 0.0 && curvature.is_finite());
        }
        self.step = self.step.max(step);
        if let Some(loss) = loss {
            self.losses += 1;
            self.detector.push(Point { step, loss, rate, curvature, norm });
            // What else looks like divergence may come back yet.
            if self.detector.is_lost() {
                self.decision = Some(Decision::Diverged(self.detector.finding().why));
                return;
            }
        }
        self.decision = match self.until {
            Until::Goal(bound) if metric.is_some_and(|metric| bound.is_met(metric)) => {
                Some(Decision::Reached)
            }
            Until::Step(last) if step >= last && self.losses > 0 => Some(Decision::Cut),
            Until::Rows(rows) if self.losses >= rows => Some(Decision::Cut),
            _ => None,
        };
    }

    /// Whether there is a row with a loss.
    pub(super) fn has_begun(&self) -> bool {
        self.losses > 0
    }

    /// Whether it did not diverge.
    pub(super) fn survived(&self) -> bool {
        self.divergence().is_none()
    }

    /// Why it diverges: by the row that decided, or as its log ends.
    fn divergence(&self) -> Option<String> {
        match &self.decision {
            Some(Decision::Diverged(why)) => Some(why.clone()),
            Some(_) => None,
            None => {
                let finding = self.detector.finding();
                (finding.state == State::Diverging).then_some(finding.why)
            }
        }
    }

    /// Losses with their steps.
    fn losses(&self) -> impl Iterator<Item = (u64, f64)> + Clone {
        self.rows.iter().filter_map(|row| Some((row.step, row.loss?)))
    }

    /// Values of the metric with their steps.
    fn metrics(&self) -> impl Iterator<Item = (u64, f64)> + Clone {
        self.rows.iter().filter_map(|row| Some((row.step, row.metric?)))
    }

    /// The step of the first loss; 0 where there is none.
    pub(super) fn first_step(&self) -> u64 {
        self.losses().next().map_or(0, |(step, _)| step)
    }

    /// The loss it began with; not a number where there is none.
    pub(super) fn first_loss(&self) -> f64 {
        self.losses().next().map_or(f64::NAN, |(_, loss)| loss)
    }

    /// The largest loss and its step; what is not a number is larger than all that are.
    pub(super) fn peak(&self) -> Option<(u64, f64)> {
        self.losses().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The first value of the metric: that of a network that has learnt nothing, if it is logged early.
    pub(super) fn first_metric(&self) -> Option<f64> {
        self.metrics().next().map(|(_, metric)| metric)
    }

    /// The standard error of the metric's mean over the tail, by the noise from look to look; 0 of fewer than three looks.
    pub(super) fn metric_error(&self) -> f64 {
        let tail: Vec<f64> = self.tail(self.metrics()).collect();
        let changes: Vec<f64> = tail.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if changes.len() < 2 {
            return 0.0;
        }
        // A difference has twice the variance of a look.
        let square = changes.iter().map(|change| change * change).sum::<f64>() / changes.len() as f64;
        (square / 2.0 / tail.len() as f64).sqrt()
    }

    fn tail(&self, values: impl Iterator<Item = (u64, f64)> + Clone) -> impl Iterator<Item = f64> {
        let from = self.step as f64 - TAIL * (self.step - self.first_step()) as f64;
        // The last one, where values are rare.
        let last = values.clone().last().map_or(0, |(step, _)| step);
        values.filter(move |&(step, _)| step as f64 >= from || step == last).map(|(_, value)| value)
    }

    /// The training loss, averaged over the tail.
    pub(super) fn last_loss(&self) -> f64 {
        mean(self.tail(self.losses()))
    }

    /// The metric, averaged over the tail.
    pub(super) fn last_metric(&self) -> f64 {
        mean(self.tail(self.metrics()))
    }

    /// As an answer to whether it trains.
    pub(super) fn outcome(&self) -> Outcome {
        let verdict = match (self.divergence(), &self.decision, self.until) {
            (Some(why), ..) => Answer::TooFast(why),
            (_, Some(Decision::Reached), _) => Answer::Trained,
            (_, _, Until::Goal(_)) => Answer::TooSlow,
            _ if self.last_loss() < self.first_loss() => Answer::Trained,
            _ => Answer::TooSlow,
        };
        Outcome { verdict, steps: self.step }
    }

    /// As what came of a training of `total` steps.
    pub(super) fn trained(&self, total: u64) -> Trained {
        let (first, last) = (self.first_loss(), self.last_loss());
        let failure = match self.divergence() {
            Some(why) => Some(why),
            None if first > 0.0 && last > FAR * first => Some(format!(
                "the training loss ended at {}, far above the {} it began with",
                significant(last, 3),
                significant(first, 3)
            )),
            _ => None,
        };
        let is_whole = failure.is_none() && self.until == Until::End;
        let metric = if is_whole { self.last_metric() } else { f64::NAN };
        Trained {
            failure,
            loss: last,
            reached: metric,
            validation: metric,
            test: f64::NAN,
            samples: Vec::new(),
            steps: self.step,
            budgets: self.step as f64 / total as f64,
        }
    }

    /// Its phase, with the evidence.
    pub(super) fn phase(&self) -> PhaseVerdict {
        let finding = self.detector.finding();
        let phase = match finding.state {
            State::Diverging => Phase::Divergent,
            State::Stuck | State::CatapultInProgress => Phase::Stuck,
            State::Catapult => Phase::Catapult,
            State::EdgeOfStability | State::NormDriven if finding.greatest_rise.is_some() => Phase::Catapult,
            State::EdgeOfStability | State::NormDriven | State::Lazy | State::Undecided => Phase::Lazy,
        };
        let finite = |loss: f64| loss.is_finite().then_some(loss);
        let peak = self.peak();
        PhaseVerdict {
            phase,
            why: finding.why,
            first_loss: self.first_loss(),
            peak_loss: peak.and_then(|(_, loss)| finite(loss)),
            peak_step: peak.map_or(0, |(step, _)| step),
            start_loss: None,
            final_loss: self.losses().last().and_then(|(_, loss)| finite(loss)),
            constant_loss: f64::NAN,
            ntk_start: None,
            ntk_end: None,
        }
    }
}

/// Not a number, of none.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(until: Until, losses: &[f64], metrics: &[(usize, f64)]) -> Course {
        let mut course = Course::new(until);
        for (step, &loss) in losses.iter().enumerate() {
            let metric = metrics.iter().find(|(at, _)| *at == step).map(|&(_, metric)| metric);
            course.take(Row {
                step: step as u64,
                loss: Some(loss),
                rate: None,
                curvature: None,
                norm: None,
                metric,
            });
        }
        course
    }

    fn falling(rate: f64, count: i32) -> Vec<f64> {
        (0..count).map(|step| rate.powi(step)).collect()
    }

    #[test]
    fn the_row_that_decides_is_the_last_that_counts() {
        let losses = falling(0.9, 100);
        let goal = course(Until::Goal(Bound::Above(0.5)), &losses, &[(10, 0.4), (20, 0.5), (30, 0.1)]);
        assert_eq!(goal.outcome(), Outcome { verdict: Answer::Trained, steps: 20 });
        let short = course(Until::Step(50), &losses, &[]);
        assert_eq!((short.decision.as_ref(), short.step), (Some(&Decision::Cut), 50));
        let mean = (40..=50).map(|step| losses[step]).sum::<f64>() / 11.0;
        assert!((short.trained(99).loss / mean - 1.0).abs() < 1e-12);
        assert!((short.trained(100).budgets - 0.5).abs() < 1e-12);
    }

    #[test]
    fn divergence_is_decided_at_its_row_and_a_catapult_is_let_live() {
        let broken = [&falling(0.9, 20)[..], &[f64::NAN, 0.1]].concat();
        let outcome = course(Until::End, &broken, &[]).outcome();
        assert!(matches!(outcome, Outcome { verdict: Answer::TooFast(_), steps: 20 }), "{outcome:?}");
        // Up by 1.5 a step, then slower, over a peak, and back.
        let catapult: Vec<f64> = (0..100)
            .map(|step| 1e3f64.powf((f64::from(step) / 10.0).sin().max(-1.0)) * 0.99f64.powi(step))
            .collect();
        assert!(course(Until::End, &catapult, &[]).survived());
    }

    #[test]
    fn without_a_goal_what_ends_lower_has_trained() {
        let verdict = |losses: &[f64]| course(Until::End, losses, &[]).outcome().verdict;
        assert_eq!(verdict(&falling(0.99, 50)), Answer::Trained);
        assert_eq!(verdict(&falling(1.001, 50)), Answer::TooSlow);
        // A goal that is not reached is not.
        assert_eq!(
            course(Until::Goal(Bound::Below(0.0)), &falling(0.99, 50), &[(3, 1.0)]).outcome().verdict,
            Answer::TooSlow
        );
    }

    #[test]
    fn a_metric_is_averaged_over_the_tail_or_is_the_last_of_rare_ones() {
        let losses = falling(0.99, 101);
        let metrics = [(0, 0.1), (50, 0.2), (85, 0.5), (95, 0.7)];
        assert!((course(Until::End, &losses, &metrics).trained(100).validation - 0.6).abs() < 1e-12);
        assert_eq!(course(Until::End, &losses, &metrics[..2]).trained(100).validation, 0.2);
        assert!(course(Until::Step(100), &losses, &metrics).trained(100).validation.is_nan());
        // Looks that differ by d have the deviation d / 2^(1/2) each.
        let looks: Vec<(usize, f64)> = (80..100).map(|step| (step, (step % 2) as f64)).collect();
        assert!((course(Until::End, &losses, &looks).metric_error() - (0.5f64 / 20.0).sqrt()).abs() < 1e-12);
    }
}
