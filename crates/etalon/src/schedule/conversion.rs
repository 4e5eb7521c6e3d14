//! Weight decay as a growing learning rate, and back.
//!
//! Where the loss does not change with the scale of the weights, SGD with rate `eta_t`, coupled weight decay
//! `lambda_t` and momentum `g` learns the same functions as SGD with momentum `g`, no weight decay, and another rate
//! `eta~_t`, which under a constant rate grows exponentially (Li and Arora 2020, "An exponential learning rate
//! schedule for deep learning", theorems 2.4 to 2.12). The weights differ by a scale: `w~_t = P_t w_t`.
//!
//! Form of SGD: PyTorch's, `v' = g v + grad + lambda w`, `w' = w - eta v'`: the rate stands outside the buffer, no
//! Nesterov, no dampening, decay coupled to the rate.
//!
//! Any factors `a_t > 0` with `P_0 = 1`, `P_{t+1} = P_t / a_t`, `eta~_t = P_t P_{t+1} eta_t` give the same functions if
//! the momentum buffer is kept consistent: with `m_t = (1 - a_t) / eta_t`, after step `t` it is
//! `v~ = (a_t v - m_t w) / P_t`. Consistency is free where `m_t = lambda_t + g m_{t-1} / a_{t-1}`, `m_{-1} = 0`: that is
//! [`WithDecay::exact`]. Factors held constant while the rate is, `a^2 - (1 + g - lambda eta) a + g = 0`, are the fixed
//! points of that recursion: the closed form [`WithDecay::by_phases`], which needs a correction of the buffer at the
//! start and at each change of the rate.
//!
//! All rates are natural logarithms: `eta~` passes 1e300 within a few hundred epochs.

use crate::units::significant;
use etalon_nn::optim::{Rule, Sgd};
use serde::{Deserialize, Serialize};

/// Rates and weight decays of SGD, one a step.
#[derive(Clone, Debug, PartialEq)]
pub struct WithDecay {
    /// The natural logarithm of the rate at each step; minus infinity for 0.
    pub log_eta: Vec<f64>,
    /// The weight decay at each step, as many.
    pub weight_decay: Vec<f64>,
    /// Momentum, from 0 to below 1.
    pub momentum: f64,
}

/// A schedule without weight decay, equivalent on scale-invariant parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WithoutDecay {
    /// Momentum, the same as with weight decay.
    pub momentum: f64,
    /// The natural logarithm of the rate at each step.
    #[serde(deserialize_with = "crate::units::logarithms")]
    pub log_eta: Vec<f64>,
    /// The natural logarithm of `P_t`, the factor from the weights under decay to these: before each step, and at last
    /// after the last one.
    #[serde(deserialize_with = "crate::units::logarithms")]
    pub log_scale: Vec<f64>,
    /// What keeps the momentum buffer consistent; none with [`WithDecay::exact`].
    pub corrections: Vec<Correction>,
}

/// A correction of the momentum buffer: before step `step`, `v~ -= per_weight w~ / P_t^2` (in PyTorch's sign).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// The step that it precedes.
    pub step: usize,
    /// `m_t / a_t - m_{t-1} / a_{t-1}` of the closed form.
    pub per_weight: f64,
}

/// The ways to leave weight decay out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// [`WithDecay::exact`].
    Exact,
    /// [`WithDecay::by_phases`].
    Phases,
    /// [`WithDecay::growth_only`].
    GrowthOnly,
}

impl std::fmt::Display for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Conversion::Exact => "exact",
            Conversion::Phases => "phases",
            Conversion::GrowthOnly => "growth-only",
        })
    }
}

