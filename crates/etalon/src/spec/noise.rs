//! `[noise]`.

use super::{Normalizer, Spec};
use crate::train::Noise;

/// `[noise]`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each key is documented in `KEYS`")]
pub struct NoiseSpec {
    /// 0: no noise.
    pub level: f64,
    pub until: Option<u64>,
    pub factor: f64,
}

impl NoiseSpec {
    /// The noise, if there is any.
    pub fn noise(&self) -> Option<Noise> {
        let NoiseSpec { level, until, factor } = *self;
        (level > 0.0).then_some(Noise { level, until, factor })
    }
}

/// Noise needs a place.
pub(super) fn check(spec: &Spec) -> Result<(), String> {
    let NoiseSpec { level, until, .. } = spec.noise;
    if !(level >= 0.0 && level.is_finite()) {
        return Err(format!("is {level}; it must be a finite number, 0 or above"));
    }
    if level > 0.0 && spec.network.normalizer == Normalizer::None {
        return Err(format!(
            "is {level}, and the network has no normalisation behind which noise is added; use network.normalizer = \
             \"batch\", or leave it at 0"
        ));
    }
    if level > 0.0 && until.is_none() && spec.schedule.anneal_below.is_none() && spec.noise.factor != 0.0 {
        return Err("never changes: noise.factor needs noise.until or schedule.anneal_below".into());
    }
    Ok(())
}
