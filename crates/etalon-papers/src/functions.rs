//! The measuring functions by the names that claims call them by.

use crate::experiment::{ClaimError, Experiment};
use crate::{a, b, c, d, e};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use std::fmt;
use toml::Table;

/// What measures the quantities of a claim, given a struct of parameters.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Whether a claim's parameters are this function's, none missing and none unknown.
    pub(crate) check: fn(&Table) -> Result<(), toml::de::Error>,
    /// Measures.
    pub(crate) run: fn(&Table, &mut Experiment<'_>) -> Result<(), ClaimError>,
}

/// Declares the functions: `"name": path`.
macro_rules! functions {
    ($($name:literal: $function:path;)*) => {
        const FUNCTIONS: &[Function] = &[$(Function {
            name: $name,
            check: |parameters| check($function, parameters),
            run: |parameters, experiment| run($function, parameters, experiment),
        },)*];
    };
}

functions! {
    "map-out-and-back": a::map::out_and_back;
    "map-phases": a::map::phases;
    "map-widths": a::map::widths;
    "phases-by-curvature": a::networks::by_curvature;
    "phases-by-loss": a::networks::by_loss;
    "best-rate": a::performance::best_rate;
    "best-rate-at-equal-steps": a::performance::equal_steps;
    "best-rate-after-low-rate": a::performance::best_rate_after_low_rate;
    "equal-time": a::performance::equal_time;
    "linear-models": a::linearised::linear_models;
    "architectures": a::architectures::architectures;
    "first-rise-by-depth": a::thresholds::first_rise_by_depth;
    "divergence": a::thresholds::divergence;
    "activation-limits": a::thresholds::activation_limits;
    "momentum-limits": a::thresholds::momentum_limits;
    "edge-of-stability": a::edge::edge;
    "edge-left": a::edge::departure;
    "batch-sharpness": a::batches::batch_sharpness;
    "eigenvalues-by-width": a::widths::eigenvalues;
    "transition-by-width": a::widths::transition;
    "logistic-predictor": b::phases::predictor;
    "logistic-network": b::phases::network;
    "logistic-scan": b::phases::scan;
    "sharpness-against-rate": b::networks::sharpness;
    "accuracy-above-critical": b::networks::accuracy;
    "predictor-cycles": b::predictor::cycles;
    "constant-rates": b::predictor::constant_rates;
    "logistic-limits": b::limits::rates;
    "exponential-window": b::limits::exponential_window;
    "separable": b::limits::separable;
    "size-law": c::size_law;
    "input-layer": c::input_layer;
    "accuracy-thresholds": c::accuracy_thresholds;
    "sharpness-law": c::sharpness_law;
    "rate-against-sharpness": c::rate_against_sharpness;
    "later-rates": c::later_rates;
    "data-sets": c::data_sets;
    "rate-by-size": c::rate_by_size;
    "equivalence": d::schedules::equivalence;
    "equivalence-and-accuracy": d::schedules::equivalence_and_accuracy;
    "equivalence-of-normalizers": d::schedules::normalizers;
    "cosine-against-step": d::schedules::cosine_against_step;
    "growth": d::schedules::growth;
    "tapered-schedules": d::equilibrium::tapered_schedules;
    "relaxation": d::equilibrium::relaxation;
    "effective-rate": d::effective::law;
    "norm-driven": d::effective::norm_driven;
    "toys": d::toys::toys;
    "rate-and-accuracy": e::patches::rate_and_accuracy;
    "order-of-accuracies": e::patches::order_of_accuracies;
    "order-of-patterns": e::patches::order_of_patterns;
    "noise-recovers": e::patches::noise_recovers;
    "two-patterns": e::patterns::two_patterns;
}

/// A measuring function, whose parameters are a struct.
type Measure<P> = fn(P, &mut Experiment<'_>) -> Result<(), ClaimError>;

fn check<P: DeserializeOwned>(_: Measure<P>, parameters: &Table) -> Result<(), toml::de::Error> {
    P::deserialize(parameters.clone()).map(drop)
}

fn run<P: DeserializeOwned>(
    function: Measure<P>,
    parameters: &Table,
    experiment: &mut Experiment<'_>,
) -> Result<(), ClaimError> {
    let parameters =
        P::deserialize(parameters.clone()).map_err(|error| ClaimError::Other(error.to_string()))?;
    function(parameters, experiment)
}

impl<'de> Deserialize<'de> for &'static Function {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = || FUNCTIONS.iter().map(|function| function.name).collect::<Vec<_>>().join(", ");
        let unknown = || D::Error::custom(format!("no function measures `{name}`; there are {}", known()));
        FUNCTIONS.iter().find(|function| function.name == name).ok_or_else(unknown)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// For functions that are given nothing but a spec.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