/// Why a schedule has no equivalent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConversionError {
    /// The closed form has no real growth.
    #[error(
        "step {step}: eta x weight_decay = {} is above (1 - sqrt(momentum))^2 = {}, where the growth of the equivalent \
         rate is no real number; take a smaller rate, weight decay or momentum",
        significant(*intrinsic, 4), significant(*limit, 4)
    )]
    Complex {
        /// The first such step.
        step: usize,
        /// `eta lambda` there.
        intrinsic: f64,
        /// The largest that has one.
        limit: f64,
    },
    /// The exact recursion has left the positive numbers.
    #[error(
        "step {step}: the factor a of the exact recursion is {}, and only positive ones keep the direction of the \
         weights; eta x weight_decay is {} there, and should stay below (1 - sqrt(momentum))^2 = {}: take a smaller \
         rate or weight decay, or lower the rate more gently", significant(*factor, 4), significant(*intrinsic, 4),
        significant(*limit, 4)
    )]
    NotPositive {
        /// The first such step.
        step: usize,
        /// `a` there.
        factor: f64,
        /// `eta lambda` there.
        intrinsic: f64,
        /// `(1 - sqrt(g))^2`.
        limit: f64,
    },
    /// There is no such rule for it.
    #[error(
        "Nesterov momentum is not covered: its step adds the gradient and the decay once more beside the buffer, which the \
         conversion does not describe; use optimizer.nesterov = false"
    )]
    Nesterov,
    /// Decay outside of the gradient.
    #[error(
        "decoupled weight decay (AdamW, SGDW) is not covered: only decay that is added to the gradient (torch.optim.SGD) \
         goes through the momentum buffer as the conversion assumes; without momentum, a decay of d a step is a coupled \
         weight_decay of d / eta"
    )]
    Decoupled,
    /// Adaptive rates.
    #[error("adaptive optimisers (Adam) divide by the gradient's own size and are not covered; only SGD is")]
    Adaptive,
    /// Lists of different lengths.
    #[error("{rates} rates and {decays} weight decays; there must be one of each a step")]
    Lengths {
        /// Rates.
        rates: usize,
        /// Weight decays.
        decays: usize,
    },
    /// A number outside of its range.
    #[error("{name} is {got}; it must be {range}")]
    Range {
        /// Which.
        name: &'static str,
        /// Its value.
        got: f64,
        /// What it may be.
        range: &'static str,
    },
}

/// The momentum of an optimiser whose schedules can be converted.
///
/// # Errors
/// For another one than SGD in the form above, by name.
pub(crate) fn momentum_to_convert(rule: &Rule) -> Result<f64, ConversionError> {
    match *rule {
        Rule::Sgd(Sgd { momentum, nesterov: false }) => Ok(momentum),
        Rule::Sgd(Sgd { nesterov: true, .. }) => Err(ConversionError::Nesterov),
        Rule::AdamW(_) => Err(ConversionError::Decoupled),
    }
}

/// The largest `eta lambda` at which the growth under momentum `g` is a real number: `(1 - sqrt(g))^2`.
pub fn largest_intrinsic_rate(momentum: f64) -> f64 {
    (1.0 - momentum.sqrt()).powi(2)
}

/// `1 - a` for the larger root `a` of `a^2 - (1 + g - s) a + g = 0`, with `s = eta lambda`; none where it is complex.
/// The equivalent rate grows by `a^-2` a step. The larger root is the stable one (the smaller has a buffer that
/// outgrows the weights).
fn shrinkage(intrinsic: f64, momentum: f64) -> Option<f64> {
    // b = 1 - a obeys b^2 - (1 - g + s) b + s = 0; this form of its smaller root has no difference of near numbers.
    let half = 1.0 - momentum + intrinsic;
    let root = (half * half - 4.0 * intrinsic).sqrt();
    (intrinsic <= largest_intrinsic_rate(momentum)).then(|| 2.0 * intrinsic / (half + root.max(0.0)))
}

/// The natural logarithm of the factor by which the equivalent rate grows at every step of a constant rate.
///
/// # Errors
/// Above [`largest_intrinsic_rate`].
pub fn log_growth(eta: f64, weight_decay: f64, momentum: f64) -> Result<f64, ConversionError> {
    let intrinsic = eta * weight_decay;
    let shrinkage = shrinkage(intrinsic, momentum).ok_or_else(|| complex(0, intrinsic, momentum))?;
    Ok(-2.0 * (-shrinkage).ln_1p())
}

