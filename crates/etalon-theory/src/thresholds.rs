//! What a measured curvature says about the learning rate.

#[cfg(test)]
mod tests;

use etalon_nn::optim::{AdamW, Optimizer, Rule, Sgd};
use serde::{Deserialize, Serialize};

/// The loss that is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Half the squared error, summed over outputs, averaged over samples.
    Mse,
    /// Cross-entropy of the softmax of at least two outputs.
    CrossEntropy,
    /// Logistic loss of one output, labels +-1.
    Logistic,
    /// Exponential loss of one output, labels +-1.
    Exponential,
}

/// The nonlinearity between layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// None: a deep linear network.
    Identity,
    /// Rectified linear, `max(x, 0)`.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// Gaussian error linear unit.
    Gelu,
}

/// How many samples a step sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Batch {
    /// All of them.
    Full,
    /// A random batch of this size.
    Size(usize),
}

/// What was measured, and of what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdInputs {
    /// The loss that is trained on.
    pub loss: Loss,
    /// The largest eigenvalue of `J J^T / m` over `m` samples, all outputs stacked, if measured.
    pub ntk_top: Option<f64>,
    /// The largest algebraic eigenvalue of the Hessian of the mean loss at the point, if measured.
    pub hessian_max: Option<f64>,
    /// The largest eigenvalue of the Hessian in the coordinates of the optimiser's preconditioner after the first
    /// gradient, `P^-1/2 H P^-1/2`, if measured.
    pub preconditioned_max: Option<f64>,
    /// The nonlinearity between layers.
    pub activation: Activation,
    /// Hidden layers; 0 for a linear model, none where the network's structure is not known.
    pub hidden_layers: Option<usize>,
    /// How many outputs the network has.
    pub outputs: usize,
    /// The optimiser, whose limit of stability is among the thresholds.
    pub optimizer: Rule,
    /// The factor of its weight decay, 0 for none.
    pub weight_decay: f64,
    /// The largest eigenvalue of `R^1/2 (A + d I) R^1/2` with learning-rate factors `R`, `A` the Gauss-Newton matrix for
    /// the squared loss and the Hessian otherwise: measured where factors other than 1 meet weight decay `d`.
    pub decayed: Option<f64>,
    /// How many samples a step sees.
    pub batch: Batch,
    /// Whether layers have biases.
    pub bias: bool,
    /// The product of all layers' multipliers and of the inputs' root mean square norm: a two-layer linear network
    /// with one output is `f = scale v . u`. With NTK multipliers and inputs of norm `sqrt(inputs)` it is
    /// `sqrt(gains / width)`.
    pub scale: f64,
}

/// A learning rate at which something changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// A stable identifier in kebab-case; [`thresholds`] lists them.
    pub name: String,
    /// The learning rate at which it happens.
    pub eta: f64,
    /// How it follows from what was measured, in plain text.
    pub formula: String,
    /// When it holds: loss, momentum, batch, and what it does not promise.
    pub assumes: String,
}

/// A threshold that could not be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Omitted {
    /// The identifier that it would have in the list of thresholds.
    pub name: String,
    /// What keeps it from holding here.
    pub reason: String,
}

/// What follows from a curvature, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Thresholds {
    /// The thresholds that hold, in the order of [`thresholds`].
    pub entries: Vec<Threshold>,
    /// Those that belong to this loss and network but could not be given, with the reason.
    pub omitted: Vec<Omitted>,
    /// The name of the one at which the optimiser itself becomes unstable, where it is among the entries.
    pub limit: Option<String>,
}

impl Thresholds {
    /// The learning rate of the threshold of this name.
    pub fn eta(&self, name: &str) -> Option<f64> {
        self.entries.iter().find(|t| t.name == name).map(|t| t.eta)
    }

    fn add(&mut self, name: &str, eta: f64, formula: String, assumes: String) {
        self.entries.push(Threshold { name: name.into(), eta, formula, assumes });
    }

