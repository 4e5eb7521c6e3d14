//! Data sets: read from files, made from a seed, or part of this program; and the order to visit them in.
//!
//! [`load`] turns a [`Source`] into a [`Split`]; [`Split::normalise`] centres and scales it with statistics of
//! its train part; [`BatchOrder`] says which samples a step visits. [`fetch`] and [`import`] fill the data
//! directory, a [`Store`].
//!
//! ```
//! use etalon::data::{BatchOrder, Normalization, Source, load};
//!
//! let mut split = load(&Source { train: Some(100), ..Source::named("fashion-mini")? })?;
//! let statistics = split.normalise(Normalization::Pixel)?;
//! assert_eq!(statistics.mean.len(), 28 * 28);
//!
//! let mut order = BatchOrder::new(0, split.train.len(), 20)?;
//! for step in 0..order.steps_per_epoch() {
//!     for &index in order.indices(step) {
//!         assert_eq!(split.train.sample(index as usize).len(), 784);
//!     }
//! }
//! # Ok::<(), etalon::data::DataError>(())
//! ```

mod augment;
mod batches;
mod bytes;
mod catalogue;
#[cfg(feature = "parquet")]
mod caught;
mod cifar;
mod command;
mod dataset;
mod digest;
mod draw;
mod embedded;
mod error;
mod fetch;
mod folder;
mod idx;
mod images;
mod import;
mod layout;
mod normalization;
mod npy;
mod npy_header;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod parts;
mod patch;
mod picture;
pub mod procedural;
mod shrink;
mod source;
mod store;
mod table;
mod tree;
mod zip;

pub use augment::{Augmentation, Fill};
pub use batches::BatchOrder;
pub use catalogue::{Collection, Published};
pub use dataset::{Dataset, Labels, SampleShape, Split};
pub(crate) use draw::uniform;
pub use error::DataError;
pub use fetch::{Fetched, fetch};
pub use import::import;
pub use layout::ImageLayout;
pub(crate) use layout::transpose;
pub use normalization::{Normalization, Statistics};
pub use patch::{Fixed, Group, Patch, PatchRule};
pub use source::{Options, Origin, Recipe, Source, load, load_from};
pub use store::{Check, Entry, Kind, State, Store};

use source::procedural_names;
