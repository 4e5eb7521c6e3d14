//! The jobs: [`find`], [`measure`], [`train`] and [`boundaries`], each a function of a [`Problem`] and its settings.
//!
//! A problem is a network, data, a loss, an optimiser and how long to train, of anyone's making: layers need not be those
//! of this crate. It is made in code by [`Problem::builder`]; [`Spec`](crate::spec::Spec) makes one from text.
//!
//! A job takes its threads from the rayon pool that it is called in, and starts none of its own: call it inside
//! `pool.install(..)` for a pool of your choosing. Outside of any pool that is rayon's global one. What comes out does not
//! depend on it.
//!
//! ```
//! use etalon::jobs::{MeasureSettings, Problem, measure};
//! use etalon::nn::{Loss, NetworkBuilder, layers::Dense};
//!
//! // A linear regression on one sample x = (3, 4): the Hessian's largest eigenvalue is |x|^2.
//! let mut network = NetworkBuilder::<f64>::new(2)?;
//! let dense = Dense { inputs: 2, outputs: 1, weight_multiplier: 1.0, weight_deviation: 1.0, bias_multiplier: None };
//! network.dense(dense, network.input())?;
//! let problem = Problem::builder(network.build()?, Loss::Mse)
//!     .train(vec![3.0, 4.0], vec![1.0])
//!     .held_out(vec![4.0, 3.0], vec![1.0])
//!     .build()?;
//! let measured = measure(&problem, &MeasureSettings::default())?;
//! assert!((measured.sharpness().unwrap() - 25.0).abs() < 1e-9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod boundaries;
mod builder;
mod error;
mod eta_star;
mod find;
mod journal;
mod measure;
mod problem;
mod provisional;
mod starts;
mod train;
mod trials;

pub(crate) use boundaries::BoundarySearch;
pub use boundaries::{BoundarySettings, boundaries};
pub use builder::{ProblemBuilder, ProblemError};
pub use error::JobError;
pub use find::{After, FindSettings, Listener, News, Target, find, unheard};
pub(crate) use find::{COARSE, SEARCH, check_memory, find_bytes, find_with};
pub(crate) use journal::Journal;
pub(crate) use measure::{MEASURING, varied};
pub use measure::{MeasureSettings, measure};
pub use problem::{Architecture, Problem};
pub(crate) use train::TRIAL;
pub use train::{Keep, TrainSettings, train};
pub(crate) use trials::{Forgetful, Memory};