    fn omit(&mut self, name: &str, reason: impl Into<String>) {
        self.omitted.push(Omitted { name: name.into(), reason: reason.into() });
    }
}

/// A curvature that a learning rate can be divided by, under its name in formulas.
#[derive(Clone, Copy)]
struct Curvature {
    symbol: &'static str,
    value: f64,
}

impl Curvature {
    fn ntk(inputs: &ThresholdInputs) -> Result<Self, String> {
        Self::of(inputs.ntk_top, "lambda_NTK", "the largest NTK eigenvalue")
    }

    fn hessian(inputs: &ThresholdInputs) -> Result<Self, String> {
        Self::of(inputs.hessian_max, "lambda_H", "the largest Hessian eigenvalue")
    }

    fn of(value: Option<f64>, symbol: &'static str, what: &str) -> Result<Self, String> {
        match value {
            None => Err(format!("{what} was not measured")),
            Some(value) if !value.is_finite() => Err(format!("{what} is {value}: the point is not finite")),
            Some(value) if value <= 0.0 => Err(format!(
                "{what} is {value}, not positive: to second order no learning rate is too large at this point"
            )),
            Some(value) => Ok(Self { symbol, value }),
        }
    }

    /// The one whose inverse limits gradient descent. For the squared loss the NTK: the Gauss-Newton part, which
    /// does not depend on the residuals; the Hessian stands in if only that was measured.
    fn local(inputs: &ThresholdInputs) -> Result<Self, String> {
        match inputs.loss {
            Loss::Mse if inputs.ntk_top.is_some() || inputs.hessian_max.is_none() => Self::ntk(inputs),
            _ => Self::hessian(inputs),
        }
    }
}

/// The thresholds that belong to this loss, network and optimiser, with `lambda` the curvature measured at one
/// point (`lambda_NTK` for the squared loss, else `lambda_H`), `b` the momentum and `d` the weight decay, which bends
/// every direction by as much; the other thresholds leave it out. Where learning-rate factors meet weight decay, the
/// largest eigenvalue of both together stands for `lambda + d`:
///
/// | name | learning rate | source |
/// |---|---|---|
/// | `lazy-limit` | `2 / (lambda + d)`, without momentum | linear stability |
/// | `lazy-limit-heavy-ball` | `(2 + 2b) / (lambda + d)` | linear stability; Cohen et al. 2021 |
/// | `lazy-limit-nesterov` | `(2 + 2b) / ((1 + 2b) (lambda + d))` | the same |
/// | `lazy-limit-ema` | `2 (1 + b) / ((1 - b) (lambda + d))` | the same, gradient averaged by `1 - b` |
/// | `lazy-limit-adamw` | `(2 + 2b) / ((1 - b) lambda_P + (1 + b) d)` | the same with `b1` for `b`; Cohen et al. 2022 |
/// | `lazy-limit-lower-bound` | `8 / lambda_NTK` logistic, `4 / lambda_NTK` cross-entropy | the loss's own curvature is at most 1/4, 1/2 |
/// | `catapult-limit` | `4 / lambda_NTK`, squared loss | Lewkowycz et al. 2020, section 2 |
/// | `empirical-limit-low`, `-high` | a measured band over `lambda_NTK`, squared loss | by activation and depth |
/// | `empirical-limit-paper` | `12 / lambda_NTK`, ReLU, at least 3 hidden layers | Lewkowycz et al. 2020, figure 2 |
/// | `logistic-catapult-limit` | `2 sqrt(2) / scale`, two-layer linear without biases | [`super::catapult_eta`] |
///
/// All bound the start of training from the point that was measured, not its lifetime. A curvature that is not
/// positive limits nothing, and is listed with that reason. Checked in `momentum_limits_are_those_of_a_quadratic`,
/// `limits_are_those_of_the_solvable_model` and `bounds_on_the_losses_own_curvature_hold`.
///
/// Of an optimiser with a preconditioner the limit of stability is the only one.
pub fn thresholds(inputs: &ThresholdInputs) -> Thresholds {
    let mut list = Thresholds::default();
    if inputs.optimizer.preconditions() {
        preconditioned_limit(inputs, &mut list);
        return list;
    }
    lazy_limits(inputs, &mut list);
    lower_bound(inputs, &mut list);
    catapult_limits(inputs, &mut list);
    list
}

