//! Etalon's results, shown: a page for each record, figures as SVG, PNG and PDF, trajectories for other programs.
//!
//! Modules point one way: [`pages`] draw [`figure`]s; [`export`] stands alone. All of them see records and theory of the
//! library `etalon`, which knows nothing of them.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::todo))]

pub mod export;
pub mod figure;
pub mod pages;

pub use pages::{Drawn, Page, ReportError, Summary, compare, report};
