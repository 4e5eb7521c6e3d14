//! The search for eta* and the choice of the rate to use, as questions and answers: trainings are Python's.

use crate::{Error, error};
use etalon::search::{
    self, Answer, Boundary, ClimbSettings, EtaStar, Measure, Outcome, Probed, Question, SeedResult, Settings,
    Trained,
};
use pyo3::prelude::*;
use serde::Serialize;

/// One seed's search for eta*: `ask` which rates are wanted, `tell` what came of each, until none is.
#[pyclass(module = "etalon._etalon")]
pub struct SeedSearch {
    seed: u64,
    search: search::SeedSearch,
}

#[pymethods]
impl SeedSearch {
    #[new]
    fn new(seed: u64, start: f64, tolerance: f64, range: Option<[f64; 2]>) -> PyResult<Self> {
        let settings = Settings { tolerance, range, ..Settings::default() };
        let search = search::SeedSearch::new(start, &settings).map_err(error)?;
        Ok(SeedSearch { seed, search })
    }

    fn ask(&self) -> Vec<f64> {
        self.search.ask()
    }

    fn reach(&self) -> Option<f64> {
        self.search.reach()
    }

    fn begin_beyond(&mut self, reach: f64) {
        self.search.begin_beyond(reach);
    }

    /// `why` tells what went wrong at a rate that is too high; without it a failure may be at either end.
    fn tell(&mut self, eta: f64, trained: bool, why: Option<String>, steps: u64) -> PyResult<()> {
        let verdict = match why {
            _ if trained => Answer::Trained,
            Some(why) => Answer::TooFast(why),
            None => Answer::TooSlow,
        };
        self.search.tell(eta, Outcome { verdict, steps }).map_err(error)
    }
}

/// A rate that was tried.
#[derive(Serialize)]
struct Rate {
    eta: f64,
    trained: bool,
    why: Option<String>,
    steps: u64,
}

/// A seed's eta*, between `low` and `high`.
#[derive(Serialize)]
struct Seed {
    seed: u64,
    eta: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    islands: Vec<f64>,
    failure: Option<String>,
    stopped: String,
    probes: Vec<Rate>,
}

impl From<SeedResult> for Seed {
    fn from(result: SeedResult) -> Seed {
        let (low, high) = match result.boundary {
            Boundary::Found { low, high } => (Some(low), Some(high)),
            Boundary::CensoredAbove(low) => (Some(low), None),
            Boundary::Undefined { .. } => (None, None),
        };
        let rate = |probed: &Probed| Rate {
            eta: probed.eta,
            trained: probed.trained(),
            why: probed.failure(),
            steps: probed.steps,
        };
        Seed {
            seed: result.seed,
            eta: result.eta(),
            low,
            high,
            failure: result.failure.clone(),
            stopped: result.stopped.to_string(),
            probes: result.probes.iter().map(rate).collect(),
            islands: result.islands,
        }
    }
}

/// eta* over seeds.
#[derive(Serialize)]
struct Star {
    eta_star: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    coverage: f64,
    reason: Option<String>,
    seeds: Vec<Seed>,
}

/// The searches of several seeds together, once nothing is asked: a dictionary.
#[pyfunction]
pub(crate) fn eta_star<'py>(
    py: Python<'py>,
    searches: Vec<PyRef<'py, SeedSearch>>,
    tolerance: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let result = |search: &PyRef<'py, SeedSearch>| {
        let missing = || Error::new_err(format!("the search of seed {} still asks", search.seed));
        search.search.result(search.seed).ok_or_else(missing)
    };
    let seeds = searches.iter().map(result).collect::<PyResult<Vec<_>>>()?;
    let found = EtaStar::from_seeds(seeds, tolerance).map_err(error)?;
    let star = Star {
        eta_star: found.median,
        low: found.low,
        high: found.high,
        coverage: found.coverage,
        reason: found.reason,
        seeds: found.seeds.into_iter().map(Seed::from).collect(),
    };
    Ok(pythonize::pythonize(py, &star)?)
}

/// The choice of the rate to use by a metric: `ask` which trainings are wanted, `tell` the metric that each came to. A training
/// has one length here: its metric stands for the loss of a short one too.
#[pyclass(module = "etalon._etalon")]
pub struct Climb {
    climb: search::Climb,
    higher_is_better: bool,
}

#[pymethods]
impl Climb {
    /// `chance` is the metric where nothing is learnt, `error` its standard error.
    #[new]
    fn new(
        start: f64,
        seeds: Vec<u64>,
        higher_is_better: bool,
        chance: f64,
        error: f64,
        trainings: usize,
        range: Option<[f64; 2]>,
    ) -> PyResult<Self> {
        let measure =
            Measure { name: "metric".into(), higher_is_better, chance, constant_loss: f64::NAN, error };
        let settings = ClimbSettings { trainings, range, ..ClimbSettings::default() };
        let climb = search::Climb::new(start, &seeds, measure, &settings).map_err(crate::error)?;
        Ok(Climb { climb, higher_is_better })
    }

    /// Rates and seeds.
    fn ask(&self) -> Vec<(f64, u64)> {
        self.climb.ask().iter().map(|question| (question.eta, question.seed)).collect()
    }

    fn tell(
        &mut self,
        eta: f64,
        seed: u64,
        failure: Option<String>,
        metric: f64,
        steps: u64,
    ) -> PyResult<()> {
        let asked = |question: &Question| question.eta == eta && question.seed == seed;
        let question = self.climb.ask().into_iter().find(asked);
        let question = question.ok_or_else(|| error(search::SearchError::NotAsked(eta)))?;
        let trained = Trained {
            failure,
            loss: if self.higher_is_better { -metric } else { metric },
            reached: metric,
            validation: metric,
            test: f64::NAN,
            samples: Vec::new(),
            steps,
            budgets: 1.0,
        };
        self.climb.tell(&question, trained).map_err(error)
    }

    /// The choice by what is known: a dictionary of the record's fields.
    fn so_far<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.climb.so_far())?)
    }
}
