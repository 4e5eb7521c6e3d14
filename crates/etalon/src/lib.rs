//! What learning rate a neural network can take, why, and what happens there.
//!
//! A [`Problem`](jobs::Problem) is a network, data, a loss, an optimiser and how long to train. Four [`jobs`] can be done
//! with it:
//!
//! - [`jobs::find`]: the rate to use, chosen by a held-out metric, with all that are as good; and eta*, the largest constant
//!   rate at which a fresh network still trains, with an interval over seeds;
//! - [`jobs::measure`]: the ends of the Hessian's and the neural tangent kernel's spectra, with residuals, and
//!   the learning rates at which something changes, each with what it assumes;
//! - [`jobs::train`]: one trial, its trajectory, and which phase it was: lazy, catapult, divergent or stuck;
//! - [`jobs::boundaries`]: the rates at which loss and sharpness first rise and training first diverges.
//!
//! A problem is made in code, of layers, data and a training loop's numbers of one's own ([`jobs::Problem::builder`]), or
//! from text: a [`Spec`](spec::Spec) has the same four jobs as methods. Who trains by other means altogether searches with
//! [`search::maximal_rate`] and [`search::recommend`], or asks and is told: [`search::SeedSearch`], [`search::Climb`].
//!
//! ```
//! use etalon::{phase::Phase, spec::Spec};
//!
//! let spec = Spec::parse(r#"
//!     loss = "mse"
//!     [data]
//!     name = "teacher"       # a noisy linear teacher; nothing to download
//!     train = 50
//!     test = 50
//!     [network]
//!     depth = 1
//!     width = 256
//!     parametrization = "ntk"
//!     bias = false
//!     [train]
//!     batch = "full"
//!     steps = 100
//!     [measure]
//!     samples = 50
//! "#)?;
//! let measured = spec.measure(&Default::default())?;
//! let lambda = measured.ntk.and_then(|found| found.value).unwrap();
//!
//! // Half way between 2/lambda, where the loss begins to rise, and 4/lambda, where training ends.
//! let mut catapult = spec.clone();
//! catapult.optimizer.eta = 3.0 / lambda;
//! let (report, _trajectory) = catapult.train(&Default::default(), &mut |_, _| {})?;
//! assert_eq!(report.phase, Phase::Catapult);
//! assert!(report.evidence.ntk_end.unwrap() < lambda);
//! # Ok::<(), etalon::Error>(())
//! ```
//!
//! # How it is laid out
//!
//! Modules point one way, downwards in this list: [`record`], [`claims`], [`sweep`], [`equivalence`], [`models`], [`spec`],
//! [`trainer`], [`jobs`], [`search`], [`phase`], [`curvature`], [`train`], [`data`], [`schedule`], [`folder`]. A spec sits on
//! top of the jobs: nothing below knows of text, keys or files of settings. Below all of them lie [`theory`], with [`fit`] and
//! [`statistics`], which imports nothing of the house but the engine's optimisers, so that the solvable models can be its
//! referees; and the engine, [`nn`], which knows nothing of experiments. Pages, figures and exports are another crate,
//! `etalon-report`, of which nothing here knows.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::todo))]

pub mod claims;
mod csv_text;
pub mod curvature;
pub mod data;
mod drift;
pub mod equivalence;
mod error;
pub mod folder;
pub mod jobs;
mod json_lines;
pub mod memory;
pub mod models;
mod names;
pub mod phase;
mod program;
pub mod record;
pub mod schedule;
pub mod search;
pub mod spec;
pub mod sweep;
pub mod train;
pub mod trainer;
pub mod watch;

pub use error::Error;
pub use etalon_nn as nn;
pub use etalon_theory as theory;
pub use etalon_theory::{fit, interval, statistics, units};
pub use memory::{MemoryError, Relief};
pub use program::ProgramError;

/// The example of the page on the library is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct LibraryPage;
