//! The large initial rate as a regulariser.

mod patches;
mod patterns;

use super::{Claim, Paper};

/// Li, Wei and Ma 2019.
static PAPER: Paper = Paper {
    letter: 'E',
    title: "Towards explaining the regularization effect of initial large learning rate",
    authors: "Li, Wei and Ma 2019",
    arxiv: "1907.04595",
};

/// The claims of this paper.
pub(super) const CLAIMS: &[Claim] =
    &[patches::GENERALISES, patches::NOISE_ALONE, patches::ORDER, patches::NOISE, patterns::CLAIM];
