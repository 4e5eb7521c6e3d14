//! Weight decay as a growing learning rate.

mod equilibrium;
mod schedules;
mod toys;

use super::{Claim, Paper};

/// Li and Arora 2020.
static PAPER: Paper = Paper {
    letter: 'D',
    title: "An exponential learning rate schedule for deep learning",
    authors: "Li and Arora 2020",
    arxiv: "1910.07454",
};

/// The claims of this paper.
pub(super) const CLAIMS: &[Claim] = &[
    schedules::CONSTANT,
    schedules::STEPS,
    equilibrium::TAPERED,
    schedules::COSINE,
    toys::CLAIM,
    equilibrium::RELAXATION,
    schedules::GROWTH,
];
