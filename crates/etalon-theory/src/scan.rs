//! One scalar model over learning rates and widths.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Axis, Map, Phase, Run, RunSettings, ScalarLoss, State, TheoryError, catapult_eta, critical_eta,
    largest_stable_eta,
};

/// Every learning rate with every width, from one start.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// The loss of the one output.
    pub loss: ScalarLoss,
    /// Output and curvature at the start.
    pub start: State,
    /// Learning rates in units of one over the curvature at the start, `c = eta lambda_0`: the NTK's, whatever the loss. The
    /// Hessian's is `c_h` (see `phase::boundaries`), a quarter of it under balanced logistic loss at the minimum.
    pub c: Axis,
    /// Numbers of hidden units; see [`Map::new`].
    pub widths: Axis,
    /// How long to run.
    pub settings: RunSettings,
}

/// One run of a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanRun {
    /// The learning rate times the NTK at the start, `eta lambda_0`.
    pub c: f64,
    /// The map that ran.
    pub map: Map,
    /// Its phase, with the evidence.
    pub run: Run,
}

/// A run as people and programs read it. What is not finite is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `eta lambda_0`, with the NTK's.
    pub c: f64,
    /// The number of hidden units `n`.
    pub width: f64,
    /// The constant learning rate, `c / lambda_0`.
    pub eta: f64,
    /// The phase; as JSON its name, and the length of a cycle as `period`.
    #[serde(flatten, with = "super::phase::columns")]
    pub phase: Phase,
    /// The largest loss, the start's included.
    #[serde(deserialize_with = "crate::units::number")]
    pub peak_loss: f64,
    /// The step of the largest loss; 0 where that is the start's.
    pub peak_step: usize,
    /// The curvature at the end.
    pub final_lambda: Option<f64>,
    /// The learning rate times the curvature at the end.
    pub final_c: Option<f64>,
    /// The loss at the end.
    pub final_loss: Option<f64>,
    /// The output at the end.
    pub final_f: Option<f64>,
    /// The loss at the start.
    #[serde(deserialize_with = "crate::units::number")]
    pub initial_loss: f64,
    /// Steps taken: to convergence, to divergence, or all.
    pub steps: usize,
    /// The reason for the phase, with its numbers.
    pub why: String,
}

impl Summary {
    /// The names of the columns of [`Summary::csv`].
    pub const CSV: &str = "width,c,eta,phase,period,peak_loss,peak_step,final_lambda,final_c,final_loss,final_f,initial_loss,steps";

    /// The run as a line of CSV, without its end; what is none is empty.
    pub fn csv(&self) -> String {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
        let period = self.phase.period().map_or(String::new(), |period| period.to_string());
        format!(
            "{:?},{:?},{:?},{},{period},{},{},{},{},{},{},{},{}",
            self.width,
            self.c,
            self.eta,
            self.phase.name(),
            number(Some(self.peak_loss)),
            self.peak_step,
            number(self.final_lambda),
            number(self.final_c),
            number(self.final_loss),
            number(self.final_f),
            number(Some(self.initial_loss)),
            self.steps
        )
    }
}

/// What a model did from one start at many rates and widths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapRuns {
    /// The name of the model: map, logistic, exponential or uv.
    pub model: String,
    /// The loss of its one output.
    pub loss: ScalarLoss,
    /// Output and NTK that all runs start from.
    pub start: State,
    /// After how many steps a run is given up.
    pub max_steps: usize,
    /// The closed forms at each width.
    pub edges: Vec<Edges>,
    /// Every rate at every width, the widths slowest.
    pub runs: Vec<Summary>,
}

/// Where a model changes its behaviour, in units of `c`; none where no closed form holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edges {
    /// The number of hidden units `n`.
    pub width: f64,
    /// [`critical_eta`] times the NTK at the start.
    pub critical_c: Option<f64>,
    /// [`catapult_eta`] times the NTK at the start.
    pub catapult_c: Option<f64>,
    /// [`largest_stable_eta`] times the NTK at the start.
    pub largest_stable_c: Option<f64>,
}

