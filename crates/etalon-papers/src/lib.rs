//! The experiments of papers on large learning rates, as claims that can be run and judged.
//!
//! A [`Claim`] is one sentence of a paper, with the setting that tests it at three sizes, what is measured there, and the
//! rule that decides. Claims are data: each is a file of `claims/`, read with every key checked, which names a measuring
//! function and gives its parameters. [`Runner::judge`] runs one; the verdict follows from the numbers and the rule alone
//! ([`etalon::claims::verdict`]), so that a claim which does not hold is told as such.
//!
//! ```
//! use etalon::claims::{Size, Verdict};
//! use etalon_papers::{Runner, find};
//! use std::sync::atomic::AtomicBool;
//!
//! let (stop, silent) = (AtomicBool::new(false), |_: &str| {});
//! let runner = Runner::new(0, &stop, &silent);
//! let outcome = runner.judge(find("A-3")?, Size::Quick)?;
//! assert_eq!(outcome.judgement.verdict, Verdict::Holds);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::todo))]

mod a;
mod b;
mod c;
mod catalogue;
mod claim;
mod cost;
mod d;
mod e;
mod experiment;
mod functions;
mod markdown;
mod measurement;
mod network;
mod paper;
mod rates;
mod runner;
mod sweeps;
mod template;

pub use catalogue::{UnknownClaim, catalogue, find};
pub use claim::{Certainty, Claim, Quantity, Scale, Setting};
pub use experiment::Stopped;
pub use markdown::page;
pub use measurement::Curve;
pub use paper::Paper;
pub use runner::{Outcome, Runner, duration};

#[cfg(test)]
mod tests;