/// The `eta lambda` whose equivalent rate grows by so much a step: `(1 - a)(1 - g / a)` with `a = growth^(-1/2)`. The
/// way back from [`log_growth`]; rate and weight decay themselves stay open, for only their product and
/// `eta / |w_0|^2` matter.
///
/// # Errors
/// Below no growth, and above that of [`largest_intrinsic_rate`], which is `1 / g`.
pub fn intrinsic_rate_of_growth(log_growth: f64, momentum: f64) -> Result<f64, ConversionError> {
    let log_a = -0.5 * log_growth;
    // 2 log a >= log g: the larger root.
    if !(log_growth >= 0.0 && 2.0 * log_a >= momentum.ln()) {
        let range = "at least 1, and at most 1 / momentum";
        return Err(ConversionError::Range { name: "the growth a step", got: log_growth.exp(), range });
    }
    Ok(-log_a.exp_m1() * (1.0 - momentum * (-log_a).exp()))
}

fn complex(step: usize, intrinsic: f64, momentum: f64) -> ConversionError {
    ConversionError::Complex { step, intrinsic, limit: largest_intrinsic_rate(momentum) }
}

/// `eta m`, where `m` may be 0 while the rate has outgrown the numbers.
fn product(log_eta: f64, m: f64) -> f64 {
    if m == 0.0 { 0.0 } else { log_eta.exp() * m }
}

impl WithDecay {
    /// With the same weight decay at every step.
    pub fn constant(log_eta: Vec<f64>, weight_decay: f64, momentum: f64) -> WithDecay {
        WithDecay { weight_decay: vec![weight_decay; log_eta.len()], log_eta, momentum }
    }

    /// The equivalent without weight decay, one of three ways.
    ///
    /// # Errors
    /// As the way has them.
    pub fn convert(&self, conversion: Conversion) -> Result<WithoutDecay, ConversionError> {
        match conversion {
            Conversion::Exact => self.exact(),
            Conversion::Phases => self.by_phases(),
            Conversion::GrowthOnly => self.growth_only(),
        }
    }

    /// The exact equivalent of any schedule, from a momentum buffer that starts at zero.
    ///
    /// # Errors
    /// When a factor `a_t` is not positive.
    pub fn exact(&self) -> Result<WithoutDecay, ConversionError> {
        self.check()?;
        let mut log_a = Vec::with_capacity(self.log_eta.len());
        // m / a of the step before.
        let mut carried = 0.0;
        for (step, (&log_eta, &decay)) in self.log_eta.iter().zip(&self.weight_decay).enumerate() {
            let m = decay + self.momentum * carried;
            let shrinkage = product(log_eta, m);
            if !(shrinkage < 1.0) {
                let (factor, intrinsic) = (1.0 - shrinkage, product(log_eta, decay));
                let limit = largest_intrinsic_rate(self.momentum);
                return Err(ConversionError::NotPositive { step, factor, intrinsic, limit });
            }
            log_a.push((-shrinkage).ln_1p());
            carried = m / (1.0 - shrinkage);
        }
        Ok(self.scaled_by(&log_a, Vec::new()))
    }

    /// The closed form: within a phase of constant rate the equivalent grows by `a^-2` a step, with `a` the larger root
    /// of that rate; at a boundary it also falls as the rate does, times `1 / (a a')` of the two phases ("instant
    /// decay"; Li and Arora 2020, the tapered exponential schedule). Equivalent with its corrections of the momentum
    /// buffer, the first of which makes up for a buffer that starts at zero; without them nearly so.
    ///
    /// # Errors
    /// Where the root is complex.
    pub fn by_phases(&self) -> Result<WithoutDecay, ConversionError> {
        self.check()?;
        let mut log_a = Vec::with_capacity(self.log_eta.len());
        let mut corrections = Vec::new();
        let mut carried = 0.0;
        for (step, (&log_eta, &decay)) in self.log_eta.iter().zip(&self.weight_decay).enumerate() {
            let intrinsic = product(log_eta, decay);
            let shrinkage =
                shrinkage(intrinsic, self.momentum).ok_or_else(|| complex(step, intrinsic, self.momentum))?;
            log_a.push((-shrinkage).ln_1p());
            // m = (1 - a) / eta, whose limit at rate 0 is lambda / (1 - g).
            let m =
                if intrinsic > 0.0 { decay * (shrinkage / intrinsic) } else { decay / (1.0 - self.momentum) };
            let per_weight = m / (1.0 - shrinkage);
            if per_weight != carried && self.momentum > 0.0 {
                corrections.push(Correction { step, per_weight: per_weight - carried });
            }
            carried = per_weight;
        }
        Ok(self.scaled_by(&log_a, corrections))
    }

