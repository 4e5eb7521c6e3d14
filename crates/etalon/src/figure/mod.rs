//! What a picture shows, drawn as SVG, with its numbers beside it.
//!
//! Colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart; pictures bring
//! their own background, so that they read on light and dark pages.

mod bands;
mod canvas;
mod law;
mod lines;
mod phases;
mod rates;
mod ticks;

pub use bands::{Band, BandPicture, Curve};
pub use law::{LawPicture, Mark};
pub use lines::{Columns, LinePicture, curves};
pub use phases::PhasePicture;
pub use rates::RatePicture;

use plotters::style::RGBColor;

/// Colours of lines and marks, dark enough for thin ones.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x22, 0x22, 0x22),
];

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// Too little to show.
    #[error(
        "a phase picture needs at least two values on each axis, here {columns} of c and {rows} of the width; \
             give ranges such as --c 0.5..8/400 --width 10..1e6/400"
    )]
    TooSmall {
        /// Values of `c`.
        columns: usize,
        /// Widths.
        rows: usize,
    },
    /// No rate at all.
    #[error("a picture of rates needs at least two steps with a rate above 0")]
    NoRates,
    /// A column that the table has not.
    #[error("there is no column `{name}`; there are {known}")]
    NoColumn {
        /// Its name.
        name: String,
        /// All names.
        known: String,
    },
    /// Nothing that can be drawn on its axes.
    #[error("there is nothing to draw: {0}")]
    Empty(&'static str),
    /// An axis has a value twice, or does not rise.
    #[error("the {axis} of a phase picture must rise from value to value")]
    NotRising {
        /// Which.
        axis: &'static str,
    },
    /// The drawing library refuses.
    #[error("the picture cannot be drawn: {0}")]
    Drawing(String),
}