/// What holds of every threshold.
fn regime(batch: Batch) -> String {
    let batch = match batch {
        Batch::Full => "full batch".to_string(),
        Batch::Size(size) => format!(
            "batches of {size}, with lambda that of all measured samples (a batch's own is larger on average, so \
             that the limit may come earlier)"
        ),
    };
    format!("{batch}; bounds the start of training from this point, not its lifetime: curvature moves")
}

fn loss_name(loss: Loss) -> &'static str {
    match loss {
        Loss::Mse => "squared loss",
        Loss::CrossEntropy => "cross-entropy",
        Loss::Logistic => "logistic loss",
        Loss::Exponential => "exponential loss",
    }
}

/// The curvature of the loss and of weight decay together, its symbol, and what that stands for.
fn decayed_curvature(inputs: &ThresholdInputs) -> Result<(f64, String, &'static str), String> {
    let d = inputs.weight_decay;
    if !(d >= 0.0 && d.is_finite()) {
        return Err(format!("weight decay is {d}: it must be a finite number, 0 or above"));
    }
    if inputs.decayed.is_some() {
        let (symbol, what) = match inputs.loss {
            Loss::Mse => (
                "lambda_max(R^1/2 (G + weight_decay I) R^1/2)",
                "; R the learning-rate factors, G the Gauss-Newton matrix, which has the kernel's eigenvalues",
            ),
            _ => (
                "lambda_max(R^1/2 (H + weight_decay I) R^1/2)",
                "; R the learning-rate factors, H the Hessian",
            ),
        };
        let of = "the largest eigenvalue with learning-rate factors and weight decay";
        let Curvature { symbol, value } = Curvature::of(inputs.decayed, symbol, of)?;
        return Ok((value, symbol.into(), what));
    }
    let Curvature { symbol, value } = Curvature::local(inputs)?;
    let symbol = if d == 0.0 { symbol.into() } else { format!("({symbol} + weight_decay)") };
    Ok((value + d, symbol, ""))
}

fn lazy_limits(inputs: &ThresholdInputs, list: &mut Thresholds) {
    let (value, symbol, what) = match decayed_curvature(inputs) {
        Ok(found) => found,
        Err(reason) => return list.omit("lazy-limit", reason),
    };
    let (loss, regime) = (loss_name(inputs.loss), regime(inputs.batch) + what);
    let assumes = |momentum: &str| format!("{loss}, locally quadratic; {momentum}; {regime}");
    for rule in [Rule::default(), inputs.optimizer] {
        let name = limit_name(&rule);
        match rule.stability() {
            Ok(stability) if list.eta(&name).is_none() => {
                let eta = stability.limit(value);
                list.add(&name, eta, stability.formula(&symbol), assumes(stability.assumes()));
                list.limit = Some(name);
            }
            Ok(_) => {}
            Err(fault) => {
                list.limit = None;
                return list.omit(&name, fault.to_string());
            }
        }
    }
    let Rule::Sgd(Sgd { momentum: b, nesterov: false }) = inputs.optimizer else { return };
    if b == 0.0 {
        return;
    }
    let momentum = format!("averaged momentum {b}, buffer = b buffer + (1 - b) gradient, as in Adam");
    let formula = format!("2 (1 + b) / ((1 - b) {symbol})");
    if let Ok(averaged) = (AdamW { beta1: b, ..AdamW::default() }).stability() {
        list.add("lazy-limit-ema", averaged.limit(value), formula, assumes(&momentum));
    }
}

