//! The rate to use, and the maximal initial learning rate eta*.
//!
//! A search asks a [`Probe`]: does it train at this rate, with this seed? It knows no network: the probe may
//! be a trial, a call into another program (which may fail), or a closed form in a test. What eta* *means* is written in one
//! place, [`DEFINITION`]. Two ways to search:
//!
//! - [`maximal_rate`] runs several seeds in parallel and returns their median with an interval;
//! - [`SeedSearch`] is one seed's search as questions and answers, for engines that run the probes themselves
//!   (in lock-step, or on a cluster); [`EtaStar::from_seeds`] then puts the seeds together.
//!
//! Which rate to use is another question, asked of a [`Training`]: how good is it at this rate, with this seed? It needs no
//! threshold, and is answered under the user's own schedule. [`recommend`] climbs from a first guess and models a held-out
//! metric against the rate; [`Climb`] is the same as questions and answers. Neither search nor choice owns a thread: those
//! that ask in parallel do so on the caller's rayon pool.
//!
//! [`CriticalStep`] asks no training, only losses along a line: how far the loss does not rise.
//!
//! ```
//! use etalon::search::{Outcome, Settings, Answer, maximal_rate, silent};
//!
//! // Gradient descent on a quadratic of curvature 4 trains below eta = 2 / 4.
//! let probe = |eta: f64, _seed: u64| -> Result<Outcome, std::io::Error> {
//!     let verdict = if eta < 0.5 { Answer::Trained } else { Answer::TooFast("loss above its limit".into()) };
//!     Ok(Outcome { verdict, steps: 100 })
//! };
//! let found = maximal_rate(&probe, &[(0, 0.1), (1, 3.0)], &Settings::default(), &silent)?;
//! assert!((found.median.unwrap() / 0.5 - 1.0).abs() < 0.05);
//! # Ok::<(), etalon::search::SearchError>(())
//! ```

mod ahead;
mod boundary;
mod cause;
mod climb;
mod critical;
mod definition;
mod error;
mod found;
mod maximal;
mod observe;
mod order;
mod plan;
mod probe;
mod recommend;
mod settings;
mod standing;
mod surrogate;
mod training;

pub(crate) use ahead::Ahead;
pub use boundary::{SeedResult, SeedSearch, Stopped};
pub use cause::Cause;
pub use climb::{Climb, ClimbSettings};
pub use critical::{Critical, CriticalStep};
pub use definition::{Boundary, DEFINITION};
pub use error::SearchError;
pub(crate) use error::{check_rate, check_seeds};
pub use found::{Curved, Ended, EtaStarSummary, Found, Lambda, Provisional, Saved, Threshold, Zone};
pub(crate) use maximal::Terms;
pub use maximal::{EtaStar, maximal_rate};
pub use observe::{Observer, Progress, silent};
pub(crate) use order::{proper_median, sorted};
pub use probe::{Answer, Outcome, Probe, Probed};
pub use recommend::{CurvePoint, Recommendation, Role, recommend};
pub use settings::Settings;
pub use training::{Length, Measure, Question, Trained, Training};