impl Scan {
    /// How many runs it has; a number too large to count is the largest there is.
    pub fn len(&self) -> usize {
        self.c.len().saturating_mul(self.widths.len())
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that its runs take, with their text.
    pub fn bytes(&self) -> u64 {
        // A summary with its reason, as JSON.
        const TEXT: u64 = 600;
        (self.len() as u64).saturating_mul(size_of::<ScanRun>() as u64 + TEXT)
    }

    /// Run number `index`: widths in order, and for each width the learning rates in order.
    ///
    /// A start at the minimum is a lazy run of no step: nothing can happen there.
    ///
    /// # Errors
    /// Those of [`Map::new`] and [`Map::run`], other than a start at the minimum.
    ///
    /// # Panics
    /// When `index` is not below [`Scan::len`].
    pub fn run(&self, index: usize) -> Result<ScanRun, TheoryError> {
        let values = self.c.get(index % self.c.len()).zip(self.widths.get(index / self.c.len()));
        let (c, width) = values.expect("an index below the number of runs");
        if !(self.start.lambda > 0.0 && self.start.lambda.is_finite()) {
            let got = self.start.lambda;
            return Err(TheoryError::OutOfRange { name: "lambda0", got, range: "positive and finite" });
        }
        let map = Map::new(self.loss, c / self.start.lambda, width)?;
        let run = match map.run(self.start, &self.settings) {
            Err(TheoryError::AtMinimum { .. }) => Run::at_rest(self.loss, self.start),
            other => other?,
        };
        Ok(ScanRun { c, map, run })
    }

    /// All runs, in order, on rayon's threads.
    ///
    /// # Errors
    /// As [`Scan::run`].
    pub fn runs(&self) -> Result<Vec<ScanRun>, TheoryError> {
        (0..self.len()).into_par_iter().map(|index| self.run(index)).collect()
    }

    /// The closed forms at a width.
    pub fn edges(&self, width: f64) -> Edges {
        let State { lambda, .. } = self.start;
        let in_c = |eta: Option<f64>| eta.map(|eta| eta * lambda).filter(|c| c.is_finite());
        Edges {
            width,
            critical_c: in_c(critical_eta(self.loss, lambda)),
            catapult_c: in_c(catapult_eta(self.loss, lambda, width)),
            largest_stable_c: in_c(largest_stable_eta(self.loss, width)),
        }
    }
}

impl ScanRun {
    /// Whether it started at the minimum, where nothing can happen.
    pub fn is_at_rest(&self) -> bool {
        self.run.steps == 0
    }

    /// The states from the start to the end, both included: output and curvature before each step.
    pub fn states(&self) -> impl Iterator<Item = State> + use<> {
        self.map.states(self.run.start).take(self.run.steps + 1)
    }

    /// The run in numbers and words.
    pub fn summary(&self) -> Summary {
        let Run { phase, last, .. } = self.run;
        let finite = |value: f64| value.is_finite().then_some(value);
        Summary {
            c: self.c,
            width: self.map.width(),
            eta: self.map.eta(),
            phase,
            peak_loss: self.run.peak_loss,
            peak_step: self.run.peak_step,
            final_lambda: finite(last.lambda),
            final_c: finite(self.map.eta() * last.lambda),
            final_loss: finite(self.map.loss().value(last.f)),
            final_f: finite(last.f),
            initial_loss: self.run.initial_loss,
            steps: self.run.steps,
            why: self.why(),
        }
    }