/// The limit of an optimiser that divides the gradient by a preconditioner.
fn preconditioned_limit(inputs: &ThresholdInputs, list: &mut Thresholds) {
    let (rule, d) = (inputs.optimizer, inputs.weight_decay);
    let name = limit_name(&rule);
    let (what, decays) = ("the largest eigenvalue of the preconditioned Hessian", d != 0.0);
    let curvature = Curvature::of(inputs.preconditioned_max, "lambda_P", what);
    match (curvature, rule.stability()) {
        (Err(reason), _) => list.omit(&name, reason),
        (_, Err(fault)) => list.omit(&name, fault.to_string()),
        (Ok(_), _) if !(d >= 0.0 && d.is_finite()) => {
            list.omit(&name, format!("weight decay is {d}: it must be a finite number, 0 or above"));
        }
        (Ok(Curvature { symbol, value }), Ok(stability)) => {
            let bend = stability.bend_formula();
            let symbol = if decays { format!("({symbol} + {bend})") } else { symbol.into() };
            let assumes = format!(
                "{}, locally quadratic, with lambda_P the largest eigenvalue of P^-1/2 H P^-1/2 and P that of the first \
                 gradient on the measured samples; {}; {}; P moves as averages fill, and the limit with it",
                loss_name(inputs.loss),
                stability.assumes(),
                regime(inputs.batch)
            );
            let eta = stability.limit(value + stability.bend(d));
            list.add(&name, eta, stability.formula(&symbol), assumes);
            list.limit = Some(name);
        }
    }
    let known = "what lies above the limit of stability is known of gradient descent alone";
    list.omit("catapult-limit", format!("{known}, not of {}", rule.name()));
}

/// The threshold at which a rule becomes unstable.
fn limit_name(rule: &Rule) -> String {
    match rule.name() {
        "gradient-descent" => "lazy-limit".into(),
        name => format!("lazy-limit-{name}"),
    }
}

/// Where the loss bends no more than a constant, the Gauss-Newton part of the Hessian is at most that constant
/// times the NTK's largest eigenvalue.
fn lower_bound(inputs: &ThresholdInputs, list: &mut Thresholds) {
    const NAME: &str = "lazy-limit-lower-bound";
    let (numerator, bend) = match inputs.loss {
        Loss::Logistic => (8.0, "1/4"),
        Loss::CrossEntropy => (4.0, "1/2"),
        // The squared loss bends by exactly 1, which is the lazy limit; the exponential one without bound.
        Loss::Mse | Loss::Exponential => return,
    };
    match Curvature::ntk(inputs) {
        Ok(Curvature { symbol, value }) => list.add(
            NAME,
            numerator / value,
            format!("{numerator} / {symbol}"),
            format!(
                "{}, whose curvature in the outputs is at most {bend}; a lower bound on the limit from the \
                 Gauss-Newton part of the Hessian, whatever the labels; without momentum and weight decay; {}",
                loss_name(inputs.loss),
                regime(inputs.batch)
            ),
        ),
        Err(reason) => list.omit(NAME, reason),
    }
}

fn catapult_limits(inputs: &ThresholdInputs, list: &mut Thresholds) {
    const NAME: &str = "catapult-limit";
    let Some(hidden_layers) = inputs.hidden_layers else {
        return list.omit(NAME, "it depends on depth and activation, which are not known of this network");
    };
    if hidden_layers == 0 {
        return list.omit(
            NAME,
            "a model without hidden layers is linear in its parameters: its curvature cannot fall, and the lazy \
             limit is the last",
        );
    }
    match inputs.loss {
        Loss::Mse => match Curvature::ntk(inputs) {
            Ok(curvature) => squared_loss_limits(inputs, hidden_layers, curvature, list),
            Err(reason) => list.omit(NAME, reason),
        },
        Loss::Logistic if inputs.activation == Activation::Identity && hidden_layers == 1 => {
            logistic_limit(inputs, list);
        }
        Loss::Logistic | Loss::CrossEntropy => {
            list.omit(NAME, format!("none is known for {} and this network", loss_name(inputs.loss)))
        }
        Loss::Exponential => list.omit(
            NAME,
            "under exponential loss the range above the lazy limit closes as the width grows: take the lazy limit \
             for the last",
        ),
    }
}