    /// As [`WithDecay::by_phases`] without the instant decay: only the growth changes at a boundary. Not equivalent; it
    /// comes to the same once the growth has made up for the difference, after about `1 / (eta lambda)` steps.
    ///
    /// # Errors
    /// As [`WithDecay::by_phases`].
    pub fn growth_only(&self) -> Result<WithoutDecay, ConversionError> {
        let mut converted = self.by_phases()?;
        let first = self.log_eta.first().copied().unwrap_or_default();
        for (step, log_eta) in converted.log_eta.iter_mut().enumerate() {
            *log_eta = converted.log_scale[step] + converted.log_scale[step + 1] + first;
        }
        converted.corrections.clear();
        Ok(converted)
    }

    /// The schedule with the given factors.
    fn scaled_by(&self, log_a: &[f64], corrections: Vec<Correction>) -> WithoutDecay {
        let mut log_scale = Vec::with_capacity(log_a.len() + 1);
        log_scale.push(0.0);
        let mut log_eta = Vec::with_capacity(log_a.len());
        let mut scale = 0.0;
        for (&log_a, &rate) in log_a.iter().zip(&self.log_eta) {
            log_eta.push(rate + 2.0 * scale - log_a);
            scale -= log_a;
            log_scale.push(scale);
        }
        WithoutDecay { momentum: self.momentum, log_eta, log_scale, corrections }
    }

    fn check(&self) -> Result<(), ConversionError> {
        let (rates, decays) = (self.log_eta.len(), self.weight_decay.len());
        if rates != decays {
            return Err(ConversionError::Lengths { rates, decays });
        }
        let good = |decay: &&f64| !(0.0..f64::INFINITY).contains(*decay);
        let bad =
            self.weight_decay.iter().find(good).map(|&got| ("the weight decay", got, "finite, 0 or above"));
        check_rates(&self.log_eta, self.momentum)
            .and(bad.map_or(Ok(()), |(name, got, range)| Err(ConversionError::Range { name, got, range })))
    }
}

fn check_rates(log_eta: &[f64], momentum: f64) -> Result<(), ConversionError> {
    if !(0.0..1.0).contains(&momentum) {
        let range = "0 or above, and below 1";
        return Err(ConversionError::Range { name: "momentum", got: momentum, range });
    }
    match log_eta.iter().find(|log_eta| !(**log_eta < f64::INFINITY)) {
        Some(&got) => {
            let range = "a number below infinity";
            Err(ConversionError::Range { name: "a logarithm of a rate", got, range })
        }
        None => Ok(()),
    }
}

impl WithoutDecay {
    /// The way back: the rates with which SGD with the given weight decays, one a step, learns the same functions as SGD
    /// without any and these rates. Both buffers start at zero.
    ///
    /// # Errors
    /// When the lists or numbers are none that SGD takes.
    pub fn undo(
        log_eta: &[f64],
        weight_decay: Vec<f64>,
        momentum: f64,
    ) -> Result<WithDecay, ConversionError> {
        let with = WithDecay { log_eta: log_eta.to_vec(), weight_decay, momentum };
        with.check()?;
        let (mut scale, mut carried) = (0.0, 0.0);
        let mut rates = Vec::with_capacity(log_eta.len());
        for (&log_eta, &decay) in log_eta.iter().zip(&with.weight_decay) {
            let m = decay + momentum * carried;
            // eta~ / P^2 = eta / a, and a = 1 - m eta: so a = 1 / (1 + m eta~ / P^2), which is always positive.
            let log_ratio = log_eta - 2.0 * scale;
            let log_a = -product(log_ratio, m).ln_1p();
            rates.push(log_ratio + log_a);
            scale -= log_a;
            carried = m * (-log_a).exp();
        }
        Ok(WithDecay { log_eta: rates, ..with })
    }

    /// The first step whose rate is above a number.
    pub fn first_above(&self, largest: f64) -> Option<usize> {
        self.log_eta.iter().position(|&log_eta| log_eta > largest.ln())
    }

    /// The natural logarithm of the growth from each step to the next.
    pub fn log_growths(&self) -> impl Iterator<Item = f64> {
        self.log_eta.windows(2).map(|pair| pair[1] - pair[0])
    }
}

#[cfg(test)]
mod tests;
