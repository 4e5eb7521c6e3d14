//! What a detector says of a log.

use super::norms::Onset;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a log shows at its present end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Too little to say.
    Undecided,
    /// The loss never rose above its start by more than its noise.
    Lazy,
    /// The loss rose and has not come back yet.
    CatapultInProgress,
    /// The loss rose, came back, and training goes on.
    Catapult,
    /// Curvature hovers about the limit of stability, or the loss alternates as it does there.
    EdgeOfStability,
    /// The loss rises time and again, each time after the norm of the weights has shrunk: their effective rate grows until it is
    /// too large.
    NormDriven,
    /// The loss is no number, passed the limit, rises still far above its start, or stays there.
    Diverging,
    /// The loss rose, and stays where it is no better than at its start.
    Stuck,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Undecided => "undecided",
            State::Lazy => "lazy",
            State::CatapultInProgress => "catapult in progress",
            State::Catapult => "catapult",
            State::EdgeOfStability => "edge of stability",
            State::NormDriven => "norm-driven instability",
            State::Diverging => "diverging",
            State::Stuck => "stuck",
        })
    }
}

/// A state with what it was judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What the log is in at its last row.
    pub state: State,
    /// The reason in one sentence, with its numbers.
    pub why: String,
    /// What to do; none where there is nothing to do.
    pub advice: Option<String>,
    /// Rows with a loss.
    pub rows: u64,
    /// The step of the last row.
    pub step: Option<u64>,
    /// The last loss; none where it is no finite number.
    pub loss: Option<f64>,
    /// The first loss, which rises are weighed against.
    pub first_loss: Option<f64>,
    /// The noise of one loss at the level of the start, as a share of the first; none of too short a log.
    pub noise: Option<f64>,
    /// The largest loss over the first one.
    pub peak: Option<f64>,
    /// The step of the largest loss.
    pub peak_step: Option<u64>,
    /// The last learning rate.
    pub rate: Option<f64>,
    /// The last rate times curvature over the limit of stability.
    pub over_limit: Option<f64>,
    /// The largest rise that came back.
    pub greatest_rise: Option<Rise>,
    /// How many rises came back.
    pub rises: u64,
    /// How many of them the norm of the weights explains.
    pub norm_driven: u64,
}

/// A rise of the loss above the lowest level before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rise {
    /// The step of the level before.
    pub from_step: u64,
    /// That level, a median of five losses.
    pub from: f64,
    /// The step of the peak.
    pub peak_step: u64,
    /// The largest loss of the rise.
    pub peak: f64,
    #[serde(skip)]
    pub(super) from_row: u64,
    /// The norm of the weights there.
    #[serde(skip)]
    pub(super) onset: Option<Onset>,
    /// The last loss that stood out above those before it, and its row: noise on a plateau makes no new crest.
    #[serde(skip)]
    pub(super) crest: f64,
    #[serde(skip)]
    pub(super) crest_row: u64,
}

impl Rise {
    /// The logarithm of how many times it is its level.
    pub(super) fn height(&self) -> f64 {
        (self.peak / self.from).ln()
    }
}