/// The saturated two-cycle's limit, which does not depend on the curvature.
fn logistic_limit(inputs: &ThresholdInputs, list: &mut Thresholds) {
    const NAME: &str = "logistic-catapult-limit";
    if inputs.bias {
        return list.omit(NAME, "the two-layer linear model has no biases: set network.bias = false");
    }
    let balanced = super::ScalarLoss::Logistic { positive: 0.5 };
    // The model is `f = v . u / sqrt(n)`.
    let width = (inputs.scale * inputs.scale).recip();
    match super::catapult_eta(balanced, 1.0, width).filter(|eta| eta.is_finite()) {
        Some(eta) => list.add(
            NAME,
            eta,
            "2 sqrt(2) / scale".into(),
            format!(
                "logistic loss, two-layer linear network f = scale v . u with scale {:.4} (the layers' multipliers \
                 times the root mean square norm of the inputs), all inputs equal, balanced labels, large width; \
                 without momentum and weight decay; whatever the curvature; {}",
                inputs.scale,
                regime(inputs.batch)
            ),
        ),
        None => list.omit(NAME, format!("the network's scale is {}: its output does not move", inputs.scale)),
    }
}

/// Where networks stop training under squared loss: the two-layer linear model's 4, and what was measured.
fn squared_loss_limits(
    inputs: &ThresholdInputs,
    hidden_layers: usize,
    lambda: Curvature,
    list: &mut Thresholds,
) {
    let Curvature { symbol, value } = lambda;
    let regime = regime(inputs.batch);
    let place = if inputs.activation == Activation::Identity && hidden_layers == 1 {
        "exact for one input, close to it for many"
    } else {
        "derived for the two-layer linear network; for this network a reference"
    };
    list.add(
        "catapult-limit",
        4.0 / value,
        format!("4 / {symbol}"),
        format!("squared loss, two-layer linear network: {place}; without momentum; {regime}"),
    );
    let Some((low, high, note)) = measured_band(inputs.activation, hidden_layers) else {
        return list.omit("empirical-limit-low", "no measured band for this activation: search for the rate");
    };
    let biases =
        if inputs.bias { ": this network has them, and may stop training at half of it" } else { "" };
    let assumes = format!(
        "squared loss, NTK parametrisation, without momentum and biases{biases}, {note}; the largest rate that still \
         trained, measured on small images at width 512 (at width 64 about a fifth lower), for 1 and 10 outputs \
         (here {}); {regime}",
        inputs.outputs
    );
    list.add("empirical-limit-low", low / value, format!("{low} / {symbol}"), assumes.clone());
    list.add("empirical-limit-high", high / value, format!("{high} / {symbol}"), assumes.clone());
    if inputs.activation == Activation::Relu && hidden_layers >= 3 {
        list.add("empirical-limit-paper", 12.0 / value, format!("12 / {symbol}"), assumes);
    }
}

/// The lowest and highest `eta_max lambda_0` measured, and on which networks: medians over seeds on 8 x 8
/// digits, one output and ten, full batch and batches of 64. One number for all depths does not exist.
fn measured_band(activation: Activation, hidden_layers: usize) -> Option<(f64, f64, &'static str)> {
    match (activation, hidden_layers) {
        (_, 0) | (Activation::Gelu, _) => None,
        (Activation::Relu, 1) => Some((3.3, 4.6, "ReLU, 1 hidden layer")),
        (Activation::Relu, 2) => {
            Some((8.0, 21.0, "ReLU, 2 hidden layers (one output 8.9, ten outputs 20.4)"))
        }
        (Activation::Relu, _) => Some((8.0, 16.0, "ReLU, 3 and 4 hidden layers")),
        (Activation::Identity, _) => Some((3.8, 5.4, "linear, 1 and 3 hidden layers")),
        (Activation::Tanh, _) => Some((4.4, 5.1, "tanh, 1 and 3 hidden layers")),
    }
}
