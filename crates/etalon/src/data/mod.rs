//! Data.

mod batches;
mod bytes;
pub mod cifar;
mod dataset;
mod draw;
mod error;
pub mod idx;
mod images;
mod normalization;
pub mod npy;
mod npy_header;

pub use batches::BatchOrder;
pub use dataset::{Dataset, Labels, SampleShape, Split};
pub use error::DataError;
pub use normalization::{Normalization, Statistics};
