//! What a training log shows, as `etalon watch` says it.

use crate::{Error, error};
use etalon::nn::optim::{AdamW, Optimizer, Rule, Sgd};
use etalon::watch::{Columns, Detector, Log, Point, Settings, WatchError};
use etalon_report::figure::{Axis, Colour, Figure, Panel, Point as Place, Reference, Series, Stroke, thin};
use pyo3::prelude::*;
use std::path::PathBuf;

/// Points that the figure is drawn from, and how many are left when there are more.
const MOST: usize = 8192;
const KEPT: usize = 2048;

/// A detector, with the course of its numbers for a figure.
#[pyclass(module = "etalon._etalon")]
pub struct Judge {
    detector: Detector,
    losses: Vec<Place>,
    /// Rate times curvature over the limit of stability.
    ratios: Vec<Place>,
    preconditioned: bool,
}

/// The learning rate of a log: a column, or the rate itself where no column has it.
#[derive(FromPyObject)]
enum Rate {
    Constant(f64),
    Column(String),
}

#[pymethods]
impl Judge {
    /// Of Adam where its beta1 is given, else of SGD.
    #[new]
    fn new(momentum: f64, nesterov: bool, adam: Option<f64>) -> PyResult<Self> {
        let optimizer = match adam {
            Some(beta1) => Rule::AdamW(AdamW { beta1, ..AdamW::default() }),
            None => Rule::Sgd(Sgd { momentum, nesterov }),
        };
        optimizer.stability().map_err(error)?;
        let detector = Detector::new(Settings { optimizer });
        Ok(Judge { detector, losses: Vec::new(), ratios: Vec::new(), preconditioned: adam.is_some() })
    }

    /// Takes the next row.
    #[pyo3(signature = (step, loss, rate, curvature, norm))]
    fn push(&mut self, step: u64, loss: f64, rate: Option<f64>, curvature: Option<f64>, norm: Option<f64>) {
        self.detector.push(Point { step, loss, rate, curvature, norm });
        keep(&mut self.losses, step, loss);
        if rate.and(curvature).is_some() {
            self.keep_ratio(step);
        }
    }

    /// Takes the rows of a log; the columns are recognised where they are not named. Answers with the number of lines that
    /// were no rows, and what was wrong with the first.
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn read(
        &mut self,
        path: PathBuf,
        step: Option<String>,
        loss: Option<String>,
        rate: Option<Rate>,
        curvature: Option<String>,
        norm: Option<String>,
        run: Option<String>,
    ) -> PyResult<(u64, Option<String>)> {
        let preconditioned = self.preconditioned;
        let (rate, constant_rate) = match rate {
            Some(Rate::Constant(rate)) if !(rate > 0.0 && rate.is_finite()) => {
                return Err(Error::new_err(format!(
                    "rate={rate} must be a positive number, or the name of a column"
                )));
            }
            Some(Rate::Constant(rate)) => (None, Some(rate)),
            Some(Rate::Column(name)) => (Some(name), None),
            None => (None, None),
        };
        let columns =
            Columns { step, loss, rate, constant_rate, curvature, norm, metric: None, preconditioned, run };
        let mut log = Log::open(&path, columns).map_err(unreadable)?;
        let mut last = 0;
        log.read(true, |point| {
            last = point.step;
            self.push(point.step, point.loss, point.rate, point.curvature, point.norm);
        })
        .map_err(unreadable)?;
        if let Some((rate, curvature)) = log.after() {
            self.detector.measured(rate, curvature);
            self.keep_ratio(last + 1);
        }
        let (skipped, first) = log.skipped();
        Ok((skipped, first.map(String::from)))
    }

    /// What it shows so far, as a dictionary.
    fn finding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.detector.finding())?)
    }

    /// The course of the losses as an SVG.
    fn svg(&self) -> PyResult<String> {
        self.figure().svg().map_err(error)
    }
}

impl Judge {
    fn keep_ratio(&mut self, step: u64) {
        if let Some(ratio) = self.detector.over_limit() {
            keep(&mut self.ratios, step, ratio);
        }
    }

    fn figure(&self) -> Figure {
        let series = |name: &str, index, look, points: &[Place]| Series {
            points: points.to_vec(),
            ..Series::plain(name, Colour::of(index), look, [])
        };
        // A logarithm is taken of positive losses alone.
        let positive = self.losses.iter().all(|place| !(place.y <= 0.0));
        let loss = if positive { Axis::log("loss") } else { Axis::even("loss") };
        let mut panels =
            vec![Panel { series: vec![series("loss", 0, Stroke::Line, &self.losses)], ..Panel::new(loss) }];
        if !self.ratios.is_empty() {
            let name = "rate over the limit of stability";
            panels.push(Panel {
                weight: 0.6,
                lines: vec![Reference::level("the limit", 1.0)],
                series: vec![series(name, 1, Stroke::Both, &self.ratios)],
                ..Panel::new(Axis::even("rate / limit"))
            });
        }
        Figure {
            name: "watch".into(),
            title: self.detector.finding().state.to_string(),
            note: String::new(),
            x: Axis::steps(),
            panels,
            details: None,
        }
    }
}

/// What is wrong with a log, with keywords in place of flags.
fn unreadable(wrong: WatchError) -> PyErr {
    match wrong {
        WatchError::NoColumn { path, what, named, found } => {
            let (path, named) = (path.display(), named.map_or(String::new(), |name| format!("`{name}` ")));
            Error::new_err(format!(
                "{path} has no column {named}for the {what}: it has {found}; name one by {what}="
            ))
        }
        other => error(other),
    }
}

/// Adds a point; of very many a few that look the same are kept.
fn keep(course: &mut Vec<Place>, step: u64, y: f64) {
    course.push(Place { x: step as f64, y, spread: None, hollow: false });
    if course.len() >= MOST {
        *course = thin(course, KEPT);
    }
}
