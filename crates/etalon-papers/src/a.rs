//! The catapult mechanism.

mod architectures;
mod linearised;
mod map;
mod networks;
mod performance;
mod residual;
mod thresholds;

use super::{Claim, Paper};

/// Lewkowycz, Bahri, Dyer, Sohl-Dickstein and Gur-Ari 2020.
static PAPER: Paper = Paper {
    letter: 'A',
    title: "The large learning rate phase of deep learning: the catapult mechanism",
    authors: "Lewkowycz et al. 2020",
    arxiv: "2003.02218",
};

/// The claims of this paper.
pub(super) const CLAIMS: &[Claim] = &[
    map::OUT_AND_BACK,
    map::PHASES,
    map::WIDTHS,
    networks::FULLY_CONNECTED,
    networks::WIDE_RESIDUAL,
    performance::EQUAL_STEPS,
    performance::EQUAL_TIME,
    residual::EQUAL_STEPS,
    residual::EQUAL_TIME,
    linearised::CLAIM,
    architectures::CLAIM,
    thresholds::LAZY,
    thresholds::CATAPULT,
    thresholds::ACTIVATION,
    thresholds::MOMENTUM,
];
