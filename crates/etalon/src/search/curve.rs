//! The held-out metric against the rate.

use super::order::{order_interval, sorted};
use super::{Scored, Verdict};
use crate::statistics::median;
use serde::{Deserialize, Serialize};

/// Standard error of a median over that of a mean, for normal values: sqrt(pi / 2).
const MEDIAN_PENALTY: f64 = 1.2533141373155003;

/// One rate of the curve. Values that were not finite are `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The learning rate.
    pub eta: f64,
    /// The metric, one value a seed.
    pub metric: Vec<Option<f64>>,
    /// The held-out loss, one value a seed.
    pub loss: Vec<Option<f64>>,
    /// The median of the metric; `None` if the rate is excluded.
    pub median: Option<f64>,
    /// The lower end of the interval for the median.
    pub low: Option<f64>,
    /// The upper end of it.
    pub high: Option<f64>,
    /// The median held-out loss.
    pub median_loss: Option<f64>,
    /// Seeds that ended too slow, below the threshold.
    pub too_slow: usize,
    /// Why this rate may not be recommended.
    pub excluded: Option<String>,
}

impl CurvePoint {
    pub(super) fn new(eta: f64, scored: &[Scored]) -> Self {
        let finite = |value: f64| value.is_finite().then_some(value);
        let excluded = scored.iter().find_map(|scored| match &scored.verdict {
            Verdict::TooFast(reason) => Some(reason.clone()),
            _ if !scored.metric.is_finite() => Some(format!("metric {}", scored.metric)),
            _ if !scored.loss.is_finite() => Some(format!("held-out loss {}", scored.loss)),
            _ => None,
        });
        let mut point = Self {
            eta,
            metric: scored.iter().map(|scored| finite(scored.metric)).collect(),
            loss: scored.iter().map(|scored| finite(scored.loss)).collect(),
            median: None,
            low: None,
            high: None,
            median_loss: None,
            too_slow: scored.iter().filter(|scored| scored.verdict == Verdict::TooSlow).count(),
            excluded,
        };
        if point.excluded.is_none() {
            let metric = sorted(scored.iter().map(|scored| scored.metric));
            let rank = order_interval(metric.len()).rank;
            point.low = metric.get(rank).copied();
            point.high = metric.get(metric.len() - 1 - rank).copied();
            point.median = finite(median(metric));
            point.median_loss = finite(median(scored.iter().map(|scored| scored.loss)));
        }
        point
    }

    /// The standard error of the median metric; 0 for a single seed, whose noise is unknown.
    pub(super) fn noise(&self) -> f64 {
        let values: Vec<f64> = self.metric.iter().flatten().copied().collect();
        let n = values.len() as f64;
        if values.len() < 2 {
            return 0.0;
        }
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        MEDIAN_PENALTY * (variance / n).sqrt()
    }
}