    /// The reason for the phase, with its numbers.
    fn why(&self) -> String {
        let Run { phase, last, steps, initial_loss, peak_loss, peak_step, .. } = self.run;
        if self.is_at_rest() {
            return "the start is the minimum of the loss: the gradient is zero and nothing can happen"
                .into();
        }
        let rose = || match peak_step {
            0 => "the loss never rose above its start".to_string(),
            _ => format!(
                "the loss rose {:.3}-fold to {peak_loss:.4} at step {peak_step}",
                peak_loss / initial_loss
            ),
        };
        let end = self.map.eta() * last.lambda;
        match phase {
            Phase::Lazy => {
                format!("{}, and eta lambda went from {:.4} to {end:.4} in {steps} steps", rose(), self.c)
            }
            Phase::Catapult => {
                format!(
                    "{}; eta lambda went from {:.4} to {end:.4}, where the minimum is stable",
                    rose(),
                    self.c
                )
            }
            Phase::Divergent => format!("the loss passed every bound at step {steps}"),
            Phase::Cycle(period) => {
                format!("{}; after {steps} steps the output returns every {period} steps", rose())
            }
            Phase::Chaotic => format!("{}; after {steps} steps it is bounded and in no cycle", rose()),
            Phase::Unfinished => format!("{}; after {steps} steps it is still on its way", rose()),
            Phase::Stuck => format!("{}; after {steps} steps it stays where it is", rose()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(c: &str, widths: &str, f: f64) -> Scan {
        Scan {
            loss: ScalarLoss::Mse { target: 0.0 },
            start: State { f, lambda: 2.0 },
            c: c.parse().unwrap(),
            widths: widths.parse().unwrap(),
            settings: RunSettings::default(),
        }
    }

    #[test]
    fn runs_come_width_by_width_in_the_order_asked() {
        let runs = scan("3,1", "100,10", 1.0).runs().unwrap();
        let order: Vec<_> = runs.iter().map(|run| (run.map.width(), run.c)).collect();
        assert_eq!(order, [(100.0, 3.0), (100.0, 1.0), (10.0, 3.0), (10.0, 1.0)]);
        assert_eq!(runs[0].map.eta(), 1.5);
    }

    #[test]
    fn a_run_explains_itself_and_replays() {
        let run = scan("2.5", "1024", 1.0).run(0).unwrap();
        let summary = run.summary();
        assert_eq!(summary.phase, Phase::Catapult);
        assert!(summary.why.starts_with("the loss rose 112.0"), "{}", summary.why);
        assert!(summary.why.ends_with("to 1.2788, where the minimum is stable"), "{}", summary.why);
        let states: Vec<State> = run.states().collect();
        assert_eq!(
            (states.len(), states[0], states[summary.steps]),
            (summary.steps + 1, run.run.start, run.run.last)
        );
    }

    #[test]
    fn a_line_of_csv_has_as_many_cells_as_the_header() {
        for c in ["2.5", "4", "4.1"] {
            let summary = scan(c, "1024", 1.0).run(0).unwrap().summary();
            assert_eq!(
                summary.csv().split(',').count(),
                Summary::CSV.split(',').count(),
                "{}",
                summary.csv()
            );
            assert!(summary.csv().starts_with(&format!("1024.0,{:?},", summary.c)));
        }
    }

    #[test]
    fn at_the_minimum_nothing_happens() {
        let run = scan("3", "10", 0.0).run(0).unwrap();
        assert!(run.is_at_rest());
        let summary = run.summary();
        assert_eq!((summary.phase, summary.final_c, summary.steps), (Phase::Lazy, Some(3.0), 0));
        assert!(summary.why.contains("nothing can happen"));
    }

    #[test]
    fn divergence_has_no_final_numbers() {
        let json = serde_json::to_value(scan("4.1", "1024", 1.0).run(0).unwrap().summary()).unwrap();
        assert_eq!(json["phase"], "divergent");
        // The last curvature may still be a number; an overflown one is null, never a string.
        assert!(json["final_c"].is_null() || json["final_c"].as_f64().unwrap() > 4.1);
        assert!(json.get("period").is_none());
    }

    #[test]
    fn edges_are_the_closed_forms_in_units_of_c() {
        let edges = scan("1", "50", 1.0).edges(50.0);
        assert_eq!(
            (edges.critical_c, edges.catapult_c, edges.largest_stable_c),
            (Some(2.0), Some(4.0), None)
        );
        let logistic = Scan { loss: ScalarLoss::Logistic { positive: 0.5 }, ..scan("1", "50", 1.0) };
        assert_eq!(
            (logistic.edges(50.0).critical_c, logistic.edges(50.0).catapult_c),
            (Some(8.0), Some(40.0))
        );
    }

    #[test]
    fn starts_that_mean_nothing_are_refused() {
        let error = Scan { start: State { f: 1.0, lambda: 0.0 }, ..scan("1", "10", 1.0) }.runs().unwrap_err();
        assert_eq!(error.to_string(), "lambda0 = 0: it must be positive and finite");
        let error = scan("1", "10", 100.0).runs().unwrap_err();
        assert!(error.to_string().starts_with("no network of width 10 has output 100"), "{error}");
    }
}
